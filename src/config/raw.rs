//! What the user typed.
//!
//! Nearly every value is read as text and judged later, where the message can name the rule; a type error of
//! the YAML reader would have to quote the value to be of use, and that value may be a secret.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// A value and where it stands; `None` if the key is absent or has no value.
pub(super) type Typed<T> = Option<Spanned<T>>;

/// A text value.
pub(super) type Text = Typed<String>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) global: Typed<Global>,
    pub(super) sources: Typed<Vec<Spanned<Source>>>,
}

/// The values of the keys that `global` and every source share, by key.
pub(super) type Shared = BTreeMap<&'static str, Spanned<String>>;

// `serde(flatten)` would share the keys too, but it loses the positions and accepts unknown keys.
macro_rules! sections {
    ($($shared:ident)*; $($own:ident: $typed:ty,)*) => {
        /// The section `global`.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Global {
            $($shared: Text,)*
            pub(super) log_level: Text,
        }

        /// One element of `sources`.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Source {
            $($shared: Text,)*
            $(pub(super) $own: $typed,)*
        }

        impl Global {
            pub(super) fn shared(&mut self) -> Shared {
                gather([$((stringify!($shared), self.$shared.take()),)*])
            }
        }

        impl Source {
            pub(super) fn shared(&mut self) -> Shared {
                gather([$((stringify!($shared), self.$shared.take()),)*])
            }
        }
    };
}

sections! {
    poll_interval request_timeout max_requests_per_second poll_timeout full_poll_interval full_poll_timeout stale_after
    counter_birth_hold ledger_retention failure_open_for
    max_operations max_subtask_names max_error_codes max_open_tasks max_open_failures;

    name: Text,
    system: Text,
    url: Text,
    username: Text,
    password: Typed<SecretString>,
    password_file: Text,
    api_key: Typed<SecretString>,
    api_key_file: Text,
    token: Typed<SecretString>,
    token_file: Text,
    tls_config: Typed<Tls>,
    proxy_url: Typed<SecretString>,
    http_headers: Typed<BTreeMap<String, Spanned<Header>>>,
    follow_redirects: Typed<bool>,
    restores: Typed<Vec<Spanned<String>>>,
    restores_auth: Text,
    operation_rules: Typed<Vec<Spanned<Rule>>>,
    dialect: Text,
    services: Typed<Vec<Spanned<String>>>,
    authorization: Typed<Authorization>,
    status_map: Typed<BTreeMap<String, Spanned<String>>>,
}

fn gather(values: impl IntoIterator<Item = (&'static str, Text)>) -> Shared {
    let typed = |(key, value): (_, Text)| value.map(|value| (key, value));
    values.into_iter().filter_map(typed).collect()
}

/// `tls_config`, as in Prometheus.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) ca_file: Text,
    pub(super) cert_file: Text,
    pub(super) key_file: Text,
    pub(super) server_name: Text,
    pub(super) insecure_skip_verify: Typed<bool>,
}

/// One header of `http_headers`, as in Prometheus.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) values: Typed<Vec<Spanned<SecretString>>>,
    pub(super) secrets: Typed<Vec<Spanned<SecretString>>>,
    pub(super) files: Typed<Vec<Spanned<String>>>,
}

/// `authorization` of a VirtShell.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Authorization {
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) header_name: Text,
    pub(super) credentials: Typed<SecretString>,
    pub(super) credentials_file: Text,
    pub(super) user_id: Text,
    pub(super) secret: Typed<SecretString>,
    pub(super) secret_file: Text,
}

/// One element of `operation_rules`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) regex: Text,
    pub(super) operation: Text,
}
