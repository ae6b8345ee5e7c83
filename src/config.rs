//! The configuration: from what the user typed to what the program needs.
//!
//! The file is YAML. Every rule that it breaks is told as one line that names the place and the key, and never
//! repeats a value, as each value may be a secret in the wrong place.

mod duration;
mod error;
mod http;
mod login;
mod places;
mod raw;
mod sddc_manager;
mod secret;
mod section;
mod settings;
mod source;
mod text;
mod vcenter;
mod virtshell;
mod warnings;
mod yaml;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use clap::ValueEnum as _;
use serde_saphyr::Spanned;
use zeroize::Zeroizing;

pub use error::{ConfigError, Place};
pub use http::{Header, HttpConfig, TlsConfig};
pub use login::Login;
pub use places::Places;
pub use sddc_manager::{RestoresAuth, SddcManagerConfig};
pub use secret::{Secret, SecretError};
pub use settings::Settings;
pub use source::{SourceConfig, SystemConfig};
pub(crate) use text::text;
pub use vcenter::{DialectChoice, VcenterConfig};
pub use virtshell::{Authorization, VirtShellConfig};

use raw::{Global, Shared, Source, Typed};
use section::Section;
use settings::Layers;
use warnings::Warnings;

use crate::log::Level;

/// The largest configuration file, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What the program needs to know to poll.
#[derive(Clone, Debug)]
pub struct Config {
    /// The sources, at least one, as the file orders them.
    pub sources: Vec<SourceConfig>,
    /// The least severe messages to log, if the file says so.
    pub log_level: Option<Level>,
    /// What an operator should know although the configuration is right, one line each.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads and judges the file at `path`.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let (bytes, exposed) = read(path).map_err(|source| ConfigError::Read {
            file: path.to_owned(),
            source,
        })?;
        let text = text(bytes).map_err(|(line, column)| ConfigError::Invalid {
            place: Place {
                file: path.to_owned(),
                line,
                column,
                path: String::new(),
            },
            rule: "is not UTF-8 text".to_owned(),
        })?;
        // It may hold secrets.
        resolve(&Zeroizing::new(text), path, exposed)
    }

    /// Judges `text` as the content of `file`, which is not read itself: file names are relative to its folder.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        resolve(text, file, false)
    }
}

/// What the file holds, and whether others than its owner can read it.
fn read(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let file = File::open(path)?;
    let exposed = is_exposed(&file)?;
    let size = file.metadata()?.len().min(LARGEST);
    // Large enough at once: what is left behind by growing is not wiped.
    let mut bytes = Vec::with_capacity(usize::try_from(size + 1).unwrap_or_default());
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > LARGEST) {
        let error = "larger than 16 MiB";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
    }
    Ok((bytes, exposed))
}

#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &File) -> io::Result<bool> {
    Ok(false)
}

fn resolve(text: &str, file: &Path, exposed: bool) -> Result<Config, ConfigError> {
    let raw = yaml::read(text, file)?;
    let top = Section::top(file);
    let mut warnings = Warnings::new(exposed);
    let log_level = log_level(&top, raw.global.as_ref())?;
    let (section, shared) = global(&top, raw.global)?;
    let sources = sources(&top, raw.sources, (&section, &shared), &mut warnings)?;
    let warnings = warnings.into_lines();
    Ok(Config {
        sources,
        log_level,
        warnings,
    })
}

/// `log_level` under `global`, which no source can have.
fn log_level(
    top: &Section<'_>,
    global: Option<&Spanned<Global>>,
) -> Result<Option<Level>, ConfigError> {
    let Some((global, typed)) = global.and_then(|all| Some((all, all.value.log_level.as_ref()?)))
    else {
        return Ok(None);
    };
    Level::from_str(&typed.value, false)
        .map(Some)
        .map_err(|_unknown| {
            let section = top.child("global", global);
            section.wrong("log_level", typed, "must be debug, info, warn or error")
        })
}

/// A value under `global` is judged even if every source has one of its own.
fn global<'a>(
    top: &Section<'a>,
    typed: Typed<Global>,
) -> Result<(Section<'a>, Shared), ConfigError> {
    let Some(mut typed) = typed else {
        return Ok((top.clone(), Shared::new()));
    };
    let section = top.child("global", &typed);
    let shared = typed.value.shared();
    let layers = [(&section, &shared)];
    let layers = Layers(&layers);
    Settings::resolve(&layers)?;
    layers.calls()?;
    Ok((section, shared))
}

fn sources(
    top: &Section<'_>,
    typed: Typed<Vec<Spanned<Source>>>,
    global: (&Section<'_>, &Shared),
    warnings: &mut Warnings,
) -> Result<Vec<SourceConfig>, ConfigError> {
    let typed = typed.map_or_else(Vec::new, |typed| typed.value);
    if typed.is_empty() {
        return Err(top.lacks("sources", "at least one source is required"));
    }
    let mut known = BTreeMap::new();
    let mut sources = Vec::new();
    for (index, raw) in typed.into_iter().enumerate() {
        let section = top.element("sources", index, &raw);
        let name = raw.value.name.clone();
        let source = SourceConfig::resolve(&section, raw.value, global, warnings)?;
        if let Some(first) = known.insert(source.name.clone(), index)
            && let Some(name) = name
        {
            let rule = format!("is already the name of sources[{first}]");
            return Err(section.wrong("name", &name, rule));
        }
        sources.push(source);
    }
    Ok(sources)
}

#[cfg(test)]
mod tests;
