//! Why a call to a source failed.

use std::fmt;
use std::time::Duration;

use crate::task::label;

/// The closed set of reasons; also the values of the label `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No connection, or it broke off.
    Connect,
    /// The certificate or the handshake was refused.
    Tls,
    /// No answer in time.
    Timeout,
    /// The login was rejected, or the session is not accepted.
    Unauthorized,
    /// The account may not make this call.
    Forbidden,
    /// The source asks for patience.
    RateLimited,
    /// The source or its front proxy failed.
    ServerError,
    /// The answer is larger than the limit.
    TooLarge,
    /// The answer cannot be read.
    Decode,
    /// The answer is none that this call can have.
    Protocol,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Unauthorized,
        Self::Forbidden,
        Self::RateLimited,
        Self::ServerError,
        Self::TooLarge,
        Self::Decode,
        Self::Protocol,
    ];

    /// Whether another call may well succeed, as the fault lies in this one's answer.
    pub const fn is_of_one_call(self) -> bool {
        matches!(
            self,
            Self::Forbidden | Self::ServerError | Self::TooLarge | Self::Decode | Self::Protocol
        )
    }

    /// The label value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::TooLarge => "too_large",
            Self::Decode => "decode",
            Self::Protocol => "protocol",
        }
    }
}

/// A call that failed: which, why, and what to respect before the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// Why, in one word.
    pub reason: Reason,
    /// Which call, as a path with its variable parts named.
    pub endpoint: &'static str,
    /// What happened, for people; never a body, a header or a secret.
    pub detail: String,
    /// How long the source asked to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the credentials were rejected: trying again soon may lock the account.
    pub login_rejected: bool,
}

impl SourceError {
    /// An error of the call `endpoint`; control characters in `detail` become blanks.
    pub fn new(reason: Reason, endpoint: &'static str, detail: impl AsRef<str>) -> Self {
        Self {
            reason,
            endpoint,
            detail: label::clean(detail.as_ref()),
            retry_after: None,
            login_rejected: false,
        }
    }

    /// The reason, as the fixed word of logs and metrics.
    pub fn reason(&self) -> &'static str {
        self.reason.as_str()
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.endpoint, self.detail)
    }
}

impl std::error::Error for SourceError {}
