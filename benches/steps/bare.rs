//! Tasks as an SDDC Manager writes them, and the barest way to read them.

use std::fmt::Write as _;

use serde::Deserialize;

/// The sub-tasks of each task, which make it about 2 kB.
const STEPS: usize = 8;

#[derive(Deserialize)]
#[expect(dead_code, reason = "what is parsed is let go")]
pub(super) struct Page {
    elements: Vec<Task>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is parsed is let go")]
struct Task {
    id: String,
    name: String,
    r#type: String,
    status: String,
    creation_timestamp: String,
    completion_timestamp: String,
    is_retryable: bool,
    sub_tasks: Vec<SubTask>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is parsed is let go")]
struct SubTask {
    name: String,
    description: String,
    status: String,
    creation_timestamp: String,
    completion_timestamp: String,
}

/// A page of tasks, one of a hundred failed.
pub(super) fn page(first: usize, count: usize) -> String {
    let elements: Vec<_> = (first..first + count).map(element).collect();
    format!(
        r#"{{"elements":[{}],"pageMetadata":{{"pageNumber":0,"pageSize":{count},"totalElements":{count},"totalPages":1}}}}"#,
        elements.join(",")
    )
}

fn element(number: usize) -> String {
    let failed = number.is_multiple_of(100);
    let status = if failed { "FAILED" } else { "SUCCESSFUL" };
    let time = |second: usize| {
        let (minute, second) = ((number / 60 + second / 60) % 60, (number + second) % 60);
        format!(
            "2026-11-{:02}T10:{minute:02}:{second:02}.123Z",
            1 + number / 3600 % 20
        )
    };
    let mut text = format!(
        r#"{{"id":"8f2d1c3a-0000-4b6e-9c1d-{number:012}","name":"Commissioning host esx-{number}.example.com","type":"OPERATION_{}","status":"{status}","creationTimestamp":"{}","completionTimestamp":"{}","isCancellable":false,"isRetryable":{failed},"resources":[],"errors":[],"subTasks":["#,
        number % 40,
        time(0),
        time(50)
    );
    for step in 0..STEPS {
        let comma = if step > 0 { "," } else { "" };
        write!(
            text,
            r#"{comma}{{"name":"Step {step} of the host esx-{number}.example.com","description":"Configure the host and wait until it is connected","status":"{status}","creationTimestamp":"{}","completionTimestamp":"{}"}}"#,
            time(step),
            time(step + 5)
        )
        .expect("a string takes every text");
    }
    text + "]}"
}
