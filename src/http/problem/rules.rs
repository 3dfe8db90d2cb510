//! The words of the rules that values break.

use super::FieldError;
use crate::{
    domain::{
        account::Locale,
        event::EventKind,
        refusal::{Rule, Violation},
    },
    http::language,
};

impl FieldError {
    /// What is wrong with one member.
    pub(super) fn new(violation: &Violation, locale: Locale) -> Self {
        let name = match violation.rule {
            Rule::Password => "rule-password",
            Rule::NewPassword => "rule-new-password",
            Rule::Code => "rule-code",
            Rule::SentCode => "rule-sent-code",
            Rule::RecoveryCode => "rule-recovery-code",
            Rule::Phone => "rule-phone",
            Rule::Label => "rule-label",
            Rule::AskedMethod => "rule-asked-method",
            Rule::CodeMethod => "rule-code-method",
            Rule::Email => "rule-email",
            Rule::Id => "rule-id",
            Rule::Reason => "rule-reason",
            Rule::Ticket => "rule-ticket",
            Rule::FreeEmail => "rule-free-email",
            Rule::Subject => "rule-subject",
            Rule::FreeSubject => "rule-free-subject",
            Rule::Remark => "rule-remark",
            Rule::PasswordHash => "rule-password-hash",
            Rule::Locale => "rule-locale",
            Rule::ClientName => "rule-client-name",
            Rule::WebhookUrl => "rule-webhook-url",
            Rule::WebhookKinds => "rule-webhook-kinds",
            Rule::WebhookDescription => "rule-webhook-description",
        };
        let rule = language::text(locale, name);
        let detail = match violation.rule {
            // Whoever has named another one cannot guess which there are.
            Rule::WebhookKinds => format!("{rule} {}", told_kinds()),
            _ => rule,
        };
        Self { pointer: violation.pointer.to_owned(), detail }
    }
}

fn told_kinds() -> String {
    EventKind::FOR_PARTNERS.map(|kind| kind.name().unwrap_or_default()).join(", ")
}
