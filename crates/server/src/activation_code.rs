//! Activation codes: how they are drawn, typed, and remembered.

use journey::PersonId;
use store::seal::{Keys, Purpose};
use unicode_normalization::UnicodeNormalization;

use crate::world::{Draw, World, crockford};

/// Characters of a code, without what groups them.
pub const LEN: usize = 10;
/// The longest text that is looked at, in bytes.
const TYPED_LEN_MAX: usize = 64;

/// Draws a code, in the form in which a person reads it: `XXXXX-XXXXX`. Ten of thirty letters and
/// digits: 49 bits.
#[must_use]
pub fn draw(world: &dyn World) -> String {
    let letters = crockford(&world.bytes::<LEN>());
    let (front, back) = letters.split_at_checked(LEN / 2).unwrap_or((&letters, ""));
    format!("{front}-{back}")
}

/// What a person typed or pasted, in the one form that is compared: NFKC, upper case, letters and
/// digits only. None if it cannot be a code.
#[must_use]
pub fn canonical(typed: &str) -> Option<String> {
    canonical_of(typed, LEN)
}

/// The same of a code of so many characters.
pub(crate) fn canonical_of(typed: &str, len: usize) -> Option<String> {
    if typed.len() > TYPED_LEN_MAX {
        return None;
    }
    let mut code = String::with_capacity(len);
    for c in typed.nfkc().flat_map(char::to_uppercase) {
        match c {
            'A'..='Z' | '0'..='9' => code.push(c),
            c if c.is_alphanumeric() => return None,
            _ => {}
        }
    }
    (code.len() == len).then_some(code)
}

/// What is remembered of a code: a MAC of the person and the code, under a key that is not in the
/// database.
#[must_use]
pub fn mac(keys: &Keys, person: PersonId, canonical: &str) -> [u8; 32] {
    keys.mac(Purpose::ActivationCode, &data(person, canonical))
}

/// Whether this is what was remembered of the code, when whichever of the keys was in use.
#[must_use]
pub fn is(keys: &Keys, person: PersonId, canonical: &str, mac: &[u8; 32]) -> bool {
    keys.is_mac(Purpose::ActivationCode, &data(person, canonical), mac)
}

fn data(person: PersonId, canonical: &str) -> Vec<u8> {
    [person.0.as_slice(), canonical.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl World for Counting {
        fn now(&self) -> journey::Timestamp {
            journey::Timestamp(0)
        }

        fn fill(&self, bytes: &mut [u8]) {
            for (byte, number) in bytes.iter_mut().zip(0..) {
                *byte = number * 25;
            }
        }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let drawn = draw(&Counting);
        assert_eq!(drawn.len(), LEN + 1);
        let code = canonical(&drawn).unwrap();
        for typed in [
            drawn.to_lowercase(),
            format!("  {} ", drawn.replace('-', " ")),
            drawn.replace('-', "\u{2013}"),
            drawn.replace('-', "\u{200b}"),
            code.chars().map(|c| format!("{c} ")).collect(),
        ] {
            assert_eq!(canonical(&typed).as_ref(), Some(&code), "{typed}");
        }
        let wide: String = code
            .chars()
            .filter_map(|c| char::from_u32(u32::from(c) + 0xfee0))
            .collect();
        assert_eq!(canonical(&wide), Some(code));
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        for typed in [
            "",
            "ABCDE-FGHJ",
            "ABCDE-FGHJK-M",
            "ÀBCDE-FGHJK",
            &"A ".repeat(40),
        ] {
            assert_eq!(canonical(typed), None, "{typed}");
        }
    }

    /// [O16] A code belongs to one person, and only its MAC is kept.
    #[test]
    fn a_code_of_one_person_is_none_of_another() {
        let keys = Keys::from_master(&[7; 32]);
        let of = |person| mac(&keys, PersonId([person; 16]), "ABCDE23456");
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        let newer = Keys::from_master(&[7; 32]).and_newer(&[8; 32]);
        assert!(is(&newer, PersonId([1; 16]), "ABCDE23456", &of(1)));
        assert!(!is(&newer, PersonId([2; 16]), "ABCDE23456", &of(1)));
    }
}
