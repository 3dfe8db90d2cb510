//! The words of mails: ours, compiled in, and under them those that an operator puts in their place.

use crate::domain::account::Locale;
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use std::{fs, path::Path};

/// The kinds of mail. One that has no texts is told in those of `other`.
pub const KINDS: [&str; 37] = [
    "two_factor.enabled",
    "two_factor.disabled",
    "two_factor.restored",
    "two_factor.reminded",
    "two_factor.replaced",
    "two_factor.reset_by_support",
    "two_factor.reset_by_operator",
    "method.added",
    "method.removed",
    "method.renamed",
    "recovery_codes.regenerated",
    "recovery_code.used",
    "account.suspended",
    "account.resumed",
    "account.deleted",
    "account.unlocked",
    "account.provisioned",
    "email.changed",
    "scope.granted",
    "scope.revoked",
    "login.succeeded",
    "login.second_factor_failed",
    "reauthentication.failed",
    "session.revoked",
    "password.changed",
    "bypass_code.issued",
    "bypass_code.used",
    "two_factor.required",
    "device.token_reused",
    "passkey.counter_went_back",
    "partner.allowed",
    "partner.refused",
    "webhook.gone",
    "webhook.failing",
    "other",
    "code",
    "test",
];

const OURS: [(Locale, &str); 3] = [
    (Locale::En, include_str!("../../../locales/en/mail.ftl")),
    (Locale::Ms, include_str!("../../../locales/ms/mail.ftl")),
    (Locale::ZhHans, include_str!("../../../locales/zh-Hans/mail.ftl")),
];

/// Words in every language.
pub struct Texts(Vec<(Locale, FluentBundle<FluentResource>)>);

impl Texts {
    /// Reads those of mails: ours, and those of `folder` over them.
    ///
    /// # Errors
    /// Which file is wrong, in which line.
    pub fn load(folder: Option<&Path>) -> Result<Self, String> {
        Self::read(OURS, folder)
    }

    /// Reads `ours`, and those of `folder` over them.
    ///
    /// # Errors
    /// Which file is wrong, in which line.
    pub fn read(ours: [(Locale, &str); 3], folder: Option<&Path>) -> Result<Self, String> {
        let of = |(locale, ours): (Locale, &str)| {
            let tag = locale.tag();
            let language = tag.parse().map_err(|_| format!("no language: {tag}"))?;
            let mut bundle = FluentBundle::new(vec![language]);
            // Isolation marks are for mixed writing directions; ours would stand in subjects.
            bundle.set_use_isolating(false);
            bundle.add_resource_overriding(parse(&format!("our texts of {tag}"), ours.to_owned())?);
            let path = folder.map(|folder| folder.join(format!("{tag}.ftl"))).filter(|path| path.exists());
            if let Some(path) = path {
                let shown = path.display().to_string();
                let theirs = fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
                bundle.add_resource_overriding(parse(&shown, theirs)?);
            }
            Ok((locale, bundle))
        };
        Ok(Self(ours.into_iter().map(of).collect::<Result<_, String>>()?))
    }

    /// A text, or an attribute of one; none where there is no such text.
    ///
    /// # Errors
    /// When the text names something that is not there.
    pub fn find(
        &self,
        locale: Locale,
        name: &str,
        attribute: Option<&str>,
        args: &FluentArgs<'_>,
    ) -> Result<Option<String>, String> {
        let bundle = self.0.iter().find(|(own, _)| *own == locale).map(|(_, bundle)| bundle);
        let Some((bundle, message)) = bundle.and_then(|bundle| Some((bundle, bundle.get_message(name)?))) else {
            return Ok(None);
        };
        let pattern = match attribute {
            Some(attribute) => message.get_attribute(attribute).map(|attribute| attribute.value()),
            None => message.value(),
        };
        let Some(pattern) = pattern else { return Ok(None) };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
        match errors.first() {
            Some(error) => Err(format!("{}.ftl: {name}: {error}", locale.tag())),
            None => Ok(Some(text)),
        }
    }

    /// As [`Self::find`], of a text that must be there.
    ///
    /// # Errors
    /// As [`Self::find`], and when there is none.
    pub fn get(&self, locale: Locale, name: &str, args: &FluentArgs<'_>) -> Result<String, String> {
        self.find(locale, name, None, args)?.ok_or_else(|| format!("{}.ftl: there is no {name}", locale.tag()))
    }
}

fn parse(shown: &str, text: String) -> Result<FluentResource, String> {
    FluentResource::try_new(text).map_err(|(resource, errors)| {
        let Some(error) = errors.first() else { return format!("{shown} cannot be read") };
        let before = resource.source().get(..error.pos.start).unwrap_or_default();
        format!("{shown}, line {}: {}", before.lines().count().max(1), error.kind)
    })
}
