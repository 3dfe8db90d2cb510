//! The ceremonies of Web Authentication against a security key in software: what is right is taken, and whatever is
//! wrong in one thing is refused for that.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/security_key.rs"]
mod security_key;

use security_key::{Algorithm, Flaw, SecurityKey};
use serde_json::{Value, json};
use twofold::{
    crypto::passkeys::{Asserted, Assertion, Begun, Passkey, RelyingParty, Wrong},
    domain::{
        id::AccountId,
        passkey::{AndroidApp, Site},
    },
};
use uuid::Uuid;

const ORIGIN: &str = "https://portal.example.com";
const ALICE: AccountId = AccountId(Uuid::from_u128(0x0190_a1b2_c3d4_7e5f_8a9b_0c1d_2e3f_4a5b));
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];

fn party() -> RelyingParty {
    RelyingParty::new(Site {
        id: "example.com".to_owned(),
        name: "Portal".to_owned(),
        pages: vec![ORIGIN.to_owned()],
        android: vec![AndroidApp { package: "com.example.portal".to_owned(), fingerprint: [0xab; 32] }],
        apple: Vec::new(),
    })
    .unwrap()
}

fn begun() -> Begun {
    party().register(ALICE, "alice@example.test", &[]).unwrap()
}

fn registered(key: &SecurityKey, flaw: &Flaw) -> Result<(Passkey, u32), Wrong> {
    let begun = begun();
    let credential = key.create(&begun.public_key, flaw).unwrap();
    party().finish_registration(&begun.state, credential.to_string().as_bytes())
}

fn asserted(key: &SecurityKey, (passkey, counter): &(Passkey, u32), flaw: &Flaw) -> Result<Asserted, Wrong> {
    let begun = party().ask(std::slice::from_ref(passkey)).unwrap();
    let credential = key.get(&begun.public_key, flaw);
    checked(&begun, &credential, passkey, *counter)
}

fn checked(begun: &Begun, credential: &Value, passkey: &Passkey, counter: u32) -> Result<Asserted, Wrong> {
    let assertion = Assertion::read(credential.to_string().as_bytes())?;
    party().finish_assertion(&begun.state, &assertion, ALICE, passkey, counter)
}

#[test]
fn a_key_is_asked_as_the_standard_has_it() {
    let options = begun().public_key;
    assert_eq!(options["rp"], json!({"id": "example.com", "name": "Portal"}));
    assert_eq!(options["user"]["name"], "alice@example.test");
    assert_eq!(options["user"]["displayName"], "alice@example.test");
    assert_eq!(options["user"]["id"], "AZChssPUfl-Kmwwd".to_owned() + "Lj9KWw");
    let algorithms: Vec<&Value> =
        options["pubKeyCredParams"].as_array().unwrap().iter().map(|one| &one["alg"]).collect();
    assert_eq!(algorithms, [-8, -7, -35, -257]);
    assert_eq!((&options["timeout"], &options["attestation"]), (&json!(300_000), &json!("none")));
    let selection = &options["authenticatorSelection"];
    assert_eq!((&selection["userVerification"], &selection["residentKey"]), (&json!("preferred"), &json!("preferred")));
    assert_ne!(options["challenge"], begun().public_key["challenge"]);
}

#[test]
fn what_a_key_makes_can_be_proved_with_it() {
    for algorithm in ALGORITHMS {
        let key = SecurityKey::new(algorithm, ORIGIN);
        let (passkey, counter) = registered(&key, &Flaw::None).unwrap();
        assert_eq!((passkey.id.clone(), counter), (key.last_id(), 0));
        let kept = Passkey::of_bytes(&passkey.bytes()).unwrap();
        assert_eq!(kept, passkey);
        for expected in 1..=3 {
            let proved = asserted(&key, &(kept.clone(), expected - 1), &Flaw::None).unwrap();
            assert_eq!(proved, Asserted { counter: expected, is_user_verified: true });
        }
    }
}

#[test]
fn an_app_of_the_settings_may_ask_too() {
    let key = SecurityKey::new(Algorithm::Es256, "android:apk-key-hash:q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s");
    let passkey = registered(&key, &Flaw::None).unwrap();
    asserted(&key, &passkey, &Flaw::None).unwrap();
}

#[test]
fn a_key_says_whether_it_can_be_copied_and_whether_it_asked_for_a_pin() {
    let mut key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    assert!(registered(&key, &Flaw::None).unwrap().0.is_bound_to_device());
    key.is_synced = true;
    key.verifies = false;
    let passkey = registered(&key, &Flaw::None).unwrap();
    assert!(!passkey.0.is_bound_to_device());
    assert!(!asserted(&key, &passkey, &Flaw::None).unwrap().is_user_verified);
}

#[test]
fn a_key_that_does_not_count_is_taken_as_often_as_it_comes() {
    let mut key = SecurityKey::new(Algorithm::EdDsa, ORIGIN);
    key.counts = false;
    let passkey = registered(&key, &Flaw::None).unwrap();
    for _ in 0..2 {
        assert_eq!(asserted(&key, &passkey, &Flaw::None).unwrap().counter, 0);
    }
}

#[test]
fn a_key_makes_no_second_passkey_of_the_same_account() {
    let key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    let (passkey, _) = registered(&key, &Flaw::None).unwrap();
    let again = party().register(ALICE, "alice@example.test", &[passkey]).unwrap();
    assert!(key.create(&again.public_key, &Flaw::None).is_none());
    assert_eq!(again.public_key["excludeCredentials"][0]["transports"], json!(["usb"]));
}

#[test]
fn whatever_is_wrong_with_a_new_passkey_it_is_refused_for_that() {
    for algorithm in ALGORITHMS {
        for (flaw, wrong) in [
            (Flaw::Origin("https://example.com"), Wrong::Origin),
            (Flaw::Origin("https://portal.example.com.evil.test"), Wrong::Origin),
            (Flaw::Origin("http://portal.example.com"), Wrong::Origin),
            (Flaw::Origin("https://portal.example.com:8443"), Wrong::Origin),
            (Flaw::Origin("android:apk-key-hash:AAAA"), Wrong::Origin),
            (Flaw::InsideOf("https://evil.test"), Wrong::CrossOrigin),
            (Flaw::Domain("portal.example.com"), Wrong::Domain),
            (Flaw::OtherCeremony, Wrong::ClientData),
            (Flaw::Challenge, Wrong::Challenge),
            (Flaw::NobodyPresent, Wrong::Presence),
            (Flaw::CredentialId(vec![1; 15]), Wrong::Malformed),
        ] {
            let key = SecurityKey::new(algorithm, ORIGIN);
            assert_eq!(registered(&key, &flaw).err(), Some(wrong), "{flaw:?}");
        }
    }
}

#[test]
fn whatever_is_wrong_with_a_proof_it_is_refused_for_that() {
    for algorithm in ALGORITHMS {
        let key = SecurityKey::new(algorithm, ORIGIN);
        let passkey = registered(&key, &Flaw::None).unwrap();
        for (flaw, wrong) in [
            (Flaw::Origin("https://example.com"), Wrong::Origin),
            (Flaw::Origin("https://portal.example.com.evil.test"), Wrong::Origin),
            (Flaw::Origin("null"), Wrong::Origin),
            (Flaw::InsideOf("https://evil.test"), Wrong::CrossOrigin),
            (Flaw::Domain("portal.example.com"), Wrong::Domain),
            (Flaw::OtherCeremony, Wrong::ClientData),
            (Flaw::Challenge, Wrong::Challenge),
            (Flaw::NobodyPresent, Wrong::Presence),
            (Flaw::Signature, Wrong::Signature),
            (Flaw::CredentialId(vec![1; 32]), Wrong::Credential),
            (Flaw::UserHandle([1; 16]), Wrong::Account),
            (Flaw::Backup, Wrong::Backup),
        ] {
            assert_eq!(asserted(&key, &passkey, &flaw), Err(wrong), "{flaw:?}");
        }
        asserted(&key, &passkey, &Flaw::None).unwrap();
    }
}

#[test]
fn a_count_that_does_not_rise_is_told_from_everything_else() {
    let mut key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    let (passkey, _) = registered(&key, &Flaw::None).unwrap();
    key.counts = false;
    for (seen, says) in [(7, 7), (7, 6), (7, 0), (u32::MAX, 1)] {
        key.counter.set(says);
        let known = (passkey.clone(), seen);
        assert_eq!(asserted(&key, &known, &Flaw::None), Err(Wrong::CounterWentBack), "{says} after {seen}");
        // Whoever has not the key cannot make it look cloned.
        assert_eq!(asserted(&key, &known, &Flaw::Signature), Err(Wrong::Signature));
    }
}

#[test]
fn what_answers_one_ceremony_answers_no_other() {
    let key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    let (passkey, counter) = registered(&key, &Flaw::None).unwrap();
    let ask = || party().ask(std::slice::from_ref(&passkey)).unwrap();
    let (mine, another) = (ask(), ask());
    let credential = key.get(&mine.public_key, &Flaw::None);
    assert_eq!(checked(&another, &credential, &passkey, counter), Err(Wrong::Challenge));
    assert_eq!(checked(&begun(), &credential, &passkey, counter), Err(Wrong::Ceremony));
    checked(&mine, &credential, &passkey, counter).unwrap();
    // A credential that was not among those asked for, even one of the same account.
    let second = registered(&key, &Flaw::None).unwrap();
    let credential = key.get(&party().ask(std::slice::from_ref(&second.0)).unwrap().public_key, &Flaw::None);
    assert_eq!(checked(&mine, &credential, &second.0, second.1), Err(Wrong::Credential));
}

#[test]
fn what_is_no_answer_is_malformed() {
    let begun = begun();
    for text in ["", "{}", "[]", "null", r#"{"id": 1}"#, "\u{feff}{}"] {
        assert_eq!(party().finish_registration(&begun.state, text.as_bytes()).err(), Some(Wrong::Malformed), "{text}");
        assert_eq!(Assertion::read(text.as_bytes()).err(), Some(Wrong::Malformed), "{text}");
    }
    assert_eq!(Passkey::of_bytes(b""), None);
    let bytes = registered(&SecurityKey::new(Algorithm::Es256, ORIGIN), &Flaw::None).unwrap().0.bytes();
    for end in 0..bytes.len() {
        assert_eq!(Passkey::of_bytes(&bytes[..end]), None);
    }
    assert_eq!(party().finish_registration(b"", b"{}").err(), Some(Wrong::Ceremony));
}
