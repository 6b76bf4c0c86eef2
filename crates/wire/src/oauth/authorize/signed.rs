//! An answer that travels as a JWT, so that nobody on the way can change it or make one up, or read it if the
//! application wants that [JWT Secured Authorization Response Mode].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::form::with_query;
use crate::jose::{Chance, Content, JweError, JwsError, KeyRing, SigningAlg};
use crate::oauth::client::{Client, Encrypted};
use crate::oidc::Issuer;

/// What a JWT for an application is to say. It is signed when it goes off.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Unsigned {
    pub(super) client_id: String,
    pub(super) to: String,
    pub(super) alg: SigningAlg,
    /// In a form, not in the address.
    pub(super) posted: bool,
    /// The parameters of the answer.
    pub(super) says: BTreeMap<String, String>,
}

/// An answer that cannot be signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnsignedError {
    /// There is no current key for the application's algorithm.
    #[error("signing the answer to an authorization request: there is no current key for {}; add one", .0.name())]
    NoKey(SigningAlg),
    /// Signing failed.
    #[error("signing the answer to an authorization request: {0}")]
    Sign(#[from] JwsError),
    /// Encrypting failed.
    #[error("encrypting the answer to an authorization request: {0}")]
    Encrypt(#[from] JweError),
    /// It is for another application.
    #[error("signing the answer to an authorization request: it is for another application")]
    OfAnother,
}

/// [JARM §2.1] "The JWT always contains the following data utilized to secure the transmission"
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    exp: i64,
    // [JARM §2.1] "The JWT MUST furthermore contain the authorization endpoint response parameters as defined for the particular response types, even in case of an error response."
    #[serde(flatten)]
    says: BTreeMap<&'a str, &'a str>,
}

impl Unsigned {
    /// How long the JWT is good for, in seconds. The code in it ends sooner.
    // [JARM §2.1] "A maximum JWT lifetime of 10 minutes is RECOMMENDED."
    pub const LIFETIME_S: i64 = 300;

    /// The registered address to which it goes.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The application to which it goes.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Signs it, and encrypts it if this application, to which it goes, is registered for that; for the way that it is
    /// to take: a redirect or a form, with one parameter.
    ///
    /// # Errors
    /// [`UnsignedError`].
    pub fn sign(
        self,
        client: &Client,
        (issuer, ring): (&Issuer, &KeyRing),
        now: i64,
        chance: &Chance,
    ) -> Result<Reply, UnsignedError> {
        if client.id != self.client_id {
            return Err(UnsignedError::OfAnother);
        }
        let said = self.says.iter().map(|(name, value)| (&**name, &**value));
        let claims = Claims {
            iss: issuer.as_str(),
            aud: &self.client_id,
            exp: now.saturating_add(Self::LIFETIME_S),
            // Who says it and to whom stands in the claims: of two, none would count.
            says: said.filter(|(name, _)| *name != "iss").collect(),
        };
        let key = ring.signing(self.alg);
        let key = key.ok_or(UnsignedError::NoKey(self.alg))?;
        let signed = key.sign(TYP, &claims)?;
        // [JARM §2.2] "The JWT is either signed, or signed and encrypted."
        let hidden = client.encrypted(Encrypted::Authorization, Content::Jwt(&signed), chance)?;
        let jwt = hidden.unwrap_or(signed);
        Ok(match self.posted {
            // [JARM §2.3.1] "The authorization server adds the parameter response containing the JWT"
            false => Reply::Redirect(with_query(&self.to, &[("response", Some(&jwt))])),
            true => Reply::Form {
                to: self.to,
                fields: vec![("response".to_owned(), jwt)],
            },
        })
    }
}

/// The standard names none.
const TYP: &str = "JWT";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{JwkSet, KeyManagement};
    use crate::testing::{NOW, ent, hers, issuer, ring};
    use serde_json::{Value, json};

    fn unsigned(posted: bool, alg: SigningAlg) -> Unsigned {
        let says = [("code", "c"), ("state", "s"), ("iss", "outside")];
        let says = says.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Unsigned {
            client_id: "ent".to_owned(),
            to: "https://edu.example/callback?own=1".to_owned(),
            alg,
            posted,
            says: says.into(),
        }
    }

    fn signed(unsigned: Unsigned, ring: &KeyRing) -> Result<Reply, UnsignedError> {
        unsigned.sign(&ent(), (&issuer(), ring), NOW, &[7; 112])
    }

    /// [JARM §2.2] "The JWT is either signed, or signed and encrypted."
    #[test]
    fn an_answer_is_encrypted_to_the_application_to_which_it_goes() {
        let (ring, issuer, hers) = (ring(), issuer(), hers());
        let hides = Client {
            authorization_encrypted_response_alg: Some(KeyManagement::EcdhEs),
            jwks: Some(JwkSet {
                keys: vec![hers.published().unwrap().clone()],
            }),
            ..ent()
        };
        assert_eq!(hides.check(), []);
        assert!(hides.is_answered_by_jwt() && !ent().is_answered_by_jwt());
        let send = |client: &Client, posted| {
            unsigned(posted, SigningAlg::Es256).sign(client, (&issuer, &ring), NOW, &[7; 112])
        };
        let Reply::Redirect(location) = send(&hides, false).unwrap() else {
            panic!("a redirect was wanted")
        };
        let (_, jwe) = location.split_once("response=").unwrap();
        let Reply::Form { fields, .. } = send(&hides, true).unwrap() else {
            panic!("a form was wanted")
        };
        for jwe in [jwe, fields[0].1.as_str()] {
            assert_eq!(jwe.split('.').count(), 5);
            let opened = String::from_utf8(hers.open(jwe).unwrap().to_vec()).unwrap();
            let says: Value = ring.verify(&opened, "JWT", NOW).unwrap();
            assert_eq!((&says["aud"], &says["code"]), (&json!("ent"), &json!("c")));
        }
        let another = Client {
            id: "other".to_owned(),
            ..hides.clone()
        };
        assert_eq!(send(&another, false), Err(UnsignedError::OfAnother));
        let keyless = Client {
            jwks: None,
            ..hides
        };
        let in_the_clear = send(&keyless, false);
        assert_eq!(in_the_clear, Err(UnsignedError::Encrypt(JweError::NoKey)));
    }

    /// [C07] [JARM §2.1] "The JWT always contains the following data utilized to secure the transmission"
    /// [JARM §2.1] "A maximum JWT lifetime of 10 minutes is RECOMMENDED."
    /// [JARM §2.3.1] "The authorization server adds the parameter response containing the JWT"
    #[test]
    fn it_says_who_to_whom_and_until_when() {
        let ring = ring();
        let said = |jwt: &str| -> Value { ring.verify(jwt, "JWT", NOW).unwrap() };
        let expected = json!({ "iss": "https://id.example", "aud": "ent", "exp": NOW + 300, "code": "c",
            "state": "s" });
        for alg in [SigningAlg::Es256, SigningAlg::Rs256] {
            let reply = signed(unsigned(false, alg), &ring).unwrap();
            let Reply::Redirect(location) = reply else {
                panic!("a redirect was wanted")
            };
            let start = "https://edu.example/callback?own=1&response=";
            assert_eq!(said(location.strip_prefix(start).unwrap()), expected);
            let Reply::Form { to, fields } = signed(unsigned(true, alg), &ring).unwrap() else {
                panic!("a form was wanted")
            };
            assert_eq!(to, "https://edu.example/callback?own=1");
            let [(name, jwt)] = fields.as_slice() else {
                panic!("one field: {fields:?}")
            };
            assert_eq!((name.as_str(), said(jwt)), ("response", expected.clone()));
        }
        const { assert!(Unsigned::LIFETIME_S <= 600) };
        assert_eq!(
            signed(unsigned(false, SigningAlg::EdDsa), &ring),
            Err(UnsignedError::NoKey(SigningAlg::EdDsa))
        );
    }
}
