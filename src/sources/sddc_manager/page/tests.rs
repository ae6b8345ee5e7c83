use super::*;
use crate::sources::Reason;
use crate::task::{Operations, TimeFrame};

/// A page, and the ids of its tasks or why they cannot be read.
fn read(json: &str) -> Result<(Page, Vec<Result<String, Skipped>>), SourceError> {
    let reader = Reader {
        operations: &Operations::default(),
        frame: TimeFrame::new("2026-11-20T12:00:00Z".parse().unwrap()),
    };
    let mut tasks = Vec::new();
    let page = Page::read(json, &reader, |task| tasks.push(task.map(|task| task.id)))?;
    Ok((page, tasks))
}

#[test]
fn metadata_is_read_as_far_as_it_goes() {
    let metadata = |json: &str| read(json).unwrap().0.metadata;
    let full = metadata(
        r#"{"elements":[],"pageMetadata":{"pageNumber":1,"pageSize":10,"totalElements":"2","totalPages":1.5}}"#,
    );
    let expected = Metadata {
        page_number: Some(1),
        total_elements: Some(2),
        total_pages: None,
    };
    assert_eq!(full, Some(expected));
    assert_eq!(metadata(r#"{"elements":[]}"#), None);
    assert_eq!(metadata(r#"{"elements":[],"pageMetadata":null}"#), None);
    assert_eq!(metadata(r#"{"elements":[],"pageMetadata":[1]}"#), None);
}

#[test]
fn each_element_is_handed_on_once_whichever_of_them_is_bad() {
    let deep = r#"{"subTasks":["#.repeat(70) + &"]}".repeat(70);
    let deep = format!(r#"{{"id":"d","subTasks":[{deep}]}}"#);
    let twice = r#"{"id":"x","id":"b"}"#;
    let json = format!(r#"{{"elements":[{{"id":"a"}},{twice},7,{{}},{deep},{{"id":"c"}}],"x":1}}"#);
    let (page, tasks) = read(&json).unwrap();
    let id = |id: &str| Ok(id.to_owned());
    let (no_object, no_id) = (Err(Skipped::NotAnObject), Err(Skipped::NoId));
    let too_deep = Err(Skipped::TooDeep);
    assert_eq!(
        tasks,
        [id("a"), id("b"), no_object, no_id, too_deep, id("c")]
    );
    assert_eq!(page.elements, 6);
}

#[test]
fn what_is_no_page_is_told_without_its_text() {
    for json in [
        "",
        "[]",
        "{}",
        r#"{"elements":null}"#,
        r#"{"elements":{"secret":1}}"#,
        r#"{"elements":[{"id":"secret"}]"#,
        r#"{"elements":[{"id":"secret"}]}}"#,
        r#"{"elements":[{"id":"secret"}],"elements":[]}"#,
    ] {
        let error = read(json).unwrap_err();
        assert_eq!(error.reason, Reason::Decode, "{json}");
        assert!(!error.detail.contains("secret"), "{error}");
    }
}

#[test]
fn more_elements_than_any_list_has_are_too_large() {
    let most = vec!["1"; MOST].join(",");
    let (page, _) = read(&format!(r#"{{"elements":[{most}]}}"#)).unwrap();
    assert_eq!(page.elements, MOST);
    let error = read(&format!(r#"{{"elements":[{most},1]}}"#)).unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge, "{error}");
}

#[test]
fn a_task_with_more_parts_than_any_has_spoils_no_other() {
    let parts = vec!["{}"; 50_001].join(",");
    for list in ["subTasks", "errors", "resources"] {
        let large = format!(r#"{{"id":"a","status":"FAILED","{list}":[{parts}]}}"#);
        let (_, tasks) = read(&format!(r#"{{"elements":[{large},{{"id":"b"}}]}}"#)).unwrap();
        assert_eq!(
            tasks,
            [Err(Skipped::TooLarge), Ok("b".to_owned())],
            "{list}"
        );
    }
}
