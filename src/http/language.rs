//! Human texts, in the language that the client asked for. Codes never change.

use crate::domain::account::Locale;
use actix_web::{
    HttpRequest,
    http::header::{AcceptLanguage, Header, Preference, Quality},
};
use fluent_templates::{LanguageIdentifier, Loader, static_loader};

static_loader! {
    static TEXTS = {
        locales: "./locales",
        fallback_language: "en",
        // Isolation marks are for mixed writing directions; ours are read by programs too.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// The best language that we speak of those the client reads, by quality (RFC 9110 §12.5.4).
pub fn of(request: &HttpRequest) -> Locale {
    let accepted = AcceptLanguage::parse(request).map(|accepted| accepted.0).unwrap_or_default();
    let wanted = accepted.into_iter().filter(|item| item.quality > Quality::ZERO).collect();
    let ranked = AcceptLanguage(wanted).ranked();
    let ranges = ranked.into_iter().filter_map(|preference| match preference {
        Preference::Any => None,
        Preference::Specific(tag) => Some(tag.to_string()),
    });
    ranges.filter_map(|range| Locale::serving(&range)).next().unwrap_or_default()
}

/// A text by its name in `locales/`; every name that the code uses is there in every language.
pub fn text(locale: Locale, name: &str) -> String {
    let id: Result<LanguageIdentifier, _> = locale.tag().parse();
    let found = id.ok().and_then(|id| TEXTS.try_lookup(&id, name));
    found.unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn language(header: &str) -> Locale {
        of(&TestRequest::default().insert_header(("Accept-Language", header)).to_http_request())
    }

    #[test]
    fn the_best_language_that_we_speak_wins() {
        assert_eq!(language("ms"), Locale::Ms);
        assert_eq!(language("fr, zh-CN;q=0.8, ms;q=0.9"), Locale::Ms);
        assert_eq!(language("zh-Hant, en;q=0.5"), Locale::En);
        assert_eq!(language("ms;q=0, fr"), Locale::En);
        assert_eq!(language("*"), Locale::En);
        assert_eq!(language(";;;,,q="), Locale::En);
    }
}
