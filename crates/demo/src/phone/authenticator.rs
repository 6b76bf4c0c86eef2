//! An authenticator app: it scans `otpauth://` links and shows codes.

use std::collections::BTreeMap;
use std::sync::Mutex;

use data_encoding::BASE32_NOPAD;
use url::Url;
use url::form_urlencoded;

use crate::otp::{Digits, Generator, Hash, seconds_left};
use crate::shelf::lock;

/// Longest link taken.
const LINK_MAX: usize = 2000;
const ACCOUNTS_MAX: usize = 1000;

/// The app's accounts by user name.
#[derive(Default)]
pub(crate) struct Authenticator {
    accounts: Mutex<BTreeMap<String, Account>>,
}

#[derive(Clone)]
struct Account {
    issuer: String,
    generator: Generator,
    period_s: u32,
}

/// What the app's screen shows of one account.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) username: String,
    pub(crate) issuer: String,
    pub(crate) code: String,
    pub(crate) seconds_left: i64,
    pub(crate) period_s: u32,
}

/// Why a link is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ScanError {
    /// Not an `otpauth://totp/…` link.
    #[error("this is no otpauth link of an app; copy it whole from the enrolment page")]
    NotOtpauth,
    /// The key is missing, not base32, or shorter than 10 bytes.
    #[error("the key in the link is not base32 of at least 16 letters")]
    Key,
    /// The link names an algorithm, a length or a period that no app knows.
    #[error("the link asks for codes that no app can show")]
    Parameters,
    /// The link does not say whose account it is.
    #[error("the link names no account")]
    Account,
    /// There is no room for another account.
    #[error("the app is full")]
    Full,
}

impl Authenticator {
    /// Takes a link, replaces what the account had before, and returns the user name.
    pub(crate) fn scan(&self, link: &str) -> Result<String, ScanError> {
        let (username, account) = parse(link)?;
        let mut accounts = lock(&self.accounts);
        if accounts.len() >= ACCOUNTS_MAX && !accounts.contains_key(&username) {
            return Err(ScanError::Full);
        }
        accounts.insert(username.clone(), account);
        Ok(username)
    }

    /// Takes a key typed by hand, as « Autre… » accounts are.
    pub(crate) fn type_in(&self, username: &str, key: &str) -> Result<String, ScanError> {
        let mut link = Url::parse("otpauth://totp/").map_err(|_| ScanError::NotOtpauth)?;
        link.set_path(username);
        link.query_pairs_mut().append_pair("secret", key);
        self.scan(link.as_str())
    }

    /// The code of one account at the phone's own time.
    pub(crate) fn look(&self, username: &str, phone_time: i64) -> Option<Shown> {
        let accounts = lock(&self.accounts);
        accounts
            .get(username)
            .map(|account| account.show(username, phone_time))
    }

    /// The codes of all accounts at the phone's own time.
    pub(crate) fn screen(&self, phone_time: i64) -> Vec<Shown> {
        let accounts = lock(&self.accounts);
        accounts
            .iter()
            .map(|(username, account)| account.show(username, phone_time))
            .collect()
    }
}

impl Account {
    fn show(&self, username: &str, phone_time: i64) -> Shown {
        Shown {
            username: username.to_owned(),
            issuer: self.issuer.clone(),
            code: self.generator.code_at(phone_time, self.period_s),
            seconds_left: seconds_left(phone_time, self.period_s),
            period_s: self.period_s,
        }
    }
}

/// Reads `otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=…&algorithm=…&digits=…&period=…`.
fn parse(link: &str) -> Result<(String, Account), ScanError> {
    let link = link.trim();
    if link.len() > LINK_MAX {
        return Err(ScanError::NotOtpauth);
    }
    let url = Url::parse(link).map_err(|_| ScanError::NotOtpauth)?;
    if url.scheme() != "otpauth" || url.host_str() != Some("totp") {
        return Err(ScanError::NotOtpauth);
    }
    let value = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let seed = base32(&value("secret").ok_or(ScanError::Key)?)?;
    let hash = match value("algorithm").as_deref() {
        None | Some("SHA1") => Hash::Sha1,
        Some("SHA256") => Hash::Sha256,
        Some("SHA512") => Hash::Sha512,
        Some(_) => return Err(ScanError::Parameters),
    };
    let digits = match value("digits").as_deref() {
        None | Some("6") => Digits::Six,
        Some("8") => Digits::Eight,
        Some(_) => return Err(ScanError::Parameters),
    };
    let period_s = match value("period").as_deref() {
        None | Some("30") => 30,
        Some("60") => 60,
        Some(_) => return Err(ScanError::Parameters),
    };
    let label = percent_decoded(url.path().trim_start_matches('/'));
    let (prefix, username) = label.split_once(':').unwrap_or(("", &label));
    if username.trim().is_empty() {
        return Err(ScanError::Account);
    }
    let issuer = value("issuer").unwrap_or_else(|| prefix.to_owned());
    let account = Account {
        issuer,
        generator: Generator::new(seed, hash, digits),
        period_s,
    };
    Ok((username.trim().to_owned(), account))
}

/// Base32 as people type it: spaces, dashes, small letters, padding.
fn base32(key: &str) -> Result<Vec<u8>, ScanError> {
    let letters: String = key
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '-' | '='))
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    let seed = BASE32_NOPAD
        .decode(letters.as_bytes())
        .map_err(|_| ScanError::Key)?;
    if seed.len() < 10 {
        Err(ScanError::Key)
    } else {
        Ok(seed)
    }
}

/// Percent-decoding of a path; a plus sign there is a plus sign.
fn percent_decoded(path: &str) -> String {
    let guarded = path.replace('+', "%2B");
    form_urlencoded::parse(guarded.as_bytes())
        .map(|(key, _)| key.into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "otpauth://totp/Canton%20du%20Valais:anna.favre\
        ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Canton%20du%20Valais\
        &algorithm=SHA1&digits=6&period=30";

    #[test]
    fn a_scanned_link_shows_the_codes_of_rfc_6238() {
        let app = Authenticator::default();
        assert_eq!(app.scan(LINK), Ok("anna.favre".to_owned()));
        let shown = app.look("anna.favre", 59).unwrap();
        assert_eq!((shown.code.as_str(), shown.seconds_left), ("287082", 1));
        assert_eq!(shown.issuer, "Canton du Valais");
        assert!(app.look("bruno", 59).is_none());
    }

    #[test]
    fn a_key_typed_with_spaces_and_small_letters_is_the_same_key() {
        let app = Authenticator::default();
        app.type_in("anna", "gezd gnbv gy3t qojq gezd gnbv gy3t qojq")
            .unwrap();
        assert_eq!(app.look("anna", 59).unwrap().code, "287082");
    }

    #[test]
    fn what_no_app_could_scan_is_refused() {
        let app = Authenticator::default();
        for (link, error) in [
            ("https://example.ch", ScanError::NotOtpauth),
            (
                "otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQ",
                ScanError::NotOtpauth,
            ),
            ("otpauth://totp/a", ScanError::Key),
            ("otpauth://totp/a?secret=1", ScanError::Key),
            (
                "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&digits=7",
                ScanError::Parameters,
            ),
            (
                "otpauth://totp/?secret=GEZDGNBVGY3TQOJQ",
                ScanError::Account,
            ),
        ] {
            assert_eq!(app.scan(link), Err(error), "{link}");
        }
        assert!(app.screen(0).is_empty());
    }
}
