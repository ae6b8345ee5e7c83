use super::*;

/// A server's list and the way it pages.
struct Server {
    ids: Vec<u32>,
    base: i64,
    size: usize,
    /// Added to the number of the page in the metadata.
    shown_ahead: i64,
    metadata: bool,
    /// What happens to the list after so many answers.
    drift: fn(&mut Vec<u32>, usize),
}

impl Server {
    fn new(count: u32, base: i64) -> Self {
        Self {
            ids: (0..count).rev().collect(),
            base,
            size: PAGE_SIZE,
            shown_ahead: 0,
            metadata: true,
            drift: |_, _| {},
        }
    }

    fn page(&self, number: Option<i64>) -> (Vec<u32>, i64) {
        let number = number.unwrap_or(self.base);
        let index = usize::try_from(number - self.base).unwrap_or(usize::MAX);
        let start = index.saturating_mul(self.size);
        let ids = self.ids.iter().skip(start).take(self.size);
        (ids.copied().collect(), number)
    }

    /// What is read, whether it is said to be whole, and with how many requests.
    fn read(&mut self) -> (Vec<u32>, bool, usize) {
        let (mut pages, mut met) = (Pages::default(), std::collections::BTreeSet::new());
        let (mut asked, mut requests) = (None, 0);
        loop {
            let (ids, number) = self.page(asked);
            let total = self.ids.len();
            requests += 1;
            (self.drift)(&mut self.ids, requests);
            let metadata = Metadata {
                page_number: Some(number + self.shown_ahead),
                total_elements: Some(u64::try_from(total).unwrap()),
                total_pages: Some(i64::try_from(total.div_ceil(self.size)).unwrap()),
            };
            let elements = ids.len();
            let new = ids.into_iter().filter(|id| met.insert(*id)).count();
            let seen = Seen {
                elements,
                new,
                skipped: 0,
                metadata: self.metadata.then_some(metadata),
            };
            match pages.answered(seen) {
                Next::Ask(number) => asked = number,
                Next::End { whole } => return (met.into_iter().collect(), whole, requests),
            }
            assert!(requests < 200, "it never ends");
        }
    }
}

#[test]
fn every_base_and_length_is_read_whole_with_no_page_too_many() {
    for base in [0, 1] {
        for (length, requests) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (350, 4)] {
            let mut server = Server::new(length, base);
            let (ids, whole, asked) = server.read();
            assert_eq!(ids.len(), server.ids.len(), "{base} {length}");
            assert!(whole);
            assert_eq!(asked, requests, "{base} {length}");
        }
    }
}

#[test]
fn a_server_without_metadata_is_read_whole() {
    for base in [0, 1] {
        for length in [0, 1, 99, 100, 101, 200, 350] {
            let mut server = Server::new(length, base);
            server.metadata = false;
            let (ids, whole, _) = server.read();
            assert_eq!(ids.len(), server.ids.len(), "{base} {length}");
            assert!(whole);
        }
    }
}

#[test]
fn a_server_without_paging_gives_one_page() {
    for metadata in [false, true] {
        let mut server = Server::new(5_000, 0);
        server.size = 5_000;
        server.metadata = metadata;
        let (ids, whole, requests) = server.read();
        assert_eq!((ids.len(), whole, requests), (5_000, true, 1));
    }
}

#[test]
fn a_base_shown_otherwise_than_asked_for_loses_no_page() {
    for (base, shown_ahead) in [(0, 1), (1, -1)] {
        let mut server = Server::new(350, base);
        server.shown_ahead = shown_ahead;
        let (ids, whole, _) = server.read();
        assert_eq!(ids.len(), 350, "{base} {shown_ahead}");
        assert!(whole);
    }
}

#[test]
fn a_page_that_told_how_the_server_counts_was_early() {
    let metadata = |page_number| Metadata {
        page_number: Some(page_number),
        total_elements: Some(350),
        total_pages: Some(4),
    };
    let mut early = Vec::new();
    let mut read = |mut pages: Pages| {
        let (mut number, mut asked) = (None, Vec::new());
        loop {
            let seen = Seen {
                elements: 100,
                new: 100,
                skipped: 0,
                metadata: Some(metadata(number.unwrap_or(0) + 1)),
            };
            asked.push(number);
            let next = pages.answered(seen);
            early.extend(number.filter(|_| pages.was_early(number)));
            match next {
                Next::Ask(next) => number = next,
                Next::End { .. } => return (asked, pages.shift()),
            }
        }
    };
    let (asked, shift) = read(Pages::default());
    assert_eq!(asked, [None, Some(2), Some(1), Some(3)]);
    assert_eq!(shift, 1);
    let (asked, _) = read(Pages::shifted(shift));
    assert_eq!(asked, [None, Some(1), Some(2), Some(3)]);
    assert_eq!(early, [2]);
}

#[test]
fn tasks_born_while_reading_are_met() {
    let mut newest_first = Server::new(350, 0);
    newest_first.drift = |ids, request| {
        if request == 2 {
            ids.insert(0, 1_000);
        }
    };
    let (ids, whole, _) = newest_first.read();
    assert_eq!((ids.len(), whole), (351, true));

    let mut oldest_first = Server::new(350, 1);
    oldest_first.ids.reverse();
    oldest_first.drift = |ids, request| {
        if request == 2 {
            ids.push(1_000);
        }
    };
    let (ids, whole, _) = oldest_first.read();
    assert_eq!((ids.len(), whole), (351, true));
}

#[test]
fn no_task_is_missed_when_others_go_while_reading() {
    let mut server = Server::new(350, 0);
    server.drift = |ids, request| {
        if request == 2 {
            ids.remove(5);
        }
    };
    let (ids, whole, _) = server.read();
    assert!(whole);
    assert!(server.ids.iter().all(|id| ids.contains(id)));
}

#[test]
fn a_list_that_never_rests_is_not_called_whole() {
    let mut server = Server::new(350, 0);
    server.drift = |ids, _| {
        ids.remove(0);
    };
    let (_, whole, requests) = server.read();
    assert!(!whole);
    assert!(requests < 20, "{requests}");
}

#[test]
fn totals_that_promise_too_much_end_and_are_not_called_whole() {
    let mut pages = Pages::default();
    let metadata = Metadata {
        page_number: Some(0),
        total_elements: Some(1_000_000),
        total_pages: Some(10_000),
    };
    let mut requests = 0;
    let end = loop {
        requests += 1;
        let seen = Seen {
            elements: 100,
            new: if requests == 1 { 100 } else { 0 },
            skipped: 0,
            metadata: Some(metadata),
        };
        if let Next::End { whole } = pages.answered(seen) {
            break whole;
        }
    };
    assert!(!end);
    assert!(requests < 12, "{requests}");
}

#[test]
fn a_total_smaller_than_its_own_page_decides_nothing() {
    let mut pages = Pages::default();
    let seen = |new| Seen {
        elements: 100,
        new,
        skipped: 0,
        metadata: Some(Metadata {
            page_number: Some(0),
            total_elements: Some(5),
            total_pages: Some(1),
        }),
    };
    assert_eq!(pages.answered(seen(100)), Next::Ask(Some(1)));
    assert_eq!(pages.answered(seen(100)), Next::Ask(Some(2)));
    assert_eq!(pages.answered(seen(0)), Next::End { whole: true });
}

#[test]
fn a_page_of_unreadable_elements_does_not_hide_the_next() {
    let mut pages = Pages::default();
    let seen = |number, new, skipped| Seen {
        elements: 100,
        new,
        skipped,
        metadata: Some(Metadata {
            page_number: Some(number),
            total_elements: Some(200),
            total_pages: Some(2),
        }),
    };
    assert_eq!(pages.answered(seen(1, 0, 100)), Next::Ask(Some(2)));
    assert_eq!(pages.answered(seen(2, 100, 0)), Next::End { whole: true });
}
