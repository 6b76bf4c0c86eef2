//! User names as people type them, and the one key under which they are found.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The longest name that is looked at, in bytes.
const NAME_LEN_MAX: usize = 256;

/// The key of a user name or alias: two spellings of one name have one key, so that every alias of
/// a person leads to the same person and the same budget.
///
/// Case, accents, surrounding and inner spaces do not count; `ß` is `ss`.
#[derive(Clone, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct NameKey(String);

impl NameKey {
    /// The key of what was typed; none for nothing, too much, or control characters.
    #[must_use]
    pub fn of(typed: &str) -> Option<Self> {
        if typed.len() > NAME_LEN_MAX || typed.chars().any(char::is_control) {
            return None;
        }
        let folded: String = typed
            .nfkd()
            .filter(|c| !is_combining_mark(*c) && !c.is_whitespace() && !is_invisible(*c))
            .flat_map(char::to_lowercase)
            .collect::<String>()
            .replace('ß', "ss");
        (!folded.is_empty()).then_some(Self(folded))
    }

    /// The folded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // People type their password into this field now and then.
        f.write_str("NameKey")
    }
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::NameKey;

    /// [A14] Every spelling of a name leads to the same account and the same budget.
    #[test]
    fn spellings_of_one_name_have_one_key() {
        let key = NameKey::of("elodie.rey").unwrap();
        for typed in [
            "Élodie.Rey",
            "ELODIE.REY",
            " elodie.rey ",
            "elodie. rey",
            "e\u{301}lodie.rey",
            "ｅlodie.rey",
            "elodie\u{200b}.rey",
        ] {
            assert_eq!(NameKey::of(typed), Some(key.clone()), "{typed}");
        }
        assert_eq!(NameKey::of("groß"), NameKey::of("GROSS"));
    }

    #[test]
    fn a_name_of_nothing_or_too_much_has_no_key() {
        for typed in ["", "   ", "a\nb", "\u{0}", &"a".repeat(257)] {
            assert_eq!(NameKey::of(typed), None);
        }
    }
}
