//! The words of an SMS, and how many parts it takes: one of 160 characters where all of them are in the alphabet of GSM,
//! else one of 70 (3GPP TS 23.038 §4).

use crate::{
    domain::{account::Locale, sent_code::SentCode},
    worker::mail::texts::Texts,
};
use fluent_bundle::FluentArgs;
use zeroize::Zeroizing;

const OURS: [(Locale, &str); 3] = [
    (Locale::En, include_str!("../../../locales/en/sms.ftl")),
    (Locale::Ms, include_str!("../../../locales/ms/sms.ftl")),
    (Locale::ZhHans, include_str!("../../../locales/zh-Hans/sms.ftl")),
];

/// The name of the text that tells a code.
const CODE: &str = "sms-code";
/// Septets of one part (3GPP TS 23.040 §9.2.3.24.1: 140 octets).
const GSM_PART: usize = 160;
/// Units of UTF-16 of one part.
const UCS2_PART: usize = 70;
/// The default alphabet (3GPP TS 23.038 §6.2.1) without letters and digits of ASCII, the line feed included.
const GSM_OTHERS: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// Those of its extension, which take two places (§6.2.1.1).
const GSM_EXTENSION: &str = "^{}\\[~]|€";

/// Writes SMS.
pub struct Words {
    texts: Texts,
    product: String,
    origin: Option<String>,
}

/// An SMS without its envelope: one part.
pub struct Text {
    /// What it says.
    pub text: Zeroizing<String>,
    /// Whether the alphabet of GSM is not enough for it.
    pub is_ucs2: bool,
}

impl Words {
    /// Words for codes that are typed in at a page of `origin`. All are tried, so that what is too long is found now and not
    /// when somebody waits for it.
    ///
    /// # Errors
    /// In which language the name of the product leaves no room.
    pub fn load(product: &str, origin: Option<String>) -> Result<Self, String> {
        let product = product.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = Self { texts: Texts::read(OURS, None)?, product, origin };
        for locale in Locale::ALL {
            words.part(words.get(locale, CODE, Some("short"), ("00000000", 0))?, locale)?;
            words.test(locale)?;
        }
        Ok(words)
    }

    /// The SMS that tells a code that is good for so many minutes. Its last line binds the code to a page (WICG, Origin-bound one-time codes), where there
    /// is room for it.
    ///
    /// # Errors
    /// When the text is wrong.
    pub fn code(&self, code: &SentCode, minutes: u32, locale: Locale) -> Result<Text, String> {
        let digits = Zeroizing::new(code.reveal());
        let plain = self.get(locale, CODE, None, (&digits, minutes))?;
        let bound = self.origin.as_ref().map(|origin| Zeroizing::new(format!("{}\n@{origin} #{}", *plain, *digits)));
        let whole = bound.into_iter().chain([plain]).find_map(|text| self.part(text, locale).ok());
        match whole {
            Some(text) => Ok(text),
            None => self.part(self.get(locale, CODE, Some("short"), (&digits, minutes))?, locale),
        }
    }

    /// An SMS that is about nothing.
    ///
    /// # Errors
    /// When the text is wrong.
    pub fn test(&self, locale: Locale) -> Result<Text, String> {
        self.part(self.get(locale, "sms-test", None, ("", 0))?, locale)
    }

    fn get(
        &self,
        locale: Locale,
        name: &str,
        attribute: Option<&str>,
        (code, minutes): (&str, u32),
    ) -> Result<Zeroizing<String>, String> {
        let mut args = FluentArgs::new();
        args.set("code", code.to_owned());
        args.set("product", self.product.clone());
        args.set("minutes", minutes);
        let text = self.texts.find(locale, name, attribute, &args)?;
        text.map(Zeroizing::new).ok_or_else(|| format!("sms.ftl of {}: there is no {name}", locale.tag()))
    }

    fn part(&self, text: Zeroizing<String>, locale: Locale) -> Result<Text, String> {
        let septets = septets(&text);
        let fits = septets.map_or(text.encode_utf16().count() <= UCS2_PART, |septets| septets <= GSM_PART);
        let is_ucs2 = septets.is_none();
        fits.then_some(Text { text, is_ucs2 }).ok_or_else(|| {
            format!("TWOFOLD_PRODUCT_NAME leaves no room for a code in one part of an SMS ({})", locale.tag())
        })
    }
}

/// Places that a text takes in the alphabet of GSM; none where that has not all of its characters.
fn septets(text: &str) -> Option<usize> {
    let places = |c: char| match c {
        _ if c.is_ascii_alphanumeric() || GSM_OTHERS.contains(c) => Some(1),
        _ if GSM_EXTENSION.contains(c) => Some(2),
        _ => None,
    };
    text.chars().map(places).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> SentCode {
        SentCode::parse("12345678", "").unwrap()
    }

    fn said(words: &Words, minutes: u32, locale: Locale) -> String {
        words.code(&code(), minutes, locale).unwrap().text.to_string()
    }

    #[test]
    fn a_code_is_told_in_one_part_with_the_page_that_it_is_for() {
        let words = Words::load("Customer Portal", Some("portal.example".to_owned())).unwrap();
        for (locale, expected) in [
            (
                Locale::En,
                "12345678 is your code for Customer Portal, good for 10 minutes. We never ask you for it.\n@portal.example #12345678",
            ),
            (
                Locale::Ms,
                "12345678 ialah kod anda untuk Customer Portal, sah selama 10 minit. Kami tidak pernah memintanya daripada anda.\n@portal.example #12345678",
            ),
            // The last line would take a second part.
            (Locale::ZhHans, "12345678 是您的 Customer Portal 验证码，10 分钟内有效。我们绝不会向您索要。"),
        ] {
            let Text { text, is_ucs2 } = words.code(&code(), 10, locale).unwrap();
            assert_eq!((text.as_str(), is_ucs2), (expected, locale == Locale::ZhHans));
        }
        let words = Words::load("门户", Some("a.example".to_owned())).unwrap();
        assert_eq!(
            said(&words, 1, Locale::ZhHans),
            "12345678 是您的 门户 验证码，1 分钟内有效。我们绝不会向您索要。\n@a.example #12345678"
        );
        assert_eq!(
            said(&words, 1, Locale::En),
            "12345678 is your code for 门户",
            "any letter that GSM has not takes room"
        );
    }

    #[test]
    fn a_name_that_leaves_no_room_is_told_before_anybody_waits() {
        let refused = |product: &str| Words::load(product, None).err().unwrap_or_default();
        assert_eq!(refused(&"x".repeat(50)), "");
        assert!(refused(&"x".repeat(60)).contains("(zh-Hans)"));
        assert!(refused(&"x".repeat(150)).contains("(en)"));
        assert!(refused(&"€".repeat(70)).contains("(en)"), "a euro takes two places");
    }

    #[test]
    fn a_name_of_several_lines_adds_no_line() {
        let words = Words::load("Evil\r\n@evil.example #1\u{2028}x", Some("portal.example".to_owned())).unwrap();
        let lines = said(&words, 1, Locale::En);
        let lines: Vec<&str> = lines.lines().collect();
        assert!(lines.len() <= 2 && lines.iter().all(|line| !line.starts_with("@evil")), "{lines:?}");
    }

    #[test]
    fn places_are_counted_as_the_alphabet_has_them() {
        assert_eq!((septets("Äé@ 09"), septets("{€}"), septets("ç"), septets("“")), (Some(6), Some(6), None, None));
    }
}
