//! Which content coding a client takes, and gzip itself.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::preferences::Clause;

/// Smaller bodies are not worth the work.
const SMALLEST: usize = 1024;

/// The coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is.
    Identity,
    /// Compressed.
    Gzip,
}

impl Encoding {
    /// The coding for an `Accept-Encoding` header: gzip where it is taken and
    /// the plain text is not liked better.
    pub(super) fn negotiate(accept: &str) -> Self {
        let clauses = Clause::all(accept);
        let quality = |names: &[&str]| {
            let mut clauses = clauses.iter();
            let clause = clauses.find(|clause| names.contains(&clause.value.as_str()));
            clause.map(Clause::quality)
        };
        let gzip = quality(&["gzip", "x-gzip"]).or_else(|| quality(&["*"]));
        let plain = quality(&["identity"]).unwrap_or(0.0);
        match gzip {
            Some(gzip) if gzip > 0.0 && gzip >= plain => Self::Gzip,
            _ => Self::Identity,
        }
    }

    /// The coded text, and the coding that it has now.
    pub(super) fn apply(self, text: String) -> io::Result<(Self, Vec<u8>)> {
        if self == Self::Identity || text.len() < SMALLEST {
            return Ok((Self::Identity, text.into_bytes()));
        }
        // The fastest level: a scrape waits for it, and the next one is another text.
        let room = Vec::with_capacity(text.len() / 6);
        let mut encoder = GzEncoder::new(room, Compression::fast());
        encoder.write_all(text.as_bytes())?;
        Ok((Self::Gzip, encoder.finish()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_goes_to_those_who_take_it() {
        for (accept, encoding) in [
            ("", Encoding::Identity),
            ("gzip", Encoding::Gzip),
            ("GZip", Encoding::Gzip),
            ("x-gzip", Encoding::Gzip),
            ("deflate, gzip;q=0.5, br", Encoding::Gzip),
            ("*", Encoding::Gzip),
            ("*;q=0", Encoding::Identity),
            ("gzip;q=0", Encoding::Identity),
            ("gzip;q=0, *", Encoding::Identity),
            ("gzip, *;q=0", Encoding::Gzip),
            ("identity, gzip;q=0.5", Encoding::Identity),
            ("identity;q=0.5, gzip", Encoding::Gzip),
            ("identity", Encoding::Identity),
            ("gzip;q=nonsense", Encoding::Identity),
            ("gzipped, zstd, br", Encoding::Identity),
            (",;q=1,, gzip", Encoding::Gzip),
        ] {
            assert_eq!(Encoding::negotiate(accept), encoding, "{accept}");
        }
    }
}
