//! How members look that several bodies share: the schemas of texts that the parsers of the domain read.

use utoipa::ToSchema;

/// Six digits of an authenticator app; spaces and hyphens are passed over.
#[derive(ToSchema)]
#[schema(as = OneTimeCode, pattern = "^[ -]*([0-9][ -]*){6}$", example = "123456")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub struct OneTimeCode(String);

/// A recovery code as a person types it: 24 symbols of Crockford's base 32, in any case, with or without
/// spaces and hyphens.
#[derive(ToSchema)]
#[schema(as = RecoveryCodeInput, pattern = "^[ -]*([0-9A-TV-Za-tv-z][ -]*){24}$",
    example = "AAAAAA-AAAAAA-AAAAAA-AAAAAA")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub struct RecoveryCodeInput(String);

/// A recovery code as it is shown.
#[derive(ToSchema)]
#[schema(as = RecoveryCode, pattern = "^[0-9A-HJKMNP-TV-Z]{6}(-[0-9A-HJKMNP-TV-Z]{6}){3}$", min_length = 27,
    max_length = 27, example = "AAAAAA-AAAAAA-AAAAAA-AAAAAA")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub struct RecoveryCode(String);

/// The kind of a method.
#[derive(ToSchema)]
#[schema(as = MethodType, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub enum MethodType {
    /// A passkey or a security key (WebAuthn).
    Passkey,
    /// An authenticator app (RFC 6238).
    Totp,
    /// A code sent to a phone number.
    Sms,
    /// A code sent to an e-mail address.
    Email,
}

/// What a body must hold; `code|recovery_code` means one of both.
#[derive(ToSchema)]
#[schema(as = Proof)]
#[expect(dead_code, reason = "the schema of a list of names")]
pub enum ProofName {
    #[schema(rename = "password")]
    Password,
    #[schema(rename = "code|recovery_code")]
    Factor,
    #[schema(rename = "recovery_code")]
    RecoveryCode,
}
