//! Who may ask.

use std::collections::BTreeMap;

use bcrypt::HashParts;
use serde_saphyr::Spanned;

use super::error::WebConfigError;
use super::reader::Reader;

/// Names, and bcrypt's hashes of their passwords.
#[derive(Clone, Default)]
pub(crate) struct Users(BTreeMap<String, String>);

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Users {
    pub(super) fn resolve(
        reader: &Reader,
        raw: BTreeMap<String, Spanned<String>>,
    ) -> Result<Self, WebConfigError> {
        let mut users = BTreeMap::new();
        for (name, hash) in raw {
            let cost = hash.value.parse().map(|parts: HashParts| parts.get_cost());
            if !cost.is_ok_and(|cost| (4..=31).contains(&cost)) {
                let key = format!("basic_auth_users.{}", name.escape_debug());
                let rule = "must be a bcrypt hash, such as `htpasswd -nB` makes";
                return Err(reader.wrong(&key, &hash, rule));
            }
            users.insert(name, hash.value);
        }
        Ok(Self(users))
    }

    /// One user.
    #[cfg(test)]
    pub(crate) fn of(name: &str, hash: &str) -> Self {
        Self(BTreeMap::from([(name.to_owned(), hash.to_owned())]))
    }

    /// Whether everybody may ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The hash of a user's password, and whether there is such a user: an
    /// unknown one gets another's, so that refusing takes as long.
    pub(crate) fn hash(&self, name: &str) -> (bool, &str) {
        let known = self.0.get(name);
        let hash = known.or_else(|| self.0.values().next());
        (known.is_some(), hash.map_or("", String::as_str))
    }
}
