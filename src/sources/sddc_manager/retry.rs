//! The call that retries a failed task: to be copied by people, never made here.

use crate::task::{Status, Task, is_plain_id};

/// The command that retries a task of the SDDC Manager at `url`, with a token in
/// the variable `TOKEN`; `None` if the SDDC Manager does not say that it takes one.
pub fn retry_call(url: &str, task: &Task) -> Option<String> {
    // Credential tasks have a call of their own, and restores have none.
    let elsewhere = ["CREDENTIAL", "RESTORE"];
    let elsewhere = elsewhere.iter().any(|word| task.operation.contains(word));
    let retryable = task.status == Status::Failed && task.retryable == Some(true);
    if elsewhere || !retryable || !is_plain_id(&task.id) {
        return None;
    }
    // The one character that would end the quotes and may stand in a URL.
    let (url, id) = (url.replace('\'', "%27"), &task.id);
    Some(format!(
        "curl -X PATCH -H \"Authorization: Bearer $TOKEN\" '{url}/v1/tasks/{id}'"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::sddc_manager::wire::Reader;
    use crate::task::{Operations, TimeFrame};

    fn task(id: &str, members: &str) -> Task {
        let reader = Reader {
            operations: &Operations::default(),
            frame: TimeFrame::new("2026-11-20T12:00:00Z".parse().unwrap()),
        };
        let json = format!(r#"{{"id":{id:?},{members}}}"#);
        reader.task(&json, None).unwrap()
    }

    const RETRYABLE: &str = r#""type":"UPGRADE","status":"FAILED","isRetryable":true"#;

    #[test]
    fn a_failed_task_that_may_be_retried_has_its_call() {
        let call = retry_call("https://vcf'01.example", &task("a-1", RETRYABLE));
        assert_eq!(
            call.as_deref(),
            Some(
                "curl -X PATCH -H \"Authorization: Bearer $TOKEN\" 'https://vcf%2701.example/v1/tasks/a-1'"
            )
        );
    }

    #[test]
    fn no_other_task_has_one() {
        for (id, members) in [
            ("a", r#""status":"FAILED""#),
            ("a", r#""status":"FAILED","isRetryable":false"#),
            ("a", r#""status":"IN_PROGRESS","isRetryable":true"#),
            (
                "a",
                r#""type":"CREDENTIALS_ROTATE","status":"FAILED","isRetryable":true"#,
            ),
            (
                "a",
                r#""type":"SDDCMANAGER_RESTORE","status":"FAILED","isRetryable":true"#,
            ),
            ("a'; rm -rf ~", RETRYABLE),
            ("..", RETRYABLE),
            ("a/b", RETRYABLE),
        ] {
            assert_eq!(
                retry_call("https://a.example", &task(id, members)),
                None,
                "{id} {members}"
            );
        }
    }
}
