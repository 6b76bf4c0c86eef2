//! Reading a compact JWS: the key decides the algorithm, never the token.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::jwk::Verifies;
use super::{Jwk, JwkFlaw};

/// Why a token is not believed. For our own logs; callers answer with their protocol's fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwsError {
    /// Too long, not three base64url parts, or not the JSON that was expected.
    #[error("reading a token: it is not a well-formed compact JWS of at most 8 KiB")]
    Malformed,
    /// The header's `typ` is not one of those expected.
    #[error("reading a token: its type is not the expected one")]
    WrongType,
    /// The header has a `crit` that would have to be understood.
    #[error("reading a token: its header has critical extensions")]
    Critical,
    /// No key of the set has that name, or no name is given and there are several keys.
    #[error("verifying a token: none of the known keys is meant")]
    UnknownKey,
    /// The header's `alg` is not the one of the key.
    #[error("verifying a token: its algorithm is not the one of the key")]
    WrongAlgorithm,
    /// The signature is wrong.
    #[error("verifying a token: the signature is wrong")]
    BadSignature,
    /// Writing a token failed.
    #[error("writing a token failed")]
    Unwritable,
}

/// A key that verifies, with its one algorithm.
#[derive(Clone, Debug)]
struct VerifyingKey {
    kid: Option<String>,
    alg: Verifies,
    key: DecodingKey,
}

/// A set of keys that verify: the provider's own, or those an application registered.
#[derive(Clone, Debug, Default)]
pub struct VerifyingKeys(Vec<VerifyingKey>);

impl VerifyingKeys {
    /// Prepares registered keys. Those that say that they are for encryption are left out.
    ///
    /// # Errors
    /// The [`JwkFlaw`] of the first key that is not usable.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a Jwk>) -> Result<Self, JwkFlaw> {
        keys.into_iter()
            .filter(|key| !key.is_for_encryption())
            .map(VerifyingKey::of)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Verifies a token and reads its claims. Times are *not* looked at: that is for the caller,
    /// who knows what time it is.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn verify<T: DeserializeOwned>(&self, token: &str, typs: &[&str]) -> Result<T, JwsError> {
        self.verify_within(TOKEN_BYTES_MAX, token, typs)
    }

    /// The same, for a token of at most so many bytes.
    pub(crate) fn verify_within<T: DeserializeOwned>(
        &self,
        bytes_max: usize,
        token: &str,
        typs: &[&str],
    ) -> Result<T, JwsError> {
        let token = Compact::within(bytes_max, token)?;
        token.is_one_of(typs)?;
        let key = self.named(token.header.kid.as_deref())?;
        if token.header.alg != alg_name(key.alg) {
            return Err(JwsError::WrongAlgorithm);
        }
        let message = token.message.as_bytes();
        match jsonwebtoken::crypto::verify(token.signature, message, &key.key, key.alg) {
            Ok(true) => token.claims(),
            Ok(false) | Err(_) => Err(JwsError::BadSignature),
        }
    }

    fn named(&self, kid: Option<&str>) -> Result<&VerifyingKey, JwsError> {
        let mut candidates = self
            .0
            .iter()
            .filter(|key| kid.is_none() || key.kid.as_deref() == kid);
        match (candidates.next(), candidates.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(JwsError::UnknownKey),
        }
    }
}

impl VerifyingKey {
    fn of(jwk: &Jwk) -> Result<Self, JwkFlaw> {
        let alg = jwk.check()?;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let key = match alg {
            Verifies::ES256 => DecodingKey::from_ec_components(&text(&jwk.x), &text(&jwk.y)),
            Verifies::EdDSA => DecodingKey::from_ed_components(&text(&jwk.x)),
            _ => DecodingKey::from_rsa_components(&text(&jwk.n), &text(&jwk.e)),
        }
        .map_err(|_| JwkFlaw::Damaged)?;
        Ok(Self {
            kid: jwk.kid.clone(),
            alg,
            key,
        })
    }
}

/// Verifies a token with the public key in its own header, and reads its claims. That says only that
/// whoever made it has the key: good for tokens that are bound to a key, and for nothing else.
///
/// # Errors
/// [`JwsError`].
pub(crate) fn verified_by_own_key<T: DeserializeOwned>(
    token: &str,
    typ: &str,
) -> Result<(Jwk, T), JwsError> {
    #[derive(Deserialize)]
    struct OwnKey {
        jwk: Jwk,
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(JwsError::Malformed);
    }
    let (named, _) = token.split_once('.').ok_or(JwsError::Malformed)?;
    let OwnKey { jwk: mut key } = json(named)?;
    // A name in the header names this one. An RSA key that does not say what it signs with is for what the
    // header says; whether the two go together is judged below.
    let header = Compact::read(token)?.header;
    key.kid = header.kid;
    if key.kty == "RSA" && key.alg.is_none() {
        key.alg = Some(header.alg);
    }
    let keys = VerifyingKeys::of([&key]).map_err(|_| JwsError::UnknownKey)?;
    let claims = keys.verify(token, &[typ])?;
    Ok((key, claims))
}

/// The `sub` of a token that nobody has verified: good for finding the keys to verify it with,
/// and for nothing else.
#[must_use]
pub(crate) fn subject_before_verification(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    Compact::read(token)
        .ok()?
        .claims::<Subject>()
        .ok()
        .map(|claims| claims.sub)
}

/// The three parts of a token, header decoded, nothing believed.
pub(super) struct Compact<'a> {
    header: Header,
    pub(super) message: &'a str,
    payload: &'a str,
    pub(super) signature: &'a str,
}

/// All of a header that is looked at: `jku`, `x5u`, `x5c` and `jwk` are not even read.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
    b64: Option<serde::de::IgnoredAny>,
}

impl<'a> Compact<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, JwsError> {
        Self::within(TOKEN_BYTES_MAX, token)
    }

    fn within(bytes_max: usize, token: &'a str) -> Result<Self, JwsError> {
        if token.len() > bytes_max {
            return Err(JwsError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(JwsError::Malformed)?;
        if payload.contains('.') || signature.is_empty() {
            return Err(JwsError::Malformed);
        }
        let header: Header = json(header)?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err(JwsError::Critical);
        }
        Ok(Self {
            header,
            message,
            payload,
            signature,
        })
    }

    /// What its header calls the algorithm.
    pub(super) fn alg(&self) -> &str {
        &self.header.alg
    }

    /// Whether its type is one of those expected; empty is none at all.
    pub(super) fn is_one_of(&self, typs: &[&str]) -> Result<(), JwsError> {
        let typ = self.header.typ.as_deref().unwrap_or_default();
        let mut expected = typs.iter();
        match expected.any(|expected| expected.eq_ignore_ascii_case(typ)) {
            true => Ok(()),
            false => Err(JwsError::WrongType),
        }
    }

    pub(super) fn claims<T: DeserializeOwned>(&self) -> Result<T, JwsError> {
        json(self.payload)
    }
}

fn json<T: DeserializeOwned>(part: &str) -> Result<T, JwsError> {
    let bytes = BASE64URL_NOPAD
        .decode(part.as_bytes())
        .map_err(|_| JwsError::Malformed)?;
    // [RFC 7515 §5.2] UTF-8, also in members that nobody reads; the parser does not look into those.
    let text = std::str::from_utf8(&bytes).map_err(|_| JwsError::Malformed)?;
    serde_json::from_str(text).map_err(|_| JwsError::Malformed)
}

const fn alg_name(alg: Verifies) -> &'static str {
    match alg {
        Verifies::ES256 => "ES256",
        Verifies::RS256 => "RS256",
        Verifies::PS256 => "PS256",
        Verifies::EdDSA => "EdDSA",
        _ => "",
    }
}

const TOKEN_BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{SigningAlg, SigningKey, base64url};
    use crate::testing::Odd;
    use serde_json::{Value, json};

    fn forged(header: Value, key: &SigningKey) -> String {
        let honest = key.sign("JWT", &json!({"sub": "anna"})).unwrap();
        let (_, rest) = honest.split_once('.').unwrap();
        format!("{}.{rest}", base64url(header.to_string().as_bytes()))
    }

    fn verify(token: &str, keys: &VerifyingKeys) -> Result<Value, JwsError> {
        keys.verify(token, &["JWT"])
    }

    /// [C09] The algorithm is the key's: `none`, HMAC and every other name in the header fail.
    #[test]
    fn the_token_cannot_choose_its_algorithm() {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        let keys = VerifyingKeys::of([key.public()]).unwrap();
        for alg in [
            "none", "None", "", "HS256", "HS512", "RS256", "ES384", "es256", "PS256",
        ] {
            let token = forged(json!({"alg": alg, "typ": "JWT", "kid": key.kid()}), &key);
            assert_eq!(
                verify(&token, &keys),
                Err(JwsError::WrongAlgorithm),
                "{alg}"
            );
        }
        let unsigned = forged(json!({"alg": "none", "typ": "JWT"}), &key);
        let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
        assert_eq!(verify(&unsigned, &keys), Err(JwsError::Malformed));
    }

    /// [C09] Keys come from the registered set only; `jku`, `x5u` and an embedded `jwk` are ignored.
    #[test]
    fn a_key_brought_along_by_the_token_is_ignored() {
        let (ours, theirs) = (
            SigningKey::generate(SigningAlg::Es256).unwrap(),
            SigningKey::generate(SigningAlg::Es256).unwrap(),
        );
        let keys = VerifyingKeys::of([ours.public()]).unwrap();
        let token = theirs.sign("JWT", &json!({"sub": "anna"})).unwrap();
        assert_eq!(verify(&token, &keys), Err(JwsError::UnknownKey));
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": ours.kid(), "jwk": theirs.public(),
            "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x"});
        assert_eq!(
            verify(&forged(header, &theirs), &keys),
            Err(JwsError::BadSignature)
        );
    }

    /// [P07] Two programs could read such a token differently; a good signature makes it no better.
    #[test]
    fn a_token_that_is_not_utf_8_where_nobody_looks_is_refused() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Claims {
            sub: String,
        }
        let key = SigningKey::generate(SigningAlg::EdDsa).unwrap();
        let keys = VerifyingKeys::of([key.public()]).unwrap();
        let read = |header: &[u8], claims: &[u8]| {
            let message = format!("{}.{}", base64url(header), base64url(claims));
            let signature = base64url(&key.signature(message.as_bytes()).unwrap());
            keys.verify::<Claims>(&format!("{message}.{signature}"), &[""])
        };
        let header = |odd: &[u8]| [&br#"{"alg":"EdDSA","x":""#[..], odd, br#""}"#].concat();
        let claims = |odd: &[u8]| [&br#"{"sub":"anna","x":""#[..], odd, br#""}"#].concat();
        let good = "\u{e9}".as_bytes();
        let sub = "anna".to_owned();
        assert_eq!(read(&header(good), &claims(good)), Ok(Claims { sub }));
        for (header, claims) in [
            (header(b"\xa9"), claims(good)),
            (header(good), claims(b"\xa9")),
        ] {
            assert_eq!(read(&header, &claims), Err(JwsError::Malformed));
        }
    }

    #[test]
    fn without_a_name_the_only_key_is_meant_and_of_two_none() {
        let key = SigningKey::generate(SigningAlg::Rs256).unwrap();
        let other = SigningKey::generate(SigningAlg::Es256).unwrap();
        let mut nameless = key.public().clone();
        nameless.kid = None;
        let token = key.sign("JWT", &json!({"sub": "anna"})).unwrap();
        let one = VerifyingKeys::of([&nameless]).unwrap();
        assert_eq!(verify(&token, &one), Err(JwsError::UnknownKey));
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let two = VerifyingKeys::of([&nameless, other.public()]).unwrap();
        assert_eq!(
            verify(&forged(header.clone(), &key), &two),
            Err(JwsError::UnknownKey)
        );
        assert_eq!(
            verify(&forged(header, &key), &one),
            Err(JwsError::BadSignature)
        );
    }

    fn signed_by(alg: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let header = base64url(json!({"alg": alg, "typ": "JWT"}).to_string().as_bytes());
        let message = format!("{header}.{}", base64url(br#"{"sub":"anna"}"#));
        let signature = base64url(&sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    #[test]
    fn applications_may_also_sign_with_eddsa_and_ps256() {
        use aws_lc_rs::rand::SystemRandom;
        use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PSS_SHA256, RsaKeyPair};
        let ed = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let x = base64url(ed.public_key().as_ref());
        let jwk = serde_json::from_value(json!({"kty": "OKP", "crv": "Ed25519", "x": x})).unwrap();
        let eddsa = VerifyingKeys::of([&jwk]).unwrap();
        let token = signed_by("EdDSA", |message| ed.sign(message).as_ref().to_vec());
        assert_eq!(verify(&token, &eddsa), Ok(json!({"sub": "anna"})));

        let ours = SigningKey::generate(SigningAlg::Rs256).unwrap();
        let rsa = RsaKeyPair::from_pkcs8(ours.to_pkcs8().unwrap().expose()).unwrap();
        let mut jwk = ours.public().clone();
        (jwk.alg, jwk.kid) = (Some("PS256".to_owned()), None);
        let ps256 = VerifyingKeys::of([&jwk]).unwrap();
        let token = signed_by("PS256", |message| {
            let mut signature = vec![0; rsa.public_modulus_len()];
            rsa.sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .unwrap();
            signature
        });
        assert_eq!(verify(&token, &ps256), Ok(json!({"sub": "anna"})));
        assert_eq!(verify(&token, &eddsa), Err(JwsError::WrongAlgorithm));
    }

    /// [C10] A token of one type is never taken for another.
    #[test]
    fn a_token_of_another_type_is_refused() {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        let keys = VerifyingKeys::of([key.public()]).unwrap();
        let token = key.sign("at+jwt", &json!({"sub": "anna"})).unwrap();
        assert_eq!(verify(&token, &keys), Err(JwsError::WrongType));
        let crit = forged(json!({"alg": "ES256", "typ": "JWT", "crit": ["exp"]}), &key);
        assert_eq!(verify(&crit, &keys), Err(JwsError::Critical));
        let b64 = forged(json!({"alg": "ES256", "typ": "JWT", "b64": false}), &key);
        assert_eq!(verify(&b64, &keys), Err(JwsError::Critical));
    }

    /// [P07] Any change of any character is refused, and no bytes make the reader panic.
    #[test]
    fn a_changed_token_is_refused_and_odd_ones_do_no_harm() {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        let keys = VerifyingKeys::of([key.public()]).unwrap();
        let token = key.sign("JWT", &json!({"sub": "anna"})).unwrap();
        assert!(verify(&token, &keys).is_ok());
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(&changed, &keys).is_err(), "at {at}");
        }
        let mut odd = Odd(1);
        for _ in 0..5_000 {
            let bytes = odd.bytes(80, b"eyJhbGciOiJ.._-{}\":");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(verify(&text, &keys).is_err());
            if let Ok(claims) = verify(&odd.mutated(&token), &keys) {
                assert_eq!(claims["sub"], "anna");
            }
            let _ = subject_before_verification(&text);
        }
    }
}
