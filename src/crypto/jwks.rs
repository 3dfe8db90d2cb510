//! The public halves of the token keys, as `/.well-known/jwks.json` publishes them (RFC 7517).

use super::{
    keyfile::{SigningAlgorithm, SigningKey},
    token::{Signer, TokenKey},
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};

/// Takes the signing keys of a key file into use.
///
/// # Errors
/// A sentence that names the key that is not what it says.
pub fn signer(keys: &[SigningKey]) -> Result<Signer, String> {
    let pairs = keys.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    let (keys, jwks): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let jwks = serde_json::to_string(&JwkSet { keys: jwks }).map_err(|error| error.to_string())?;
    Ok(Signer { keys, jwks })
}

fn pair(key: &SigningKey) -> Result<(TokenKey, Jwk), String> {
    let der = key.der()?;
    let (algorithm, private) = match key.algorithm {
        SigningAlgorithm::EdDsa => (Algorithm::EdDSA, EncodingKey::from_ed_der(der.expose())),
        SigningAlgorithm::Es256 => (Algorithm::ES256, EncodingKey::from_ec_der(der.expose())),
    };
    let refused = |_| format!("the signing key {:?} is not a key for {:?}", key.id, key.algorithm);
    let mut jwk = Jwk::from_encoding_key(&private, algorithm).map_err(refused)?;
    jwk.common.key_id = Some(key.id.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let public = DecodingKey::from_jwk(&jwk).map_err(refused)?;
    Ok((TokenKey { id: key.id.clone(), algorithm, private, public }, jwk))
}
