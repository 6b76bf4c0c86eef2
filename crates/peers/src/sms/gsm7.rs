//! The alphabet of telephones: which texts fit into seven bits, and into how many messages.
//!
//! [3GPP TS 23.038 §6.2.1] the default alphabet and its extension table.

/// More segments than this are not sent.
pub const SEGMENTS_MAX: usize = 6;

const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                        ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How a text travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits a character: 160 in one message, 153 in each of several.
    Gsm7,
    /// Sixteen bits a character: 70 in one message, 67 in each of several.
    Ucs2,
}

/// The encoding a text needs.
#[must_use]
pub fn encoding(text: &str) -> Encoding {
    if text.chars().all(|c| septets(c).is_some()) {
        Encoding::Gsm7
    } else {
        Encoding::Ucs2
    }
}

/// How many messages a text is sent as; each is paid for. One for an empty text.
#[must_use]
pub fn segments(text: &str) -> usize {
    match encoding(text) {
        Encoding::Gsm7 => count(text.chars().filter_map(septets), 160, 153),
        Encoding::Ucs2 => count(text.chars().map(char::len_utf16), 70, 67),
    }
}

/// Units of each character; a character is never cut in two.
fn count(units: impl Iterator<Item = usize> + Clone, alone_max: usize, part_max: usize) -> usize {
    if units.clone().sum::<usize>() <= alone_max {
        return 1;
    }
    let (full, last) = units.fold((0, 0), |(full, used), next| match used + next {
        sum if sum > part_max => (full + 1, next),
        sum => (full, sum),
    });
    full + usize::from(last > 0)
}

/// Septets of a character, when the alphabet has it.
fn septets(c: char) -> Option<usize> {
    match c {
        _ if ALPHABET.contains(c) => Some(1),
        _ if EXTENSION.contains(c) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_127_characters_and_the_escape() {
        assert_eq!(ALPHABET.chars().count(), 127);
    }

    #[test]
    fn french_and_german_mostly_fit_into_seven_bits() {
        assert_eq!(
            encoding("Votre clé à 5 € pour Zürich: 123456"),
            Encoding::Gsm7
        );
        for needs_more in ["ê", "ç", "Élève ☎", "œ", "’", "« code »"] {
            assert_eq!(encoding(needs_more), Encoding::Ucs2, "{needs_more}");
        }
    }

    #[test]
    fn segments_are_counted_as_they_are_paid() {
        for (text, count) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("ê".repeat(70), 1),
            ("ê".repeat(71), 2),
            ("😀".repeat(35), 1),
            ("😀".repeat(67), 3),
        ] {
            assert_eq!(
                segments(&text),
                count,
                "{} × {:?}",
                text.chars().count(),
                text.chars().next()
            );
        }
    }
}
