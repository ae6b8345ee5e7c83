//! Answers of the systems, and the times in them.

use virt_task_exporter::sources::virtshell as vs;
use virt_task_exporter::sources::{Reason, SourceError, sddc_manager as sddc, vcenter as vc};
use virt_task_exporter::task::{Skipped, Status, Task, TimeFrame, parse_time};

use super::bytes::noon;

/// The tasks of an answer, or why it is none.
pub(crate) type Read = Result<Vec<Result<Task, Skipped>>, SourceError>;

/// Nothing of a body may be in an error.
const MARK: &str = "s3cretive-mark";

/// Any body as a page of an SDDC Manager.
pub fn sddc_manager(bytes: &[u8]) {
    judge(bytes, |body| sddc::decode(body, noon()));
}

/// Any body as a list of a vCenter, in either dialect.
pub fn vcenter(bytes: &[u8]) {
    judge(bytes, |body| vc::decode(body, false, noon()));
    judge(bytes, |body| vc::decode(body, true, noon()));
}

/// Any body as a list of a VirtShell.
pub fn virtshell(bytes: &[u8]) {
    judge(bytes, |body| vs::decode(body, noon()));
}

/// Any text as a time, and two as start and end.
pub fn times(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(time) = parse_time(&text) {
        assert_eq!(
            parse_time(&time.to_string()),
            Some(time),
            "{text:?} is {time}"
        );
    }
    let (start, end) = text.split_once('|').unwrap_or((&text, &text));
    let frame = TimeFrame::new(noon());
    let times = frame.read_both(Some(start), Some(end));
    for time in [times.started, times.ended].into_iter().flatten() {
        assert_eq!(frame.sane(time), Some(time), "{text:?}");
    }
    if let (Some(started), Some(ended)) = (times.started, times.ended) {
        assert!(started <= ended, "{text:?}: {times:?}");
    }
}

/// What holds for each answer.
fn judge(bytes: &[u8], decode: impl Fn(&str) -> Read) {
    let body = String::from_utf8_lossy(bytes);
    let read = decode(&body);
    match &read {
        Ok(tasks) => {
            assert!(tasks.len() <= body.len(), "more tasks than characters");
            tasks.iter().flatten().for_each(sane);
        }
        Err(error) => {
            // A VirtShell tells errors under a 200.
            let known = [Reason::Decode, Reason::TooLarge, Reason::ServerError];
            assert!(known.contains(&error.reason), "{error:?}");
            assert!(!error.detail.contains(MARK), "{error:?}");
            assert!(!error.detail.contains(char::is_control), "{error:?}");
        }
    }
    assert_eq!(format!("{read:?}"), format!("{:?}", decode(&body)));
}

/// What holds for each task, with all that is asked of it later.
fn sane(task: &Task) {
    assert!(!task.id.is_empty(), "{task:?}");
    let progress = task.progress_ratio().unwrap_or_default();
    assert!((0.0..=1.0).contains(&progress), "{progress} in {task:?}");
    let frame = TimeFrame::new(noon());
    for time in [task.started, task.ended, task.moved, task.newest_time()] {
        assert_eq!(time.and_then(|time| frame.sane(time)), time, "{task:?}");
    }
    assert!(task.ended.is_none() || task.status.is_outcome(), "{task:?}");
    if let (Some(started), Some(ended)) = (task.started, task.ended) {
        assert!(started <= ended, "{task:?}");
    }
    assert_eq!(task.fingerprint(), task.clone().fingerprint());
    assert_eq!(task.scope(), task.clone().scope());
    let leaves = task.leaves();
    assert_eq!(
        Status::ALL
            .map(|status| leaves.get(status))
            .iter()
            .sum::<u64>(),
        leaves.total()
    );
    // What else is asked of a task only has to come back.
    drop((
        task.failed_nodes(),
        task.resource_names(),
        task.error_code(),
    ));
}
