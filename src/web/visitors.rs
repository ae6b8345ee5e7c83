//! Who asks, and whether the password is right.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use ring::rand::SystemRandom;
use ring::{digest, hmac};
use secrecy::zeroize::Zeroizing;
use tokio::sync::Semaphore;

use super::config::Users;

/// How many right passwords are remembered, so that they cost nothing again.
const REMEMBERED: usize = 100;

/// Those who proved who they are.
#[derive(Debug)]
pub(super) struct Visitors {
    /// Its tags stand for passwords that were right; it is never the same twice.
    key: Option<hmac::Key>,
    admitted: Mutex<Vec<[u8; digest::SHA256_OUTPUT_LEN]>>,
    /// Hashing is slow on purpose, so one at a time.
    turn: Arc<Semaphore>,
}

/// What somebody says who he is.
struct Claim {
    name: String,
    password: Zeroizing<Vec<u8>>,
}

impl Default for Visitors {
    fn default() -> Self {
        let random = SystemRandom::new();
        Self {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &random).ok(),
            admitted: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Visitors {
    /// Whether one with this `Authorization` may come in.
    pub(super) async fn admit(&self, users: &Users, who: Option<HeaderValue>) -> bool {
        if users.is_empty() {
            return true;
        }
        let Some(claim) = who.as_ref().and_then(Claim::parse) else {
            return false;
        };
        let (known, hash) = users.hash(&claim.name);
        let tag = self.tag(&claim, hash);
        if known && self.remembers(tag) {
            return true;
        }
        let Ok(_turn) = self.turn.acquire().await else {
            return false;
        };
        // Another with the same password may have been first.
        if known && self.remembers(tag) {
            return true;
        }
        let hash = hash.to_owned();
        let verify = move || bcrypt::verify(claim.password.as_slice(), &hash);
        let right = tokio::task::spawn_blocking(verify).await;
        let right = known && matches!(right, Ok(Ok(true)));
        if right {
            self.remember(tag);
        }
        right
    }

    /// What stands for a password that fits a hash.
    fn tag(&self, claim: &Claim, hash: &str) -> Option<[u8; digest::SHA256_OUTPUT_LEN]> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        for part in [claim.name.as_bytes(), hash.as_bytes(), &claim.password] {
            context.update(&part.len().to_le_bytes());
            context.update(part);
        }
        context.sign().as_ref().try_into().ok()
    }

    fn remembers(&self, tag: Option<[u8; digest::SHA256_OUTPUT_LEN]>) -> bool {
        let admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        tag.is_some_and(|tag| admitted.contains(&tag))
    }

    fn remember(&self, tag: Option<[u8; digest::SHA256_OUTPUT_LEN]>) {
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        if admitted.len() >= REMEMBERED {
            let one = fastrand::usize(..admitted.len());
            admitted.swap_remove(one);
        }
        admitted.extend(tag);
    }
}

impl Claim {
    /// The name and password of `Basic BASE64`.
    fn parse(header: &HeaderValue) -> Option<Self> {
        let (scheme, coded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let plain = Zeroizing::new(STANDARD.decode(coded.trim()).ok()?);
        let colon = plain.iter().position(|byte| *byte == b':')?;
        let (name, rest) = plain.split_at(colon);
        let password = rest.strip_prefix(b":")?.to_vec();
        Some(Self {
            name: String::from_utf8(name.to_vec()).ok()?,
            password: Zeroizing::new(password),
        })
    }
}
