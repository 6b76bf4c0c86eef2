//! What the demo's pages say, in the language of who looks at them.

use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::web::{self, Fields};

/// The cookie that keeps the language chosen by `?lang=`.
pub(crate) const LANGUAGE_COOKIE: &str = "demo_lang";

/// A language of the demo's pages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Words {
    #[default]
    French,
    German,
    English,
}

impl Words {
    pub(crate) const ALL: [Self; 3] = [Self::French, Self::German, Self::English];

    /// The language's BCP 47 tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::German => "de",
            Self::English => "en",
        }
    }

    /// `?lang=` decides, else the cookie, else `Accept-Language`, else French.
    pub(crate) fn of(headers: &HeaderMap, query: &Fields) -> Self {
        query
            .one("lang")
            .and_then(Self::from_tag)
            .or_else(|| web::cookie(headers, LANGUAGE_COOKIE).and_then(Self::from_tag))
            .or_else(|| accepted(headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?))
            .unwrap_or_default()
    }

    /// The language of a tag such as `de-CH`.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?.trim();
        Self::ALL
            .into_iter()
            .find(|words| primary.eq_ignore_ascii_case(words.tag()))
    }

    /// The text of `key`; a key nobody wrote shows itself.
    pub(crate) fn say(self, key: &str) -> String {
        self.find(key, None).unwrap_or_else(|| key.to_owned())
    }

    /// The text of `key` with `{ $value }` filled in.
    pub(crate) fn tell(self, key: &str, value: impl ToString) -> String {
        let mut args = FluentArgs::new();
        args.set("value", value.to_string());
        self.find(key, Some(&args))
            .unwrap_or_else(|| key.to_owned())
    }

    /// The text of `key` with the number `{ $count }` filled in.
    pub(crate) fn count(self, key: &str, count: i64) -> String {
        let mut args = FluentArgs::new();
        args.set("count", count);
        self.find(key, Some(&args))
            .unwrap_or_else(|| key.to_owned())
    }

    /// Whether somebody wrote `key`.
    pub(crate) fn knows(self, key: &str) -> bool {
        self.bundle().has_message(key)
    }

    /// How long before `now` something was, in words.
    pub(crate) fn ago(self, then: i64, now: i64) -> String {
        match now.saturating_sub(then).max(0) {
            seconds @ 0..60 => self.count("ago-seconds", seconds),
            seconds @ 60..3600 => self.count("ago-minutes", seconds / 60),
            seconds => self.count("ago-hours", seconds / 3600),
        }
    }

    fn find(self, key: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
        let bundle = self.bundle();
        let pattern = bundle.get_message(key)?.value()?;
        Some(
            bundle
                .format_pattern(pattern, args, &mut Vec::new())
                .into_owned(),
        )
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        match self {
            Self::French => &FRENCH,
            Self::German => &GERMAN,
            Self::English => &ENGLISH,
        }
    }
}

static FRENCH: LazyLock<FluentBundle<FluentResource>> =
    LazyLock::new(|| bundle("fr-CH", FRENCH_FILE));
static GERMAN: LazyLock<FluentBundle<FluentResource>> =
    LazyLock::new(|| bundle("de-CH", GERMAN_FILE));
static ENGLISH: LazyLock<FluentBundle<FluentResource>> =
    LazyLock::new(|| bundle("en", ENGLISH_FILE));

const FRENCH_FILE: &str = include_str!("../locales/fr.ftl");
const GERMAN_FILE: &str = include_str!("../locales/de.ftl");
const ENGLISH_FILE: &str = include_str!("../locales/en.ftl");

fn bundle(tag: &str, file: &str) -> FluentBundle<FluentResource> {
    let language: LanguageIdentifier = tag.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(file.to_owned()).unwrap_or_else(|(partial, _)| partial);
    bundle.add_resource_overriding(resource);
    bundle
}

/// The best of ours in an `Accept-Language` line; the earlier wins among equals.
fn accepted(line: &str) -> Option<Words> {
    let mut best: Option<(f32, Words)> = None;
    for range in line.split(',').take(16) {
        let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
        let weight = weight
            .trim()
            .strip_prefix("q=")
            .map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if let Some(words) = Words::from_tag(tag.trim())
            && weight > best.map_or(0.0, |(best, _)| best)
        {
            best = Some((weight, words));
        }
    }
    best.map(|(_, words)| words)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keys(file: &str) -> BTreeSet<&str> {
        file.lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
            .filter_map(|line| line.split_once(" = ").or_else(|| line.split_once(" =")))
            .map(|(key, _)| key)
            .collect()
    }

    #[test]
    fn every_text_is_written_in_every_language() {
        assert_eq!(keys(FRENCH_FILE), keys(GERMAN_FILE));
        assert_eq!(keys(FRENCH_FILE), keys(ENGLISH_FILE));
        for (words, file) in [
            (Words::French, FRENCH_FILE),
            (Words::German, GERMAN_FILE),
            (Words::English, ENGLISH_FILE),
        ] {
            assert!(
                FluentResource::try_new(file.to_owned()).is_ok(),
                "{words:?}"
            );
            for key in keys(file) {
                assert!(words.knows(key), "{words:?} {key}");
            }
        }
    }

    #[test]
    fn no_swiss_text_has_a_sharp_s() {
        assert!(!GERMAN_FILE.contains('\u{df}'));
    }

    #[test]
    fn the_heavier_language_wins() {
        assert_eq!(accepted("it, de-CH;q=0.7, en;q=0.8"), Some(Words::English));
        assert_eq!(accepted("fr-CH, de"), Some(Words::French));
        assert_eq!(accepted("it, rm;q=0.5, de;q=0"), None);
    }
}
