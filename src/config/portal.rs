//! The portal's own issuer, as settings.

use super::{Misconfigured, filled, list};

/// The portal's own identity provider, whose access tokens are taken beside ours.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct PortalConfig {
    /// `iss` of its tokens; without one no other issuer is trusted.
    #[config(env = "TWOFOLD_PORTAL_ISSUER", parse_env = filled)]
    pub issuer: Option<String>,

    /// What stands for us in `aud` of its tokens.
    #[config(env = "TWOFOLD_PORTAL_AUDIENCE", parse_env = filled)]
    pub audience: Option<String>,

    /// Where its keys are: an `https://` address of a JWK set, or a file.
    #[config(env = "TWOFOLD_PORTAL_JWKS", parse_env = filled)]
    pub jwks: Option<String>,

    /// The one algorithm that it signs with, such as `RS256`, `PS256`, `ES256` or `EdDSA`.
    #[config(env = "TWOFOLD_PORTAL_ALGORITHM", default = "RS256")]
    pub algorithm: String,

    /// `typ` of its tokens: `at+jwt` where it follows RFC 9068, else often `JWT`.
    #[config(env = "TWOFOLD_PORTAL_TOKEN_TYPE", default = "at+jwt")]
    pub token_type: String,

    /// Values of `acr` that stand for a second factor, in tokens that say `auth_time`; separated by commas in the
    /// environment.
    #[config(env = "TWOFOLD_PORTAL_AAL2", parse_env = list, default = [])]
    pub aal2: Vec<String>,
}

impl PortalConfig {
    /// # Errors
    /// When something is missing, its tokens could not be told from ours, or its keys would come unprotected.
    pub fn check(&self, ours: &str, is_insecure: bool) -> Result<(), Misconfigured> {
        let refuse = |text: &str| Err(Misconfigured(text.to_owned()));
        let Some(issuer) = &self.issuer else { return Ok(()) };
        let (Some(_), Some(jwks)) = (&self.audience, &self.jwks) else {
            return refuse("TWOFOLD_PORTAL_ISSUER needs TWOFOLD_PORTAL_AUDIENCE and TWOFOLD_PORTAL_JWKS beside it");
        };
        if issuer == ours {
            return refuse("TWOFOLD_PORTAL_ISSUER must differ from TWOFOLD_ISSUER");
        }
        if jwks.starts_with("http://") && !is_insecure {
            return refuse("TWOFOLD_PORTAL_JWKS must be an https:// address or a file");
        }
        Ok(())
    }
}
