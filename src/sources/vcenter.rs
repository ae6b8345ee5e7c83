//! vCenter Server 6.7 U1 to 9.x: the tasks of its automation API (CIS).
//!
//! It makes one session and ends it, and sends nothing besides but calls that
//! read. What people start in the user interface is mostly no such task.

mod connection;
mod dialect;
mod partition;
mod refusal;
mod services;
mod session;
mod wire;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tracing::{debug, info};
use url::Url;

use connection::{Connection, Failure};
use dialect::Dialect;
use partition::{Coverage, Fault, Filter, Partition};
use wire::Read;

use super::rest::{Answer, ClientError, RestClient, Traffic};
use super::{Found, Reason, Source, SourceError};
use crate::clock::Clock;
use crate::config::{HttpConfig, VcenterConfig};
use crate::task::{Call, Extent, Listing, Skipped, Task, TimeFrame, is_plain_id};

/// One vCenter. Each service is a part of its listing.
#[derive(Debug)]
pub struct Vcenter {
    connection: Connection,
    services: Vec<Arc<str>>,
    partition: Partition,
    url: Url,
    /// The number of calls, and of services that do not answer, as last logged.
    told: Option<(usize, usize)>,
    /// Whether the listings are for a reader of all tasks.
    settled: bool,
}

impl Vcenter {
    /// The vCenter at `url`. Nothing is sent yet.
    pub fn new(
        url: Url,
        http: &HttpConfig,
        config: &VcenterConfig,
        clock: Clock,
    ) -> Result<Self, ClientError> {
        let services: Vec<Arc<str>> = match &config.services {
            Some(services) => services.iter().map(|name| name.as_str().into()).collect(),
            None => services::SERVICES
                .iter()
                .map(|(name, _)| (*name).into())
                .collect(),
        };
        let known = services.iter().map(|name| {
            let operations = services::operations(name).iter();
            (
                Arc::clone(name),
                operations.map(|name| (*name).into()).collect(),
            )
        });
        let rest = RestClient::new(url.clone(), http, clock)?;
        Ok(Self {
            connection: Connection::new(rest, config),
            partition: Partition::new(known),
            services,
            url,
            told: None,
            settled: false,
        })
    }

    /// Makes the calls of a poll; how much they cover is for the partition to say.
    /// Returns whether one matched more than a call may.
    async fn read_all(&mut self, listing: &mut Listing) -> Result<bool, SourceError> {
        let (mut failed, mut capped) = (None, false);
        while let Some(filter) = self.partition.next() {
            match self.list(&filter, listing).await {
                Ok(count) => self.partition.answered(count),
                Err(Failure::Poll(error)) => return Err(error),
                Err(Failure::Call(fault, error)) => {
                    debug!(%error, ?fault, services = ?filter.services, statuses = ?filter.statuses,
                        operations = ?filter.operations, "a list call failed");
                    capped |= fault == Fault::Capped;
                    self.partition.failed(fault, now());
                    if self.partition.is_hopeless() {
                        return Err(error);
                    }
                    failed = Some(error);
                }
            }
        }
        match failed {
            Some(error) if !self.partition.has_answered() => Err(error),
            _ => Ok(capped),
        }
    }

    /// Reads the tasks of one call into the listing, and returns how many there are.
    async fn list(&mut self, filter: &Filter, listing: &mut Listing) -> Result<usize, Failure> {
        loop {
            let answer = self.connection.list(filter).await?;
            let body = answer.text();
            match wire::page(self.connection.dialect(), &body, self.frame()) {
                Ok(page) => {
                    self.connection.spoke();
                    let count = page.len();
                    self.take(page, filter, listing);
                    return Ok(count);
                }
                Err(_error) if self.connection.try_next_dialect() => {}
                Err(error) => return Err(Failure::Poll(error)),
            }
        }
    }

    fn take(&mut self, page: Vec<Result<Read, Skipped>>, filter: &Filter, listing: &mut Listing) {
        for element in page {
            match element {
                Ok(read) => {
                    let own = read.service.as_deref().unwrap_or_default();
                    if let Some(operation) = &read.operation {
                        self.partition.met(own, operation);
                    }
                    // The filter admits tasks of its services alone.
                    let known = filter.services.iter().find(|name| ***name == *own);
                    if let Some(part) = known.or_else(|| filter.services.first()) {
                        listing.meet(part, Call::List, read.task);
                    }
                }
                Err(reason) => listing.skip(reason),
            }
        }
    }

    fn frame(&self) -> TimeFrame {
        TimeFrame::new(self.connection.source_now())
    }

    /// Says which services are read, once and whenever it changes.
    fn tell(&mut self) {
        let resting: Vec<_> = self.partition.resting().collect();
        let told = (self.partition.calls(), resting.len());
        if self.told != Some(told) {
            let (calls, silent) = told;
            let read = self.services.len() - silent;
            info!(url = %self.url, services = read, calls, silent, "the services that are polled");
            debug!(url = %self.url, services = ?resting, "these services do not answer");
            self.told = Some(told);
        }
    }

    fn one(&self, answer: &Answer, id: &str) -> Result<Task, SourceError> {
        let dialect = self.connection.dialect();
        let body = answer.text();
        let unreadable = |what: &str| {
            let detail = format!("the answer is no task: {what}");
            SourceError::new(Reason::Decode, dialect.task(), detail)
        };
        let json = wire::one(dialect, &body).map_err(|_error| unreadable("not_an_object"))?;
        let read = wire::task(id.to_owned(), json.get(), self.frame());
        read.map(|read| read.task)
            .map_err(|reason| unreadable(reason.reason()))
    }
}

impl Source for Vcenter {
    async fn read(&mut self) -> Result<Listing, SourceError> {
        let mut listing = Listing::keeping(self.settled);
        self.connection.begin();
        self.partition.begin(now());
        let capped = match self.read_all(&mut listing).await {
            Ok(capped) => capped,
            Err(error) => {
                self.connection.doubt();
                self.partition.abandon();
                return Err(error);
            }
        };
        for (service, coverage) in self.partition.finish(now()) {
            listing.read(&service, extent(coverage));
        }
        if capped && !listing.is_complete() {
            listing.cut();
        }
        self.tell();
        Ok(listing)
    }

    fn keep_settled(&mut self) {
        self.settled = true;
    }

    async fn try_out(&mut self) -> Result<(), SourceError> {
        self.connection.begin();
        self.partition.begin(now());
        let Some(filter) = self.partition.next() else {
            return Ok(());
        };
        match self.list(&filter, &mut Listing::new()).await {
            // The next poll splits what is too much, or is not of one provider.
            Ok(_) | Err(Failure::Call(Fault::Capped | Fault::Refused | Fault::Unclear, _)) => {
                Ok(())
            }
            Err(Failure::Call(_, error) | Failure::Poll(error)) => Err(error),
        }
    }

    async fn find(&mut self, _part: &str, id: &str) -> Result<Found, SourceError> {
        if !is_plain_id(id) {
            return Ok(Found::NotAskable);
        }
        let answer = self.connection.one(id).await?;
        let task = answer.map(|answer| self.one(&answer, id)).transpose()?;
        Ok(task.into())
    }

    fn expect(&mut self, part: &str) {
        self.partition.expect(part);
    }

    async fn close(&mut self) {
        self.connection.close().await;
    }

    fn has_part(&self, part: &str) -> bool {
        self.services.iter().any(|service| **service == *part)
    }

    fn traffic(&self) -> &Traffic {
        self.connection.traffic()
    }

    fn clock_skew(&self) -> Option<SignedDuration> {
        self.connection.clock_skew()
    }
}

/// What a coverage is to the ledger.
fn extent(coverage: Coverage) -> Extent {
    match coverage {
        Coverage::Whole => Extent::Whole,
        Coverage::Unfinished => Extent::Unfinished,
        Coverage::Partial => Extent::Part,
    }
}

/// The time on the clock that nobody can set, which a test can hold.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
/// The tasks in the text of a list, of the older dialect or its successor, and why
/// others cannot be read: what a poll makes of it at `now` of the source's clock.
pub fn decode(
    list: &str,
    old: bool,
    now: Timestamp,
) -> Result<Vec<Result<Task, Skipped>>, SourceError> {
    let dialect = if old { Dialect::Rest } else { Dialect::Api };
    let page = wire::page(dialect, list, TimeFrame::new(now))?;
    let tasks = page.into_iter().map(|read| read.map(|read| read.task));
    Ok(tasks.collect())
}
