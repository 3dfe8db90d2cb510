//! Writing mails: what is to be said about an announcement, in its reader's language, as plain text and as HTML.
//!
//! Nothing that somebody else chose stands in a mail as it is: a user agent or a label could be a sentence with an
//! address in it, in a mail that comes from us.

use super::{
    CODE, REMINDER,
    texts::{KINDS, Texts},
};
use crate::domain::{
    account::Locale,
    announcement::{Announcement, program_of},
    event::EventKind,
    policy::Support,
    sent_code::SentCode,
};
use fluent_bundle::{FluentArgs, FluentValue};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, value::Serde};
use serde::Serialize;
use serde_json::json;
use std::{fs, path::Path};
use zeroize::Zeroizing;

const LAYOUTS: [(&str, &str); 2] = [
    ("layout.html", include_str!("../../../mails/layout.html")),
    ("layout.txt", include_str!("../../../mails/layout.txt")),
];

/// For whom mails are written.
#[derive(Clone, Debug)]
pub struct House {
    /// The name that customers know.
    pub product: String,
    /// Where they reach the service, without a slash at the end.
    pub public_url: String,
    /// Whom they turn to.
    pub support: Support,
    /// Seconds that a disable can be undone for.
    pub undo_for: u32,
}

/// What a mail is about.
#[derive(Clone, Debug)]
pub struct Occasion<'a> {
    /// The kind of event, or `code` or `test`.
    pub kind: &'a str,
    /// Who acted: `owner`, `support`, `partner`, `system`.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
    /// From which network, where that says something to the reader.
    pub network: &'a str,
    /// With what.
    pub user_agent: &'a str,
    /// The partner that it is about.
    pub partner: &'a str,
    /// Recovery codes that are left, where it is known.
    pub remaining: Option<i64>,
    /// How often it happened.
    pub times: i64,
    /// The webhook that it is about; whoever reads that is no account's owner.
    pub webhook: &'a str,
    /// The token that undoes it.
    pub undo: Option<String>,
    /// The token that ends reminders.
    pub stop: Option<String>,
    /// The code that the mail is there to tell, and for how many minutes it is good.
    pub code: Option<(Zeroizing<String>, u32)>,
}

/// A mail without its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The subject: one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// Where one press ends mails of this kind (RFC 8058).
    pub unsubscribe: Option<String>,
}

/// Writes mails.
pub struct Letters {
    texts: Texts,
    layouts: Environment<'static>,
    house: House,
}

#[derive(Serialize)]
struct Fact {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct Link {
    label: String,
    url: String,
    note: Option<String>,
}

impl<'a> Occasion<'a> {
    /// What is to be told of an announcement; without links.
    pub fn of(announcement: &'a Announcement, kind: &'a str, times: i64) -> Self {
        let facts = &announcement.facts;
        let details = &facts.details;
        // Where an agent of ours sat is nothing to the owner.
        let is_owner = facts.actor == "owner";
        Self {
            kind,
            actor: &facts.actor,
            at: announcement.at,
            network: if is_owner { &facts.network } else { "" },
            user_agent: if is_owner { &facts.user_agent } else { "" },
            partner: details.get("name").and_then(|name| name.as_str()).unwrap_or_default(),
            remaining: details.get("remaining").and_then(serde_json::Value::as_i64),
            times,
            webhook: "",
            undo: None,
            stop: None,
            code: None,
        }
    }

    /// One of this kind with nothing in it yet.
    fn blank(kind: &'a str, at: Timestamp) -> Self {
        Self {
            kind,
            actor: "",
            at,
            network: "",
            user_agent: "",
            partner: "",
            remaining: None,
            times: 1,
            webhook: "",
            undo: None,
            stop: None,
            code: None,
        }
    }

    /// What is to be told of a webhook to its client's contact.
    pub fn of_webhook(webhook: &'a str, kind: &'a str, at: Timestamp) -> Self {
        Self { webhook, ..Self::blank(kind, at) }
    }

    /// What is to be told of a code that was asked for then, and is good for so many minutes.
    pub fn of_code(code: &SentCode, minutes: u32, asked_at: Timestamp) -> Self {
        Self { code: Some((Zeroizing::new(code.reveal()), minutes)), ..Self::blank(CODE, asked_at) }
    }

    /// One to look at: everything that may stand in a mail of this kind is there.
    pub fn sample(kind: &'a str, actor: &'a str, at: Timestamp) -> Self {
        let undoes = kind.parse().is_ok_and(EventKind::can_be_undone);
        Self {
            kind,
            actor,
            at,
            network: if actor == "owner" { "203.0.113.0/24" } else { "" },
            user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
            partner: "Example Partner",
            remaining: Some(7),
            times: if kind.parse().is_ok_and(EventKind::may_wait) { 3 } else { 1 },
            webhook: if kind.starts_with("webhook.") { "01a20c1b-7c00-7d52-9a1e-000000000000" } else { "" },
            undo: undoes.then(|| "SAMPLE".to_owned()),
            stop: (kind == REMINDER).then(|| "SAMPLE".to_owned()),
            code: (kind == CODE).then(|| (Zeroizing::new("01234567".to_owned()), 10)),
        }
    }
}

impl Letters {
    /// Reads texts and layouts: ours, and those of `folder` over them. Every mail is written once, so that a mistake
    /// is found now and not when something happens.
    ///
    /// # Errors
    /// Which file is wrong, in which line.
    pub fn load(house: House, folder: Option<&Path>) -> Result<Self, String> {
        let texts = Texts::load(folder)?;
        let mut layouts = Environment::new();
        layouts.set_undefined_behavior(UndefinedBehavior::Strict);
        layouts.set_auto_escape_callback(|name| match name.ends_with(".html") {
            true => AutoEscape::Html,
            false => AutoEscape::None,
        });
        let mut add = |name: String, text: String| {
            layouts.add_template_owned(name.clone(), text).map_err(|error| mistake(&name, &error))
        };
        for (name, text) in LAYOUTS {
            add(name.to_owned(), text.to_owned())?;
        }
        for (name, text) in theirs(folder)? {
            add(name, text)?;
        }
        let letters = Self { texts, layouts, house };
        for locale in Locale::ALL {
            for kind in KINDS {
                for actor in ["owner", "support", "partner", "system"] {
                    letters.write(&Occasion::sample(kind, actor, Timestamp::UNIX_EPOCH), locale)?;
                }
            }
        }
        Ok(letters)
    }

    /// Writes a mail.
    ///
    /// # Errors
    /// What is wrong with a text or a layout.
    pub fn write(&self, occasion: &Occasion<'_>, locale: Locale) -> Result<Letter, String> {
        let args = self.args(occasion, locale)?;
        let get = |name: &str| self.texts.get(locale, name, &args);
        let name = self.name_of(occasion, locale, &args)?;
        let of_kind = |attribute| self.texts.find(locale, &name, Some(attribute), &args);
        let title = line(&get(&name)?);
        let advice = of_kind("advice")?.map_or_else(|| get("advice-default"), Ok)?;
        let support = &self.house.support;
        let support: Vec<String> =
            [&support.email, &support.phone, &support.url].into_iter().flatten().cloned().collect();
        let values = json!({
            "lang": locale.tag(),
            "title": &title,
            "kind": occasion.kind,
            "product": line(&self.house.product),
            "body": of_kind("body")?,
            "facts": self.facts(occasion, locale, &args)?,
            "repeated": if occasion.times > 1 { Some(get("repeated")?) } else { None },
            "advice_title": of_kind("advice-title")?.map_or_else(|| get("advice-title"), Ok)?,
            "advice": advice,
            "links": self.links(occasion, locale, &args)?,
            "support": support.iter().map(|text| line(text)).collect::<Vec<_>>(),
            "support_title": get("support-title")?,
            "colon": get("colon")?,
            "footer": of_kind("footer")?.map_or_else(|| get("footer"), Ok)?,
        });
        let values = Value::from(Serde(values));
        let render = |end: &str| {
            let own = format!("{}.{end}", occasion.kind);
            let layout =
                self.layouts.get_template(&own).or_else(|_| self.layouts.get_template(&format!("layout.{end}")));
            let layout = layout.map_err(|error| mistake(end, &error))?;
            layout.render(&values).map_err(|error| mistake(layout.name(), &error))
        };
        let unsubscribe = occasion.stop.as_ref().map(|token| self.stop_url(token));
        Ok(Letter { text: render("txt")?, html: render("html")?, subject: title, unsubscribe })
    }

    /// Where one press ends reminders: RFC 8058 wants an address that takes a form.
    fn stop_url(&self, token: &str) -> String {
        format!("{}/account/security/2fa/reminders/one-click?token={token}", self.house.public_url)
    }

    /// The name of the texts: those of the kind for this actor, of the kind, or of whatever it may be.
    fn name_of(&self, occasion: &Occasion<'_>, locale: Locale, args: &FluentArgs<'_>) -> Result<String, String> {
        let kind = occasion.kind.replace('.', "-");
        // A partner that changes an account is the portal that has it.
        let actor = if occasion.actor == "partner" { "system" } else { occasion.actor };
        for name in [format!("{kind}-by-{actor}"), kind] {
            if self.texts.find(locale, &name, None, args)?.is_some() {
                return Ok(name);
            }
        }
        Ok("other".to_owned())
    }

    fn facts(&self, occasion: &Occasion<'_>, locale: Locale, args: &FluentArgs<'_>) -> Result<Vec<Fact>, String> {
        let get = |name: &str| self.texts.get(locale, name, args);
        let mut facts = Vec::new();
        if let Some((code, _)) = &occasion.code {
            facts.push(Fact { name: get("fact-code")?, value: code.as_str().to_owned() });
        }
        facts.push(Fact { name: get("fact-when")?, value: self.moment(occasion.at, locale)? });
        if !occasion.webhook.is_empty() {
            facts.push(Fact { name: get("fact-webhook")?, value: line(occasion.webhook) });
            return Ok(facts);
        }
        match occasion.actor {
            "support" => facts.push(Fact { name: get("fact-actor")?, value: get("actor-support")? }),
            "system" | "partner" => facts.push(Fact { name: get("fact-actor")?, value: get("actor-system")? }),
            _ => {}
        }
        if !occasion.network.is_empty() {
            facts.push(Fact { name: get("fact-network")?, value: line(occasion.network) });
            let program = program_of(occasion.user_agent).map_or_else(|| get("program-unknown"), Ok)?;
            facts.push(Fact { name: get("fact-program")?, value: program });
        }
        Ok(facts)
    }

    fn links(&self, occasion: &Occasion<'_>, locale: Locale, args: &FluentArgs<'_>) -> Result<Vec<Link>, String> {
        let get = |name: &str| self.texts.get(locale, name, args);
        let url = &self.house.public_url;
        let mut links = Vec::new();
        if !occasion.webhook.is_empty() {
            let url = format!("{url}/problems/webhook-disabled");
            return Ok(vec![Link { label: get("webhook-label")?, url, note: None }]);
        }
        if let Some(token) = &occasion.undo {
            links.push(Link {
                label: get("undo-label")?,
                url: format!("{url}/undo#{token}"),
                note: Some(get("undo-note")?),
            });
        }
        links.push(Link { label: get("page-label")?, url: format!("{url}/"), note: None });
        if let Some(token) = &occasion.stop {
            links.push(Link { label: get("stop-label")?, url: format!("{url}/reminders#{token}"), note: None });
        }
        Ok(links)
    }

    fn args(&self, occasion: &Occasion<'_>, locale: Locale) -> Result<FluentArgs<'static>, String> {
        let until = occasion.at.checked_add(SignedDuration::from_secs(i64::from(self.house.undo_for)));
        let mut args = FluentArgs::new();
        args.set("product", line(&self.house.product));
        args.set("partner", line(occasion.partner));
        args.set("times", occasion.times);
        args.set("minutes", occasion.code.as_ref().map_or(0, |(_, minutes)| *minutes));
        args.set("remaining", occasion.remaining.map_or_else(|| FluentValue::from("unknown"), FluentValue::from));
        args.set("until", self.moment(until.unwrap_or(Timestamp::MAX), locale)?);
        Ok(args)
    }

    /// A moment, as people write it.
    fn moment(&self, at: Timestamp, locale: Locale) -> Result<String, String> {
        let at = at.to_zoned(TimeZone::UTC);
        let mut args = FluentArgs::new();
        args.set("day", at.day());
        args.set("month", at.month());
        args.set("year", at.year().to_string());
        args.set("time", format!("{:02}:{:02}", at.hour(), at.minute()));
        self.texts.get(locale, "moment", &args)
    }
}

/// The layouts in an operator's folder. Texts are read elsewhere; a file that nothing would read is refused.
fn theirs(folder: Option<&Path>) -> Result<Vec<(String, String)>, String> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut layouts = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((stem, end)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else { continue };
        let is_known = match end {
            "html" | "txt" => stem == "layout" || KINDS.contains(&stem),
            "ftl" => Locale::ALL.iter().any(|locale| locale.tag() == stem),
            _ => continue,
        };
        if !is_known {
            return Err(format!("{}: no mail is made with a file of this name", path.display()));
        }
        if end != "ftl" {
            layouts.push((name, fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?));
        }
    }
    Ok(layouts)
}

fn mistake(name: &str, error: &minijinja::Error) -> String {
    let place = (error.name().unwrap_or(name), error.line().unwrap_or(1));
    let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    format!("{}, line {}: {what}", place.0, place.1)
}

/// Text as one line, in the direction in which it is written: no header can be added by it, nor letters turned round.
pub(super) fn line(text: &str) -> String {
    let is_turning = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|c| !is_turning(*c)).map(|c| if is_break(c) { ' ' } else { c }).collect()
}
