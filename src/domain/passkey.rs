//! Passkeys and security keys (Web Authentication): whom they are made for.

use data_encoding::BASE64URL_NOPAD;

/// How long a person has to find the key and touch it, in seconds.
pub const CEREMONY_TTL: u32 = 300;

/// Whom passkeys are made for: the relying party of an installation (WebAuthn §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The domain that passkeys are bound to; one that changes makes all of them useless.
    pub id: String,
    /// What a person is shown beside a passkey.
    pub name: String,
    /// The origins of the pages that may ask for one.
    pub pages: Vec<String>,
    /// The Android apps that may.
    pub android: Vec<AndroidApp>,
    /// The ids of the Apple apps that may, each `TEAM.bundle`.
    pub apple: Vec<String>,
}

/// What a browser or an app sent of a passkey, as JSON; only what checks it reads it.
#[derive(Clone, Debug)]
pub struct CredentialJson(Vec<u8>);

impl CredentialJson {
    /// It, as text.
    pub fn new(json: &serde_json::Map<String, serde_json::Value>) -> Self {
        Self(serde_json::to_vec(json).unwrap_or_default())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// An Android app with one of the certificates that it is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndroidApp {
    /// The name of its package.
    pub package: String,
    /// The SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
}

impl Site {
    /// Every origin that a passkey may be used from, as it stands in what an authenticator signs: of pages; of Android
    /// apps, which have one of their own; and of Apple apps, for which their system writes that of the domain.
    pub fn origins(&self) -> Vec<String> {
        let mut all = self.pages.clone();
        all.extend(self.android.iter().map(AndroidApp::origin));
        let domain = format!("https://{}", self.id);
        if !self.apple.is_empty() && !all.contains(&domain) {
            all.push(domain);
        }
        all
    }
}

impl AndroidApp {
    fn origin(&self) -> String {
        format!("android:apk-key-hash:{}", BASE64URL_NOPAD.encode(&self.fingerprint))
    }

    /// The fingerprint as people write it: bytes in hexadecimal, with colons between them.
    pub fn written_fingerprint(&self) -> String {
        self.fingerprint.map(|byte| format!("{byte:02X}")).join(":")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_an_origin_like_a_page() {
        let app = AndroidApp { package: "com.example.portal".to_owned(), fingerprint: [0xab; 32] };
        let mut site = Site {
            id: "example.com".to_owned(),
            name: "Portal".to_owned(),
            pages: vec!["https://portal.example.com".to_owned()],
            android: vec![app],
            apple: Vec::new(),
        };
        assert_eq!(
            site.origins(),
            ["https://portal.example.com", "android:apk-key-hash:q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s"]
        );
        site.apple.push("ABCDE12345.com.example.portal".to_owned());
        assert_eq!(site.origins().last().unwrap(), "https://example.com");
        assert!(site.android[0].written_fingerprint().starts_with("AB:AB:"));
    }
}
