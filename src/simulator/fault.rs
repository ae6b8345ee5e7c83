//! Faults that are switched on for some calls.

use std::time::Duration;

use super::call::Endpoint;
use super::reply::{Delivery, Reply};

/// A fault and the requests it strikes.
#[derive(Clone, Debug)]
pub struct Fault {
    endpoint: Endpoint,
    kind: FaultKind,
    /// Requests to leave alone first.
    skip: u32,
    /// Requests still to strike; without a number it stays until cleared.
    left: Option<u32>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// A code with the API's error body.
    Status(u16),
    /// A code with `Retry-After` in seconds, as of 429 and 503.
    RetryAfter(u16, u64),
    /// A code with a body of HTML, as the front proxy's 502; 200 too.
    Html(u16),
    /// The right code and headers with a body of no bytes.
    EmptyBody,
    /// A body that breaks off in the middle: the connection ends before
    /// the bytes that `Content-Length` promised.
    CutBody,
    /// A body in pieces of some bytes with a pause before each.
    SlowBody {
        /// Bytes per piece; at least 1.
        piece: usize,
        /// The pause.
        pause: Duration,
    },
    /// A pause before the answer's head.
    SlowHead(Duration),
    /// JSON that breaks off in the middle of a whole HTTP answer.
    TruncatedJson,
    /// `"elements": {}` in a list; of the others, what they have for the tasks.
    WrongType,
    /// A redirect (302) to a URL.
    Redirect(String),
    /// A list that never ends.
    EndlessBody,
    /// A body of little that unpacks to more and more blanks.
    GzipBomb,
    /// Every element of a page twice.
    DuplicatedPage,
    /// The first page at every page number, and totals that promise more.
    RepeatedPage,
    /// Totals that are not true.
    LyingTotals {
        /// The number of elements to claim.
        elements: u32,
        /// The number of pages to claim.
        pages: u32,
    },
    /// The connection ends without an answer.
    Dropped,
}

impl Fault {
    /// A fault that strikes every request of an endpoint until it is cleared.
    pub fn new(endpoint: Endpoint, kind: FaultKind) -> Self {
        Self {
            endpoint,
            kind,
            skip: 0,
            left: None,
        }
    }

    /// Strikes so many requests only.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.left = Some(count);
        self
    }

    /// Leaves so many matching requests alone first.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    /// Whether this fault strikes a request now; each call counts as a request.
    fn strikes(&mut self, endpoint: Endpoint) -> bool {
        if self.endpoint != Endpoint::Any && self.endpoint != endpoint {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        match &mut self.left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// The fault for the next request of an endpoint; the first one injected wins.
pub(super) fn next(faults: &mut Vec<Fault>, endpoint: Endpoint) -> Option<FaultKind> {
    let struck = faults.iter_mut().find_map(|fault| {
        let strikes = fault.strikes(endpoint);
        strikes.then(|| fault.kind.clone())
    });
    faults.retain(|fault| fault.left != Some(0));
    struck
}

impl FaultKind {
    /// The answer that takes the place of the right one.
    pub(super) fn instead(&self) -> Option<Reply> {
        match self {
            Self::Status(code) => Some(Reply::plain_error(*code)),
            Self::RetryAfter(code, seconds) => {
                Some(Reply::plain_error(*code).header("retry-after", seconds.to_string()))
            }
            Self::Html(code) => Some(Reply::html(*code)),
            Self::Redirect(url) => Some(Reply::empty(302).header("location", url.clone())),
            Self::EndlessBody => Some(Reply::json(200, "").delivered(Delivery::Endless {
                start: r#"{"elements":["#,
                element: r#"{"id":"endless","name":"Endless","status":"SUCCESSFUL"},"#,
            })),
            Self::GzipBomb => Some(Reply::json(200, "").delivered(Delivery::GzipBomb)),
            Self::Dropped => Some(Reply::empty(200).delivered(Delivery::Dropped)),
            _ => None,
        }
    }

    /// The right answer, spoilt.
    pub(super) fn spoil(&self, mut reply: Reply) -> Reply {
        match self {
            Self::EmptyBody => reply.body.clear(),
            Self::TruncatedJson => reply.body.truncate(reply.body.len() / 2),
            Self::CutBody => reply.delivery = Delivery::Cut,
            Self::SlowHead(pause) => reply.pause = *pause,
            Self::SlowBody { piece, pause } => {
                reply.delivery = Delivery::Slow {
                    piece: *piece,
                    pause: *pause,
                };
            }
            _ => {}
        }
        reply
    }
}
