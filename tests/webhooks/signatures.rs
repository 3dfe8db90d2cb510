//! What the libraries of Standard Webhooks say of our signatures: they are in `verify/`, and are looked for there.

use crate::{
    on_both_engines,
    receiver::{Manner::*, Receiver, Seen},
    stand::{acme, add, tell},
    support::TestApp,
};
use serde_json::{Value, json};
use std::{path::Path, process::Command};
use twofold::{
    actions::keys,
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        rotation::Ring,
    },
};

const FOLDER: &str = "tests/webhooks/verify";

/// What verifies, and where it must have been installed.
const VERIFIERS: [(&str, &str, &str); 2] =
    [("node", "verify.mjs", "node_modules/standardwebhooks"), ("venv/bin/python", "verify.py", "venv/bin/python")];

fn case(seen: &Seen, secret: &str, holds: bool) -> Value {
    json!({"secret": secret, "headers": seen.headers, "body": seen.body, "holds": holds})
}

/// Whether there was a verifier that could be asked.
fn judge(app: &TestApp, cases: &[Value]) -> bool {
    let path = app.folder.path().join("cases.json");
    std::fs::write(&path, serde_json::to_vec(cases).unwrap()).unwrap();
    let mut asked = 0;
    for (program, script, installed) in VERIFIERS {
        if !Path::new(FOLDER).join(installed).exists() {
            continue;
        }
        let program =
            if program == "node" { program.into() } else { Path::new(FOLDER).canonicalize().unwrap().join(program) };
        let output = Command::new(program).arg(script).arg(&path).current_dir(FOLDER).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains(&format!("{} cases", cases.len())), "{script}: {said}");
        asked += 1;
    }
    // They hold secrets.
    std::fs::remove_file(path).unwrap();
    let is_required = std::env::var("TWOFOLD_TEST_VERIFIERS").as_deref() == Ok("required");
    assert!(asked == VERIFIERS.len() || !is_required, "the verifiers are to be installed in {FOLDER}");
    if asked == 0 {
        eprintln!("skipped: no verifier is installed in {FOLDER}");
    }
    asked > 0
}

on_both_engines!(the_libraries_of_the_standard_verify_what_we_sign, |config| config.webhooks.private = true);
async fn the_libraries_of_the_standard_verify_what_we_sign(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(200, "")), acme(app).await);
    let (one, first) = add(&acme, &receiver.url()).await;
    let rotate = async || acme.send("POST", &format!("{one}/rotate-secret"), &[], None).await.is(200).text("/secret");
    tell(app);
    app.person("alice").await.with_two_factor().await;
    let alone = receiver.expect(1).await[0].clone();
    assert!(!alone.headers["webhook-signature"].contains(' '));
    let second = rotate().await;
    app.person("bob").await.with_two_factor().await;
    let both = receiver.expect(2).await[1].clone();
    assert_eq!(both.headers["webhook-signature"].split(' ').count(), 2, "one for each secret");
    app.pass(86_400);
    acme.take_token("").await;
    app.person("carol").await.with_two_factor().await;
    let after = receiver.expect(3).await[2].clone();
    let third = rotate().await;
    let altered = Seen { body: both.body.replace("true", "false"), ..both.clone() };
    assert_ne!(altered.body, both.body);
    judge(
        app,
        &[
            case(&alone, &first, true),
            case(&alone, &second, false),
            case(&both, &first, true),
            case(&both, &second, true),
            case(&altered, &first, false),
            case(&after, &second, true),
            case(&after, &first, false),
            case(&after, &third, false),
        ],
    );
}

on_both_engines!(secrets_are_sealed_anew_and_sign_as_before, |config| config.webhooks.private = true);
async fn secrets_are_sealed_anew_and_sign_as_before(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(200, "")), acme(app).await);
    let (one, first) = add(&acme, &receiver.url()).await;
    let second = acme.send("POST", &format!("{one}/rotate-secret"), &[], None).await.is(200).text("/secret");
    let old = app.keys.sealing[0].id.clone();
    assert_eq!(keys::uses(app.rooms(), Ring::Sealing).await.unwrap()[&old], 2, "the present one and the one before");
    let mut file: KeyFile = toml::from_str(&toml::to_string(&app.keys).unwrap()).unwrap();
    file.sealing.splice(0..0, KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap().sealing);
    let new = file.sealing[0].id.clone();
    app.all_rooms().for_each(|rooms| rooms.take_keys(&file).unwrap());
    let resealed = keys::reseal(app.rooms(), |_| {}).await.unwrap();
    assert!(resealed.done == 1 && resealed.unreadable_webhooks.is_empty(), "{resealed:?}");
    let uses = keys::uses(app.rooms(), Ring::Sealing).await.unwrap();
    assert_eq!((uses.get(&old), uses.get(&new)), (None, Some(&2)));
    tell(app);
    app.person("alice").await.with_two_factor().await;
    let seen = receiver.expect(1).await[0].clone();
    judge(app, &[case(&seen, &first, true), case(&seen, &second, true)]);
}
