//! Bytes as choices.

use jiff::Timestamp;

/// Bytes, one after the other; after the last one zeros.
#[derive(Debug)]
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// One of some values.
    pub(crate) fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[usize::from(self.next()) % values.len()]
    }

    pub(crate) fn number(&mut self) -> usize {
        [(); 3]
            .into_iter()
            .fold(0, |number, ()| (number << 8) | usize::from(self.next()))
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// The time at which everything happens.
pub(crate) fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("it is a time")
}
