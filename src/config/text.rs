//! Files as text.

/// The text that the bytes are, or the line and the column of the first one that is none, both from 1.
pub(crate) fn text(bytes: Vec<u8>) -> Result<String, (u64, u64)> {
    String::from_utf8(bytes).map_err(|error| {
        let mut chunks = error.as_bytes().utf8_chunks();
        let before = chunks.next().map_or("", |chunk| chunk.valid());
        let line = before.matches('\n').count();
        let last = before.rsplit('\n').next().unwrap_or_default();
        let from_1 = |count: usize| u64::try_from(count + 1).unwrap_or(u64::MAX);
        (from_1(line), from_1(last.chars().count()))
    })
}
