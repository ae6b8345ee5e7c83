//! The keys of a source whose system is `vcenter`.

use std::time::Duration;

use serde_saphyr::Spanned;

use super::error::{ConfigError, not_of_this_system};
use super::login::Login;
use super::raw::{Text, Typed};
use super::secret::Secret;
use super::section::Section;
use super::settings::Settings;
use super::warnings::Warnings;

/// Some providers forget a finished task after seven minutes (vAPI runtime for Go).
const LONGEST_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The longest id of a service, in bytes; the longest that exists has 107.
const LONGEST_SERVICE: usize = 300;

/// What is particular to a vCenter.
#[derive(Clone, Debug, PartialEq)]
pub struct VcenterConfig {
    /// The user's name: not empty, and without a colon.
    pub username: String,
    /// The user's password.
    pub password: Secret,
    /// In which way the tasks are asked for.
    pub dialect: DialectChoice,
    /// The services whose tasks are listed, each once; the built-in ones if `None`.
    pub services: Option<Vec<String>>,
}

/// In which way the tasks are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DialectChoice {
    /// Whichever answers.
    #[default]
    Auto,
    /// `GET /rest/cis/tasks`, since 6.7 U1.
    Rest,
    /// `POST /api/cis/tasks?action=list`, since 7.0 U2.
    Api,
}

/// The keys of a source that are particular to a vCenter.
#[derive(Debug)]
pub(super) struct RawVcenter {
    pub(super) dialect: Text,
    pub(super) services: Typed<Vec<Spanned<String>>>,
}

impl RawVcenter {
    /// An error if a key is given that means nothing to another system.
    pub(super) fn refuse(&self, section: &Section<'_>) -> Result<(), ConfigError> {
        not_of_this_system([
            self.dialect
                .as_ref()
                .map(|typed| section.place("dialect", typed)),
            self.services
                .as_ref()
                .map(|typed| section.place("services", typed)),
        ])
    }
}

impl VcenterConfig {
    pub(super) fn resolve(
        section: &Section<'_>,
        login: Login,
        raw: RawVcenter,
    ) -> Result<Self, ConfigError> {
        let Login::Password { username, password } = login else {
            return Err(section.fails("vcenter needs username and password(_file)"));
        };
        if username.contains(':') {
            return Err(section
                .fails("username cannot have a colon, as vcenter takes basic authentication"));
        }
        Ok(Self {
            username,
            password,
            dialect: DialectChoice::resolve(section, raw.dialect)?,
            services: services(section, raw.services)?,
        })
    }

    /// Warns of an interval in which finished tasks can come and go unseen.
    pub(super) fn warn(section: &Section<'_>, settings: &Settings, warnings: &mut Warnings) {
        if settings.poll_interval > LONGEST_INTERVAL {
            let text =
                "poll_interval is above 5m, but a vCenter may forget a finished task after 7m";
            warnings.add(&section.here(), text);
        }
    }
}

impl DialectChoice {
    fn resolve(section: &Section<'_>, raw: Text) -> Result<Self, ConfigError> {
        let Some(raw) = raw else {
            return Ok(Self::default());
        };
        match raw.value.as_str() {
            "auto" => Ok(Self::Auto),
            "rest" => Ok(Self::Rest),
            "api" => Ok(Self::Api),
            _ => Err(section.wrong("dialect", &raw, "must be auto, rest or api")),
        }
    }
}

fn services(
    section: &Section<'_>,
    typed: Typed<Vec<Spanned<String>>>,
) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(typed) = typed else {
        return Ok(None);
    };
    if typed.value.is_empty() {
        return Err(section.wrong("services", &typed, "must name at least one service"));
    }
    let mut services: Vec<String> = Vec::new();
    for (index, service) in typed.value.into_iter().enumerate() {
        let key = format!("services[{index}]");
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let name = &service.value;
        if name.is_empty() || name.len() > LONGEST_SERVICE || !name.chars().all(word) {
            let rule = "must be a service's id, such as com.vmware.vcenter.VM";
            return Err(section.wrong(&key, &service, rule));
        }
        if services.contains(name) {
            return Err(section.wrong(&key, &service, "is given twice"));
        }
        services.push(service.value);
    }
    Ok(Some(services))
}
