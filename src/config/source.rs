//! One element of `sources`.

use serde_saphyr::Spanned;
use url::{Host, Url};

use super::error::ConfigError;
use super::http::{HttpConfig, RawHttp};
use super::login::{Login, RawLogin};
use super::places::Places;
use super::raw::{Shared, Source as RawSource, Text};
use super::sddc_manager::{RawSddcManager, SddcManagerConfig};
use super::secret::Secret;
use super::section::Section;
use super::settings::{Layers, Settings};
use super::vcenter::{RawVcenter, VcenterConfig};
use super::virtshell::{RawVirtShell, VirtShellConfig};
use super::warnings::Warnings;

/// The longest name in bytes: it becomes a file's name, with room for an ending.
const LONGEST_NAME: usize = 200;

/// One API that is polled.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceConfig {
    /// The label `source`: unique, 1 to 200 bytes, and safe as a file's name.
    pub name: String,
    /// Where the API is: http or https, without credentials, query or fragment; may have a path.
    pub url: Url,
    /// What kind of system it is, with all that is particular to the kind.
    pub system: SystemConfig,
    /// How it is reached.
    pub http: HttpConfig,
    /// How it is polled and how much of it is kept.
    pub settings: Settings,
    /// Where it stands in the file.
    pub places: Places,
}

/// The kinds of systems.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SystemConfig {
    /// VMware Cloud Foundation's SDDC Manager.
    SddcManager(SddcManagerConfig),
    /// A vCenter Server.
    Vcenter(VcenterConfig),
    /// A VirtShell.
    VirtShell(VirtShellConfig),
}

impl SystemConfig {
    /// The words of the configuration for them.
    const WORDS: [&'static str; 3] = ["sddc_manager", "vcenter", "virtshell"];

    /// The word of the configuration for this kind, also a label's value.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SddcManager(_) => "sddc_manager",
            Self::Vcenter(_) => "vcenter",
            Self::VirtShell(_) => "virtshell",
        }
    }

    /// What proves who reads, if anything does.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::SddcManager(config) => Some(config.login.secret()),
            Self::Vcenter(config) => Some(&config.password),
            Self::VirtShell(config) => config.authorization.secret(),
        }
    }

    /// Whether a login or a request carries the secret itself.
    const fn sends_secret(&self) -> bool {
        match self {
            Self::SddcManager(_) | Self::Vcenter(_) => true,
            Self::VirtShell(config) => config.authorization.sends_secret(),
        }
    }

    /// What the kind of system makes of the settings of every system.
    fn adapt(
        &self,
        section: &Section<'_>,
        settings: &Settings,
        http: &mut HttpConfig,
        warnings: &mut Warnings,
    ) {
        match self {
            Self::SddcManager(_) => {}
            Self::Vcenter(_) => VcenterConfig::warn(section, settings, warnings),
            Self::VirtShell(_) => VirtShellConfig::limit(section, http, warnings),
        }
    }
}

impl SourceConfig {
    pub(super) fn resolve(
        section: &Section<'_>,
        mut raw: RawSource,
        global: (&Section<'_>, &Shared),
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        let places = Places::note(section, &raw);
        let shared = raw.shared();
        let layers = [(section, &shared), global];
        let layers = Layers(&layers);
        let settings = Settings::resolve(&layers)?;
        settings.check(&layers)?;
        let calls = layers.calls()?;
        let (http, raw) = split(raw);
        let system = system(section, raw.system, raw.keys, warnings)?;
        let mut http = HttpConfig::resolve(section, http, &calls, warnings)?;
        system.adapt(section, &settings, &mut http, warnings);
        Ok(Self {
            name: name(section, raw.name)?,
            url: url(section, raw.url, &system, warnings)?,
            system,
            http,
            settings,
            places,
        })
    }
}

struct Rest {
    name: Text,
    system: Text,
    url: Text,
    keys: Keys,
}

/// The keys that are not of every system.
struct Keys {
    login: RawLogin,
    sddc_manager: RawSddcManager,
    vcenter: RawVcenter,
    virtshell: RawVirtShell,
}

fn split(raw: RawSource) -> (RawHttp, Rest) {
    let http = RawHttp {
        tls_config: raw.tls_config,
        proxy_url: raw.proxy_url,
        http_headers: raw.http_headers,
        follow_redirects: raw.follow_redirects,
    };
    let login = RawLogin {
        username: raw.username,
        password: raw.password,
        password_file: raw.password_file,
        api_key: raw.api_key,
        api_key_file: raw.api_key_file,
        token: raw.token,
        token_file: raw.token_file,
    };
    let rest = Rest {
        name: raw.name,
        system: raw.system,
        url: raw.url,
        keys: Keys {
            login,
            sddc_manager: RawSddcManager {
                restores: raw.restores,
                restores_auth: raw.restores_auth,
                operation_rules: raw.operation_rules,
            },
            vcenter: RawVcenter {
                dialect: raw.dialect,
                services: raw.services,
            },
            virtshell: RawVirtShell {
                authorization: raw.authorization,
                status_map: raw.status_map,
            },
        },
    };
    (http, rest)
}

fn name(section: &Section<'_>, typed: Text) -> Result<String, ConfigError> {
    let typed = required(section, "name", typed)?;
    let wrong = |rule| Err(section.wrong("name", &typed, rule));
    match typed.value.as_str() {
        "" => wrong("must not be empty"),
        "." | ".." => wrong("must not be . or .."),
        name if name.len() > LONGEST_NAME => wrong("must be at most 200 bytes long"),
        name if name.trim() != name => wrong("must not begin or end with blanks"),
        name if name.contains('/') => wrong("must not contain a /"),
        name if name.contains(char::is_control) => wrong("must not contain control characters"),
        _ => Ok(typed.value),
    }
}

fn url(
    section: &Section<'_>,
    typed: Text,
    system: &SystemConfig,
    warnings: &mut Warnings,
) -> Result<Url, ConfigError> {
    let typed = required(section, "url", typed)?;
    let wrong = |rule| Err(section.wrong("url", &typed, rule));
    let Ok(url) = Url::parse(&typed.value) else {
        return wrong("must be an absolute URL, such as https://sddc-manager.example");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("must begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not carry credentials");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("must not have a query or a fragment");
    }
    if url.scheme() == "http" && system.sends_secret() && !is_loopback(&url) {
        let text = "http sends the secret of the login so that others can read it on its way";
        warnings.add(&section.place("url", &typed), text);
    }
    Ok(url)
}

/// Whether nothing on the way leaves this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn system(
    section: &Section<'_>,
    typed: Text,
    keys: Keys,
    warnings: &mut Warnings,
) -> Result<SystemConfig, ConfigError> {
    let typed = required(section, "system", typed)?;
    let (login, virtshell) = (keys.login, keys.virtshell);
    let (sddc_manager, vcenter) = (keys.sddc_manager, keys.vcenter);
    match typed.value.as_str() {
        "sddc_manager" => {
            vcenter.refuse(section)?;
            virtshell.refuse(section)?;
            let login = Login::resolve(section, login, warnings)?;
            let config = SddcManagerConfig::resolve(section, login, sddc_manager)?;
            Ok(SystemConfig::SddcManager(config))
        }
        "vcenter" => {
            sddc_manager.refuse(section)?;
            virtshell.refuse(section)?;
            let login = Login::resolve(section, login, warnings)?;
            let config = VcenterConfig::resolve(section, login, vcenter)?;
            Ok(SystemConfig::Vcenter(config))
        }
        "virtshell" => {
            sddc_manager.refuse(section)?;
            vcenter.refuse(section)?;
            login.refuse(section)?;
            let config = VirtShellConfig::resolve(section, virtshell, warnings)?;
            Ok(SystemConfig::VirtShell(config))
        }
        _ => {
            let rule = format!("must be one of: {}", SystemConfig::WORDS.join(", "));
            Err(section.wrong("system", &typed, rule))
        }
    }
}

fn required(section: &Section<'_>, key: &str, typed: Text) -> Result<Spanned<String>, ConfigError> {
    typed.ok_or_else(|| section.lacks(key, "is required"))
}
