//! What a new password must be, as data; the reasons it is refused, in an order people can use.

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::secret::Secret;

/// No password is longer, in bytes of UTF-8: it is refused before it is hashed.
pub const PASSWORD_LEN_MAX: usize = 1024;

/// Rules for a new password, part of the policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordRules {
    /// Whether common passwords are refused.
    pub block_list: bool,
    /// How many of the four classes (upper, lower, digit, special) there must be: 0 to 4.
    pub classes_min: u8,
    /// How many former passwords are refused.
    pub history: u8,
    /// The most characters.
    pub length_max: u16,
    /// The fewest characters.
    pub length_min: u16,
    /// Whether first and last name are refused within it.
    pub no_names: bool,
    /// Words of the house that are refused within it, such as the portal's name.
    #[serde(default)]
    pub no_words: Vec<String>,
}

/// Why a password is refused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Complaint {
    /// The two fields differ.
    NotTheSame,
    /// Fewer characters than the rules ask for.
    TooShort,
    /// More characters than the rules allow.
    TooLong,
    /// Not enough kinds of characters.
    TooFewClasses,
    /// It is the activation code.
    IsTheCode,
    /// It contains the first or the last name.
    ContainsName,
    /// It contains a word of the house.
    ContainsWord,
    /// It is one of the most common passwords.
    TooCommon,
    /// It is one of the last ones. Only the server can know: hashes are compared.
    UsedBefore,
}

/// What a password is judged against.
#[derive(Clone, Copy, Debug)]
pub struct Wearer<'a> {
    /// The activation code that opened the journey.
    pub activation_code: Option<&'a Secret>,
    /// As in the register.
    pub first_name: &'a str,
    /// As in the register.
    pub last_name: &'a str,
    /// As in the register.
    pub username: &'a str,
}

impl PasswordRules {
    /// Everything that is wrong with a password, or nothing.
    ///
    /// Characters are counted after NFC, as the password is hashed.
    #[must_use]
    pub fn judge(&self, password: &str, wearer: &Wearer<'_>) -> Vec<Complaint> {
        if password.len() > PASSWORD_LEN_MAX {
            return vec![Complaint::TooLong];
        }
        let password: String = password.nfc().collect();
        let length = password.chars().count();
        let folded = fold(&password);
        let code = wearer
            .activation_code
            .map(Secret::expose)
            .unwrap_or_default();
        let code = String::from_utf8_lossy(code);
        let checks = [
            (Complaint::TooShort, length < usize::from(self.length_min)),
            (Complaint::TooLong, length > usize::from(self.length_max)),
            (
                Complaint::TooFewClasses,
                classes(&password) < self.classes_min,
            ),
            (
                Complaint::IsTheCode,
                !code.is_empty() && plain(&folded) == plain(&fold(&code)),
            ),
            (
                Complaint::ContainsName,
                self.no_names && contains_name(&folded, wearer),
            ),
            (
                Complaint::ContainsWord,
                self.no_words
                    .iter()
                    .any(|word| has_word(&folded, &fold(word))),
            ),
            (Complaint::TooCommon, self.block_list && is_common(&folded)),
        ];
        checks
            .into_iter()
            .filter_map(|(complaint, found)| found.then_some(complaint))
            .collect()
    }
}

/// How many of upper, lower, digit and special there are.
fn classes(password: &str) -> u8 {
    let of = |c: char| match c {
        _ if c.is_uppercase() => 0b1,
        _ if c.is_lowercase() => 0b10,
        _ if c.is_numeric() => 0b100,
        _ => 0b1000_u8,
    };
    let seen = password.chars().fold(0, |seen, c| seen | of(c));
    u8::try_from(seen.count_ones()).unwrap_or(4)
}

/// Parts of names shorter than three letters would refuse half of all passwords.
fn contains_name(folded: &str, wearer: &Wearer<'_>) -> bool {
    let names = [wearer.first_name, wearer.last_name, wearer.username];
    let parts = names
        .iter()
        .flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
    parts
        .map(fold)
        .any(|part| part.chars().count() >= 3 && folded.contains(&part))
}

/// A short word counts only where it stands alone: `ent` is in half of all French words.
fn has_word(folded: &str, word: &str) -> bool {
    if word.chars().count() >= 5 {
        return folded.contains(word);
    }
    folded
        .split(|c: char| !c.is_alphabetic())
        .any(|part| part == word)
}

/// Case and accents do not make another word.
fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The common passwords, one a line, folded and sorted.
const COMMON: &str = include_str!("../../data/common-passwords.txt");

fn is_common(folded: &str) -> bool {
    static SORTED: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();
    let sorted = SORTED.get_or_init(|| {
        let mut lines: Vec<_> = COMMON
            .lines()
            .filter(|line| !line.starts_with("# "))
            .collect();
        lines.sort_unstable();
        lines
    });
    let root = folded.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    [folded, root]
        .iter()
        .any(|text| sorted.binary_search(text).is_ok())
        || is_repetition(folded)
        || is_sequence(folded)
}

/// `123456789012345`, `abcdefghijklmno`, `987654321098765`: every character follows the one before.
fn is_sequence(text: &str) -> bool {
    let follows = |a: char, b: char| u32::from(a) + 1 == u32::from(b) || (a, b) == ('9', '0');
    let pairs = || text.chars().zip(text.chars().skip(1));
    pairs().all(|(a, b)| follows(a, b)) || pairs().all(|(a, b)| follows(b, a))
}

/// `aaaaaaaaaa`, `abcabcabcabc`, `1234512345`: a short piece said again and again.
fn is_repetition(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=chars.len() / 2).any(|n| chars.iter().zip(chars.iter().skip(n)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Wearer<'_> = Wearer {
        activation_code: None,
        first_name: "Anna-Élise",
        last_name: "de Preux",
        username: "anna.depreux",
    };

    fn cantonal() -> PasswordRules {
        crate::policy::Policy::valais().password
    }

    fn current() -> PasswordRules {
        crate::policy::Policy::recommended().password
    }

    #[test]
    fn the_cantonal_rules_say_each_reason() {
        let code = Secret::new(b"ABCD-EFGH-12".to_vec());
        let anna = Wearer {
            activation_code: Some(&code),
            ..ANNA
        };
        for (password, expected) in [
            ("Tropfen4712", vec![]),
            ("Rhône-Gletscher", vec![]),
            ("Kurz1!abc", vec![Complaint::TooShort]),
            (&"Aa1".repeat(17), vec![Complaint::TooLong]),
            ("nurkleinbuchstaben", vec![Complaint::TooFewClasses]),
            ("zweiklassen12", vec![Complaint::TooFewClasses]),
            ("abcd EFGH 12", vec![Complaint::IsTheCode]),
            ("MeineElise2024", vec![Complaint::ContainsName]),
            ("PREUX-Tropfen1", vec![Complaint::ContainsName]),
            (
                "anna",
                vec![
                    Complaint::TooShort,
                    Complaint::TooFewClasses,
                    Complaint::ContainsName,
                ],
            ),
        ] {
            assert_eq!(cantonal().judge(password, &anna), expected, "{password}");
        }
    }

    /// [A08] Fifteen characters where the password may be the only factor, all of Unicode, no
    /// composition rules. [A09] Nothing is cut off.
    #[test]
    fn the_recommended_rules_ask_for_length_and_nothing_else() {
        for fine in [
            "vier gelbe kühe am morgen",
            "ваше здоровье друзья",
            "\u{1f9c0}".repeat(15).as_str().trim_end_matches('x'),
        ] {
            let complaints = current().judge(fine, &ANNA);
            assert!(
                complaints.is_empty() || complaints == [Complaint::TooCommon],
                "{fine} {complaints:?}"
            );
        }
        assert_eq!(
            current().judge("fourteen chars", &ANNA),
            [Complaint::TooShort]
        );
        assert!(
            current()
                .judge(&"ab c?".repeat(50), &ANNA)
                .contains(&Complaint::TooCommon)
        );
        assert!(
            current()
                .judge(&"x".repeat(1025), &ANNA)
                .contains(&Complaint::TooLong)
        );
        assert!(current().length_max >= 64);
    }

    /// [A11] Common passwords and words of the house are refused, offline.
    #[test]
    fn common_passwords_are_refused() {
        assert!(
            COMMON
                .lines()
                .filter(|line| !line.starts_with("# "))
                .count()
                >= 3000
        );
        let short = PasswordRules {
            length_min: 1,
            ..current()
        };
        for common in [
            "password",
            "Qwertyuiop",
            "iloveyou1",
            "123456789",
            "password2024!",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
        ] {
            assert!(
                short.judge(common, &ANNA).contains(&Complaint::TooCommon),
                "{common}"
            );
        }
        for house in [
            "mein ENT ist toll heute",
            "ism forever and ever",
            "VALAIS wallis valais",
        ] {
            assert!(
                current()
                    .judge(house, &ANNA)
                    .contains(&Complaint::ContainsWord),
                "{house}"
            );
        }
    }
}
