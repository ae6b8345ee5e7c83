//! What is logged of polls that fail.

use super::*;

/// Lines as they are logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn full_polls_that_fail_while_steady_ones_succeed_are_logged_once() {
    let (poller, _page) = poller(Script::default());
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let mut failing = Failing::default();
        let broken = error(Reason::Decode);
        for _ in 0..3 {
            poller.report(Mode::Full, Some(&broken), &mut failing);
            poller.report(Mode::Steady, None, &mut failing);
        }
        assert!(failing.at_all());
        poller.report(Mode::Full, None, &mut failing);
        assert!(!failing.at_all());
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("cannot be polled in full"), "{text}");
    assert!(lines[1].contains("in full again"), "{text}");
}
