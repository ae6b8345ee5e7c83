use rstest::rstest;

use super::*;

/// A ledger that was closed, and the same while it was open.
pub(super) struct Original {
    place: Place,
    content: String,
    pub(super) closed: Vec<u8>,
    pub(super) open: Vec<u8>,
}

impl Original {
    pub(super) fn new() -> Self {
        let place = Place::new();
        let mut kept = place.open();
        for round in 0..20 {
            poll(&mut kept, round);
        }
        let open = fs::read(place.file()).unwrap();
        let content = content(kept);
        let closed = fs::read(place.file()).unwrap();
        assert!(super::content(place.open()) == content);
        Self {
            place,
            content,
            closed,
            open,
        }
    }

    /// Opens a damaged file. It is as good as the original, or set aside as it
    /// is. Returns whether it was set aside.
    fn survives(&self, bytes: &[u8], what: &str) -> bool {
        for other in self.place.others() {
            fs::remove_file(other).unwrap();
        }
        fs::write(self.place.file(), bytes).unwrap();
        let kept = self.place.open();
        let others = self.place.others();
        if others.is_empty() {
            assert!(content(kept) == self.content, "{what}");
            return false;
        }
        assert_eq!(fs::read(&others[0]).unwrap(), bytes, "{what}");
        assert_eq!((others.len(), kept.ledger().len()), (1, 0), "{what}");
        true
    }
}

/// Flips bits of the bytes that are in use, of which a failing one is told.
/// Returns how many were found.
fn flips(original: &Original, bytes: &[u8], seed: u64) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let used: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    // The first bytes say where everything else is.
    let header = (0..320).map(|at| (at, random.u32(..8)));
    let header: Vec<_> = header.collect();
    let anywhere = (0..1000).map(|_| (used[random.usize(..used.len())], random.u32(..8)));
    // Where the last commit is has a test of its own.
    let places = header.into_iter().chain(anywhere);
    let mut found = 0;
    for (at, bit) in places.filter(|place| *place != (FLAGS, 0)) {
        let mut damaged = bytes.to_vec();
        damaged[at] ^= 1 << bit;
        found += usize::from(original.survives(&damaged, &format!("byte {at}, bit {bit}")));
    }
    found
}

/// Cuts the file off at many places, and returns how many of them were found.
fn cuts(original: &Original, bytes: &[u8]) -> usize {
    let pages = (0..bytes.len()).step_by(4096);
    let borders = pages.flat_map(|at| [at.saturating_sub(1), at, at + 1]);
    let start = (0..400).step_by(7);
    let lengths = borders.chain(start).filter(|length| *length < bytes.len());
    let cut = |length: usize| original.survives(&bytes[..length], &format!("{length} bytes"));
    lengths.filter(|length| cut(*length)).count()
}

#[test]
fn flipped_bits_of_a_closed_file_are_found_or_do_no_harm() {
    let original = Original::new();
    assert!(flips(&original, &original.closed, 1) > 200);
}

#[test]
fn flipped_bits_of_a_file_after_a_crash_are_found_or_do_no_harm() {
    let original = Original::new();
    assert!(flips(&original, &original.open, 2) > 200);
}

#[test]
fn a_file_that_was_cut_off_is_found() {
    let original = Original::new();
    for bytes in [&original.closed, &original.open] {
        let found = cuts(&original, bytes);
        // Each page has three places to cut at, and the start has more.
        assert!(found > bytes.len() / 4096 * 3, "{found}");
    }
}

#[test]
fn a_longer_file_is_found_or_does_no_harm() {
    let original = Original::new();
    for more in [1, 4095, 4096, 1 << 20] {
        let longer = [&original.closed[..], &vec![0; more]].concat();
        original.survives(&longer, &format!("{more} bytes more"));
    }
}

/// A process that is killed between the two phases of a commit leaves such a file. With
/// the flag of two phases lost as well, redb would take the later commit for the last.
#[rstest]
#[case::slot(1)]
#[case::slot_and_phases(1 | TWO_PHASES)]
fn a_flipped_slot_of_the_last_commit_shows_the_one_before_and_goes_on_from_there(
    #[case] flipped: u8,
) {
    let place = Place::new();
    let mut kept = place.open();
    for round in 0..10 {
        poll(&mut kept, round);
    }
    let before = kept.ledger_mut().dump();
    poll(&mut kept, 19);
    assert!(kept.ledger_mut().dump() != before);
    let mut bytes = fs::read(place.file()).unwrap();
    drop(kept);
    bytes[FLAGS] ^= flipped;
    fs::write(place.file(), bytes).unwrap();
    let mut kept = place.open();
    assert!(kept.ledger_mut().dump() == before);
    poll(&mut kept, 10);
    let went_on = content(kept);
    assert!(content(place.open()) == went_on);
    assert!(place.others().is_empty());
}
