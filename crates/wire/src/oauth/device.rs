//! Devices without a keyboard: an application asks for two codes, shows the short one, and comes back with
//! the long one until somebody has answered elsewhere [RFC 8628].
//!
//! The long code is 256 bits that only the device knows. The short one is typed by a person, so it is as short
//! as it may be: nine letters of an alphabet of twenty, which are 20⁹ = 5.1 · 10¹¹ codes, 38.9 bits. Within
//! the ten minutes that one lives, twenty wrong ones may be typed by somebody who is signed in and ninety from
//! a network: to hit the code of one device succeeds with 110 / 20⁹ < 2⁻³², as [RFC 8628 §5.1] reckons. Whoever
//! hits one has found a device that they can let in as themselves, and nothing else.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

use super::client::Client;
use super::scope::{Scope, ScopeName};
use super::token::{Answer, Fault, Posted};
use crate::Secret;
use crate::oidc::Issuer;

/// What an application brings to the token endpoint with a device code.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long both codes live, in seconds: time to find a telephone, and to sign in with two factors.
pub const LIFETIME_S: i64 = 600;
/// How many random bytes a device code has.
const DEVICE_CODE_BYTES: usize = 32;

/// The letters of user codes: no vowel that makes words, nothing that looks like another one.
// [RFC 8628 §6.1] "BCDFGHJKLMNPQRSTVWXZ"
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many letters a user code has.
const USER_CODE_LETTERS: usize = 9;
/// How many of them are shown without a sign in between.
const GROUP_LETTERS: usize = 3;
/// More characters than this are no code, however many of them are blanks.
const TYPED_CHARS_MAX: usize = 64;

/// A user code: nine letters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserCode(String);

impl UserCode {
    /// A code out of chance. Of 128 random bits the remainder favours no code by more than 2⁻⁸⁸.
    #[must_use]
    pub fn draw(chance: [u8; 16]) -> Self {
        let (mut number, base) = (u128::from_be_bytes(chance), LETTERS.len() as u128);
        let letters = (0..USER_CODE_LETTERS).map(|_| {
            let at = usize::try_from(number % base).unwrap_or_default();
            number /= base;
            LETTERS.get(at).map_or('B', |letter| char::from(*letter))
        });
        Self(letters.collect())
    }

    /// What somebody typed, if it can be a code. Small letters count as large ones, and full-width ones as
    /// narrow ones; blanks, dashes and other signs count for nothing; a digit counts as the letter that it
    /// looks like.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.chars().nth(TYPED_CHARS_MAX).is_some() {
            return None;
        }
        // [RFC 8628 §6.1] "the server should strip dashes and other punctuation that it added for readability"
        // [RFC 8628 §6.1] "the user's input should be uppercased before a comparison"
        let letters: Option<String> = (typed.chars().map(narrow))
            .filter(|typed| typed.is_alphanumeric())
            .map(|typed| letter(typed.to_ascii_uppercase()))
            .collect();
        letters
            .filter(|letters| letters.len() == USER_CODE_LETTERS)
            .map(Self)
    }

    /// The letters alone: what is remembered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserCode {
    /// As it is shown: `WDJ-BMH-TKL`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, letter) in self.0.chars().enumerate() {
            if number > 0 && number % GROUP_LETTERS == 0 {
                f.write_str("-")?;
            }
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

/// The character of the narrow form of a full-width one, which some keyboards write.
fn narrow(typed: char) -> char {
    let wide = u32::from(typed);
    match wide {
        0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(typed),
        _ => typed,
    }
}

/// The letter of the alphabet that was meant, if one was.
fn letter(typed: char) -> Option<char> {
    let meant = match typed {
        '1' => 'L',
        '2' => 'Z',
        '5' => 'S',
        '6' => 'G',
        '8' => 'B',
        other => other,
    };
    let known = LETTERS.iter().any(|letter| char::from(*letter) == meant);
    known.then_some(meant)
}

/// What the tokens of a device may be used for: what was asked for, if the application may have it; that
/// somebody signed in, if nothing was asked for.
///
/// # Errors
/// [`Fault::ScopeTooLarge`], also if `openid` is missing.
pub fn scope(posted: &Posted, client: &Client) -> Result<Scope, Fault> {
    let wanted = posted.value("scope").unwrap_or(ScopeName::Openid.name());
    let (wanted, registered) = (Scope::understood(wanted), client.scope());
    let wanted = match registered.has(ScopeName::OfflineAccess) {
        true => wanted,
        false => wanted.without(ScopeName::OfflineAccess),
    };
    match wanted.has(ScopeName::Openid) && registered.includes(&wanted) {
        true => Ok(wanted),
        false => Err(Fault::ScopeTooLarge),
    }
}

/// How a device is let in by somebody elsewhere.
#[derive(Debug)]
pub struct Codes<'a> {
    /// Only the device knows it.
    pub device: &'a Secret,
    /// The device shows it.
    pub user: &'a UserCode,
    /// So many seconds the device waits between two questions.
    pub interval_s: i64,
}

impl Codes<'_> {
    /// The answer to the application.
    #[must_use]
    pub fn answer(&self, issuer: &Issuer) -> Answer {
        #[derive(Serialize)]
        struct Told {
            device_code: String,
            user_code: String,
            verification_uri: String,
            verification_uri_complete: String,
            expires_in: i64,
            interval: i64,
        }
        // [RFC 8628 §3.2] "The URI should be short and easy to remember as end users will be asked to manually type it into their user agent."
        let verification_uri = issuer.device_verification_uri();
        let user_code = self.user.to_string();
        let told = Told {
            device_code: BASE64URL_NOPAD.encode(self.device.expose()),
            verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
            user_code,
            verification_uri,
            expires_in: LIFETIME_S,
            interval: self.interval_s,
        };
        Answer::json(200, &told)
    }
}

/// A device code that an application brings.
pub struct DeviceRequest {
    /// The code, as bytes.
    pub device_code: Secret,
}

impl DeviceRequest {
    pub(super) fn read(posted: &Posted) -> Result<Self, Fault> {
        let text = posted
            .value("device_code")
            .ok_or(Fault::DeviceCodeMissing)?;
        // [RFC 8628 §5.2] "a very high entropy code SHOULD be used."
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes());
        let bytes = bytes.ok().filter(|bytes| bytes.len() == DEVICE_CODE_BYTES);
        Ok(Self {
            device_code: Secret::new(bytes.ok_or(Fault::CodeNotGood)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::client::GrantName;
    use crate::oauth::token::{Asked, Incoming, TokenRequest};
    use crate::testing::{ent, issuer};
    use serde_json::{Value, json};

    fn posted(more: &str) -> Posted {
        let body = format!("client_id=ent{more}");
        let incoming = Incoming {
            content_type: Some("application/x-www-form-urlencoded"),
            authorization: None,
            body: body.as_bytes(),
            certificate: None,
        };
        Posted::read(&incoming).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// [C16] [RFC 8628 §6.1] "BCDFGHJKLMNPQRSTVWXZ"
    #[test]
    fn a_user_code_has_nine_letters_that_make_no_words() {
        for number in 0..1000_u128 {
            let chance = (number.wrapping_mul(u128::MAX / 997)).to_be_bytes();
            let code = UserCode::draw(chance);
            let is_letter = |letter: u8| LETTERS.contains(&letter);
            assert_eq!(code.as_str().len(), 9);
            assert!(code.as_str().bytes().all(is_letter), "{code}");
            assert_eq!(UserCode::parse(&code.to_string()), Some(code));
        }
        let (one, other) = (UserCode::draw([0; 16]), UserCode::draw([1; 16]));
        assert_ne!(one, other);
        assert_eq!(one.to_string(), "BBB-BBB-BBB");
        assert!(LETTERS.iter().all(|letter| !b"AEIOUY01".contains(letter)));
    }

    /// [RFC 8628 §6.1] "the server should strip dashes and other punctuation that it added for readability"
    /// [RFC 8628 §6.1] "the user's input should be uppercased before a comparison"
    #[test]
    fn what_was_meant_counts_and_not_how_it_was_typed() {
        let code = Some(UserCode("WDJBMHTKL".to_owned()));
        for typed in [
            "WDJ-BMH-TKL",
            "wdj bmh tkl",
            "wdjbmhtkl",
            "  WDJ – BMH – TKL.",
            "\u{ff37}\u{ff24}\u{ff2a}\u{ff0d}\u{ff42}\u{ff2d}\u{ff28}\u{3000}tkl",
            "WDJ_8MH/TK1",
        ] {
            assert_eq!(UserCode::parse(typed), code, "{typed}");
        }
        for none in [
            "",
            "WDJ-BMH-TK",
            "WDJ-BMH-TKLL",
            "WDJ-BMH-TKA",
            "WDJ-BMH-TK0",
            "ẞDJ-BMH-TKL",
            &" ".repeat(100),
            &format!("WDJBMHTKL{}", "-".repeat(56)),
        ] {
            assert_eq!(UserCode::parse(none), None, "{none}");
        }
    }

    /// [C05] A device gets the scopes for which its application is registered, or fewer.
    #[test]
    fn a_device_gets_the_scopes_it_is_registered_for() {
        let asked = |more: &str| scope(&posted(more), &ent()).map(|scope| scope.to_string());
        let refused = Err(Fault::ScopeTooLarge);
        assert_eq!(asked(""), Ok("openid".to_owned()));
        let both = "&scope=openid+email+offline_access";
        assert_eq!(asked(both), Ok("openid email".to_owned()));
        assert_eq!(asked("&scope=openid+phone"), refused);
        assert_eq!(asked("&scope=email"), refused);
    }

    /// [RFC 8628 §3.2] "The URI should be short and easy to remember as end users will be asked to manually type it into their user agent."
    #[test]
    fn the_answer_says_what_to_show_and_how_often_to_ask() {
        let (device, user) = (Secret::new(vec![7; 32]), UserCode("WDJBMHTKL".to_owned()));
        let codes = Codes {
            device: &device,
            user: &user,
            interval_s: 5,
        };
        let answer = codes.answer(&issuer());
        assert_eq!(answer.status, 200);
        assert!(answer.headers.contains(&("cache-control", "no-store")));
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        let expected = json!({
            "device_code": BASE64URL_NOPAD.encode(&[7; 32]),
            "user_code": "WDJ-BMH-TKL",
            "verification_uri": "https://id.example/device",
            "verification_uri_complete": "https://id.example/device?user_code=WDJ-BMH-TKL",
            "expires_in": 600, "interval": 5,
        });
        assert_eq!(told, expected);
    }

    /// [C16] [RFC 8628 §5.2] "a very high entropy code SHOULD be used."
    #[test]
    fn a_device_code_of_another_length_is_none() {
        let brings = |code: &str| {
            let body = format!("client_id=ent&grant_type={GRANT_TYPE}{code}");
            TokenRequest::parse(&Incoming {
                content_type: Some("application/x-www-form-urlencoded"),
                authorization: None,
                body: body.as_bytes(),
                certificate: None,
            })
            .map(|request| request.asked)
        };
        let good = BASE64URL_NOPAD.encode(&[7; 32]);
        let asked =
            brings(&format!("&device_code={good}")).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(asked.grant(), GrantName::DeviceCode);
        let Asked::Device(request) = asked else {
            panic!("another grant");
        };
        assert!(request.device_code.matches(&[7; 32]));
        assert_eq!(brings("").err(), Some(Fault::DeviceCodeMissing));
        for wrong in ["x", &good[1..], &format!("{good}AA"), "%C3%A9"] {
            let wrong = brings(&format!("&device_code={wrong}"));
            assert_eq!(wrong.err(), Some(Fault::CodeNotGood));
        }
    }
}
