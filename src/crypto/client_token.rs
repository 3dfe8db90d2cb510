//! Access tokens of clients: RFC 9068, as an owner's, and never to be taken for one. An owner's token names a session,
//! which a client's must not have; a client's names its client, which an owner's does not.

use super::token::{Realm, Signer, is_timely};
use crate::domain::{
    client::ClientScopes,
    id::ClientId,
    refusal::{Fault, Refusal},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a good token says about its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHolder {
    /// Whose token it is.
    pub client: ClientId,
    /// The client's epoch when it was issued.
    pub epoch: i64,
    /// What it may be used for.
    pub scopes: ClientScopes,
}

/// What a client's token says, and nothing else: with any other claim it is another kind of token.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: ClientId,
    client_id: ClientId,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
    scope: String,
    epoch: i64,
}

impl Signer {
    /// Signs a token for a client.
    ///
    /// # Errors
    /// `unavailable` when signing fails.
    pub fn sign_client(&self, realm: &Realm, holder: &ClientHolder, id: Uuid, now: Timestamp) -> Result<String, Fault> {
        let issued = now.as_second();
        self.signed(&Claims {
            iss: realm.issuer.clone(),
            aud: realm.audience.clone(),
            sub: holder.client,
            client_id: holder.client,
            jti: id,
            iat: issued,
            nbf: issued,
            exp: issued + i64::from(realm.ttl),
            scope: holder.scopes.to_string(),
            epoch: holder.epoch,
        })
    }

    /// Checks a client's token by itself: form, key, signature, claims, time. Whether its client is enabled and its
    /// epoch is current, the database tells.
    ///
    /// # Errors
    /// `invalid-token`, whatever is wrong.
    pub fn check_client(&self, realm: &Realm, token: &str, now: Timestamp) -> Result<ClientHolder, Refusal> {
        let claims = self.claims::<Claims>(realm, token).filter(|claims| claims.client_id == claims.sub);
        let holder = claims.and_then(|claims| {
            let scopes = claims.scope.parse().ok()?;
            let holder = ClientHolder { client: claims.sub, epoch: claims.epoch, scopes };
            let counts =
                realm.is_life(claims.iat, claims.exp) && is_timely(claims.nbf.max(claims.iat), claims.exp, now);
            counts.then_some(holder)
        });
        holder.ok_or(Refusal::InvalidClientToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::{
            keyfile::{KeyFile, SigningAlgorithm},
            keyring::Keyring,
            random::Random,
            token::Holder,
        },
        domain::assurance::Assurance,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn no_token_is_both_an_owners_and_a_clients() {
        let ring = Keyring::new(&KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap()).unwrap();
        let realm = Realm { issuer: "twofold".into(), audience: "account-security".into(), ttl: 600 };
        let scopes: ClientScopes = "2fa:read events:read".parse().unwrap();
        let client = ClientHolder { client: Random.id(at(0)).unwrap(), epoch: 3, scopes };
        let token = ring.signer.sign_client(&realm, &client, Uuid::nil(), at(0)).unwrap();
        assert_eq!(ring.signer.check_client(&realm, &token, at(599)), Ok(client));
        assert!(ring.signer.check(&realm, &token, at(0)).is_err(), "an owner's");
        for second in [600, -31] {
            assert!(ring.signer.check_client(&realm, &token, at(second)).is_err(), "{second}");
        }
        let other = Realm { audience: "other".into(), ..realm.clone() };
        assert!(ring.signer.check_client(&other, &token, at(0)).is_err(), "another audience");
        let (account, session) = (Random.id(at(0)).unwrap(), Random.id(at(0)).unwrap());
        let owner = Holder { account, session, epoch: 3, assurance: Assurance::password(at(0)) };
        for scope in ["", "support", "2fa:read"] {
            let token = ring.signer.sign(&realm, &owner, scope, Uuid::nil(), at(0)).unwrap();
            assert!(ring.signer.check(&realm, &token, at(0)).is_ok());
            assert!(ring.signer.check_client(&realm, &token, at(0)).is_err(), "{scope}");
        }
    }
}
