//! Who asks, and whether the password is right.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use ring::rand::SystemRandom;
use ring::{digest, hmac};
use secrecy::zeroize::Zeroizing;

use super::config::Users;
use super::queue::Queue;
use super::refusal::Refusal;
use super::seats::Place;

/// How many right passwords are remembered, so that they cost nothing again.
const REMEMBERED: usize = 100;

/// Those who proved who they are.
#[derive(Debug)]
pub(super) struct Visitors {
    /// Its tags stand for passwords that were right; it is never the same twice.
    key: Option<hmac::Key>,
    admitted: Mutex<Vec<[u8; digest::SHA256_OUTPUT_LEN]>>,
    /// Hashing is slow on purpose, so one at a time.
    hashing: Queue,
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
            hashing: Queue::new(1),
        }
    }
}

impl Visitors {
    /// Lets in one with this `Authorization`, or says why not.
    pub(super) async fn admit(
        &self,
        users: &Users,
        who: Option<HeaderValue>,
        place: Option<&Place>,
    ) -> Result<(), Refusal> {
        if users.is_empty() {
            return Ok(());
        }
        let claim = who.as_ref().and_then(Claim::parse);
        let claim = claim.ok_or(Refusal::Stranger)?;
        let check = users.check(&claim.name).ok_or(Refusal::Stranger)?;
        let (known, tag) = (check.is_known(), self.tag(&claim, check.hash()));
        if known && self.remembers(tag) {
            return Ok(());
        }
        let turn = self.hashing.take(place).await?;
        // Another with the same password may have been first.
        if known && self.remembers(tag) {
            return Ok(());
        }
        // Who hangs up does not end the hashing: the turn is over when that is.
        let verify = move || (check.is_passed_by(&claim.password), turn);
        let (right, _turn) = tokio::task::spawn_blocking(verify)
            .await
            .map_err(|_panic| Refusal::Stranger)?;
        if !right {
            return Err(Refusal::Stranger);
        }
        self.remember(tag);
        Ok(())
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::runtime::Builder;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    #[test]
    fn who_hangs_up_while_his_password_is_hashed_makes_no_room_for_another() {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(1)
            .build();
        runtime.unwrap().block_on(async {
            let (go_on, held) = oneshot::channel::<()>();
            let holding = tokio::task::spawn_blocking(move || drop(held.blocking_recv()));
            let visitors = Visitors::default();
            let hash = "$2b$04$Lv8iTo7rbjvEcl8BeabRQOC/ZusTx1IbbMkfjXcxXDB1gXa.FfoIe";
            let users = Users::of([("alice", hash)]);
            let wrong = format!("Basic {}", STANDARD.encode("alice:wrong"));
            let who = HeaderValue::from_str(&wrong).unwrap();
            let asked = visitors.admit(&users, Some(who), None);
            assert!(timeout(Duration::from_millis(1), asked).await.is_err());
            // The hashing has yet to end, although nobody waits for it.
            let mut next = Box::pin(visitors.hashing.take(None));
            assert!(timeout(Duration::from_millis(1), &mut next).await.is_err());
            drop(go_on);
            holding.await.unwrap();
            assert!(next.await.is_ok());
        });
    }
}
