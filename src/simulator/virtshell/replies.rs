//! Answers as Tornado writes them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::CONTENT_TYPE;
use ring::digest;
use serde_json::{Value, json};

use super::call::Call;
use crate::simulator::reply::Reply;

/// What the server calls everything that its handlers write.
const HTML: &str = "text/html; charset=UTF-8";

/// How long the server waits for its database.
const DATABASE_WAIT: Duration = Duration::from_secs(30);

/// What the server shows of an error inside it, with the shipped settings.
const TRACEBACK: &str = r#"Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/tornado/web.py", line 1445, in _execute
    result = method(*self.path_args, **self.path_kwargs)
  File "/opt/virtshell_server/managment/tasks_api.py", line 37, in get
    result = self.tasks.get_all_tasks()
"#;

/// JSON, labelled as what it is not.
pub(super) fn json_body(status: u16, body: &Value) -> Reply {
    text(status, body.to_string())
}

/// A text that is JSON already, labelled so too.
pub(super) fn text(status: u16, body: String) -> Reply {
    Reply {
        body: body.into_bytes(),
        ..Reply::empty(status)
    }
    .header(CONTENT_TYPE.as_str(), HTML)
}

/// The documented body of an error.
pub(super) fn error(status: u16, message: &str) -> Reply {
    json_body(status, &json!({"error": message}))
}

/// The page of an error that no handler has made.
pub(super) fn page(status: u16, reason: &str) -> Reply {
    let title = format!("{status}: {reason}");
    let body = format!("<html><title>{title}</title><body>{title}</body></html>");
    text(status, body)
}

/// An error inside the server.
pub(super) fn broken(error: &str) -> Reply {
    Reply {
        body: format!("{TRACEBACK}{error}\n").into_bytes(),
        ..Reply::empty(500)
    }
    .header(CONTENT_TYPE.as_str(), "text/plain")
}

/// What comes of a database that is down.
pub(super) fn no_database() -> Reply {
    Reply {
        pause: DATABASE_WAIT,
        ..broken(
            "pymongo.errors.ServerSelectionTimeoutError: localhost:27017: \
             [Errno 111] Connection refused",
        )
    }
}

/// With a digest of the body as its `ETag`; nothing else if the caller knows it.
pub(super) fn tagged(reply: Reply, call: &Call) -> Reply {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &reply.body);
    let tag = format!("\"{}\"", STANDARD.encode(digest));
    let known = call.header("if-none-match").unwrap_or_default();
    let mut known = known.split(',').map(str::trim);
    if known.any(|known| known == "*" || known.trim_start_matches("W/") == tag) {
        Reply::empty(304).header("etag", tag)
    } else {
        reply.header("etag", tag)
    }
}
