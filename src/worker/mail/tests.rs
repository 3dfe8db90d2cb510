//! What mails look like, whoever they are for and whatever an operator puts in their place.

use super::{
    letters::{House, Letter, Letters, Occasion},
    texts::{KINDS, Texts},
    *,
};
use crate::domain::{event::EventKind, policy::Support, sent_code::SentCode};
use fluent_bundle::FluentArgs;
use std::{collections::BTreeSet, fs, path::Path};

const DISABLED: &str = "two_factor.disabled";

fn house() -> House {
    let support = Support { email: Some("help@example.test".to_owned()), ..Support::default() };
    let public_url = "https://security.example.test".to_owned();
    House { product: "Example Hosting".to_owned(), public_url, support, undo_for: 259_200 }
}

fn written(letters: &Letters, kind: &str, locale: Locale) -> Letter {
    letters.write(&Occasion::sample(kind, "owner", Timestamp::UNIX_EPOCH), locale).unwrap()
}

/// What loading says of a folder with one file in it.
fn with_file(name: &str, text: &str) -> Result<Letters, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    Letters::load(house(), Some(folder.path()))
}

#[test]
fn every_mail_is_whole_in_every_language() {
    let letters = Letters::load(house(), None).unwrap();
    for locale in Locale::ALL {
        for kind in KINDS {
            let Letter { subject, text, html, .. } = written(&letters, kind, locale);
            for part in [&subject, &text, &html] {
                let marks = ["{{", "{%", "{ $", ">none<", ": none", "：none", "undefined"];
                let is_left = marks.iter().any(|mark| part.contains(mark));
                assert!(!is_left && !part.is_empty(), "{kind} {locale}: {part}");
            }
            assert!(text.starts_with(&subject) && html.contains(&format!("<html lang=\"{locale}\">")));
            let links: BTreeSet<&str> = html.split("href=\"").skip(1).map(|rest| &rest[..25]).collect();
            assert_eq!(links, ["https://security.example."].into(), "no link but ours, and nothing that is fetched");
            assert!(!html.contains("src="));
            // In Chinese, a sentence ends in its own full stop.
            let body = text.lines().nth(2).unwrap();
            let is_right = if locale == Locale::ZhHans { !body.contains(". ") } else { !body.contains('。') };
            assert!(is_right, "{kind} {locale}: {body}");
        }
    }
}

#[test]
fn every_kind_that_is_announced_has_texts_of_its_own_in_every_language() {
    let texts = Texts::load(None).unwrap();
    // The kinds, as the error of whoever reads one lists them.
    let listed = serde_json::from_str::<EventKind>("\"none\"").unwrap_err().to_string();
    let kinds: Vec<&str> = listed.split('`').skip(3).step_by(2).collect();
    assert!(kinds.len() > 25, "{listed}");
    let mut args = FluentArgs::new();
    for (name, value) in [("product", "P"), ("partner", "P"), ("remaining", "unknown")] {
        args.set(name, value);
    }
    for kind in kinds {
        let event = crate::domain::event::Event::of_system(kind.parse().unwrap()).with("reason", "too-many-failures");
        let is_told = event.with("new_network", true).is_announced();
        assert!(!is_told || KINDS.contains(&kind), "{kind} has no mail");
        for locale in Locale::ALL.into_iter().filter(|_| is_told) {
            let name = kind.replace('.', "-");
            assert!(texts.find(locale, &name, None, &args).unwrap().is_some(), "{locale}: {kind}");
            assert!(texts.find(locale, &name, Some("body"), &args).unwrap().is_some(), "{locale}: {kind}");
        }
    }
}

#[test]
fn what_lowers_the_protection_can_be_undone_and_only_that() {
    let letters = Letters::load(house(), None).unwrap();
    for kind in KINDS {
        let text = written(&letters, kind, Locale::En).text;
        let is_undone = kind == DISABLED || kind.starts_with("two_factor.reset");
        assert_eq!(text.contains("https://security.example.test/undo#SAMPLE"), is_undone, "{kind}");
        assert_eq!(written(&letters, kind, Locale::En).unsubscribe.is_some(), kind == REMINDER, "{kind}");
    }
}

#[test]
fn an_operator_changes_what_they_like_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("en.ftl", "footer = Yours, { $product }.\n");
    put("two_factor.disabled.txt", "{{ title }} & ours");
    put("layout.html", "<p>{{ footer }} {{ title }}</p>");
    put("README", "ours");
    let letters = Letters::load(house(), Some(folder.path())).unwrap();
    let disabled = written(&letters, DISABLED, Locale::En);
    assert_eq!(disabled.text, "Two-factor authentication was switched off & ours");
    assert_eq!(disabled.html, "<p>Yours, Example Hosting. Two-factor authentication was switched off</p>");
    let added = written(&letters, "method.added", Locale::Ms);
    assert!(added.text.contains("menghantar mel ini") && added.html.starts_with("<p>Example Hosting menghantar"));
}

#[test]
fn a_mistake_is_told_with_its_file_and_line_before_anything_is_sent() {
    for (name, text, part) in [
        ("layout.html", "<p>\n{{ titel }}", "layout.html, line 2"),
        ("layout.txt", "\n\n{% if %}", "layout.txt, line 3"),
        ("en.ftl", "footer = ok\nnonsense\n", "line 2"),
        ("ms.ftl", "footer = { $nobody }\n", "ms.ftl: footer"),
        ("two_factor.disabeld.txt", "x", "no mail is made with a file of this name"),
        ("fr.ftl", "footer = x", "no mail is made with a file of this name"),
    ] {
        let error = with_file(name, text).err().unwrap_or_default();
        assert!(error.contains(part), "{name}: {error}");
    }
    assert!(Letters::load(house(), Some(Path::new("/nonexistent"))).is_err());
}

/// J10: who chooses a name must not add a header, nor a line to somebody's mail.
#[test]
fn no_name_adds_a_header_or_markup() {
    let hostile = "Evil\r\nBcc: thief@example.test\r\n\r\n<script>\u{202e}x\u{2028}";
    let support = Support { phone: Some(hostile.to_owned()), ..Support::default() };
    let letters = Letters::load(House { product: hostile.to_owned(), support, ..house() }, None).unwrap();
    let mail = Mail::by("smtp://localhost?tls=none", "security@example.test", None, letters).unwrap();
    for kind in ["partner.allowed", "two_factor.reset_by_operator"] {
        let sample = Occasion::sample(kind, "system", Timestamp::UNIX_EPOCH);
        let occasion = Occasion { partner: hostile, network: hostile, user_agent: hostile, ..sample };
        let letter = mail.letters.write(&occasion, Locale::En).unwrap();
        assert!(!letter.subject.contains(['\r', '\n']) && !letter.html.contains("<script>"), "{letter:?}");
        assert!(letter.text.lines().all(|line| !line.starts_with("Bcc")), "{}", letter.text);
        let envelope = Envelope { to: "a@example.test".parse().unwrap(), id: "1", at: Timestamp::UNIX_EPOCH };
        let message = String::from_utf8(mail.message(letter, &envelope).unwrap()).unwrap();
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().all(|line| !line.to_lowercase().starts_with("bcc")), "{head}");
    }
}

#[test]
fn a_code_stands_in_the_mail_and_not_in_its_subject() {
    let letters = Letters::load(house(), None).unwrap();
    let code = SentCode::parse("87654321", "").unwrap();
    for locale in Locale::ALL {
        let letter = letters.write(&Occasion::of_code(&code, 10, Timestamp::UNIX_EPOCH), locale).unwrap();
        // A subject is shown on a locked screen, and kept in the logs of mail servers.
        assert!(!letter.subject.contains("87654321"), "{}", letter.subject);
        for part in [&letter.text, &letter.html] {
            assert_eq!(part.matches("87654321").count(), 1, "{part}");
            assert!(part.contains("10") && part.contains("Example Hosting"), "{part}");
        }
        assert!(!letter.text.contains("203.0.113"), "{}", letter.text);
    }
}

#[test]
fn a_reader_of_chinese_sees_chinese() {
    let letters = Letters::load(house(), None).unwrap();
    let Letter { subject, text, .. } = written(&letters, DISABLED, Locale::ZhHans);
    assert_eq!(subject, "双重验证已关闭");
    assert!(text.contains("1970 年 1 月 1 日 00:00（UTC）"), "{text}");
}
