use askama::Template as _;

use super::error::ErrorItem;
use super::*;
use crate::task::TaskError;

fn look(uri: &str) -> Look {
    Look::of(&uri.parse().unwrap(), "/metrics")
}

#[test]
fn the_style_ends_nowhere_but_at_its_end() {
    assert!(!STYLE.contains('<'));
}

#[test]
fn stopping_and_starting_keep_the_rest_of_the_query() {
    let page = look("/?source=a%26b&limit=7");
    assert!(page.refreshes);
    assert_eq!(page.other_query, "source=a%26b&limit=7&refresh=off");
    let stopped = look("/?source=a%26b&refresh=off");
    assert!(!stopped.refreshes);
    assert_eq!(stopped.other_query, "source=a%26b");
}

#[test]
fn an_error_is_written_with_all_that_caused_it() {
    let inner = TaskError {
        kind: Some("java.io.IOException".to_owned()),
        ..TaskError::of_message("<b>\u{202e}\n\tat x".to_owned())
    };
    let error = TaskError {
        code: Some("A&B".to_owned()),
        remediation: Some("Do \"this\"".to_owned()),
        reference: Some("'T'".to_owned()),
        causes: vec![inner],
        ..TaskError::default()
    };
    let html = ErrorItem::new(&error).render().unwrap();
    for shown in [
        "A&#38;B",
        "Do &#34;this&#34;",
        "&#39;T&#39;",
        "<li><div class=\"error\"><code class=\"kind\">java.io.IOException</code>",
        "&#60;b&#62;\\u202e\n    at x",
    ] {
        assert!(html.contains(shown), "{shown} is not in\n{html}");
    }
    assert_eq!(html.matches("<div").count(), html.matches("</div>").count());
}
