//! Accounts that come from other systems. The exports are written here as those systems write them.

use crate::{
    object, said,
    support::{
        installation::{Installation, PASSWORD, code_in},
        person::SECOND,
    },
};
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};
use std::fs;

/// Twenty characters, as Keycloak draws a secret.
const DRAWN: &str = "h3Yb81kqLm0TzR5uVw2X";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

fn hash() -> String {
    let password = twofold::domain::password::Password::chosen(PASSWORD.to_owned(), "").unwrap();
    twofold::crypto::password::hash_now(&password, 4).unwrap()
}

fn import(installation: &Installation, from: &str, export: &Value, more: &[&str]) -> std::process::Output {
    let file = installation.path("export.json");
    fs::write(&file, serde_json::to_string_pretty(export).unwrap()).unwrap();
    let all = ["account", "import", &file, "--json", "--from", from];
    installation.run(&all.into_iter().chain(more.iter().copied()).collect::<Vec<_>>(), "")
}

async fn signs_in(installation: &Installation, email: &str, secret: &str) {
    let served = installation.serve();
    let challenge = served.login(email).await["challenge"].clone();
    let answer = json!({"challenge": challenge, "code": code_in(secret, 0)});
    assert_eq!(served.post(SECOND, "", &answer).await.0, 200, "{email}");
}

fn user(pk: u32, name: &str, password: &str, is_active: bool) -> Value {
    json!({"model": "auth.user", "pk": pk, "fields": {
        "username": name, "email": format!("{name}@example.test"), "password": password, "is_active": is_active,
        "last_login": null, "is_superuser": false, "first_name": "", "last_name": "", "is_staff": false,
        "date_joined": "2024-01-31T08:00:00Z", "groups": [], "user_permissions": []}})
}

fn authenticator(user: impl Into<Value>, kind: &str, data: Value) -> Value {
    json!({"model": "mfa.authenticator", "pk": 1, "fields": {"user": user.into(), "type": kind, "data": data,
        "created_at": "2024-02-01T08:00:00Z", "last_used_at": null}})
}

#[actix_web::test]
async fn people_of_django_sign_in_with_their_password_and_authenticator() {
    let installation = Installation::ready(None);
    let export = json!([
        {"model": "contenttypes.contenttype", "pk": 1, "fields": {"app_label": "auth", "model": "user"}},
        user(1, "alice", &format!("bcrypt${}", hash()), true),
        user(2, "bob", &format!("bcrypt${}", hash()), false),
        authenticator(1, "totp", json!({"secret": SECRET})),
        authenticator(1, "recovery_codes", json!({"seed": "x", "used_mask": 0})),
        {"model": "auth.user", "fields": user(0, "carol", &format!("bcrypt${}", hash()), true)["fields"]},
        authenticator(json!(["carol"]), "totp", json!({"secret": SECRET})),
    ]);
    let imported = import(&installation, "django-allauth", &export, &[]);
    let summary = object(&imported);
    assert_eq!((&summary["imported"], &summary["with_two_factor"]), (&json!(3), &json!(2)), "{}", said(&imported));
    signs_in(&installation, "alice@example.test", SECRET).await;
    signs_in(&installation, "carol@example.test", SECRET).await;
    let bob = installation.succeeds(&["account", "list", "--email", "bob"]);
    assert!(bob.contains("suspended since"), "who was not active is suspended: {bob}");
}

#[test]
fn what_cannot_be_taken_from_django_is_named() {
    let installation = Installation::ready(None);
    let export = json!([
        user(1, "alice", "pbkdf2_sha256$600000$salt$hash", true),
        user(2, "bob", &format!("bcrypt_sha256${}", hash()), true),
        user(3, "carol", "!no password", true),
        user(4, "dave", &format!("bcrypt${}", hash()), true),
        authenticator(4, "webauthn", json!({"name": "key"})),
        authenticator(9, "totp", json!({"secret": SECRET})),
    ]);
    let refused = import(&installation, "django-allauth", &export, &["--dry-run"]);
    let told = said(&refused);
    for part in [
        "entry 1: its password hash of the kind pbkdf2_sha256 cannot be taken",
        "entry 2: its password hash of the kind bcrypt_sha256 cannot be taken: bcrypt hashes $2a$, $2b$ and $2y$ of cost 4 to 14 can; --without-password",
        "entry 3: it has no password hash",
        "entry 4: its only second factor cannot be taken: a security key; --lose-factors",
        "entry 6: it belongs to no user of this export",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.starts_with("line 2, entry 1"), "lines are those of the file: {told}");
    let taken =
        import(&installation, "django-allauth", &export, &["--dry-run", "--without-password", "--lose-factors"]);
    assert_eq!(object(&taken)["imported"], 4);
    let other = import(&installation, "django-allauth", &json!({"users": []}), &[]);
    assert!(said(&other).contains("this is not a JSON array as `dumpdata` writes it"));
}

fn credential(kind: &str, data: &Value, secret: &Value) -> Value {
    json!({"id": "c", "type": kind, "createdDate": 1, "credentialData": data.to_string(), "secretData": secret.to_string()})
}

fn otp(more: Value, value: &str) -> Value {
    let data = json!({"subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1"});
    credential("otp", &crate::support::person::with(data, more), &json!({"value": value}))
}

fn member(name: &str, credentials: &[Value]) -> Value {
    json!({"id": format!("id-of-{name}"), "username": name, "email": format!("{name}@example.test"), "enabled": true,
        "attributes": {"locale": ["zh-CN"]}, "credentials": credentials, "realmRoles": []})
}

#[actix_web::test]
async fn people_of_keycloak_sign_in_with_their_password_and_authenticator() {
    let installation = Installation::ready(None);
    let bcrypt = credential(
        "password",
        &json!({"hashIterations": 10, "algorithm": "bcrypt"}),
        &json!({"value": hash(), "salt": ""}),
    );
    let export = json!({"realm": "portal", "users": [
        member("alice", &[bcrypt.clone(), otp(json!({}), DRAWN)]),
        member("bob", &[bcrypt, otp(json!({"secretEncoding": "BASE32"}), SECRET)]),
        {"id": "s", "username": "service-account-shop", "enabled": true, "serviceAccountClientId": "shop"},
    ]});
    let imported = import(&installation, "keycloak", &export, &[]);
    assert_eq!(object(&imported)["with_two_factor"], 2, "{}", said(&imported));
    assert_eq!(object(&imported)["read"], 2, "a client is no person");
    // Its characters are the key: the app was shown them in base 32.
    signs_in(&installation, "alice@example.test", &BASE32_NOPAD.encode(DRAWN.as_bytes())).await;
    signs_in(&installation, "bob@example.test", SECRET).await;
    let alice: Value =
        serde_json::from_str(&installation.succeeds(&["account", "list", "--email", "alice", "--json"])).unwrap();
    assert_eq!((&alice["subject"], &alice["locale"]), (&json!("id-of-alice"), &json!("zh-Hans")));
}

#[test]
fn what_cannot_be_taken_from_keycloak_is_named() {
    let installation = Installation::ready(None);
    let argon2 = credential(
        "password",
        &json!({"hashIterations": 5, "algorithm": "argon2"}),
        &json!({"value": "x", "salt": "y"}),
    );
    let export = json!({"users": [
        member("alice", &[argon2]),
        member("bob", &[otp(json!({"digits": 8}), DRAWN)]),
        member("carol", &[otp(json!({"subType": "hotp"}), DRAWN)]),
        member("dave", &[credential("webauthn", &json!({}), &json!({}))]),
        member("erin", &[otp(json!({"secretEncoding": "BASE32"}), "1")]),
    ]});
    let told = said(&import(&installation, "keycloak", &export, &["--dry-run"]));
    assert!(told.contains("entry 1: its password hash of the kind argon2 cannot be taken"), "{told}");
    let told = said(&import(&installation, "keycloak", &export, &["--dry-run", "--without-password"]));
    for part in [
        "entry 2: its only second factor cannot be taken: an authenticator with other codes",
        "entry 3: its only second factor cannot be taken: an authenticator with other codes",
        "entry 4: its only second factor cannot be taken: a factor that is no authenticator app",
        "entry 5: the TOTP secret is not base 32",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
