//! What was sent to a source and what came back.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::histogram::Histogram;

/// The upper bounds of the request duration buckets, in seconds.
pub const REQUEST_BUCKETS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 25.0];

/// Requests, their durations and the bytes received, since the start.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    requests: BTreeMap<(&'static str, String), u64>,
    durations: BTreeMap<&'static str, Histogram>,
    received: u64,
    pages: u64,
}

impl Traffic {
    /// Counts one request by its HTTP status or, without one, its failure's reason.
    pub(super) fn count(&mut self, endpoint: &'static str, code: &str, took: Duration) {
        *self
            .requests
            .entry((endpoint, code.to_owned()))
            .or_default() += 1;
        self.durations
            .entry(endpoint)
            .or_insert_with(|| Histogram::new(&REQUEST_BUCKETS))
            .observe(took.as_secs_f64());
    }

    /// Counts bytes of a body, after decompression.
    pub(super) fn receive(&mut self, bytes: usize) {
        self.received = self
            .received
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Counts one page of a listing.
    pub(super) fn count_page(&mut self) {
        self.pages += 1;
    }

    /// Pages of listings that were read.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Requests by endpoint and code.
    pub fn requests(&self) -> impl Iterator<Item = (&'static str, &str, u64)> {
        let requests = self.requests.iter();
        requests.map(|((endpoint, code), count)| (*endpoint, code.as_str(), *count))
    }

    /// How long requests took, by endpoint.
    pub fn durations(&self) -> impl Iterator<Item = (&'static str, &Histogram)> {
        self.durations
            .iter()
            .map(|(endpoint, took)| (*endpoint, took))
    }

    /// Bytes of bodies received, after decompression.
    pub fn received_bytes(&self) -> u64 {
        self.received
    }
}
