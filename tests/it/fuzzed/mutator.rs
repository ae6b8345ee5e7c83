//! Bytes that are nearly right.

use fastrand::Rng;

/// The longest input, in bytes.
const LONGEST: usize = 64 * 1024;

/// How many inputs besides the seeds are kept to go on from.
const KEPT: usize = 64;

/// What means something to one of the targets.
const TOKENS: [&str; 44] = [
    "\"NaN\"",
    "\"1e999\"",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "{}",
    "[]",
    "\"\"",
    "true",
    "0",
    "-1",
    "1e999",
    "9223372036854775807",
    "1779270000",
    "\\u0000",
    "\\ud800",
    "\u{1b}[31m",
    "\n",
    "\r\n",
    "é",
    "\u{202e}",
    "\0",
    "\"id\":",
    "\"status\":\"FAILED\"",
    "\"subTasks\":[",
    "\"errors\":[{",
    "2026-11-20T12:00:00Z",
    "1970-01-01T00:00:00Z",
    "+14:00",
    "s3cretive-mark",
    ": ",
    "- ",
    "&a ",
    "*a ",
    "<<: ",
    "|\n",
    ";q=0",
    "*/*",
];

/// Makes inputs of seeds.
#[derive(Debug)]
pub(super) struct Mutator {
    random: Rng,
    seeds: usize,
    /// The seeds, and what became of them.
    pool: Vec<Vec<u8>>,
    made: usize,
}

impl Mutator {
    pub(super) fn new(seeds: Vec<Vec<u8>>, seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            seeds: seeds.len(),
            pool: seeds,
            made: 0,
        }
    }

    /// The seeds as they are, and then others.
    pub(super) fn make(&mut self) -> Vec<u8> {
        self.made += 1;
        if let Some(seed) = self
            .pool
            .get(self.made - 1)
            .filter(|_| self.made <= self.seeds)
        {
            return seed.clone();
        }
        let mut bytes = self.any();
        for _ in 0..=self.random.usize(..6) {
            self.change(&mut bytes);
        }
        bytes.truncate(LONGEST);
        if self.random.u8(..16) == 0 {
            self.keep(bytes.clone());
        }
        bytes
    }

    /// Whether the seeds, and one more, are still to come.
    pub(super) fn has_seeds(&self) -> bool {
        self.made <= self.seeds
    }

    fn keep(&mut self, bytes: Vec<u8>) {
        if self.pool.len() < self.seeds + KEPT {
            self.pool.push(bytes);
        } else {
            let at = self.seeds + self.random.usize(..KEPT);
            self.pool[at] = bytes;
        }
    }

    fn any(&mut self) -> Vec<u8> {
        let at = self.random.usize(..self.pool.len());
        self.pool[at].clone()
    }

    /// Two places, in their order.
    fn range(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let (a, b) = (
            self.random.usize(..=bytes.len()),
            self.random.usize(..=bytes.len()),
        );
        let (start, end) = (a.min(b), a.max(b));
        // Mostly a short one.
        let short = start + self.random.usize(..=16).min(end - start);
        start..if self.random.bool() { short } else { end }
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let range = self.range(bytes);
        match self.random.u8(..7) {
            0 if !bytes.is_empty() => {
                let at = self.random.usize(..bytes.len());
                bytes[at] ^= 1 << self.random.u8(..8);
            }
            1 => bytes.truncate(range.end),
            2 => drop(bytes.drain(range)),
            3 => {
                let other = self.any();
                let piece = self.range(&other);
                drop(bytes.splice(range, other[piece].iter().copied()));
            }
            4 => {
                let times =
                    self.random.usize(1..=8) * if self.random.u8(..32) == 0 { 64 } else { 1 };
                let piece = bytes[range.clone()].repeat(times);
                drop(bytes.splice(range.end..range.end, piece));
            }
            5 => {
                let token = TOKENS[self.random.usize(..TOKENS.len())];
                drop(bytes.splice(range.start..range.start, token.bytes()));
            }
            _ => {
                let token = TOKENS[self.random.usize(..TOKENS.len())];
                drop(bytes.splice(range, token.bytes()));
            }
        }
        bytes.truncate(LONGEST);
    }
}
