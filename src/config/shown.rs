//! The settings in force as an operator reads them: each with its value and where it came from, and no secret.

use super::{Config, Misconfigured};
use confique::{
    Config as _,
    meta::{FieldKind, LeafKind, Meta},
};
use std::{env, fmt, fs, path::Path};

/// Instead of a secret.
const HIDDEN: &str = "***";
/// What may stand in a file of its own.
const IN_FILES: [&str; 4] =
    ["TWOFOLD_DATABASE_URL", "TWOFOLD_DATABASE_MIGRATION_URL", "TWOFOLD_MAIL_URL", "TWOFOLD_SMS_PASSWORD"];
/// A setting whose name ends so is a secret as a whole.
const SECRET_NAMES: [&str; 4] = ["secret", "password", "token", "api_key"];

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name in the file, with those of its sections before it.
    pub name: String,
    /// Its value, in the syntax of the file; none where nothing is set.
    pub value: Option<String>,
    /// Where it came from.
    pub source: Source,
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This environment variable.
    Environment(String),
    /// The configuration file.
    File,
    /// Nothing was said.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => f.write_str(name),
            Self::File => f.write_str("file"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Every setting in force, once they are known to be right.
///
/// # Errors
/// As [`Config::load`].
pub fn shown(file: Option<&Path>) -> Result<Vec<Shown>, Misconfigured> {
    Config::load(file)?;
    let text = file.map(fs::read_to_string).transpose().map_err(|error| Misconfigured(error.to_string()))?;
    let table: toml::Table = text.unwrap_or_default().parse().map_err(|_| Misconfigured("no TOML".to_owned()))?;
    let mut all = Vec::new();
    collect(&Config::META, "", &table, &mut all);
    Ok(all)
}

fn collect(meta: &Meta, section: &str, table: &toml::Table, all: &mut Vec<Shown>) {
    for field in meta.fields {
        match field.kind {
            FieldKind::Nested { meta } => {
                let nested = table.get(field.name).and_then(toml::Value::as_table).cloned().unwrap_or_default();
                collect(meta, &format!("{section}{}.", field.name), &nested, all);
            }
            FieldKind::Leaf { env, kind } => {
                let (value, source) = found(env, table.get(field.name), kind);
                let value = value.map(|value| redacted(field.name, value).to_string());
                all.push(Shown { name: format!("{section}{}", field.name), value, source });
            }
        }
    }
}

/// In the order in which they go before each other.
fn found(env: Option<&str>, in_file: Option<&toml::Value>, kind: LeafKind) -> (Option<toml::Value>, Source) {
    if let Some((name, text)) = env.and_then(in_environment) {
        let is_plain = text.parse::<i64>().is_ok() || text.parse::<bool>().is_ok();
        let value = if is_plain { text.parse().ok() } else { None };
        return (Some(value.unwrap_or(toml::Value::String(text))), Source::Environment(name));
    }
    if let Some(value) = in_file {
        return (Some(value.clone()), Source::File);
    }
    let default = match kind {
        LeafKind::Required { default } => default.and_then(|default| toml::Value::try_from(default).ok()),
        LeafKind::Optional => None,
    };
    (default, Source::Default)
}

/// A setting of the environment, or what is in the file that the environment names for it.
#[expect(clippy::disallowed_methods, reason = "this is where settings enter")]
fn in_environment(name: &str) -> Option<(String, String)> {
    let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
    let named = |name: &str| env::var_os(name).map(text).filter(|value| !value.is_empty());
    if let Some(value) = named(name) {
        return Some((name.to_owned(), value));
    }
    if !IN_FILES.contains(&name) {
        return None;
    }
    let name = format!("{name}_FILE");
    let value = fs::read_to_string(named(&name)?).ok()?;
    Some((name, value.trim_end_matches(['\r', '\n']).to_owned()))
}

fn redacted(name: &str, value: toml::Value) -> toml::Value {
    match value {
        toml::Value::String(_) if SECRET_NAMES.iter().any(|end| name.ends_with(end)) => HIDDEN.into(),
        toml::Value::String(text) => without_password(&text).into(),
        other => other,
    }
}

/// A URL without the password that stands before its host (RFC 3986 §3.2.1) or among its parameters.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    // A password may hold either; then what is hidden goes on to the last `@`, rather too far than not far enough.
    let end = match rest.rfind('@') {
        Some(at) if rest[..end].contains(':') && at > end => {
            at + 1 + rest[at..].find(['/', '?']).map_or(rest.len() - at - 1, |n| n - 1)
        }
        _ => end,
    };
    let (authority, path) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:{HIDDEN}@{host}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    let Some((path, parameters)) = path.split_once('?') else { return format!("{scheme}://{authority}{path}") };
    let parameter = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().ends_with("password") => format!("{name}={HIDDEN}"),
        _ => parameter.to_owned(),
    };
    let parameters: Vec<String> = parameters.split('&').map(parameter).collect();
    format!("{scheme}://{authority}{path}?{}", parameters.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_of_a_url_is_hidden_wherever_it_stands() {
        for (url, shown) in [
            ("postgres://bob:hunter2@db/x?sslmode=require", "postgres://bob:***@db/x?sslmode=require"),
            ("postgres://bob:h@unter:2@db/x", "postgres://bob:***@db/x"),
            ("postgres://bob:hun?ter2@db/x", "postgres://bob:***@db/x"),
            ("postgres://bob:hun/ter2@db", "postgres://bob:***@db"),
            ("postgres://bob:h@un?ter2@db?sslmode=require", "postgres://bob:***@db?sslmode=require"),
            (
                "postgres://bob@db?password=hunter2&application_name=a@b",
                "postgres://bob@db?password=***&application_name=a@b",
            ),
            ("postgresql:///x?user=bob&password=hunter2", "postgresql:///x?user=bob&password=***"),
            ("postgres://bob@db?sslpassword=hunter2", "postgres://bob@db?sslpassword=***"),
            ("smtp://bob:hunter2@mail:587/us.example?tls=none", "smtp://bob:***@mail:587/us.example?tls=none"),
            ("sqlite://twofold.db", "sqlite://twofold.db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
        assert_eq!(redacted("smtp_password", "hunter2".into()), "***".into());
    }

    #[test]
    fn every_setting_is_shown_with_where_it_came_from() {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        fs::write(file.path(), "bcrypt_cost = 11\n[support]\nemail = \"help@example.test\"").unwrap();
        let all = shown(Some(file.path())).unwrap();
        let of = |name: &str| all.iter().find(|setting| setting.name == name).unwrap().clone();
        assert_eq!((of("bcrypt_cost").value.as_deref(), of("bcrypt_cost").source), (Some("11"), Source::File));
        assert_eq!(of("support.email").value.as_deref(), Some("\"help@example.test\""));
        assert_eq!((of("access_token_ttl").value.as_deref(), of("support.phone").value), (Some("600"), None));
        assert!(of("limits.code").value.unwrap().contains("cap_day = 20"));
    }
}
