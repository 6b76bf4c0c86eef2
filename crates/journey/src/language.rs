//! The languages in which a person is spoken to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language of the pages, mails and messages. A further one is a further variant and a folder in
/// `locales/`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// German, Swiss usage.
    De,
    /// English.
    En,
    /// French, the language of the guide.
    #[default]
    Fr,
}

impl Language {
    /// All of them, in the order in which the switch shows them.
    pub const ALL: [Self; 3] = [Self::Fr, Self::De, Self::En];

    /// The two-letter code, as in `lang="fr"`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// The language of a code or tag such as `de`, `de-CH` or `FR`; none for another language.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// The best of ours for an `Accept-Language` header; French where none is named.
    ///
    /// [RFC 9110 §12.5.4] gives weights from 0 to 1 in `q`; an entry without one weighs 1. Only the
    /// first sixteen entries are read.
    #[must_use]
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best = (Self::default(), 0_u16);
        for entry in accept_language.split(',').take(16) {
            let mut parts = entry.split(';');
            let Some(language) = parts.next().map(str::trim).and_then(Self::parse) else {
                continue;
            };
            let weight = parts.find_map(weight_of).unwrap_or(1000);
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// `q=0.7` in thousandths.
fn weight_of(parameter: &str) -> Option<u16> {
    let value: f32 = parameter.trim().strip_prefix("q=")?.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1000"
    )]
    Some((value.clamp(0.0, 1.0) * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_browser_language_with_the_highest_weight_wins() {
        assert_eq!(Language::negotiate("de-CH,de;q=0.9,fr;q=0.8"), Language::De);
        assert_eq!(Language::negotiate("it, fr;q=0.2, en;q=0.7"), Language::En);
    }

    #[test]
    fn an_unknown_or_broken_header_means_french() {
        for header in ["", "it", "de;q=0", ";;;,,,", "\u{0}", "xx;q=NaN"] {
            assert_eq!(Language::negotiate(header), Language::Fr, "{header:?}");
        }
    }
}
