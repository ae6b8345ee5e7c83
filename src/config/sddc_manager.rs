//! The keys of a source whose system is `sddc_manager`.

use regex::Regex;
use serde_saphyr::Spanned;

use super::error::{ConfigError, not_of_this_system};
use super::login::Login;
use super::raw::{Rule, Text, Typed};
use super::section::Section;
use crate::task::OperationRule;

/// The longest operation, in bytes: as label values are cut.
const LONGEST_OPERATION: usize = 200;

/// What is particular to an SDDC Manager.
#[derive(Clone, Debug, PartialEq)]
pub struct SddcManagerConfig {
    /// How to log in.
    pub login: Login,
    /// Ids of restore tasks to read; each is safe as one segment of a URL.
    pub restores: Vec<String>,
    /// How restore tasks are asked for.
    pub restores_auth: RestoresAuth,
    /// Rules that derive an operation from a task's name; the first match wins.
    pub operation_rules: Vec<OperationRule>,
}

/// How restore tasks are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestoresAuth {
    /// With the token, as for all other calls.
    #[default]
    Bearer,
    /// With the name and password themselves; [`SddcManagerConfig::login`] is [`Login::Password`] then.
    Basic,
}

/// The keys of a source that are particular to an SDDC Manager.
#[derive(Debug)]
pub(super) struct RawSddcManager {
    pub(super) restores: Typed<Vec<Spanned<String>>>,
    pub(super) restores_auth: Text,
    pub(super) operation_rules: Typed<Vec<Spanned<Rule>>>,
}

impl RawSddcManager {
    /// An error if a key is given that means nothing to another system.
    pub(super) fn refuse(&self, section: &Section<'_>) -> Result<(), ConfigError> {
        let places = [
            self.restores
                .as_ref()
                .map(|typed| section.place("restores", typed)),
            self.restores_auth
                .as_ref()
                .map(|typed| section.place("restores_auth", typed)),
            self.operation_rules
                .as_ref()
                .map(|typed| section.place("operation_rules", typed)),
        ];
        not_of_this_system(places)
    }
}

impl SddcManagerConfig {
    pub(super) fn resolve(
        section: &Section<'_>,
        login: Login,
        raw: RawSddcManager,
    ) -> Result<Self, ConfigError> {
        let restores_auth = RestoresAuth::resolve(section, raw.restores_auth, &login)?;
        Ok(Self {
            login,
            restores: restores(section, raw.restores)?,
            restores_auth,
            operation_rules: operation_rules(section, raw.operation_rules)?,
        })
    }
}

impl RestoresAuth {
    fn resolve(section: &Section<'_>, raw: Text, login: &Login) -> Result<Self, ConfigError> {
        let Some(raw) = raw else {
            return Ok(Self::default());
        };
        let wrong = |rule| Err(section.wrong("restores_auth", &raw, rule));
        match (raw.value.as_str(), login) {
            ("bearer", _) => Ok(Self::Bearer),
            ("basic", Login::Password { username, .. }) if username.contains(':') => {
                wrong("basic cannot carry a username with a colon")
            }
            ("basic", Login::Password { .. }) => Ok(Self::Basic),
            ("basic", _) => wrong("basic needs username and password(_file)"),
            _ => wrong("must be bearer or basic"),
        }
    }
}

fn restores(
    section: &Section<'_>,
    typed: Typed<Vec<Spanned<String>>>,
) -> Result<Vec<String>, ConfigError> {
    let mut ids: Vec<String> = Vec::new();
    let typed = typed.into_iter().flat_map(|list| list.value);
    for (index, id) in typed.enumerate() {
        let key = format!("restores[{index}]");
        if !is_safe_id(&id.value) {
            let rule = "must consist of letters, digits and :._- and not be . or ..";
            return Err(section.wrong(&key, &id, rule));
        }
        if ids.contains(&id.value) {
            return Err(section.wrong(&key, &id, "is given twice"));
        }
        ids.push(id.value);
    }
    Ok(ids)
}

fn is_safe_id(id: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_' | '-');
    !matches!(id, "" | "." | "..") && id.chars().all(safe)
}

fn operation_rules(
    parent: &Section<'_>,
    typed: Typed<Vec<Spanned<Rule>>>,
) -> Result<Vec<OperationRule>, ConfigError> {
    let rules = typed.into_iter().flat_map(|list| list.value).enumerate();
    rules
        .map(|(index, rule)| {
            let section = parent.element("operation_rules", index, &rule);
            operation_rule(&section, rule.value)
        })
        .collect()
}

fn operation_rule(section: &Section<'_>, raw: Rule) -> Result<OperationRule, ConfigError> {
    let regex = raw
        .regex
        .ok_or_else(|| section.lacks("regex", "is required"))?;
    let operation = raw.operation;
    let operation = operation.ok_or_else(|| section.lacks("operation", "is required"))?;
    let name = &operation.value;
    if name.is_empty() || name.len() > LONGEST_OPERATION || name.contains(char::is_control) {
        let rule = "must be 1 to 200 bytes without control characters";
        return Err(section.wrong("operation", &operation, rule));
    }
    match Regex::new(&regex.value) {
        Ok(compiled) => Ok(OperationRule {
            regex: compiled,
            operation: operation.value,
        }),
        Err(error) => Err(section.wrong("regex", &regex, regex_rule(&error))),
    }
}

/// The error's last line says what is wrong; those before it show the expression.
fn regex_rule(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    let reason = line.strip_prefix("error: ").unwrap_or(line);
    format!("must be a regular expression: {reason}")
}
