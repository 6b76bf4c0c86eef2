//! What people type: a code becomes six to eight digits or nothing; a number and a name have one form.

use journey::{NameKey, Phone, Typed};
use unicode_normalization::UnicodeNormalization;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "otp",
    bytes_max: 300,
    dictionary: "typed",
    seeds,
    accepts,
};

fn accepts(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let code = is_a_code(text);
    let number = is_a_number(text);
    let name = is_a_name(text);
    code || number || name
}

/// Six to eight digits in the order in which they were typed.
fn is_a_code(text: &str) -> bool {
    let Ok(typed) = Typed::parse(text) else {
        return false;
    };
    let digits = typed.digits();
    assert!((6..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let in_order: String = text.nfkc().filter(char::is_ascii_digit).collect();
    assert_eq!(in_order, digits);
    let again = Typed::parse(digits);
    assert!(again.is_ok_and(|again| again.digits() == digits));
    true
}

fn is_a_number(text: &str) -> bool {
    let Ok(phone) = Phone::parse(text) else {
        return false;
    };
    let whole = phone.as_str();
    let digits = whole.strip_prefix('+').unwrap_or_default();
    assert!((9..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let masked = phone.masked();
    let shown = masked.chars().filter(char::is_ascii_digit).count();
    assert!(shown <= 7 && shown < digits.len(), "{masked}");
    let again = Phone::parse(whole);
    assert!(again.is_ok_and(|again| again.as_str() == whole), "{whole}");
    true
}

/// The key of a name is its own key: who types it finds the same person.
fn is_a_name(text: &str) -> bool {
    let Some(key) = NameKey::of(text) else {
        return false;
    };
    let folded = key.as_str();
    assert!(!folded.is_empty() && !folded.contains(char::is_whitespace));
    // Folding may make a name longer than what is looked at.
    let again = NameKey::of(folded).filter(|_| folded.len() <= 256);
    assert!(
        again.is_none_or(|again| again.as_str() == folded),
        "{text:?}"
    );
    true
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "123456",
        "123 456-78",
        "\u{ff11}\u{ff12}\u{ff13}\u{200b}\u{ff14}\u{ff15}\u{ff16}",
        "079 123 45 67",
        "+41 (0)79 123 45 67",
        "00423 123 456 789",
        "Chlo\u{e9}.Zufferey",
        "M\u{fc}ller-Stra\u{df}e",
        "\u{1e9e}\u{130}\u{fb01}\u{3a3}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
