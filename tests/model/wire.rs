//! Operations as requests, and replies as answers: the machine's words on the wire.

use super::{
    machine::{Answer, Assurance, Counts, Factor, Id, Op, Proofs, Proved, SET_SIZE, Shown, Status, Token, What},
    world::World,
};
use crate::support::{
    person::{CODES, DISABLE, STATUS, TOTP_PATH, VERIFY, with},
    reply::Reply,
};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The method, path and body of an operation.
pub fn request(what: &What, world: &World) -> (&'static str, String, Option<Value>) {
    let enrolment = |id: &Id| format!("{TOTP_PATH}/{}", world.id_text(*id));
    let method = |id: &Id| format!("{STATUS}/methods/{}", world.id_text(*id));
    let proofs = |proofs: &Proofs| Some(with_proofs(proofs, world));
    match what {
        What::Status => ("GET", STATUS.to_owned(), None),
        What::Look(id) => ("GET", enrolment(id), None),
        What::Preview => ("GET", format!("{DISABLE}/preview"), None),
        What::Start { label, replaces, proofs } => {
            let mut body = with(with_proofs(proofs, world), json!({"label": label}));
            if let Some(id) = replaces {
                body["replaces"] = json!(world.id_text(*id));
            }
            ("POST", TOTP_PATH.to_owned(), Some(body))
        }
        What::Confirm(id, code) => ("POST", format!("{}/confirm", enrolment(id)), Some(json!({"code": code.digits}))),
        What::Cancel(id) => ("DELETE", enrolment(id), None),
        What::Rename(id, label) => ("PATCH", method(id), Some(json!({"label": label}))),
        What::Remove(id, given) => ("POST", format!("{}/remove", method(id)), proofs(given)),
        What::Disable(given) => ("POST", DISABLE.to_owned(), proofs(given)),
        What::Regenerate(given) => ("POST", CODES.to_owned(), proofs(given)),
        What::Verify(factor) => ("POST", VERIFY.to_owned(), Some(with_factor(factor, world))),
    }
}

fn with_proofs(proofs: &Proofs, world: &World) -> Value {
    let wrong = if proofs.password_is_right { "" } else { " or so" };
    let password = json!({"password": format!("{}{wrong}", world.password)});
    match &proofs.factor {
        Some(factor) => with(password, with_factor(factor, world)),
        None => password,
    }
}

fn with_factor(factor: &Factor, world: &World) -> Value {
    match factor {
        Factor::Code(code) => json!({"code": code.digits}),
        Factor::RecoveryCode(set, n) => json!({"recovery_code": world.recovery_code(*set, *n)}),
    }
}

/// What a reply says, in the machine's words; secrets in it are kept for later.
pub fn answer(op: &Op, reply: &Reply, world: &mut World) -> Answer {
    let body = &reply.body;
    if reply.status >= 400 {
        let numbers = ["attempts_remaining", "retry_after", "skew_seconds"].map(|name| body[name].as_i64());
        return Answer::Refused(reply.text("/code"), numbers.into_iter().flatten().next());
    }
    match &op.what {
        What::Status => Answer::Status(status(body, version(reply), world)),
        What::Look(_) => Answer::Looked(body["state"] == "pending"),
        What::Preview => Answer::Previewed(counts(&body["would_revoke"])),
        What::Start { .. } => {
            let id = world.id(&reply.text("/id"));
            world.keep_secret(id, reply.text("/secret"));
            let (label, expires_at) = (reply.text("/label"), at(&body["expires_at"]).unwrap());
            Answer::Started { version: version(reply), id, label, expires_at }
        }
        What::Confirm(..) => {
            let has_codes = keep_codes(op, body, world);
            let status = status(&body["status"], version(reply), world);
            Answer::Confirmed { status, has_codes, token: token(&body["tokens"], world) }
        }
        What::Cancel(_) => Answer::Cancelled,
        What::Rename(..) => Answer::Renamed { version: version(reply), method: shown(body, world) },
        What::Remove(..) => {
            let status = status(&body["status"], version(reply), world);
            Answer::Removed { status, token: token(&body["tokens"], world) }
        }
        What::Disable(_) => Answer::Disabled {
            version: version(reply),
            at: at(&body["disabled_at"]).unwrap(),
            reminder_at: at(&body["reminder_at"]).unwrap(),
            revoked: counts(&body["revoked"]),
            token: token(&body["tokens"], world),
        },
        What::Regenerate(_) => {
            assert!(keep_codes(op, body, world), "a new set without codes");
            Answer::Regenerated { version: version(reply) }
        }
        What::Verify(_) => Answer::Verified { token: token(body, world) },
    }
}

fn version(reply: &Reply) -> i64 {
    reply.header("etag").unwrap().trim_matches('"').parse().unwrap()
}

fn at(value: &Value) -> Option<i64> {
    value.as_str().map(|text| text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn counts(body: &Value) -> Counts {
    let count = |name: &str| usize::try_from(body[name].as_u64().unwrap()).unwrap();
    Counts { methods: count("methods"), recovery_codes: count("recovery_codes"), sessions: count("sessions") }
}

fn keep_codes(op: &Op, body: &Value, world: &mut World) -> bool {
    let Some(codes) = body["recovery_codes"].as_array() else { return false };
    let codes: Vec<String> = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), usize::from(SET_SIZE));
    world.keep_set(op.serial, codes);
    true
}

fn shown(body: &Value, world: &mut World) -> Shown {
    Shown {
        created_at: at(&body["created_at"]).unwrap(),
        id: world.id(body["id"].as_str().unwrap()),
        label: body["label"].as_str().unwrap().to_owned(),
        used_at: at(&body["last_used_at"]).unwrap(),
    }
}

fn status(body: &Value, version: i64, world: &mut World) -> Box<Status> {
    let mut methods: Vec<Shown> =
        body["methods"].as_array().unwrap().iter().map(|method| shown(method, world)).collect();
    assert!(methods.is_sorted_by_key(|method| method.created_at), "oldest first: {body}");
    methods.sort();
    let pending = body["pending"].as_array().unwrap();
    assert!(pending.len() <= 1, "one pending enrolment a type: {body}");
    let pending = pending.first().map(|pending| {
        let label = pending["label"].as_str().unwrap().to_owned();
        (world.id(pending["id"].as_str().unwrap()), label, at(&pending["expires_at"]).unwrap())
    });
    let codes = body["recovery_codes"].as_object().map(|codes| {
        assert_eq!(codes["total"], SET_SIZE);
        (usize::try_from(codes["remaining"].as_u64().unwrap()).unwrap(), at(&codes["generated_at"]).unwrap())
    });
    let since = at(&body["since"]);
    assert_eq!(body["enabled"], since.is_some());
    let (disabled_at, reminder_at) = (at(&body["disabled_at"]), at(&body["reminder_at"]));
    Box::new(Status { version, since, disabled_at, reminder_at, methods, pending, codes })
}

/// The claims of an access token, which must say what stands beside it.
pub fn token(tokens: &Value, world: &mut World) -> Token {
    let bearer = tokens["access_token"].as_str().unwrap();
    let claims = BASE64URL_NOPAD.decode(bearer.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["acr"], &claims["amr"]), (&tokens["acr"], &tokens["amr"]));
    let proved = match tokens["amr"].to_string().as_str() {
        r#"["pwd"]"# => Proved::Password,
        r#"["pwd","otp","mfa"]"# => Proved::Code,
        r#"["pwd","rc","mfa"]"# => Proved::RecoveryCode,
        amr => panic!("amr {amr}"),
    };
    assert_eq!(tokens["acr"], if proved == Proved::Password { "aal1" } else { "aal2" });
    let assurance = Assurance { proved, at: claims["auth_time"].as_i64().unwrap() * 1000 };
    let session = world.session(claims["sid"].as_str().unwrap());
    let token = Token { session, epoch: claims["epoch"].as_i64().unwrap(), assurance };
    world.keep_bearer(token, bearer.to_owned());
    token
}
