//! Which tasks a request asks for.

use hyper::Uri;
use url::form_urlencoded;

use super::refusal::Refusal;
use super::selection::Selection;
use crate::task::Status;

/// What the parameters `source`, `status`, `operation` and `limit` say; all but
/// the last may stand several times, and others mean nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) sources: Selection,
    statuses: Vec<Status>,
    operations: Vec<String>,
    /// How many tasks to show at most.
    pub(super) limit: Option<usize>,
}

impl Query {
    /// The query of a request, or why there can be no answer.
    pub(super) fn of(uri: &Uri) -> Result<Self, Refusal> {
        let mut query = Self {
            sources: Selection::of(uri),
            statuses: Vec::new(),
            operations: Vec::new(),
            limit: None,
        };
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        for (key, value) in pairs {
            match &*key {
                "status" => query.statuses.push(status(&value)?),
                "operation" => query.operations.push(value.into_owned()),
                "limit" => query.limit = Some(limit(&value)?),
                _ => {}
            }
        }
        Ok(query)
    }

    /// Whether tasks of this operation in this status belong to it.
    pub(super) fn has(&self, operation: &str, status: Status) -> bool {
        let of_status = self.statuses.is_empty() || self.statuses.contains(&status);
        let mut operations = self.operations.iter();
        of_status && (self.operations.is_empty() || operations.any(|each| each == operation))
    }

    /// Whether it leaves nothing out.
    pub(super) fn is_all(&self) -> bool {
        self.sources == Selection::All && self.statuses.is_empty() && self.operations.is_empty()
    }
}

fn status(word: &str) -> Result<Status, Refusal> {
    let known = Status::ALL.into_iter().find(|each| each.as_str() == word);
    known.ok_or_else(|| Refusal::Status(word.to_owned()))
}

fn limit(text: &str) -> Result<usize, Refusal> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| Refusal::Limit(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Query, Refusal> {
        Query::of(&format!("/api/v1/tasks?{text}").parse().unwrap())
    }

    #[test]
    fn parameters_narrow_and_may_repeat() {
        let all = query("").unwrap();
        assert!(all.is_all() && all.has("A", Status::Failed));
        let narrow = query("status=failed&status=running&operation=A&operation=B%20C&x=y&limit=7");
        let narrow = narrow.unwrap();
        assert!(!narrow.is_all());
        assert_eq!(narrow.limit, Some(7));
        assert!(narrow.has("A", Status::Running) && narrow.has("B C", Status::Failed));
        assert!(!narrow.has("A", Status::Pending) && !narrow.has("B", Status::Failed));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["status=", "status=FAILED", "status=failed,running"] {
            assert!(matches!(query(text), Err(Refusal::Status(_))), "{text}");
        }
        for text in [
            "limit=",
            "limit=-1",
            "limit=%2B1",
            "limit=1.5",
            "limit=99999999999999999999",
        ] {
            assert!(matches!(query(text), Err(Refusal::Limit(_))), "{text}");
        }
        assert_eq!(query("limit=0").unwrap().limit, Some(0));
    }
}
