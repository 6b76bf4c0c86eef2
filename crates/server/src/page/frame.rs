//! What is around every page: language, name of the institution, style, help.

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::FluentValue;
use journey::Language;

use crate::words::{Saying, Words};

/// What every page needs besides its own data.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The language in which the person is spoken to.
    pub language: Language,
    /// The nonce of this response's `Content-Security-Policy`, for the style and the script.
    pub nonce: &'a str,
    /// Who stands behind this service, such as «Identité numérique — Canton du Valais».
    pub institution: &'a str,
    /// Path and query at which a `GET` shows this page; the language switch leads back to it.
    pub here: &'a str,
    /// Whom to ask, as it is to be read: a name, an address, a telephone number.
    pub support: &'a str,
}

/// One entry of the language switch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LanguageLink {
    /// The language it leads to.
    pub language: Language,
    /// The name of the language, in the language.
    pub name: &'static str,
    /// This page in that language.
    pub url: String,
    /// Whether it is the language of this page.
    pub current: bool,
}

impl Frame<'_> {
    /// A sentence of this page's language.
    #[must_use]
    pub fn say(&self, key: &str) -> Cow<'static, str> {
        Words::of(self.language).say(key)
    }

    /// Begins a sentence with arguments: `frame.given("at", 2).given("of", 3).say("step")`.
    #[must_use]
    pub fn given<'b>(&self, name: &'b str, value: impl Into<FluentValue<'b>>) -> Saying<'b> {
        Words::of(self.language).given(name, value)
    }

    /// This page in every language, with `ui=` as the only difference.
    #[must_use]
    pub fn language_links(&self) -> Vec<LanguageLink> {
        Language::ALL
            .into_iter()
            .map(|language| LanguageLink {
                language,
                name: name_of(language),
                url: in_language(self.here, language),
                current: language == self.language,
            })
            .collect()
    }

    /// The style sheet without its indentation and comments.
    pub(super) fn style(&self) -> &'static str {
        static STYLE: LazyLock<String> = LazyLock::new(|| {
            let lines = include_str!("../../../../pages/style.css")
                .lines()
                .map(str::trim);
            lines.filter(|line| !line.starts_with("/*")).collect()
        });
        &STYLE
    }
}

/// A length of time for people: seconds up to a minute and a half, then minutes, then hours.
pub(super) fn span(frame: &Frame<'_>, seconds: u64) -> String {
    match seconds {
        0..90 => frame.given("n", seconds).say("span-seconds"),
        90..5400 => frame.given("n", seconds.div_ceil(60)).say("span-minutes"),
        _ => frame.given("n", seconds.div_ceil(3600)).say("span-hours"),
    }
}

fn name_of(language: Language) -> &'static str {
    match language {
        Language::De => "Deutsch",
        Language::En => "English",
        Language::Fr => "Français",
    }
}

/// A local address with `ui` set. What is not a path of ours leads to the front page.
fn in_language(here: &str, language: Language) -> String {
    let local = here.starts_with('/') && !here.starts_with("//") && !here.starts_with("/\\");
    let (path, query) = if local {
        here.split_once('?').unwrap_or((here, ""))
    } else {
        ("/", "")
    };
    let mut url = format!("{path}?");
    for pair in query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("ui="))
    {
        url.push_str(pair);
        url.push('&');
    }
    url.push_str("ui=");
    url.push_str(language.code());
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_switch_keeps_the_query_and_replaces_only_the_language() {
        let shown = in_language("/authorize?client_id=ent&ui=fr&state=a%26b", Language::De);
        assert_eq!(shown, "/authorize?client_id=ent&state=a%26b&ui=de");
        assert_eq!(in_language("/login/7", Language::En), "/login/7?ui=en");
    }

    #[test]
    fn the_language_switch_never_leaves_the_house() {
        for here in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:x",
        ] {
            assert_eq!(in_language(here, Language::Fr), "/?ui=fr", "{here}");
        }
    }
}
