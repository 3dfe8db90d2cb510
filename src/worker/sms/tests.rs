//! What gateways are asked, and what their answers mean.

use super::*;
use reqwest::{Request, Url, header};

const TO: &str = "+60123456789";
const CODE: &str = "12345678";

fn credentials() -> Credentials {
    Credentials { user: "AC us".to_owned(), password: Secret::new("hunter2".to_owned()) }
}

fn kannel() -> Kannel {
    let url = Url::parse("https://sms.example/cgi-bin/sendsms").unwrap();
    Kannel { url, credentials: credentials(), from: "12345".to_owned() }
}

fn twilio(base: &str, from: &str) -> Twilio {
    Twilio::new(&Url::parse(base).unwrap(), credentials(), from.to_owned()).unwrap()
}

/// The request that tells a code by `form`, and its body.
fn asked(form: &impl Form, locale: Locale) -> (Request, String) {
    let words = Words::load("Portal & Co", Some("portal.example".to_owned())).unwrap();
    let (to, code) = (PhoneNumber::parse(TO, "").unwrap(), SentCode::parse(CODE, "").unwrap());
    let text = words.code(&code, 10, locale).unwrap();
    let request = form.request(&Client::new(), &Sms { to: &to, text: &text, life: 541 }).build().unwrap();
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap().to_vec();
    (request, String::from_utf8(body).unwrap())
}

/// A member of a form.
fn member(body: &str, name: &str) -> String {
    let mut members = form_urlencoded::parse(body.as_bytes());
    members.find(|(own, _)| own == name).map(|(_, value)| value.into_owned()).unwrap()
}

#[test]
fn kannel_is_told_who_we_are_and_the_code_in_no_address() {
    let (request, body) = asked(&kannel(), Locale::En);
    assert_eq!(request.url().as_str(), "https://sms.example/cgi-bin/sendsms");
    let header = |request: &Request, name: &str| request.headers()[name].to_str().unwrap().to_owned();
    for (name, value) in [
        ("X-Kannel-Username", "AC us"),
        ("X-Kannel-Password", "hunter2"),
        ("X-Kannel-From", "12345"),
        ("X-Kannel-To", TO),
        ("X-Kannel-Coding", "0"),
        ("X-Kannel-Validity", "10"),
        ("Content-Type", "text/plain; charset=UTF-8"),
    ] {
        assert_eq!(header(&request, name), value, "{name}");
    }
    assert!(body.starts_with("12345678 is your code for Portal & Co"));
    assert!(body.ends_with("\n@portal.example #12345678"));
    let (request, _) = asked(&kannel(), Locale::ZhHans);
    assert_eq!(header(&request, "X-Kannel-Coding"), "2");
}

#[test]
fn an_account_at_twilio_is_asked_at_its_address() {
    for base in ["https://api.example", "https://api.example/", "https://api.example/sms/"] {
        let (request, body) = asked(&twilio(base, "Example"), Locale::En);
        let expected = format!("{}/2010-04-01/Accounts/AC%20us/Messages.json", base.trim_end_matches('/'));
        assert_eq!(request.url().as_str(), expected);
        let authorization = request.headers()[header::AUTHORIZATION].to_str().unwrap();
        assert_eq!(authorization, "Basic QUMgdXM6aHVudGVyMg==");
        assert_eq!((member(&body, "To"), member(&body, "From")), (TO.to_owned(), "Example".to_owned()));
        assert_eq!(member(&body, "ValidityPeriod"), "541");
    }
    let service = format!("MG{}", "0".repeat(32));
    let (_, body) = asked(&twilio("https://api.example", &service), Locale::En);
    assert_eq!(member(&body, "MessagingServiceSid"), service);
}

#[test]
fn what_a_gateway_answers_is_told_without_the_telephone() {
    let judged = |form: &dyn Form, status: u16, body: &str| {
        let judged = form.judge(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert!(judged.as_ref().err().is_none_or(|refused| !refused.to_string().contains(TO)), "{judged:?}");
        judged
    };
    let (kannel, twilio) = (kannel(), twilio("https://api.example", "Example"));
    for body in ["0: Accepted for delivery", "3: Queued for later delivery\n"] {
        assert_eq!(judged(&kannel, 202, body), Ok(()));
        assert_eq!(judged(&kannel, 200, body), Ok(()));
        assert!(matches!(judged(&kannel, 503, body), Err(Refused::Now(_))));
    }
    for body in ["", "0", "Authorization failed for sendsms", "30: something", "1: +60123456789"] {
        assert!(matches!(judged(&kannel, 202, body), Err(Refused::Now(_))), "{body}");
    }
    assert!(matches!(judged(&kannel, 403, "Authorization failed for sendsms"), Err(Refused::Now(_))));
    assert!(matches!(judged(&kannel, 400, "Sender missing and no global set"), Err(Refused::ForGood(_))));

    assert_eq!(judged(&twilio, 201, "{\"sid\": \"SM1\", \"status\": \"queued\"}"), Ok(()));
    let error =
        |code: u32| format!("{{\"code\": {code}, \"message\": \"'To' number {TO} is wrong\", \"status\": 400}}");
    let refused = judged(&twilio, 400, &error(21_211));
    assert_eq!(refused, Err(Refused::ForGood("the gateway answered 400 (error 21211)".to_owned())));
    assert!(matches!(judged(&twilio, 429, &error(20_429)), Err(Refused::Now(_))));
    assert!(matches!(judged(&twilio, 401, &error(20_003)), Err(Refused::Now(_))));
    assert!(matches!(judged(&twilio, 500, "<html>+60123456789"), Err(Refused::Now(_))));
}
