//! Access tokens of the portal's own issuer: the JWT profile of RFC 9068, checked with the keys that the issuer
//! publishes (RFC 7517). Fetching the keys is the worker's; here is what they are, and when they are wanted anew.

use super::keyfile::Unfit;
use crate::domain::{account::Subject, assurance::Assurance, refusal::Fault};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{Jwk, PublicKeyUse},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Number, Value};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, Semaphore, watch};

const TOKEN_MAX_BYTES: usize = 8192;
/// Keys of one set that are looked at.
const KEYS_MAX: usize = 50;
/// Seconds that the issuer's clock may be ahead of ours.
const LEEWAY: i64 = 30;
/// An unknown `kid` makes the keys be fetched, but not more often than this.
const COOL_DOWN: Duration = Duration::from_secs(60);
/// How long a request waits for keys that are being fetched, and how many do.
const PATIENCE: Duration = Duration::from_secs(5);
const WAITING_MAX: usize = 64;

/// What the operator says of the issuer.
#[derive(Clone, Debug)]
pub struct Trust {
    /// `iss` of its tokens.
    pub issuer: String,
    /// Ours among the `aud` of its tokens.
    pub audience: String,
    /// The one algorithm (RFC 7518 §3.1) that it signs with.
    pub algorithm: String,
    /// `typ` of its tokens: `at+jwt` where it follows RFC 9068.
    pub token_type: String,
    /// The values of `acr` that stand for a second factor.
    pub aal2: Vec<String>,
}

/// The portal's own issuer, and the keys that it published last.
pub struct Issuer {
    trust: Trust,
    algorithm: Algorithm,
    keys: Mutex<Arc<Keys>>,
    demand: Mutex<Demand>,
    wanted: Notify,
    waiting: Semaphore,
    learned: watch::Sender<()>,
}

type Keys = HashMap<String, DecodingKey>;

/// Whether the keys are being fetched, and when that was last asked for by a token.
struct Demand {
    is_running: bool,
    /// Whether they came when they were fetched last.
    is_known: bool,
    asked: Option<Instant>,
}

/// What a good token states.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// Whose token it is.
    pub subject: Subject,
    /// The session that it is of, where the issuer says so: `sid`.
    pub session: Option<String>,
    /// When it was issued, as exactly as it says: to the second.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// What its owner has proved to the issuer.
    pub assurance: Assurance,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: String,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    sid: Option<String>,
    #[serde(deserialize_with = "second")]
    iat: i64,
    #[serde(default, deserialize_with = "second_or_none")]
    nbf: Option<i64>,
    #[serde(deserialize_with = "second")]
    exp: i64,
    #[serde(default, deserialize_with = "second_or_none")]
    auth_time: Option<i64>,
    acr: Option<String>,
}

impl Issuer {
    /// An issuer whose keys are yet to be fetched.
    ///
    /// # Errors
    /// When its algorithm is none with a public key.
    pub fn new(trust: Trust) -> Result<Self, Unfit> {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let known = [EdDSA, ES256, ES384, PS256, PS384, PS512, RS256, RS384, RS512];
        let algorithm = trust.algorithm.parse().ok().filter(|algorithm| known.contains(algorithm));
        let algorithm = algorithm.ok_or_else(|| {
            Unfit(format!("the portal's tokens are signed by EdDSA, ES*, PS* or RS*, not {:?}", trust.algorithm))
        })?;
        let demand = Demand { is_running: true, is_known: false, asked: None };
        Ok(Self {
            trust,
            algorithm,
            keys: Mutex::default(),
            demand: Mutex::new(demand),
            wanted: Notify::new(),
            waiting: Semaphore::new(WAITING_MAX),
            learned: watch::Sender::new(()),
        })
    }

    /// `iss` of its tokens.
    pub fn name(&self) -> &str {
        &self.trust.issuer
    }

    /// Checks a token by itself: form, key, signature, claims, time. Where its key is not known the keys are fetched
    /// anew, if that is due. `None` when anything is wrong.
    ///
    /// # Errors
    /// `unavailable` when its key may be one that could not be fetched.
    pub async fn check(&self, token: &str, now: Timestamp) -> Result<Option<Statement>, Fault> {
        let Some(kid) = self.kid(token) else { return Ok(None) };
        if self.key(&kid).is_none() {
            self.fetched_on_demand().await;
        }
        let Some(key) = self.key(&kid) else {
            return match lock(&self.demand).is_known {
                true => Ok(None),
                false => Err(Fault::Unavailable("the keys of the portal's issuer could not be fetched".to_owned())),
            };
        };
        let claims = self.claims(token, &key).filter(|claims| claims.is_timely(now));
        Ok(claims.and_then(|claims| self.statement(claims)))
    }

    /// Takes a set of keys in place of the one before, and returns how many of them count; `None` leaves the one
    /// before as it is. Either way the fetching is over.
    pub fn learn(&self, set: Option<&[u8]>) -> Result<usize, &'static str> {
        let learned = set.ok_or("no answer").and_then(|set| self.read(set));
        if let Ok(keys) = &learned {
            *lock(&self.keys) = Arc::new(keys.clone());
        }
        {
            let mut demand = lock(&self.demand);
            (demand.is_running, demand.is_known) = (false, learned.is_ok());
        }
        self.learned.send_replace(());
        learned.map(|keys| keys.len())
    }

    /// Waits until a token is met whose key is not known.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    fn key(&self, kid: &str) -> Option<DecodingKey> {
        lock(&self.keys).get(kid).cloned()
    }

    /// Waits for the keys that are being fetched, or has them fetched; at once where neither is due.
    async fn fetched_on_demand(&self) {
        let Ok(_place) = self.waiting.try_acquire() else { return };
        let mut learned = self.learned.subscribe();
        {
            let mut demand = lock(&self.demand);
            if !demand.is_running {
                if demand.asked.is_some_and(|asked| asked.elapsed() < COOL_DOWN) {
                    return;
                }
                (demand.is_running, demand.asked) = (true, Some(Instant::now()));
                self.wanted.notify_one();
            }
        }
        let _ = tokio::time::timeout(PATIENCE, learned.changed()).await;
    }

    /// RFC 8725 §3.1 and §3.11: the algorithm and the type are the operator's to say; a header that names a key by
    /// its place is read no further than its `kid`.
    fn kid(&self, token: &str) -> Option<String> {
        let header = token.split('.').next().filter(|_| token.len() <= TOKEN_MAX_BYTES)?;
        let header: Header = serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).ok()?).ok()?;
        let given = header.typ.unwrap_or_default().to_ascii_lowercase();
        let is_expected = given.trim_start_matches("application/") == self.trust.token_type.to_ascii_lowercase();
        let is_ours = header.alg.parse() == Ok(self.algorithm) && is_expected && header.crit.is_none();
        is_ours.then_some(header.kid)
    }

    fn claims(&self, token: &str, key: &DecodingKey) -> Option<Claims> {
        let mut validation = Validation::new(self.algorithm);
        validation.set_issuer(&[&self.trust.issuer]);
        validation.set_audience(&[&self.trust.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The library would ask the system's clock; ours is passed in.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        jsonwebtoken::decode::<Claims>(token, key, &validation).ok().map(|token| token.claims)
    }

    /// A second factor counts only from a moment that the token names: without one its age could not be judged.
    fn statement(&self, claims: Claims) -> Option<Statement> {
        let issued_at = Timestamp::from_second(claims.iat).ok()?;
        let is_aal2 = claims.acr.is_some_and(|acr| self.trust.aal2.contains(&acr));
        let assurance = match claims.auth_time {
            Some(at) if is_aal2 => Assurance::vouched(Timestamp::from_second(at).ok()?),
            _ => Assurance::password(issued_at),
        };
        Some(Statement {
            subject: Subject::parse(&claims.sub, "").ok()?,
            session: claims.sid,
            issued_at,
            expires_at: Timestamp::from_second(claims.exp).ok()?,
            assurance,
        })
    }

    /// The keys of a set that can sign our tokens. One that cannot be read is left out (RFC 7517 §5).
    fn read(&self, set: &[u8]) -> Result<Keys, &'static str> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(set).map_err(|_| "the answer is no set of keys")?;
        if set.keys.len() > KEYS_MAX {
            return Err("the set has more than 50 keys");
        }
        Ok(set.keys.into_iter().filter_map(|key| self.usable(key)).collect())
    }

    fn usable(&self, key: Value) -> Option<(String, DecodingKey)> {
        let jwk: Jwk = serde_json::from_value(key).ok()?;
        let common = &jwk.common;
        let signs = common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        let fits = common.key_algorithm.is_none_or(|algorithm| algorithm.to_string() == self.trust.algorithm);
        let kid = common.key_id.clone().filter(|_| signs && fits)?;
        DecodingKey::from_jwk(&jwk).ok().map(|key| (kid, key))
    }
}

impl Claims {
    /// Nothing that it tells of may lie ahead: a token from the future would outlive the change that ends it.
    fn is_timely(&self, now: Timestamp) -> bool {
        let now = now.as_second();
        let told = [Some(self.iat), self.nbf, self.auth_time];
        told.into_iter().flatten().all(|at| at <= now.saturating_add(LEEWAY)) && now < self.exp
    }
}

/// A moment may have a fraction (`NumericDate`, RFC 7519 §2), which is left out.
fn second<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = Number::deserialize(deserializer)?;
    let second = number.as_i64().or_else(|| i64::try_from(number.as_f64()?.floor() as i128).ok());
    second.ok_or_else(|| D::Error::custom("no moment"))
}

fn second_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    second(deserializer).map(Some)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        keyring::Keyring,
    };
    use std::{future::Future, pin::pin, task};

    fn trust(algorithm: &str) -> Trust {
        let (issuer, audience) = ("https://login.test".to_owned(), "us".to_owned());
        Trust { issuer, audience, algorithm: algorithm.to_owned(), token_type: "at+jwt".to_owned(), aal2: Vec::new() }
    }

    fn set(algorithm: SigningAlgorithm) -> Vec<u8> {
        Keyring::new(&KeyFile::generate(algorithm, false).unwrap()).unwrap().signer.jwks.into_bytes()
    }

    /// Whether a check is over without waiting for anything.
    fn is_over_at_once(issuer: &Issuer, kid: &str) -> bool {
        let header = BASE64URL_NOPAD.encode(format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{kid}"}}"#).as_bytes());
        let token = format!("{header}.e30.AA");
        let check = pin!(issuer.check(&token, Timestamp::UNIX_EPOCH));
        check.poll(&mut task::Context::from_waker(task::Waker::noop())).is_ready()
    }

    #[test]
    fn only_algorithms_with_a_public_key_are_taken() {
        for algorithm in ["HS256", "none", "", "rs256"] {
            assert!(Issuer::new(trust(algorithm)).is_err(), "{algorithm}");
        }
        assert!(Issuer::new(trust("RS256")).is_ok());
    }

    #[test]
    fn keys_that_fit_are_taken_out_of_a_set_and_a_set_that_is_none_changes_nothing() {
        let issuer = Issuer::new(trust("ES256")).unwrap();
        assert_eq!(issuer.learn(Some(&set(SigningAlgorithm::Es256))), Ok(1));
        let many = format!(r#"{{"keys":[{}]}}"#, ["{}"; 51].join(","));
        for bad in [Some("".as_bytes()), Some(b"{}"), Some(b"[]"), Some(b"{\"keys\":{}}"), Some(many.as_bytes()), None]
        {
            assert!(issuer.learn(bad).is_err());
            assert_eq!(lock(&issuer.keys).len(), 1, "the last good set stays");
        }
        let odd = br#"{"keys":[{"kty":"future"}, {"kty":"RSA","n":"AQ","e":"AQAB"}, 7]}"#;
        assert_eq!(issuer.learn(Some(odd)), Ok(0), "a set without a key that fits withdraws all");
        assert_eq!(issuer.learn(Some(&set(SigningAlgorithm::EdDsa))), Ok(0), "another algorithm's");
    }

    #[tokio::test]
    async fn a_flood_of_unknown_keys_asks_once_a_minute_and_waits_no_longer() {
        let issuer = Issuer::new(trust("ES256")).unwrap();
        issuer.learn(Some(&set(SigningAlgorithm::Es256))).unwrap();
        assert!(!is_over_at_once(&issuer, "unknown"), "the first has the keys fetched, and waits");
        issuer.wanted().await;
        assert!(!is_over_at_once(&issuer, "unknown"), "others wait for the same fetch");
        issuer.learn(None).unwrap_err();
        for n in 0..1000 {
            assert!(is_over_at_once(&issuer, &format!("unknown-{n}")));
        }
        let again = pin!(issuer.wanted());
        assert!(again.poll(&mut task::Context::from_waker(task::Waker::noop())).is_pending(), "nothing is fetched");
    }
}
