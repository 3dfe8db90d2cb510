//! Passkeys and security keys, as settings.

use super::{Misconfigured, filled, list};
use crate::domain::passkey::{AndroidApp, Site};
use data_encoding::HEXUPPER_PERMISSIVE;
use url::{Host, Url};

const NAME_MAX_CHARS: usize = 64;

/// Whom passkeys and security keys are made for. Without `rp_id` there are none.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct WebauthnConfig {
    /// The domain that passkeys are bound to, such as `example.com`: that of the pages, or one above it. Passkeys work for
    /// no other, so choose it once.
    #[config(env = "TWOFOLD_WEBAUTHN_RP_ID", parse_env = filled)]
    pub rp_id: Option<String>,

    /// What people are shown beside a passkey. Without it, `product_name`.
    #[config(env = "TWOFOLD_WEBAUTHN_RP_NAME", parse_env = filled)]
    pub rp_name: Option<String>,

    /// Origins of the pages that may ask for a passkey, such as `https://portal.example.com`; separated by commas in the
    /// environment. Without any, `https://` and `rp_id`.
    #[config(env = "TWOFOLD_WEBAUTHN_ORIGINS", parse_env = list, default = [])]
    pub origins: Vec<String>,

    /// Android apps that may, each `package=FINGERPRINT` with the SHA-256 fingerprint of a certificate that it is signed
    /// with, as `keytool` writes it; separated by commas in the environment.
    #[config(env = "TWOFOLD_WEBAUTHN_ANDROID", parse_env = list, default = [])]
    pub android: Vec<String>,

    /// Apple apps that may, each `TEAMID.bundle.id`; separated by commas in the environment.
    #[config(env = "TWOFOLD_WEBAUTHN_APPLE", parse_env = list, default = [])]
    pub apple: Vec<String>,
}

impl WebauthnConfig {
    /// Whom passkeys are made for; `None` where there are none.
    ///
    /// # Errors
    /// When the domain is none, an origin is none or not protected, or an app is not named as it must be.
    pub fn site(&self, product_name: &str) -> Result<Option<Site>, Misconfigured> {
        let Some(id) = &self.rp_id else {
            let are_alone = !(self.origins.is_empty() && self.android.is_empty() && self.apple.is_empty());
            return match are_alone || self.rp_name.is_some() {
                true => {
                    refuse("TWOFOLD_WEBAUTHN_* needs TWOFOLD_WEBAUTHN_RP_ID, the domain that passkeys are bound to")
                }
                false => Ok(None),
            };
        };
        if !is_domain(id) {
            return refuse(&format!(
                "TWOFOLD_WEBAUTHN_RP_ID is a domain in lower case like example.com, without scheme and port, not {id:?}"
            ));
        }
        let name = self.rp_name.as_deref().unwrap_or(product_name).trim();
        if !(1..=NAME_MAX_CHARS).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return refuse("TWOFOLD_WEBAUTHN_RP_NAME has 1 to 64 characters");
        }
        let pages = match self.origins.as_slice() {
            [] => vec![format!("https://{id}")],
            origins => origins.iter().map(|text| origin(text, id)).collect::<Result<_, _>>()?,
        };
        Ok(Some(Site {
            id: id.clone(),
            name: name.to_owned(),
            pages,
            android: self.android.iter().map(|text| android_app(text)).collect::<Result<_, _>>()?,
            apple: self.apple.iter().map(|text| apple_app(text)).collect::<Result<_, _>>()?,
        }))
    }
}

fn refuse<T>(text: &str) -> Result<T, Misconfigured> {
    Err(Misconfigured(text.to_owned()))
}

fn is_domain(text: &str) -> bool {
    matches!(Host::parse(text), Ok(Host::Domain(domain)) if domain == text) && !text.ends_with('.')
}

/// A whole origin as browsers write it. Pages without TLS have no passkeys, but for those of the same machine.
fn origin(text: &str, id: &str) -> Result<String, Misconfigured> {
    let url = Url::parse(text).ok().filter(|url| url.origin().ascii_serialization() == text);
    let is_local = |url: &Url| url.scheme() == "http" && id == "localhost" && url.host_str() == Some(id);
    match url {
        Some(url) if url.scheme() == "https" || is_local(&url) => Ok(text.to_owned()),
        Some(url) if url.scheme() == "http" => refuse(&format!(
            "TWOFOLD_WEBAUTHN_ORIGINS must begin with https://, but for http://localhost where TWOFOLD_WEBAUTHN_RP_ID is \
             localhost; {text:?} does not"
        )),
        _ => refuse(&format!("TWOFOLD_WEBAUTHN_ORIGINS names whole origins like https://portal.example, not {text:?}")),
    }
}

fn android_app(text: &str) -> Result<AndroidApp, Misconfigured> {
    let app = text.split_once('=').and_then(|(package, fingerprint)| {
        let bytes = HEXUPPER_PERMISSIVE.decode(fingerprint.replace(':', "").as_bytes()).ok()?;
        let is_package = package.contains('.') && package.split('.').all(is_package_part);
        is_package.then_some(AndroidApp { package: package.to_owned(), fingerprint: bytes.try_into().ok()? })
    });
    app.ok_or_else(|| {
        Misconfigured(format!(
            "TWOFOLD_WEBAUTHN_ANDROID names apps like com.example.portal=AB:CD:… with the SHA-256 of a certificate, not \
             {text:?}"
        ))
    })
}

fn is_package_part(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn apple_app(text: &str) -> Result<String, Misconfigured> {
    let is_app = text.split_once('.').is_some_and(|(team, bundle)| {
        let is_team = team.len() == 10 && team.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let is_part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        is_team && bundle.split('.').all(is_part)
    });
    match is_app {
        true => Ok(text.to_owned()),
        false => refuse(&format!(
            "TWOFOLD_WEBAUTHN_APPLE names apps like ABCDE12345.com.example.portal, the team first, not {text:?}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(id: &str) -> WebauthnConfig {
        let nothing = Vec::new;
        WebauthnConfig {
            rp_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
            rp_name: None,
            origins: nothing(),
            android: nothing(),
            apple: nothing(),
        }
    }

    fn told(config: &WebauthnConfig) -> String {
        config.site("Portal").err().map(|error| error.0).unwrap_or_default()
    }

    #[test]
    fn without_a_domain_there_are_no_passkeys() {
        assert_eq!(config("").site("Portal").unwrap(), None);
        let alone = WebauthnConfig { apple: vec!["ABCDE12345.com.example.portal".to_owned()], ..config("") };
        assert!(told(&alone).contains("TWOFOLD_WEBAUTHN_RP_ID"));
    }

    #[test]
    fn a_domain_is_enough() {
        let site = config("example.com").site("Portal").unwrap().unwrap();
        assert_eq!((site.name.as_str(), site.pages), ("Portal", vec!["https://example.com".to_owned()]));
        for wrong in ["https://example.com", "example.com:443", "Example.com", "192.0.2.1", "example.com.", "a b"] {
            assert!(told(&config(wrong)).contains("is a domain"), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_whole_and_protected() {
        let with = |id: &str, origin: &str| WebauthnConfig { origins: vec![origin.to_owned()], ..config(id) };
        assert_eq!(told(&with("example.com", "https://portal.example.com:8443")), "");
        assert_eq!(told(&with("localhost", "http://localhost:8080")), "");
        for (id, wrong, part) in [
            ("example.com", "https://portal.example.com/", "whole origins"),
            ("example.com", "portal.example.com", "whole origins"),
            ("example.com", "*", "whole origins"),
            ("example.com", "http://portal.example.com", "https://"),
            ("example.com", "http://localhost:8080", "https://"),
            ("localhost", "http://portal.example.com", "https://"),
        ] {
            assert!(told(&with(id, wrong)).contains(part), "{wrong}");
        }
    }

    #[test]
    fn an_app_is_named_as_its_system_names_it() {
        let fingerprint = ["AB"; 32].join(":");
        let android = |text: String| WebauthnConfig { android: vec![text], ..config("example.com") };
        let site = android(format!("com.example.portal={fingerprint}")).site("Portal").unwrap().unwrap();
        assert_eq!(site.android[0].written_fingerprint(), fingerprint);
        for wrong in
            ["com.example.portal".to_owned(), "com.example.portal=AB:CD".to_owned(), format!("portal={fingerprint}")]
        {
            assert!(told(&android(wrong)).contains("com.example.portal=AB:CD"));
        }
        let apple = |text: &str| WebauthnConfig { apple: vec![text.to_owned()], ..config("example.com") };
        assert_eq!(told(&apple("ABCDE12345.com.example.portal")), "");
        assert!(told(&apple("com.example.portal")).contains("the team first"));
        let nameless = WebauthnConfig { rp_name: Some("\u{7}".to_owned()), ..config("example.com") };
        assert!(told(&nameless).contains("1 to 64"));
    }
}
