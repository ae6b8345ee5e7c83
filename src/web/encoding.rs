//! Which content coding a client takes, and gzip itself.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compress, Compression, Crc, FlushCompress};

use super::preferences::Clause;

/// Smaller bodies are not worth the work.
pub(super) const SMALLEST: usize = 1024;

/// The fastest level: somebody waits for it, and the next one is another text.
const LEVEL: Compression = Compression::fast();

/// A gzip file's magic number, deflate, no flags, no time, level and system
/// unknown (RFC 1952, 2.3.1).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

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
        let room = Vec::with_capacity(text.len() / 6);
        let mut encoder = GzEncoder::new(room, LEVEL);
        encoder.write_all(text.as_bytes())?;
        Ok((Self::Gzip, encoder.finish()?))
    }
}

/// The compressed beginning of a text, which any end can follow.
#[derive(Debug)]
pub(super) struct Beginning {
    bytes: Bytes,
    checksum: Crc,
}

impl Beginning {
    /// Compresses the beginning.
    pub(super) fn of(text: &[u8]) -> io::Result<Self> {
        let mut checksum = Crc::new();
        checksum.update(text);
        let mut bytes = Vec::with_capacity(HEADER.len() + text.len() / 6);
        bytes.extend(HEADER);
        deflate(text, &mut bytes)?;
        let bytes = bytes.into();
        Ok(Self { bytes, checksum })
    }

    /// The beginning, and what completes it to one gzip member with this end.
    pub(super) fn ended(&self, text: &[u8]) -> io::Result<(Bytes, Vec<u8>)> {
        let mut encoder = DeflateEncoder::new(Vec::new(), LEVEL);
        encoder.write_all(text)?;
        let mut end = encoder.finish()?;
        let mut checksum = Crc::new();
        checksum.update(text);
        let mut all = Crc::new();
        all.combine(&self.checksum);
        all.combine(&checksum);
        end.extend(all.sum().to_le_bytes());
        end.extend(all.amount().to_le_bytes());
        Ok((self.bytes.clone(), end))
    }
}

/// Compresses a text up to a whole byte, so that another stream can follow.
///
/// The flush of [`DeflateEncoder`] is not for this: it leaves a part behind
/// where what is left is more than its buffer holds.
fn deflate(text: &[u8], bytes: &mut Vec<u8>) -> io::Result<()> {
    const ROOM: usize = 4096;
    let mut compress = Compress::new(LEVEL, false);
    let mut rest = text;
    loop {
        bytes.reserve(ROOM);
        let before = compress.total_in();
        compress.compress_vec(rest, bytes, FlushCompress::Sync)?;
        let taken = usize::try_from(compress.total_in() - before);
        rest = taken.map_or(&[], |taken| rest.get(taken..).unwrap_or_default());
        // Room is left only when all was written.
        if bytes.len() < bytes.capacity() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::bufread::GzDecoder;

    use super::*;

    #[test]
    fn a_beginning_and_any_end_make_one_member() {
        let mut random = fastrand::Rng::with_seed(1);
        // More than the encoder's own buffer holds, and compressed still so.
        let large: String = (0..300_000).map(|_| random.alphanumeric()).collect();
        for beginning in ["", "a", &"virt_tasks 1\n".repeat(10_000), &large] {
            let compressed = Beginning::of(beginning.as_bytes()).unwrap();
            for end in ["", "# EOF\n", &"process_open_fds 7\n".repeat(99)] {
                let (mut bytes, rest) = compressed
                    .ended(end.as_bytes())
                    .map(|(bytes, rest)| (bytes.to_vec(), rest))
                    .unwrap();
                bytes.extend(rest);
                // Unlike others this decoder stops behind the first member.
                let mut decoder = GzDecoder::new(bytes.as_slice());
                let mut text = String::new();
                decoder.read_to_string(&mut text).unwrap();
                assert_eq!(text, format!("{beginning}{end}"));
                assert!(decoder.into_inner().is_empty());
            }
        }
    }

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
