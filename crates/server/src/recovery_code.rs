//! Recovery codes: how they are drawn, typed, and remembered.

use journey::PersonId;
use store::seal::{Keys, Purpose};

use crate::{
    activation_code::canonical_of,
    world::{Draw, World, crockford},
};

/// Characters of a code, without what groups them.
const LEN: usize = 15;
/// Characters that stand together.
const GROUP: usize = 5;

/// Draws a code, in the form in which a person reads it: `XXXXX-XXXXX-XXXXX`. Fifteen of thirty letters and
/// digits: 73 bits, where 64 are asked for [NIST SP 800-63B-4 §4.2].
pub(crate) fn draw(world: &dyn World) -> String {
    let letters = crockford(&world.bytes::<LEN>());
    let mut code = String::with_capacity(LEN + LEN / GROUP);
    for (at, letter) in letters.chars().enumerate() {
        if at > 0 && at % GROUP == 0 {
            code.push('-');
        }
        code.push(letter);
    }
    code
}

/// What a person typed or pasted, in the one form that is compared. None if it cannot be a code.
pub(crate) fn canonical(typed: &str) -> Option<String> {
    canonical_of(typed, LEN)
}

/// What is remembered of a code: a MAC of the person and the code, under a key that is not in the database.
pub(crate) fn mac(keys: &Keys, person: PersonId, canonical: &str) -> [u8; 32] {
    keys.mac(Purpose::ActivationCode, &data(person, canonical))
}

/// Whether this is what was remembered of the code, when whichever of the keys was in use.
pub(crate) fn is(keys: &Keys, person: PersonId, canonical: &str, mac: &[u8; 32]) -> bool {
    keys.is_mac(Purpose::ActivationCode, &data(person, canonical), mac)
}

/// Longer than what an activation code is remembered by, so that neither is ever taken for the other.
fn data(person: PersonId, canonical: &str) -> Vec<u8> {
    [b"recovery code ", person.0.as_slice(), canonical.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RealWorld;

    /// [O15] At least 64 bits, never twice, and in groups that one can copy.
    #[test]
    fn a_code_is_long_and_new_each_time() {
        let bits = 30_f64.log2() * 15.0;
        assert!(bits >= 64.0, "{bits}");
        let codes: std::collections::BTreeSet<_> = (0..1000).map(|_| draw(&RealWorld)).collect();
        assert_eq!(codes.len(), 1000);
        for code in codes {
            let groups: Vec<_> = code.split('-').map(str::len).collect();
            assert_eq!(groups, [5, 5, 5], "{code}");
        }
    }

    /// [O15] Case, dashes, spaces and full width are the person's own.
    #[test]
    fn a_code_is_read_as_people_type_it() {
        let drawn = draw(&RealWorld);
        let code = canonical(&drawn).unwrap();
        let wide: String = code
            .chars()
            .filter_map(|c| char::from_u32(u32::from(c) + 0xfee0))
            .collect();
        for typed in [
            drawn.to_lowercase(),
            format!("  {} ", drawn.replace('-', " ")),
            drawn.replace('-', "\u{2013}"),
            drawn.replace('-', "\u{200b}"),
            code.chars().map(|c| format!("{c} ")).collect(),
            wide,
        ] {
            assert_eq!(canonical(&typed).as_ref(), Some(&code), "{typed}");
        }
        for typed in [
            "",
            "123456",
            "ABCDE-FGHJK",
            "ABCDE-FGHJK-MNPQR-S",
            "ÀBCDE-FGHJK-MNPQR",
        ] {
            assert_eq!(canonical(typed), None, "{typed}");
        }
    }

    /// [O15] Only a MAC is kept: of one person, and recognised when another key has taken over.
    #[test]
    fn a_code_of_one_person_is_none_of_another() {
        let (keys, code) = (Keys::from_master(&[7; 32]), "ABCDEFGHJKMNPQR");
        let (one, other) = (PersonId([1; 16]), PersonId([2; 16]));
        let kept = mac(&keys, one, code);
        assert!(is(&keys, one, code, &kept));
        assert!(!is(&keys, other, code, &kept));
        let newer = Keys::from_master(&[7; 32]).and_newer(&[8; 32]);
        assert!(is(&newer, one, code, &kept));
        let left =
            Keys::from_numbered(2, &[8; 32]).and_checks(1, &store::seal::Checks::of(&[7; 32]));
        assert!(is(&left, one, code, &kept));
    }
}
