//! Telephone numbers to which a code may be sent.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Country codes to which codes are sent: Switzerland, Liechtenstein and their neighbours, from
/// which people commute. Everything else costs too much to be a default.
const COUNTRIES: [&str; 6] = ["33", "39", "41", "43", "423", "49"];

/// A mobile number in E.164 form, such as `+41791234567`.
#[derive(Clone, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// Why a number is not taken.
#[derive(Clone, Copy, Debug, Error, Eq, PartialEq)]
pub enum PhoneError {
    /// A country to which nothing is sent.
    #[error("codes are not sent to this country")]
    Country,
    /// A Swiss fixed line, service or premium number.
    #[error("this is not a mobile number")]
    NotMobile,
    /// Letters, too short, too long.
    #[error("this is not a telephone number")]
    Unreadable,
}

impl Phone {
    /// Reads a number as people write it: `079 123 45 67`, `+41 (0)79 123 45 67`, `0041 79…`.
    ///
    /// # Errors
    /// [`PhoneError`], whose three cases the page explains.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        if text.len() > 64 {
            return Err(PhoneError::Unreadable);
        }
        let plain: String = text.nfkc().collect::<String>().replace("(0)", "");
        let mut digits = String::new();
        for (at, c) in plain.trim().char_indices() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if at == 0 => digits.push_str("00"),
                ' ' | '.' | '/' | '-' | '(' | ')' | '\u{2010}'..='\u{2013}' | '\u{a0}' => {}
                _ => return Err(PhoneError::Unreadable),
            }
        }
        let international = match digits.strip_prefix("00") {
            Some(rest) => rest.to_owned(),
            None => match digits.strip_prefix('0') {
                Some(national) => format!("41{national}"),
                None => return Err(PhoneError::Unreadable),
            },
        };
        check(&international)?;
        Ok(Self(format!("+{international}")))
    }

    /// `+41791234567`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What may be shown of it to somebody who has proven the password: `+41 79 ••• •• 67`.
    #[must_use]
    pub fn masked(&self) -> String {
        let country = COUNTRIES
            .iter()
            .find(|code| self.0.get(1..).is_some_and(|n| n.starts_with(**code)));
        let country_len = country.map_or(2, |code| code.len()) + 1;
        let part = |range: std::ops::Range<usize>| self.0.get(range).unwrap_or_default();
        let len = self.0.len();
        format!(
            "{} {} ••• •• {}",
            part(0..country_len),
            part(country_len..country_len + 2),
            part(len - 2..len)
        )
    }
}

/// [E.164] numbers have at most 15 digits; none of ours has fewer than 9.
fn check(international: &str) -> Result<(), PhoneError> {
    if !(9..=15).contains(&international.len()) || international.starts_with('0') {
        return Err(PhoneError::Unreadable);
    }
    if !COUNTRIES.iter().any(|code| international.starts_with(code)) {
        return Err(PhoneError::Country);
    }
    if let Some(national) = international.strip_prefix("41") {
        let mobile = ["74", "75", "76", "77", "78", "79"]
            .iter()
            .any(|p| national.starts_with(p));
        return match (national.len(), mobile) {
            (9, true) => Ok(()),
            (9, false) => Err(PhoneError::NotMobile),
            _ => Err(PhoneError::Unreadable),
        };
    }
    Ok(())
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, PhoneError> {
        Self::parse(&text)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Phone, PhoneError};

    #[test]
    fn a_number_is_understood_as_people_write_it() {
        for text in [
            "079 123 45 67",
            "+41 79 123 45 67",
            "0041791234567",
            "+41 (0)79 123 45 67",
            " 079/123-45-67",
            "０７９１２３４５６７",
        ] {
            assert_eq!(
                Phone::parse(text).unwrap().as_str(),
                "+41791234567",
                "{text}"
            );
        }
        assert_eq!(
            Phone::parse("+33 6 12 34 56 78").unwrap().as_str(),
            "+33612345678"
        );
    }

    /// [O13] A number in an unlisted country, a premium number or a fixed line never gets a message.
    #[test]
    fn a_number_that_costs_or_cannot_receive_is_refused() {
        for (text, why) in [
            ("+1 900 123 4567", PhoneError::Country),
            ("+882 16 1234567", PhoneError::Country),
            ("0900 123 456", PhoneError::NotMobile),
            ("027 606 00 00", PhoneError::NotMobile),
            ("117", PhoneError::Unreadable),
            ("", PhoneError::Unreadable),
            ("079 abc", PhoneError::Unreadable),
            ("+41791234567+1", PhoneError::Unreadable),
            ("+4179123456789012345", PhoneError::Unreadable),
        ] {
            assert_eq!(Phone::parse(text).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn only_the_ends_of_a_number_are_shown() {
        assert_eq!(
            Phone::parse("079 123 45 67").unwrap().masked(),
            "+41 79 ••• •• 67"
        );
    }
}
