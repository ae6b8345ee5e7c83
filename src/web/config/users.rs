//! Who may ask.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Range;

use bcrypt::HashParts;
use serde_saphyr::Spanned;

use super::error::WebConfigError;
use super::reader::Reader;

/// Names, and bcrypt's hashes of their passwords.
#[derive(Clone, Default)]
pub(crate) struct Users {
    hashes: BTreeMap<String, Hash>,
    /// The one that takes longest to check.
    costliest: Option<Hash>,
}

#[derive(Clone)]
struct Hash {
    text: String,
    cost: u32,
}

/// What the password of somebody is checked against.
#[derive(Clone)]
pub(crate) struct Check {
    /// Whether there is such a user.
    is_known: bool,
    hash: Hash,
    /// The cost of the costliest hash.
    most: u32,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.hashes.keys()).finish()
    }
}

impl Users {
    pub(super) fn resolve(
        reader: &Reader,
        raw: BTreeMap<String, Spanned<String>>,
    ) -> Result<Self, WebConfigError> {
        let mut users = Self::default();
        for (name, hash) in raw {
            let Some(read) = Hash::read(&hash.value) else {
                let key = format!("basic_auth_users.{}", name.escape_debug());
                let rule = "must be a bcrypt hash, such as `htpasswd -nB` makes";
                return Err(reader.wrong(&key, &hash, rule));
            };
            users.add(name, read);
        }
        Ok(users)
    }

    /// Some users and their hashes.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(users: [(&str, &str); N]) -> Self {
        let mut all = Self::default();
        for (name, hash) in users {
            all.add(name.to_owned(), Hash::read(hash).unwrap());
        }
        all
    }

    fn add(&mut self, name: String, hash: Hash) {
        let costliest = self.costliest.take();
        let costliest = costliest.filter(|other| other.cost >= hash.cost);
        self.costliest = Some(costliest.unwrap_or_else(|| hash.clone()));
        self.hashes.insert(name, hash);
    }

    /// Whether everybody may ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// What the password of one who calls himself so is checked against, if
    /// there are users: that of an unknown one against another's hash.
    pub(crate) fn check(&self, name: &str) -> Option<Check> {
        let costliest = self.costliest.as_ref()?;
        let known = self.hashes.get(name);
        Some(Check {
            is_known: known.is_some(),
            hash: known.unwrap_or(costliest).clone(),
            most: costliest.cost,
        })
    }
}

impl Hash {
    fn read(text: &str) -> Option<Self> {
        let parts: HashParts = text.parse().ok()?;
        let (cost, text) = (parts.get_cost(), text.to_owned());
        (4..=31).contains(&cost).then_some(Self { text, cost })
    }
}

impl Check {
    /// Whether there is such a user.
    pub(crate) fn is_known(&self) -> bool {
        self.is_known
    }

    /// The hash.
    pub(crate) fn hash(&self) -> &str {
        &self.hash.text
    }

    /// Whether this is the password. To say no takes as long for all names, so
    /// that the time does not tell which ones there are.
    pub(crate) fn is_passed_by(&self, password: &[u8]) -> bool {
        let right = matches!(bcrypt::verify(password, &self.hash.text), Ok(true));
        if right && self.is_known {
            return true;
        }
        for cost in self.rest() {
            drop(black_box(bcrypt::hash_with_salt(password, cost, [0; 16])));
        }
        false
    }

    /// The costs of what is hashed besides. Each takes twice as long as the one
    /// before, so with the hash itself they take as long as the costliest.
    fn rest(&self) -> Range<u32> {
        self.hash.cost..self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `secret`.
    const CHEAP: &str = "$2b$04$Lv8iTo7rbjvEcl8BeabRQOC/ZusTx1IbbMkfjXcxXDB1gXa.FfoIe";

    #[test]
    fn to_refuse_takes_as_long_for_all_names() {
        let [middle, costly] = ["$2b$06$", "$2b$07$"].map(|start| CHEAP.replace("$2b$04$", start));
        let users = Users::of([("b", CHEAP), ("c", &costly), ("d", &middle), ("e", CHEAP)]);
        for name in ["a", "b", "c", "d", "e", "f", ""] {
            let check = users.check(name).unwrap();
            let work: u32 = check.rest().map(|cost| 1 << cost).sum();
            assert_eq!((1 << check.hash.cost) + work, 1 << 7, "{name}");
            assert!(!check.is_passed_by(b"wrong"));
        }
    }

    #[test]
    fn an_unknown_user_has_no_password() {
        let users = Users::of([("alice", CHEAP)]);
        assert!(users.check("alice").unwrap().is_passed_by(b"secret"));
        assert!(!users.check("bob").unwrap().is_passed_by(b"secret"));
        assert!(Users::default().check("alice").is_none());
    }
}
