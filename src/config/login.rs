//! The keys of a source that say how to log in.

use secrecy::SecretString;

use super::error::{ConfigError, not_of_this_system};
use super::raw::{Text, Typed};
use super::secret::Secret;
use super::section::Section;
use super::warnings::Warnings;

/// The one way to log in.
#[derive(Clone, Debug, PartialEq)]
pub enum Login {
    /// With a user's name and password.
    Password {
        /// The name, not empty.
        username: String,
        /// The password.
        password: Secret,
    },
    /// With an API key.
    ApiKey(Secret),
    /// With a token issued elsewhere.
    Token(Secret),
}

impl Login {
    /// What proves who logs in.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Password { password, .. } => password,
            Self::ApiKey(secret) | Self::Token(secret) => secret,
        }
    }
}

/// The keys of a source that say how to log in.
#[derive(Debug)]
pub(super) struct RawLogin {
    pub(super) username: Text,
    pub(super) password: Typed<SecretString>,
    pub(super) password_file: Text,
    pub(super) api_key: Typed<SecretString>,
    pub(super) api_key_file: Text,
    pub(super) token: Typed<SecretString>,
    pub(super) token_file: Text,
}

impl RawLogin {
    /// An error if a key is given that means nothing to another system.
    pub(super) fn refuse(&self, section: &Section<'_>) -> Result<(), ConfigError> {
        let secret = |key, typed: &Typed<SecretString>| {
            typed.as_ref().map(|typed| section.place(key, typed))
        };
        let text = |key, typed: &Text| typed.as_ref().map(|typed| section.place(key, typed));
        not_of_this_system([
            text("username", &self.username),
            secret("password", &self.password),
            text("password_file", &self.password_file),
            secret("api_key", &self.api_key),
            text("api_key_file", &self.api_key_file),
            secret("token", &self.token),
            text("token_file", &self.token_file),
        ])
    }
}

impl Login {
    pub(super) fn resolve(
        section: &Section<'_>,
        raw: RawLogin,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        let mut secret = |typed, file| Secret::resolve(section, typed, file, warnings);
        let password = secret(
            ("password", raw.password),
            ("password_file", raw.password_file),
        )?;
        let api_key = secret(("api_key", raw.api_key), ("api_key_file", raw.api_key_file))?;
        let token = secret(("token", raw.token), ("token_file", raw.token_file))?;
        match (raw.username, password, api_key, token) {
            (Some(name), _, None, None) if name.value.is_empty() => {
                Err(section.wrong("username", &name, "must not be empty"))
            }
            (Some(name), Some(password), None, None) => Ok(Self::Password {
                username: name.value,
                password,
            }),
            (Some(name), None, None, None) => {
                Err(section.wrong("username", &name, "needs a password or password_file"))
            }
            (None, Some(_), None, None) => {
                Err(section.lacks("username", "is required with a password"))
            }
            (None, None, Some(key), None) => Ok(Self::ApiKey(key)),
            (None, None, None, Some(token)) => Ok(Self::Token(token)),
            (None, None, None, None) => Err(section.fails(
                "needs a way to log in: username and password(_file), api_key(_file) or token(_file)",
            )),
            _ => Err(section.fails(
                "only one way to log in may be given: username and password(_file), api_key(_file) or token(_file)",
            )),
        }
    }
}
