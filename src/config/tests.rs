//! Settings from files, and what is wrong with them.

use super::*;
use crate::domain::guesses::Policy as GuessPolicy;

#[test]
fn a_list_may_have_spaces_and_be_empty() {
    assert_eq!(list::<u8>(" 1, 2,"), Ok(vec![1, 2]));
    assert_eq!(list::<u8>(""), Ok(Vec::new()));
    assert!(list::<u8>("1 2").is_err());
}

fn from_file(text: &str) -> Result<Config, Misconfigured> {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    fs::write(file.path(), text).unwrap();
    Config::load(Some(file.path()))
}

/// A file with an SMS gateway at `url`.
fn gateway(url: &str) -> String {
    format!("[sms]\ngateway = \"kannel\"\nurl = \"{url}\"\nuser = \"us\"\npassword = \"p\"\nfrom = \"12345\"")
}

#[test]
fn a_gateway_of_this_machine_may_be_without_tls() {
    for url in ["http://127.0.0.1:13013/cgi-bin/sendsms", "http://[::1]:1", "http://localhost", "https://sms.example"] {
        assert!(from_file(&gateway(url)).is_ok(), "{url}");
    }
    assert!(from_file(&format!("insecure = true\n{}", gateway("http://sms.example"))).is_ok());
}

#[test]
fn a_file_is_read_and_its_mistakes_are_named() {
    let config = from_file("listen = \"127.0.0.1:0\"\n[limits]\ncode = {free = 2, window = 60, delay_first = 1, delay_max = 2, cap_day = 0, cap_month = 0, ends_at = 0}").unwrap();
    assert_eq!(
        config.limits.code,
        GuessPolicy { free: 2, window: 60, delay_first: 1, delay_max: 2, ..GuessPolicy::default() }
    );
    assert_eq!(config.limits.login.free, 10);
    for (text, part) in [
        ("listne = \"x\"", "listne"),
        ("bcrypt_cost = 8", "TWOFOLD_INSECURE"),
        ("bcrypt_cost = 31", "4 to 14"),
        ("database_url = \"mysql://x\"", "sqlite://"),
        ("database_migration_url = \"mysql://x\"", "TWOFOLD_DATABASE_MIGRATION_URL: the database URL"),
        ("database_migration_url = \"postgres://h/d\"", "the same database"),
        ("cors_origins = [\"*\"]", "whole origins"),
        ("events_kept_days = 30", "31 or more"),
        ("[mail]\nurl = \"smtps://h\"", "TWOFOLD_MAIL_FROM"),
        ("[mail]\npublic_url = \"http://h\"", "https://"),
        ("[sms]\nurl = \"https://h\"", "TWOFOLD_SMS_GATEWAY"),
        ("[sms]\ngateway = \"carrier-pigeon\"", "kannel"),
        ("[sms]\ngateway = \"kannel\"\nurl = \"https://h\"", "TWOFOLD_SMS_PASSWORD"),
        (&gateway("http://h"), "https://"),
        (&gateway("http://localhost.example"), "https://"),
        (&gateway("smpp://h"), "https://"),
        (&gateway("https://bob:hunter2@h"), "settings of their own"),
        ("[sms]\norigin = \"https://portal.example\"", "TWOFOLD_SMS_ORIGIN"),
        ("sent_code_ttl = 601", "60 to 600"),
        ("undo_for = 2592001", "30 days"),
        ("[policy]\nmethods = []", "TWOFOLD_METHODS"),
        ("[policy]\nmethods = [\"sms\"]", "that is configured"),
        ("[policy]\nmethods = [\"fax\"]", "fax"),
        ("[policy]\nrequired = \"some\"", "some"),
        ("[limits]\ncode = {free = 5}", "missing field"),
        (
            "[limits]\ncode = {free = 5, window = 0, delay_first = 1, delay_max = 2, cap_day = 0, cap_month = 0, ends_at = 0}",
            "limits.code",
        ),
    ] {
        let sentence = from_file(text).err().map(|error| error.0).unwrap_or_default();
        assert!(sentence.contains(part), "{text}: {sentence}");
        assert!(!sentence.contains('\n'));
    }
}
