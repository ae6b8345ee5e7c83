//! Hashes that mean the same in every build, so that a file can keep them.

use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// What a task is known by in the ledger: a 128-bit hash of its id.
///
/// Ids are opaque and of any length; a fixed width keeps a million entries small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskKey(u128);

impl TaskKey {
    /// The key of the task with this id.
    pub fn of(id: &str) -> Self {
        Self(Digest::new().text(id).wide())
    }
}

/// A hash over texts and numbers in a fixed order.
#[derive(Debug, Clone, Default)]
pub struct Digest(SipHasher13);

impl Digest {
    /// An empty hash.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text; where it ends is part of the hash.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.write(text.as_bytes());
        self.0.write_u8(0xff);
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.write(&number.to_le_bytes());
        self
    }

    /// The hash in 32 bits, where a rare collision does no harm.
    pub fn short(&self) -> u32 {
        let hash = self.finish() >> 32;
        u32::try_from(hash).expect("half of 64 bits fit into 32")
    }

    /// The hash in 64 bits.
    pub fn finish(&self) -> u64 {
        self.0.finish128().h1
    }

    fn wide(&self) -> u128 {
        self.0.finish128().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_where_a_text_ends_counts() {
        let split = Digest::new().text("ab").text("c").finish();
        assert_ne!(split, Digest::new().text("a").text("bc").finish());
        assert_eq!(split, Digest::new().text("ab").text("c").finish());
    }

    #[test]
    fn the_hash_is_the_same_in_every_build() {
        assert_eq!(
            TaskKey::of("a758bf1b-5114-4385-a1fc-3763cf2e584e"),
            TaskKey(0x0dc2_0098_eb48_ecd6_dac7_d743_02eb_64ad)
        );
    }
}
