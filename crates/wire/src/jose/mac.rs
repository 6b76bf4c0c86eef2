//! Tokens with a code that a shared secret makes: who verifies one could have written it, so that they say something
//! to the two who have the secret, and to nobody else.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;

use super::JwsError;
use super::jws::Compact;
use crate::Secret;

/// What such a code can be made with, and the length of its hash, in bytes.
const ALGS: [(&str, hmac::Algorithm, usize); 3] = [
    ("HS256", hmac::HMAC_SHA256, 32),
    ("HS384", hmac::HMAC_SHA384, 48),
    ("HS512", hmac::HMAC_SHA512, 64),
];

/// A secret that two share. It makes codes, and nothing else: no token that is signed is verified with it.
#[derive(Clone, Debug)]
pub(crate) struct MacKey(Secret);

impl MacKey {
    /// The names of the algorithms.
    pub(crate) const NAMES: [&str; 3] = ["HS256", "HS384", "HS512"];
    /// Fewest bytes that a secret needs for one of them.
    pub(crate) const BYTES_MIN: usize = 32;
    /// Most bytes that are read as a secret.
    pub(crate) const BYTES_MAX: usize = 1024;

    /// None if it is too short for any algorithm, or longer than any secret.
    pub(crate) fn of(secret: &[u8]) -> Option<Self> {
        let fits = (Self::BYTES_MIN..=Self::BYTES_MAX).contains(&secret.len());
        fits.then(|| Self(Secret::new(secret.to_vec())))
    }

    /// Verifies a token and reads its claims. Times are *not* looked at.
    ///
    /// # Errors
    /// [`JwsError`].
    // [RFC 7518 §3.2] "A key of the same size as the hash output (for instance, 256 bits for "HS256") or larger MUST be used with this algorithm."
    pub(crate) fn verify<T: DeserializeOwned>(
        &self,
        token: &str,
        typs: &[&str],
    ) -> Result<T, JwsError> {
        let token = Compact::read(token)?;
        token.is_one_of(typs)?;
        let mut algs = ALGS.into_iter();
        let alg = algs.find(|(name, _, bytes)| *name == token.alg() && self.0.len() >= *bytes);
        let (_, alg, _) = alg.ok_or(JwsError::WrongAlgorithm)?;
        let code = BASE64URL_NOPAD.decode(token.signature.as_bytes());
        let code = code.map_err(|_| JwsError::Malformed)?;
        let key = hmac::Key::new(alg, self.0.expose());
        // In constant time.
        hmac::verify(&key, token.message.as_bytes(), &code).map_err(|_| JwsError::BadSignature)?;
        token.claims()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::jose::{SigningAlg, SigningKey, VerifyingKeys, base64url};
    use serde_json::{Value, json};

    /// A token as a client writes it that knows the secret.
    pub(crate) fn coded(header: &Value, claims: &Value, secret: &[u8]) -> String {
        let named = ALGS.iter().find(|(name, ..)| header["alg"] == *name);
        let alg = named.map_or(hmac::HMAC_SHA256, |(_, alg, _)| *alg);
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        let code = hmac::sign(&hmac::Key::new(alg, secret), message.as_bytes());
        format!("{message}.{}", base64url(code.as_ref()))
    }

    fn verify(key: &MacKey, token: &str) -> Result<Value, JwsError> {
        key.verify(token, &["JWT"])
    }

    /// [RFC 7515 §A.1] the example of the standard, whose type is written as it was then.
    #[test]
    fn the_example_of_the_standard_is_verified() {
        let secret = BASE64URL_NOPAD
            .decode(
                b"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
            )
            .unwrap();
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let claims = verify(&MacKey::of(&secret).unwrap(), token).unwrap();
        assert_eq!(claims["iss"], "joe");
    }

    /// [C09] [RFC 7518 §3.2] "A key of the same size as the hash output (for instance, 256 bits for "HS256") or larger MUST be used with this algorithm."
    #[test]
    fn a_secret_is_as_long_as_the_hash_or_nothing_is_verified_with_it() {
        let claims = json!({ "sub": "ent" });
        for (bytes, good) in [
            (32, vec!["HS256"]),
            (47, vec!["HS256"]),
            (48, vec!["HS256", "HS384"]),
            (64, vec!["HS256", "HS384", "HS512"]),
        ] {
            let secret = vec![7; bytes];
            let key = MacKey::of(&secret).unwrap();
            for alg in MacKey::NAMES {
                let token = coded(&json!({ "alg": alg, "typ": "JWT" }), &claims, &secret);
                let expected = match good.contains(&alg) {
                    true => Ok(claims.clone()),
                    false => Err(JwsError::WrongAlgorithm),
                };
                assert_eq!(verify(&key, &token), expected, "{alg} with {bytes} bytes");
            }
        }
        assert!(MacKey::of(&[7; 31]).is_none());
        assert!(MacKey::of(&[7; 1025]).is_none());
    }

    /// [C09] [P02] What is signed is never verified with a secret, nor what has a code with a public key; and a
    /// secret prints nothing.
    #[test]
    fn a_secret_and_a_public_key_are_never_taken_for_each_other() {
        let secret = [7; 64];
        let ours = MacKey::of(&secret).unwrap();
        assert_eq!(format!("{ours:?}"), "MacKey(Secret)");
        let claims = json!({ "sub": "ent" });
        for alg in [
            "none", "None", "", "hs256", "HS1", "ES256", "RS256", "PS256", "EdDSA",
        ] {
            let token = coded(&json!({ "alg": alg, "typ": "JWT" }), &claims, &secret);
            assert_eq!(
                verify(&ours, &token),
                Err(JwsError::WrongAlgorithm),
                "{alg}"
            );
        }
        for alg in [SigningAlg::Es256, SigningAlg::Rs256, SigningAlg::EdDsa] {
            let key = SigningKey::generate(alg).unwrap();
            let signed = key.sign("JWT", &claims).unwrap();
            assert_eq!(verify(&ours, &signed), Err(JwsError::WrongAlgorithm));
            // The public key, as anybody writes it, taken for the secret.
            let public = serde_json::to_vec(key.public()).unwrap();
            for name in MacKey::NAMES {
                let header = json!({ "alg": name, "typ": "JWT", "kid": key.kid() });
                let token = coded(&header, &claims, &public);
                let keys = VerifyingKeys::of([key.public()]).unwrap();
                let read: Result<Value, _> = keys.verify(&token, &["JWT"]);
                assert_eq!(read, Err(JwsError::WrongAlgorithm));
            }
        }
    }

    #[test]
    fn a_code_that_was_cut_changed_or_made_with_another_secret_is_refused() {
        let secret = [7; 64];
        let ours = MacKey::of(&secret).unwrap();
        let (header, claims) = (json!({ "alg": "HS256", "typ": "JWT" }), json!({ "a": 1 }));
        let good = coded(&header, &claims, &secret);
        assert_eq!(verify(&ours, &good), Ok(claims.clone()));
        let (message, code) = good.rsplit_once('.').unwrap();
        let other = coded(&header, &json!({ "a": 2 }), &secret);
        let other = other.rsplit_once('.').unwrap().1;
        for (bad, why) in [
            (format!("{message}."), JwsError::Malformed),
            (message.to_owned(), JwsError::Malformed),
            (format!("{message}.{code}="), JwsError::Malformed),
            (format!("{message}.{}", &code[..40]), JwsError::BadSignature),
            (format!("{message}.{code}AAAA"), JwsError::BadSignature),
            (format!("{message}.{other}"), JwsError::BadSignature),
            (coded(&header, &claims, &[8; 64]), JwsError::BadSignature),
            (
                coded(
                    &json!({ "alg": "HS256", "typ": "at+jwt" }),
                    &claims,
                    &secret,
                ),
                JwsError::WrongType,
            ),
            (
                coded(
                    &json!({ "alg": "HS256", "typ": "JWT", "crit": ["exp"] }),
                    &claims,
                    &secret,
                ),
                JwsError::Critical,
            ),
            (
                coded(&header, &json!({ "a": "a".repeat(8 * 1024) }), &secret),
                JwsError::Malformed,
            ),
        ] {
            assert_eq!(verify(&ours, &bad), Err(why), "{bad:.200}");
        }
    }
}
