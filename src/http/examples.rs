//! An example of every request and of every success, as the document shows it. `tests/contract.rs` holds each against its schema.
//! Secrets in it have the right form and cannot be mistaken for real ones: examples are copied.

use super::{
    language,
    problem::{self, Code},
    well_known::PolicyBody,
};
use crate::{
    config::Config,
    domain::{account::Locale, policy::Support},
};
use serde_json::{Value, json};

const ACCOUNT: &str = "01a20c1b-7c00-7d52-9a1e-5b0f6c2d7e84";
const METHOD: &str = "01a20c1b-9f40-7e13-8b5c-2f7a9d0c4e61";
const DEVICE: &str = "01a20c1b-8b20-7d41-a6c3-5f2e1d0b9a47";
const DEVICE_TOKEN: &str = "the-token-of-a-device-as-an-example";
const SESSION: &str = "01a20c1b-8a10-7f3a-b7d4-6e1c0a9f2b58";
const CHALLENGE: &str = "a-challenge-as-an-example";
const REFRESH_TOKEN: &str = "a-refresh-token-as-an-example";
const LINK: &str = "the-token-of-a-link-as-an-example";
const CLIENT: &str = "01a20c1b-5d30-7c48-9e6a-3b8f1d0c7a52";
const PASSWORD: &str = "an example of a password";
/// Of no password, as anybody can see.
const PASSWORD_HASH: &str = "$2b$12$ExampleExampleExampleOExampleExampleExampleExampleExa";
const WEBHOOK_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const EVENT: &str = "01a20c1b-c350-7a04-8f6d-91b2e3c4d5f6";

/// The example of an operation's request; none where it has no body.
pub fn request(operation: &str) -> Option<Value> {
    Some(match operation {
        "startTotpEnrolment" => json!({"password": PASSWORD, "label": "Pixel 9"}),
        "confirmTotpEnrolment" | "verifySecondFactor" | "verifyForPartner" => json!({"code": "123456"}),
        "startPasskeyEnrolment" => json!({"password": PASSWORD, "label": "Security key"}),
        "confirmPasskeyEnrolment" => json!({"credential": passkey(json!({
            "clientDataJSON": "bytes-in-base64url", "attestationObject": "bytes-in-base64url",
            "transports": ["internal"]
        }))}),
        "startEmailEnrolment" => json!({"password": PASSWORD}),
        "startSmsEnrolment" => json!({"password": PASSWORD, "phone": "+60 12-345 6789"}),
        "confirmEmailEnrolment" | "confirmSmsEnrolment" => json!({"code": "12345678"}),
        "startVerification" => json!({"method": "passkey"}),
        "startLoginSecondFactor" => json!({"challenge": CHALLENGE, "method": "passkey"}),
        "renameMethod" => json!({"label": "Pixel 9, for work"}),
        "removeMethod" | "regenerateRecoveryCodes" => json!({"password": PASSWORD}),
        "disableTwoFactor" => json!({"password": PASSWORD, "reason": "new_phone"}),
        "previewUndo" | "stopReminders" => json!({"token": LINK}),
        "undoDisable" => json!({"token": LINK, "new_password": "another example of a password"}),
        "changePassword" => json!({"current_password": PASSWORD, "new_password": "another example of a password"}),
        "login" => json!({"email": "alice@example.test", "password": PASSWORD}),
        "loginSecondFactor" => json!({"challenge": CHALLENGE, "code": "123456", "remember_device": true}),
        "refreshTokens" => json!({"refresh_token": REFRESH_TOKEN}),
        "resetTwoFactor" => json!({"reason": "phone and recovery codes are lost", "ticket": "T-2026-1107"}),
        "provisionAccount" => json!({"email": "alice@example.test", "password_hash": PASSWORD_HASH, "locale": "ms"}),
        "issueBypassCode" => json!({"reason": "phone is being repaired", "ticket": "T-2026-1108"}),
        "unlockAccount" => json!({"reason": "mistyped codes all morning", "ticket": "T-2026-1109"}),
        "addWebhook" => json!({
            "url": "https://partner.example/hooks/two-factor", "kinds": ["two_factor.disabled"],
            "description": "risk desk"
        }),
        "editWebhook" => json!({"enabled": true}),
        _ => return None,
    })
}

/// The example of an operation's success with a status code; none where it has no body.
pub fn success(operation: &str, code: &str) -> Option<Value> {
    Some(match operation {
        "provisionAccount" => {
            json!({"id": ACCOUNT, "result": if code == "201" { "created" } else { "updated" }})
        }
        "getAccountSecurity" => json!({
            "email": "alice@example.test", "password_changed_at": "2026-10-02T07:30:00Z",
            "two_factor": status(), "sessions": 2
        }),
        "getTwoFactorStatus" => status(),
        "changePassword" | "refreshTokens" => tokens("aal1", &["pwd"]),
        "regenerateRecoveryCodes" => json!({"recovery_codes": recovery_codes()}),
        "listEvents" => json!({"events": [event()], "next_cursor": "41"}),
        "login" => json!({
            "result": "second_factor_required", "challenge": CHALLENGE,
            "methods": ["totp", "recovery_code"], "expires_at": "2026-11-24T08:05:00Z"
        }),
        "loginSecondFactor" => json!({
            "result": "signed_in", "tokens": tokens("aal2", &["pwd", "otp", "mfa"]), "setup_required": false,
            "device_token": DEVICE_TOKEN
        }),
        "getJwks" => json!({"keys": [{
            "use": "sig", "alg": "EdDSA", "kid": "t-2026-11", "kty": "OKP", "crv": "Ed25519",
            "x": "an-example-of-a-public-key-that-is-not-used"
        }]}),
        "getTwoFactorPolicy" => policy()?,
        "getOpenapi" => json!({
            "openapi": "3.1.0", "info": {"title": "Twofold", "version": env!("CARGO_PKG_VERSION")},
            "servers": [{"url": "/"}], "paths": {}, "components": {}, "tags": []
        }),
        "listProblems" => json!({"problems": [problem::explanation(Code::InvalidCredential, Locale::En)]}),
        "getProblem" => problem::explanation(Code::InvalidCredential, Locale::En),
        _ => {
            return of_methods(operation)
                .or_else(|| of_sign_ins(operation))
                .or_else(|| of_links(operation))
                .or_else(|| for_support(operation))
                .or_else(|| of_associations(operation));
        }
    })
}

/// The example of the success of an operation on methods.
fn of_methods(operation: &str) -> Option<Value> {
    Some(match operation {
        "startTotpEnrolment" => enrolment(),
        "startPasskeyEnrolment" => passkey_enrolment(),
        "startEmailEnrolment" => json!({
            "id": METHOD, "type": "email", "label": "E-mail", "sent_to": "a•••@example.test",
            "expires_at": "2026-11-24T08:15:00Z"
        }),
        "startSmsEnrolment" => json!({
            "id": METHOD, "type": "sms", "label": "Text message", "sent_to": "+60 •••• ••89",
            "expires_at": "2026-11-24T08:15:00Z"
        }),
        "resendEmailCode" => json!({
            "method": "email", "sent_to": "a•••@example.test", "expires_at": "2026-11-24T08:15:00Z"
        }),
        "resendSmsCode" => json!({
            "method": "sms", "sent_to": "+60 •••• ••89", "expires_at": "2026-11-24T08:15:00Z"
        }),
        "getTotpEnrolment" | "getPasskeyEnrolment" | "getEmailEnrolment" | "getSmsEnrolment" => json!({
            "id": METHOD, "state": "pending", "label": "Pixel 9", "expires_at": "2026-11-24T08:15:00Z"
        }),
        "confirmTotpEnrolment" | "confirmPasskeyEnrolment" | "confirmEmailEnrolment" | "confirmSmsEnrolment" => json!({
            "status": status(), "recovery_codes": recovery_codes(), "tokens": tokens("aal2", &["pwd", "otp", "mfa"])
        }),
        "renameMethod" => method(),
        "removeMethod" => json!({"status": status(), "tokens": tokens("aal2", &["pwd", "otp", "mfa"])}),
        "disableTwoFactor" => json!({
            "enabled": false, "disabled_at": "2026-11-24T09:00:00Z", "login": "password", "ended": ["totp"],
            "message": "Your account is no longer protected by an authenticator app.",
            "revoked": {"methods": 1, "recovery_codes": 9, "sessions": 1},
            "reminder_at": "2026-11-25T09:00:00Z", "tokens": tokens("aal1", &["pwd"])
        }),
        "previewDisable" => json!({
            "would_revoke": {"methods": 1, "recovery_codes": 9, "sessions": 1}, "login": "password",
            "proofs": ["password"], "fresh_until": "2026-11-24T20:00:00Z", "blocked_by": null,
            "alternatives": ["replace"]
        }),
        "startVerification" | "startLoginSecondFactor" => json!({
            "method": "passkey", "expires_at": "2026-11-24T08:05:00Z",
            "public_key": {"challenge": "ZXhhbXBsZQ", "rpId": "portal.example", "timeout": 300_000,
                "userVerification": "preferred", "allowCredentials": [{"type": "public-key", "id": "a2V5"}]}
        }),
        "verifySecondFactor" => tokens("aal2", &["pwd", "otp", "mfa"]),
        _ => return None,
    })
}

/// The example of the success of what is about sessions and remembered devices.
fn of_sign_ins(operation: &str) -> Option<Value> {
    Some(match operation {
        "listSessions" => json!({"sessions": [{
            "id": SESSION, "current": true, "created_at": "2026-11-24T08:00:00Z",
            "last_seen_at": "2026-11-24T08:50:00Z", "ip": "203.0.113.7",
            "user_agent": "Mozilla/5.0 (Android 17; Mobile)", "acr": "aal2"
        }]}),
        "endOtherSessions" => json!({"ended": 1}),
        "listDevices" => json!({"devices": [{
            "id": DEVICE, "current": true, "created_at": "2026-11-24T08:00:00Z",
            "last_used_at": "2026-11-25T07:40:00Z", "expires_at": "2026-12-24T08:00:00Z", "ip": "203.0.113.7",
            "user_agent": "Mozilla/5.0 (Android 17; Mobile)"
        }]}),
        "forgetAllDevices" => json!({"forgotten": 2}),
        _ => return None,
    })
}

/// A credential as browsers write it; shortened.
fn passkey(response: Value) -> Value {
    json!({
        "id": "an-id-in-base64url", "rawId": "an-id-in-base64url", "type": "public-key",
        "clientExtensionResults": {}, "response": response
    })
}

fn passkey_enrolment() -> Value {
    json!({
        "id": METHOD, "type": "passkey", "label": "Security key", "expires_at": "2026-11-24T08:05:00Z",
        "public_key": {
            "rp": {"id": "example.com", "name": "Customer Portal"},
            "user": {"id": "AZChssPUfl-KmwwdLj9KWw", "name": "alice@example.test", "displayName": "alice@example.test"},
            "challenge": "AAECAwQFBgcICQoLDA0ODw", "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "timeout": 300_000, "excludeCredentials": [], "attestation": "none",
            "authenticatorSelection": {"residentKey": "preferred", "userVerification": "preferred"}
        }
    })
}

/// The example of the success of what is published of passkeys.
fn of_associations(operation: &str) -> Option<Value> {
    Some(match operation {
        "getRelatedOrigins" => json!({"origins": ["https://portal.example.com"]}),
        "getAssetLinks" => json!([{
            "relation": ["delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"],
            "target": {
                "namespace": "android_app", "package_name": "com.example.portal",
                "sha256_cert_fingerprints": [(["AB"; 32].join(":"))]
            }
        }]),
        "getAppleAppSiteAssociation" => json!({"webcredentials": {"apps": ["ABCDE12345.com.example.portal"]}}),
        _ => return None,
    })
}

/// The example of the success of what a link of a mail does.
fn of_links(operation: &str) -> Option<Value> {
    Some(match operation {
        "previewUndo" => json!({
            "disabled_at": "2026-11-24T09:00:00Z", "expires_at": "2026-11-27T09:00:00Z", "methods": [{"label": "Pixel 9"}]
        }),
        "undoDisable" => json!({
            "restored": {"methods": 1},
            "message": language::text(Locale::En, "undone-message")
        }),
        _ => return None,
    })
}

/// The example of the success of an operation of support's or of partners'.
fn for_support(operation: &str) -> Option<Value> {
    Some(match operation {
        "findAccount" => json!({"id": ACCOUNT, "email": "alice@example.test", "two_factor": account_status()}),
        "getAccountStatus" => account_status(),
        "listAccountEvents" => json!({"events": [event()], "next_cursor": null}),
        "resetTwoFactor" => json!({
            "enabled": false, "disabled_at": "2026-11-24T09:00:00Z", "login": "password", "ended": ["totp"],
            "message": "Your account is no longer protected by an authenticator app.",
            "revoked": {"methods": 1, "recovery_codes": 9, "sessions": 2},
            "reminder_at": "2026-11-25T09:00:00Z", "tokens": null
        }),
        "issueBypassCode" => json!({"code": "AAAAAA-AAAAAA-AAAAAA-AAAAAA", "expires_at": "2026-11-24T08:10:00Z"}),
        "listPartners" => json!({"partners": [{
            "id": CLIENT, "name": "Acme Brokers", "scopes": ["2fa:read", "2fa:verify"],
            "since": "2026-11-24T08:00:00Z", "by": "owner", "can_withdraw": true
        }]}),
        "getPartnerAccountStatus" => json!({
            "protected": true, "since": "2026-11-24T08:00:00Z", "assurance": "aal2", "restricted_until": null
        }),
        "listPartnerEvents" => json!({"events": [{
            "id": EVENT, "type": "two_factor.disabled", "at": "2026-11-24T09:00:00Z", "account_id": ACCOUNT, "seq": 7,
            "protected": false, "restricted_until": "2026-11-25T09:00:00Z"
        }], "next_cursor": "41"}),
        "addWebhook" => json!({"webhook": webhook(), "secret": WEBHOOK_SECRET}),
        "listWebhooks" => json!({"webhooks": [webhook()]}),
        "getWebhook" | "editWebhook" => webhook(),
        "rotateWebhookSecret" => {
            json!({"secret": WEBHOOK_SECRET, "previous_secret_until": "2026-11-25T09:00:00Z"})
        }
        "listWebhookDeliveries" => json!({"deliveries": [{
            "n": 41, "event_id": EVENT, "type": "two_factor.disabled", "state": "waiting", "attempts": 2,
            "created_at": "2026-11-24T09:00:00Z", "next_attempt_at": "2026-11-24T09:05:07Z", "ended_at": null,
            "status": 502, "error": "the receiver did not take it"
        }], "next_cursor": null}),
        "verifyForPartner" => json!({"verified": true, "at": "2026-11-24T09:00:00Z", "method": "totp"}),
        "issueClientToken" => json!({
            "access_token": "header.claims.signature", "token_type": "Bearer", "expires_in": 600, "scope": "2fa:read"
        }),
        "unlockAccount" => json!({"unlocked_at": "2026-11-24T08:00:00Z", "opened": ["code", "login"]}),
        _ => return None,
    })
}

fn tokens(acr: &str, amr: &[&str]) -> Value {
    json!({
        "access_token": "header.claims.signature",
        "token_type": "Bearer", "expires_in": 600,
        "refresh_token": REFRESH_TOKEN,
        "acr": acr, "amr": amr
    })
}

fn webhook() -> Value {
    json!({
        "id": "01a20c1b-d100-7b25-9c8e-4d3f2a1b0c9d", "url": "https://partner.example/hooks/two-factor",
        "kinds": ["two_factor.disabled"], "description": "risk desk", "enabled": true,
        "created_at": "2026-11-24T08:00:00Z", "disabled_at": null, "disabled_because": null, "failing_since": null,
        "previous_secret_until": null
    })
}

fn method() -> Value {
    json!({
        "id": METHOD, "type": "totp", "label": "Pixel 9", "created_at": "2026-11-24T08:00:00Z",
        "last_used_at": "2026-11-24T08:50:00Z"
    })
}

fn status() -> Value {
    let change = json!({"allowed": true, "proofs": ["password"], "fresh_until": "2026-11-24T20:00:00Z"});
    json!({
        "enabled": true, "since": "2026-11-24T08:00:00Z", "restricted_until": null, "methods": [method()],
        "required": null, "checkup_due_at": "2026-12-22T08:00:00Z",
        "recovery_codes": {"total": 10, "remaining": 9, "generated_at": "2026-11-24T08:00:00Z"},
        "pending": [], "kinds": ["passkey", "totp"],
        "actions": {
            "setup": {"allowed": false, "reason": "two-factor-already-enabled"}, "manage": {"allowed": true},
            "disable": change, "add": change, "replace": change, "regenerate_recovery_codes": change
        },
        "support": {"email": "help@portal.test", "phone": "+60 3 1234 5678", "url": "https://portal.test/help"}
    })
}

fn account_status() -> Value {
    let mut status = status();
    if let Some(members) = status.as_object_mut() {
        members.remove("actions");
        members.remove("kinds");
        members.remove("checkup_due_at");
        members.insert("flagged_at".to_owned(), Value::Null);
    }
    status
}

fn enrolment() -> Value {
    json!({
        "id": METHOD, "type": "totp", "label": "Pixel 9", "secret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "otpauth_uri": "otpauth://totp/Customer%20Portal:alice%40example.test?secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
            &issuer=Customer%20Portal&algorithm=SHA1&digits=6&period=30",
        "qr_svg": "<svg viewBox=\"0 0 69 69\" xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M4,4h1v1h-1\"/></svg>",
        "algorithm": "SHA1", "digits": 6, "period": 30, "expires_at": "2026-11-24T08:15:00Z"
    })
}

fn event() -> Value {
    json!({
        "id": EVENT, "type": "two_factor.enabled", "at": "2026-11-24T08:00:00Z", "ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0 (Android 17; Mobile)", "session_id": SESSION,
        "actor": {"kind": "owner", "id": ACCOUNT}, "request_id": "example-request",
        "details": {"method": METHOD, "type": "totp", "sessions": 0}
    })
}

fn recovery_codes() -> Vec<String> {
    "ABCDEFGHJK".chars().map(|letter| format!("AAAAAA-AAAAAA-AAAAAA-AAAAA{letter}")).collect()
}

/// The defaults, with a support desk.
fn policy() -> Option<Value> {
    let mut policy = Config::defaults().ok()?.policy();
    let text = |text: &str| Some(text.to_owned());
    policy.support = Support {
        email: text("help@portal.test"),
        phone: text("+60 3 1234 5678"),
        url: text("https://portal.test/help"),
    };
    serde_json::to_value(PolicyBody::from(&policy)).ok()
}
