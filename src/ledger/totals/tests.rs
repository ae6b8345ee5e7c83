use super::*;
use crate::ledger::Names;

/// One more task of an operation, shown on a page once it is committed.
fn start(totals: &mut Totals, operation: NameId, now: Instant) {
    let event = Event::Started;
    totals.record(&Change { operation, event });
    totals.advance(now);
}

#[test]
fn what_was_never_committed_is_not_shown_first_after_a_stop() {
    let (mut names, now) = (Names::new(10), tokio::time::Instant::now().into_std());
    let [known, new] = ["KNOWN", "NEW"].map(|name| names.number(name));
    let mut totals = Totals::new(Duration::ZERO);
    start(&mut totals, known, now);
    totals.committed();
    totals.rows().set_saved();
    totals.published(None);
    totals.published(Some(now));
    // The disk does not take these.
    start(&mut totals, known, now);
    start(&mut totals, new, now);
    totals.take_back();
    totals.committed();
    for (operation, shown, value) in [(known, 1, 2), (new, 0, 1)] {
        let child = Child::Started(operation);
        assert_eq!(totals.shown.get(&child), Some(&Amount::Count(shown)));
        assert_eq!(totals.value(child), Some(&Amount::Count(value)));
    }
}
