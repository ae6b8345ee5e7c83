//! The ways in which SDDC Managers differ.

use std::time::Duration;

use jiff::SignedDuration;

/// How one SDDC Manager behaves.
#[derive(Clone, Debug)]
pub struct SddcManagerOptions {
    /// The name that may log in.
    pub username: String,
    /// Its password.
    pub password: String,
    /// The key of a service user, which logs in without name and password.
    pub api_key: Option<String>,
    /// How long an access token lives.
    pub token_life: Duration,
    /// The code of a login that went well: 200 or 201.
    pub login_code: u16,
    /// The code of a login with the wrong password: 400 or 401.
    pub bad_login_code: u16,
    /// The code for a missing, unknown or expired token: 401 or 403.
    pub unauthorized_code: u16,
    /// Bad logins in a row after which the account is locked.
    pub lockout_after: Option<u32>,
    /// How the list is paged.
    pub paging: Paging,
    /// The page size of a call that asks for none; `None` gives everything.
    pub default_page_size: Option<u32>,
    /// The order of a list that asks for none.
    pub natural_order: NaturalOrder,
    /// What becomes of `orderBy`.
    pub order_by: OrderBy,
    /// Whether one task read by its id spells its status in upper case.
    pub upper_case_by_id: bool,
    /// Whether a retried task keeps the completion time of its failure.
    pub stale_completion: bool,
    /// Whether restores take Basic credentials too.
    pub basic_auth_for_restores: bool,
    /// How far the `Date` header is off the clock; `None` leaves the header
    /// to the server, which takes the system's time.
    pub clock_skew: Option<SignedDuration>,
    /// The seed of ids and tokens.
    pub seed: u64,
}

impl Default for SddcManagerOptions {
    fn default() -> Self {
        Self {
            username: "administrator@vsphere.local".to_owned(),
            password: "VMware123!".to_owned(),
            api_key: None,
            token_life: Duration::from_secs(3600),
            login_code: 201,
            bad_login_code: 401,
            unauthorized_code: 401,
            lockout_after: None,
            paging: Paging::FromOne,
            default_page_size: None,
            natural_order: NaturalOrder::Insertion,
            order_by: OrderBy::Honoured,
            upper_case_by_id: false,
            stale_completion: false,
            basic_auth_for_restores: false,
            clock_skew: None,
            seed: 0,
        }
    }
}

/// How the list is paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// Not at all, as in 4.4: everything at once, newer parameters ignored.
    None,
    /// The first page has number 0.
    FromZero,
    /// The first page has number 1, and 0 means it too.
    FromOne,
    /// Pages without `pageMetadata`.
    NoMetadata {
        /// The number of the first page: 0 or 1.
        first: u32,
    },
}

/// The order of a list that asks for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NaturalOrder {
    /// As the tasks came.
    Insertion,
    /// The other way round.
    NewestFirst,
    /// Mixed, but in the same way at every call.
    Shuffled,
}

/// What becomes of `orderBy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderBy {
    /// It is obeyed.
    Honoured,
    /// It is read and forgotten.
    Ignored,
    /// It is answered with 400.
    Refused,
}

impl Paging {
    /// The number of the first page.
    pub(super) fn first(self) -> u32 {
        match self {
            Self::None | Self::FromZero => 0,
            Self::FromOne => 1,
            Self::NoMetadata { first } => first,
        }
    }

    pub(super) fn has_metadata(self) -> bool {
        matches!(self, Self::FromZero | Self::FromOne)
    }
}
