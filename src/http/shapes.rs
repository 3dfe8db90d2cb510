//! How members look that several bodies share: the schemas of texts that the parsers of the domain read.

use utoipa::ToSchema;

/// Six digits of an authenticator app; spaces and hyphens are passed over.
#[derive(ToSchema)]
#[schema(as = OneTimeCode, pattern = "^[ -]*([0-9][ -]*){6}$", example = "123456")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub struct OneTimeCode(String);

/// Eight digits that were sent; spaces and hyphens are passed over.
#[derive(ToSchema)]
#[schema(as = SentCodeInput, pattern = "^[ -]*([0-9][ -]*){8}$", example = "12345678")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub struct SentCodeInput(String);

/// Six digits of an authenticator app, or eight that were sent; spaces and hyphens are passed over.
#[derive(ToSchema)]
#[schema(as = AnyCode, pattern = "^[ -]*([0-9][ -]*){6}([0-9][ -]*[0-9][ -]*)?$", example = "123456")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub struct AnyCode(String);

/// What a code is of.
#[derive(ToSchema)]
#[schema(as = CodeMethod, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub enum CodeMethod {
    /// An authenticator app.
    Totp,
    /// It was sent to a phone number.
    Sms,
    /// It was sent to an e-mail address.
    Email,
}

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
