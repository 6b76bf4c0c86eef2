//! DPoP: an application shows with each request that it has the key to which its tokens are bound
//! [RFC 9449].

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use url::Url;

use super::token::SpendOnce;
use crate::jose::{base64url, verified_by_own_key};

/// A proof is not believed, for whatever reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "the DPoP proof is not well-formed, not signed by its key, not for this request, or not of this moment"
)]
pub struct NotProven;

/// What a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The address of the endpoint.
    pub url: &'a str,
    /// The access token that came with it, if one did.
    pub access_token: Option<&'a str>,
    /// Whether RS256 does not count.
    // [FAPI 2.0 §5.4.1] "shall use PS256, ES256, or EdDSA (using the Ed25519 variant) algorithms"
    pub without_rs256: bool,
}

/// An application has a key: its signature was verified, over this request.
#[must_use]
#[derive(Clone, Debug)]
pub struct Proof {
    /// The thumbprint of the key [RFC 7638].
    pub key: String,
    /// The proof's id, which the caller must consume once.
    pub spend: SpendOnce,
    /// The provider's own value, if one is in it.
    pub nonce: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
    ath: Option<String>,
    nonce: Option<String>,
}

impl Proof {
    /// Reads and verifies the `DPoP` header of a request.
    ///
    /// # Errors
    /// [`NotProven`], the same for every reason.
    pub fn read(header: &str, request: &Request<'_>, now: i64) -> Result<Self, NotProven> {
        // [RFC 9449 §4.3] "The JWT signature verifies with the public key contained in the jwk JOSE Header Parameter."
        // [RFC 9449 §4.3] "The jwk JOSE Header Parameter does not contain a private key."
        let (key, claims): (_, Claims) =
            verified_by_own_key(header, "dpop+jwt").map_err(|_| NotProven)?;
        // [RFC 9449 §4.3] "The htm claim matches the HTTP method of the current request."
        // [RFC 9449 §4.3] "The htu claim matches the HTTP URI value for the HTTP request in which the JWT was received, ignoring any query and fragment parts."
        let for_this = claims.htm == request.method && is_same(&claims.htu, request.url);
        // [RFC 9449 §4.3] "ensure that the value of the ath claim equals the hash of that access token"
        let with_this = match request.access_token {
            None => true,
            Some(token) => {
                let hash = BASE64URL_NOPAD.encode(digest(&SHA256, token.as_bytes()).as_ref());
                claims.ath.as_deref() == Some(&hash)
            }
        };
        // [RFC 9449 §11.1] "servers MUST limit the acceptance of JWTs to a relatively brief period"
        let of_now = claims.iat >= now.saturating_sub(AGE_S_MAX)
            && claims.iat <= now.saturating_add(AHEAD_S_MAX);
        let named = (1..=JTI_BYTES_MAX).contains(&claims.jti.len());
        let strong = !(request.without_rs256 && key.is_for_rs256());
        if !(for_this && with_this && of_now && named && strong) {
            return Err(NotProven);
        }
        let key = key.thumbprint();
        let id = digest(&SHA256, format!("{key} {}", claims.jti).as_bytes());
        Ok(Self {
            spend: SpendOnce {
                id: base64url(id.as_ref()),
                until: claims.iat.saturating_add(AGE_S_MAX + 1),
            },
            key,
            nonce: claims.nonce,
        })
    }
}

/// The same address, without what follows the path.
fn is_same(claimed: &str, ours: &str) -> bool {
    let (Ok(mut claimed), Ok(ours)) = (Url::parse(claimed), Url::parse(ours)) else {
        return false;
    };
    claimed.set_query(None);
    claimed.set_fragment(None);
    claimed == ours
}

const AGE_S_MAX: i64 = 60;
const AHEAD_S_MAX: i64 = 10;
const JTI_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{SigningAlg, SigningKey};
    use crate::testing::NOW;
    use serde_json::{Value, json};

    const URL: &str = "https://id.example/token";

    fn claims() -> Value {
        json!({"jti": "j-1", "htm": "POST", "htu": URL, "iat": NOW, "nonce": "n"})
    }

    fn read(proof: &str) -> Result<Proof, NotProven> {
        let request = Request {
            method: "POST",
            url: URL,
            access_token: None,
            without_rs256: false,
        };
        Proof::read(proof, &request, NOW)
    }

    fn signs(claims: &Value) -> String {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        key.sign_with_key("dpop+jwt", claims).unwrap()
    }

    /// [C14] [RFC 9449 §4.3] "The JWT signature verifies with the public key contained in the jwk JOSE Header Parameter."
    #[test]
    fn a_proof_tells_the_key_and_what_to_spend() {
        for alg in SigningAlg::ALL {
            let key = SigningKey::generate(alg).unwrap();
            let proof = read(&key.sign_with_key("dpop+jwt", &claims()).unwrap()).unwrap();
            assert_eq!(proof.key, key.kid());
            assert_eq!(proof.nonce.as_deref(), Some("n"));
            assert_eq!(proof.spend.until, NOW + 61);
        }
        let (one, other) = (read(&signs(&claims())), read(&signs(&claims())));
        // The id of somebody else's proof spends nothing of mine.
        assert_ne!(one.unwrap().spend.id, other.unwrap().spend.id);
    }

    /// [C14] [RFC 9449 §4.3] "The htm claim matches the HTTP method of the current request."
    /// [RFC 9449 §4.3] "The htu claim matches the HTTP URI value for the HTTP request in which the JWT was received, ignoring any query and fragment parts."
    /// [RFC 9449 §11.1] "servers MUST limit the acceptance of JWTs to a relatively brief period"
    #[test]
    fn a_proof_for_something_else_or_of_another_moment_is_refused() {
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            read(&signs(&claims)).is_ok()
        };
        for (name, good) in [
            ("htu", json!("https://id.example/token?x=1#y")),
            ("htu", json!("https://ID.example:443/token")),
            ("iat", json!(NOW - 60)),
            ("iat", json!(NOW + 10)),
            ("nonce", Value::Null),
        ] {
            assert!(with(name, good.clone()), "{name} {good}");
        }
        for (name, bad) in [
            ("htm", json!("GET")),
            ("htm", Value::Null),
            ("htu", json!("https://id.example/userinfo")),
            ("htu", json!("http://id.example/token")),
            ("htu", json!("/token")),
            ("iat", json!(NOW - 61)),
            ("iat", json!(NOW + 11)),
            ("iat", json!("now")),
            ("jti", json!("")),
            ("jti", json!("j".repeat(257))),
            ("jti", Value::Null),
        ] {
            assert!(!with(name, bad.clone()), "{name} {bad}");
        }
    }

    /// [C10] [RFC 9449 §4.3] "ensure that the value of the ath claim equals the hash of that access token"
    #[test]
    fn a_proof_for_one_access_token_is_none_for_another() {
        let request = Request {
            method: "POST",
            url: URL,
            access_token: Some("the-token"),
            without_rs256: false,
        };
        let hash = BASE64URL_NOPAD.encode(digest(&SHA256, b"the-token").as_ref());
        for (ath, good) in [
            (json!(hash), true),
            (json!("x"), false),
            (Value::Null, false),
        ] {
            let mut claims = claims();
            claims["ath"] = ath;
            assert_eq!(Proof::read(&signs(&claims), &request, NOW).is_ok(), good);
        }
    }

    /// [C09] [RFC 9449 §4.3] "The jwk JOSE Header Parameter does not contain a private key."
    #[test]
    fn a_proof_without_its_own_public_key_and_signature_is_refused() {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        let good = key.sign_with_key("dpop+jwt", &claims()).unwrap();
        assert!(read(&good).is_ok());
        assert!(read(&key.sign("dpop+jwt", &claims()).unwrap()).is_err());
        assert!(read(&key.sign_with_key("JWT", &claims()).unwrap()).is_err());
        let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
            panic!("not three parts");
        };
        let header: Value =
            serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap();
        let with = |change: &dyn Fn(&mut Value)| {
            let mut header = header.clone();
            change(&mut header);
            let header = base64url(header.to_string().as_bytes());
            read(&format!("{header}.{payload}.{signature}"))
        };
        assert!(with(&|h| h["jwk"]["d"] = "AAAA".into()).is_err());
        assert!(with(&|h| h["alg"] = "none".into()).is_err());
        assert!(with(&|h| h["alg"] = "HS256".into()).is_err());
        for bad in ["", "a.b.c", "..", &good[..good.len() - 2]] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
