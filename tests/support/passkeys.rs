//! An installation that has passkeys, and people who have them.

use twofold::config::Config;

/// The domain that passkeys are bound to.
pub const DOMAIN: &str = "example.com";
/// The origin of the page that may ask for them.
pub const ORIGIN: &str = "https://portal.example.com";

/// An installation with passkeys for a page, two apps of one system, and one of another.
pub fn passkeys(config: &mut Config) {
    let certificate = |byte: &str| [byte; 32].join(":");
    config.webauthn.rp_id = Some(DOMAIN.to_owned());
    config.webauthn.origins = vec![ORIGIN.to_owned()];
    config.webauthn.android = vec![
        format!("com.example.portal={}", certificate("AB")),
        format!("com.example.desk={}", certificate("12")),
        format!("com.example.portal={}", certificate("CD")),
    ];
    config.webauthn.apple = vec!["ABCDE12345.com.example.portal".to_owned()];
}
