//! Access tokens: JWT profile of RFC 9068, checked by the rules of RFC 8725.

use crate::domain::{
    assurance::{Acr, Amr, Assurance},
    id::{AccountId, SessionId},
    refusal::{Fault, Refusal},
};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

const TYPE: &str = "at+jwt";
const MAX_BYTES: usize = 4096;
/// Seconds that the clocks of two replicas may differ.
const LEEWAY: i64 = 30;

/// A key pair that signs and checks access tokens.
pub struct TokenKey {
    /// Its `kid`.
    pub id: String,
    /// Its one algorithm.
    pub algorithm: Algorithm,
    /// Its private half.
    pub private: EncodingKey,
    /// Its public half.
    pub public: DecodingKey,
}

/// All keys of access tokens: the first signs, all are accepted.
pub struct Signer {
    /// The keys, the active one first.
    pub keys: Vec<TokenKey>,
    /// The public halves as a JWK set (RFC 7517 §5).
    pub jwks: String,
}

/// Whose tokens ours are, and for whom.
#[derive(Clone, Debug)]
pub struct Realm {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// Seconds that a token lives.
    pub ttl: u32,
}

/// What a good token says about its holder.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Whose token it is.
    pub account: AccountId,
    /// The session that it descends from.
    pub session: SessionId,
    /// The account's epoch when it was issued.
    pub epoch: i64,
    /// What was proved by then.
    pub assurance: Assurance,
}

/// What a token whose signature is good says, and the seconds since 1970 between which it counts.
#[derive(Clone)]
pub(super) struct Vouched {
    pub(super) holder: Holder,
    from: i64,
    until: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: AccountId,
    sid: SessionId,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
    auth_time: i64,
    acr: Acr,
    amr: Vec<Amr>,
    scope: String,
    epoch: i64,
}

/// RFC 8725 §3.10: nothing but these may steer how a token is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    // A text: an enum would be read from an object of one member as well.
    alg: String,
    typ: String,
    kid: String,
}

impl Signer {
    /// Signs a token for `holder`.
    ///
    /// # Errors
    /// `unavailable` when signing fails.
    pub fn sign(&self, realm: &Realm, holder: &Holder, scope: &str, id: Uuid, now: Timestamp) -> Result<String, Fault> {
        let issued = now.as_second();
        self.signed(&Claims {
            iss: realm.issuer.clone(),
            aud: realm.audience.clone(),
            sub: holder.account,
            sid: holder.session,
            jti: id,
            iat: issued,
            nbf: issued,
            exp: issued + i64::from(realm.ttl),
            auth_time: holder.assurance.auth_time.as_second(),
            acr: holder.assurance.acr,
            amr: holder.assurance.amr.clone(),
            scope: scope.to_owned(),
            epoch: holder.epoch,
        })
    }

    /// Claims as a token, signed with the active key.
    pub(super) fn signed(&self, claims: &impl Serialize) -> Result<String, Fault> {
        let failed = |what: &str| Fault::Unavailable(format!("signing a token: {what}"));
        let key = self.keys.first().ok_or_else(|| failed("no key"))?;
        let header = Header { typ: Some(TYPE.to_owned()), kid: Some(key.id.clone()), ..Header::new(key.algorithm) };
        jsonwebtoken::encode(&header, claims, &key.private).map_err(|error| failed(&error.to_string()))
    }

    /// Checks a token by itself: form, key, signature, claims, time. Whether its session lives and its
    /// epoch is current, the database tells.
    ///
    /// # Errors
    /// `invalid-token`, whatever is wrong.
    pub fn check(&self, realm: &Realm, token: &str, now: Timestamp) -> Result<Holder, Refusal> {
        let vouched = self.vouched(realm, token);
        vouched.filter(|vouched| vouched.is_timely(now)).map(|vouched| vouched.holder).ok_or(Refusal::InvalidToken)
    }

    /// What a token says, and when it says so, once everything but the time is checked: that stays as it is.
    pub(super) fn vouched(&self, realm: &Realm, token: &str) -> Option<Vouched> {
        let claims = self.claims::<Claims>(realm, token);
        claims.filter(|claims| realm.is_life(claims.iat, claims.exp)).and_then(Claims::vouched)
    }

    /// The claims of a token, once its form, key, signature, issuer and audience are checked.
    pub(super) fn claims<C: DeserializeOwned>(&self, realm: &Realm, token: &str) -> Option<C> {
        let header = token.split('.').next().filter(|_| token.len() <= MAX_BYTES)?;
        let header: StrictHeader = serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).ok()?).ok()?;
        let key = self.keys.iter().find(|key| key.id == header.kid)?;
        if header.alg.parse() != Ok(key.algorithm) || header.typ != TYPE {
            return None;
        }
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[&realm.issuer]);
        validation.set_audience(&[&realm.audience, &realm.for_setup().audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The library would ask the system's clock; ours is passed in.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        jsonwebtoken::decode::<C>(token, &key.public, &validation).ok().map(|token| token.claims)
    }
}

impl Vouched {
    /// Whether it counts at `now`; a token is good until the second in which it expires.
    pub(super) fn is_timely(&self, now: Timestamp) -> bool {
        is_timely(self.from, self.until, now)
    }
}

impl Realm {
    /// The realm of tokens that are good here, for setting two-factor authentication up, and nowhere else: whoever
    /// checks the audience (RFC 9068 §4) lets nobody in by one.
    #[must_use]
    pub fn for_setup(&self) -> Self {
        Self { audience: format!("{}/two-factor-setup", self.audience), ..self.clone() }
    }

    /// Whether a token that is issued and expires so has the life of one of ours.
    pub(super) fn is_life(&self, issued: i64, expires: i64) -> bool {
        expires.checked_sub(issued).is_some_and(|seconds| (1..=i64::from(self.ttl)).contains(&seconds))
    }
}

/// Whether `now` is between two seconds since 1970: of the first our clocks may differ, and the last is too late.
pub(super) fn is_timely(from: i64, until: i64, now: Timestamp) -> bool {
    let now = now.as_second();
    from <= now.saturating_add(LEEWAY) && now < until
}

impl Claims {
    fn vouched(self) -> Option<Vouched> {
        let auth_time = Timestamp::from_second(self.auth_time).ok()?;
        let assurance = Assurance { acr: self.acr, amr: self.amr, auth_time };
        let assurance = Some(assurance).filter(Assurance::is_ours)?;
        let holder = Holder { account: self.sub, session: self.sid, epoch: self.epoch, assurance };
        Some(Vouched { holder, from: self.nbf.max(self.iat).max(self.auth_time), until: self.exp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        keyring::Keyring,
        random::Random,
    };

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn later(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn realm() -> Realm {
        Realm { issuer: "twofold".into(), audience: "account-security".into(), ttl: 600 }
    }

    fn holder() -> Holder {
        Holder {
            account: Random.id(now()).unwrap(),
            session: Random.id(now()).unwrap(),
            epoch: 3,
            assurance: Assurance::password(now()),
        }
    }

    #[test]
    fn a_token_is_good_for_its_time_realm_and_key_alone() {
        for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
            let ring = Keyring::new(&KeyFile::generate(algorithm, false).unwrap()).unwrap();
            let token = ring.signer.sign(&realm(), &holder(), "", Uuid::nil(), now()).unwrap();
            assert_eq!(ring.signer.check(&realm(), &token, later(599)).unwrap().epoch, 3);
            assert!(ring.signer.check(&realm(), &token, later(600)).is_err(), "expired");
            assert!(ring.signer.check(&realm(), &token, later(-31)).is_err(), "not yet");
            assert!(ring.signer.check(&Realm { audience: "other".into(), ..realm() }, &token, now()).is_err());
            assert!(ring.signer.check(&Realm { issuer: "other".into(), ..realm() }, &token, now()).is_err());
            let other = Keyring::new(&KeyFile::generate(algorithm, false).unwrap()).unwrap();
            assert!(other.signer.check(&realm(), &token, now()).is_err(), "another ring");
        }
    }

    #[test]
    fn headers_that_would_steer_the_check_are_refused() {
        let ring = Keyring::new(&KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap()).unwrap();
        let token = ring.signer.sign(&realm(), &holder(), "", Uuid::nil(), now()).unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let kid = &ring.signer.keys[0].id;
        let headers = [
            format!(r#"{{"alg":"none","typ":"at+jwt","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}","jku":"https://example.test"}}"#),
            format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}","kid":"{kid}"}}"#),
            r#"{"alg":"EdDSA","typ":"at+jwt"}"#.to_owned(),
        ];
        for header in headers {
            // Signed with our own key, so that nothing but the header is wrong.
            let message = format!("{}.{claims}", BASE64URL_NOPAD.encode(header.as_bytes()));
            let key = &ring.signer.keys[0];
            let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key.private, key.algorithm).unwrap();
            let forged = format!("{message}.{signature}");
            assert!(ring.signer.check(&realm(), &forged, now()).is_err(), "{header}");
        }
        for text in ["", ".", "..", "a.b.c", &token[..token.len() - 2], &format!("{token}."), &"a".repeat(5000)] {
            assert!(ring.signer.check(&realm(), text, now()).is_err());
        }
    }
}
