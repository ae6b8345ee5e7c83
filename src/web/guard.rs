//! What stands before every page: TLS, the rate limit, headers and users, as
//! the web configuration has them now.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::AUTHORIZATION;
use hyper::{Request, Response};
use rustls::ServerConfig;
use tokio::time::Instant;
use tracing::{error, info};

use super::Site;
use super::config::{Reader, WebConfig, WebConfigError};
use super::refusal::Refusal;
use super::seats::Place;
use super::server::{Body, Secure};
use super::visitors::Visitors;

/// The guard of a site; cheap to clone.
#[derive(Debug, Clone)]
pub struct Guard {
    site: Site,
    rules: Option<Arc<Rules>>,
}

/// The web configuration, which is read again at each request and handshake.
#[derive(Debug)]
struct Rules {
    known: Mutex<Known>,
    visitors: Visitors,
}

#[derive(Debug)]
struct Known {
    reader: Reader,
    /// `None` if the file is broken.
    config: Option<Arc<WebConfig>>,
    /// Whether the last good one had TLS.
    encrypts: bool,
    /// Whether the last good one had users.
    has_users: bool,
}

impl Guard {
    /// A guard with the rules of `file`, or one that lets everybody in.
    pub fn new(site: Site, file: Option<&Path>) -> Result<Self, WebConfigError> {
        let rules = file.map(Rules::load).transpose()?.map(Arc::new);
        Ok(Self { site, rules })
    }

    /// The answer to a request, if the rules allow one.
    pub async fn answer<B: Send>(&self, request: Request<B>) -> Response<Body> {
        if let Err(refusal) = Refusal::unless_addressed(&request) {
            return refusal.into();
        }
        let Some(rules) = self.rules.clone() else {
            return self.site.answer(request).await;
        };
        let Some(config) = Arc::clone(&rules).now().await.config else {
            return Refusal::Broken.into();
        };
        let rate = config.rate.as_ref();
        if rate.is_some_and(|rate| !rate.allows(Instant::now())) {
            return Refusal::TooOften.into();
        }
        let who = request.headers().get(AUTHORIZATION).cloned();
        let place = request.extensions().get::<Place>().cloned();
        let admitted = rules.visitors.admit(&config.users, who, place.as_ref());
        let mut response = match admitted.await {
            Ok(()) => self.site.answer(request).await,
            Err(refusal) => refusal.into(),
        };
        for (name, value) in &config.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}

impl Secure for Guard {
    async fn encryption(&self) -> io::Result<Option<Arc<ServerConfig>>> {
        let Some(rules) = self.rules.clone() else {
            return Ok(None);
        };
        let now = rules.now().await;
        match now.config {
            Some(config) => Ok(config.tls.clone()),
            None if now.encrypts => Err(io::Error::other("the web configuration is broken")),
            None => Ok(None),
        }
    }
}

/// The rules at one moment.
#[derive(Debug)]
struct Moment {
    config: Option<Arc<WebConfig>>,
    encrypts: bool,
}

impl Rules {
    fn load(file: &Path) -> Result<Self, WebConfigError> {
        let mut reader = Reader::new(file);
        let config = WebConfig::read(&mut reader)?;
        let known = Mutex::new(Known {
            reader,
            encrypts: config.tls.is_some(),
            has_users: !config.users.is_empty(),
            config: Some(Arc::new(config)),
        });
        let visitors = Visitors::default();
        Ok(Self { known, visitors })
    }

    /// The rules as the files have them; reading them may take a moment.
    async fn now(self: Arc<Self>) -> Moment {
        let read = tokio::task::spawn_blocking(move || {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.refresh();
            Moment {
                config: known.config.clone(),
                encrypts: known.encrypts,
            }
        });
        // Without an answer it is as if the file were broken.
        read.await.unwrap_or(Moment {
            config: None,
            encrypts: true,
        })
    }
}

impl Known {
    /// Reads the files again if anything in them has changed.
    fn refresh(&mut self) {
        if self.reader.still_holds() {
            return;
        }
        self.reader = self.reader.again();
        let read = WebConfig::read(&mut self.reader).map_err(|error| error.to_string());
        match read.and_then(|config| self.unless_looser(config)) {
            Ok(config) => {
                info!("the web configuration was read again");
                self.has_users = !config.users.is_empty();
                self.encrypts = config.tls.is_some();
                self.config = Some(Arc::new(config));
            }
            Err(error) => {
                error!(%error, "the web configuration is broken: nothing is served until it is mended");
                self.config = None;
            }
        }
    }

    /// The configuration, unless it would let in whom the one before kept out:
    /// a file that is just being written looks like one without rules.
    fn unless_looser(&self, config: WebConfig) -> Result<WebConfig, String> {
        let gone = match () {
            () if self.encrypts && config.tls.is_none() => "tls_server_config",
            () if self.has_users && config.users.is_empty() => "basic_auth_users",
            () => return Ok(config),
        };
        let file = self.reader.file().display();
        Err(format!("{file}: {gone} is gone, which takes a restart"))
    }
}
