//! Every problem has its words.

use super::*;

#[test]
fn every_problem_and_rule_has_words_in_every_language() {
    for locale in Locale::ALL {
        for code in Code::ALL {
            let slug = code.slug();
            let own = ["", ".detail", ".help"].map(|part| format!("{slug}{part}"));
            let others = OTHER_DETAILS.iter().filter(|name| name.starts_with(&format!("{slug}.")));
            for name in own.into_iter().chain(others.map(|name| (*name).to_owned())) {
                assert_ne!(language::text(locale, &name), name, "{locale} lacks {name}");
                let is_own = locale == Locale::En || language::text(locale, &name) != language::text(Locale::En, &name);
                assert!(is_own, "{locale} shows the English {name}");
            }
        }
        for name in [
            "rule-password",
            "rule-new-password",
            "rule-code",
            "rule-sent-code",
            "rule-recovery-code",
            "rule-phone",
            "rule-code-method",
            "rule-label",
            "rule-asked-method",
            "rule-email",
            "rule-id",
            "rule-remark",
            "rule-ticket",
            "rule-client-name",
            "rule-password-hash",
            "rule-locale",
            "rule-webhook-url",
            "rule-webhook-kinds",
            "rule-webhook-description",
            "disabled-message",
            "disabled-message-passkey",
            "disabled-message-sms",
            "disabled-message-email",
            "disabled-message-several",
            "undone-message",
        ] {
            assert_ne!(language::text(locale, name), name, "{locale} lacks {name}");
        }
    }
}
