//! A one-time code as a person typed or pasted it, normalised once.

use std::fmt;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The longest input that is looked at, in bytes.
const TYPED_LEN_MAX: usize = 64;

/// Six to eight ASCII digits. What is compared and spent later is the counter they belong to,
/// never this text.
#[derive(Clone)]
pub struct Typed(Zeroizing<String>);

/// Not six to eight digits.
#[derive(Clone, Copy, Debug, Error, Eq, PartialEq)]
#[error("this is no code of six to eight digits")]
pub struct Malformed;

impl Typed {
    /// Normalises what was typed: NFKC (full-width digits become plain), then spaces, dashes, dots
    /// and invisible characters are dropped; digits are left, or it is no code.
    ///
    /// [Guide 4.9] "sans espace" is what people are told; with spaces it is accepted, too.
    ///
    /// # Errors
    /// [`Malformed`] for anything else than six to eight digits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > TYPED_LEN_MAX {
            return Err(Malformed);
        }
        let mut digits = Zeroizing::new(String::with_capacity(8));
        for c in text.nfkc() {
            match c {
                '0'..='9' if digits.len() < 8 => digits.push(c),
                _ if is_separator(c) => {}
                _ => return Err(Malformed),
            }
        }
        if digits.len() < 6 {
            Err(Malformed)
        } else {
            Ok(Self(digits))
        }
    }

    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed")
    }
}

fn is_separator(c: char) -> bool {
    c == ' '
        || c == '\t'
        || c == '.'
        || c == '_'
        || matches!(c, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::Typed;

    /// [O02] Spaces, dashes and full-width digits lead to one code; anything else is no code.
    #[test]
    fn a_code_is_normalised_once() {
        for text in [
            "123456",
            "123 456",
            " 123-456 ",
            "１２３４５６",
            "12\u{2013}34\u{a0}56",
            "123.456",
            "1\u{200b}23456",
        ] {
            assert_eq!(
                Typed::parse(text).map(|t| t.digits().to_owned()),
                Ok("123456".to_owned()),
                "{text}"
            );
        }
        assert_eq!(Typed::parse("00000001").unwrap().digits(), "00000001");
        for text in [
            "",
            "12345",
            "123456789",
            "12345a",
            "0x1234",
            "123456\0",
            "123\n456",
            "+123456",
            "-",
            "١٢٣٤٥٦",
            "½23456",
            &"1 ".repeat(40),
        ] {
            assert!(Typed::parse(text).is_err(), "{text}");
        }
    }
}
