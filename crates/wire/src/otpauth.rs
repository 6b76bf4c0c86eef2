//! What the enrolment page shows of a fresh TOTP key: the URI in the QR code.

use std::fmt::Write;

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::Secret;

/// A name that cannot stand in a Key URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("writing an otpauth URI: issuer and account must not be empty or contain a colon")]
pub struct NameError;

/// The Key URI for an authenticator app: TOTP, SHA-1, 6 digits, 30 s, which is all that every app
/// understands. A secret: it contains the key.
///
/// # Errors
/// [`NameError`].
pub fn key_uri(issuer: &str, account: &str, key: &Secret) -> Result<Zeroizing<String>, NameError> {
    let fits = |name: &str| !name.is_empty() && !name.contains(':');
    if !fits(issuer) || !fits(account) {
        return Err(NameError);
    }
    let (issuer, account) = (escaped(issuer), escaped(account));
    let key = Zeroizing::new(BASE32_NOPAD.encode(key.expose()));
    Ok(Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        *key
    )))
}

/// Percent-encoding as URIs want it: a space is `%20`, which apps understand, and not `+`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret {
        Secret::new(b"12345678901234567890".to_vec())
    }

    /// [Guide 4.7]
    #[test]
    fn the_uri_is_what_authenticator_apps_read() {
        let uri = key_uri("Éducation Valais", "anna.rey@edu.vs.ch", &key()).unwrap();
        assert_eq!(
            *uri,
            "otpauth://totp/%C3%89ducation%20Valais:anna.rey%40edu.vs.ch?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=%C3%89ducation%20Valais&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn a_colon_or_nothing_is_no_name() {
        assert_eq!(key_uri("a:b", "c", &key()), Err(NameError));
        assert_eq!(key_uri("a", "", &key()), Err(NameError));
        assert_eq!(key_uri("", "c", &key()), Err(NameError));
    }
}
