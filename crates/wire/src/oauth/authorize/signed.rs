//! An answer that travels as a JWT, so that nobody on the way can change it or make one up
//! [JWT Secured Authorization Response Mode].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::form::with_query;
use crate::jose::{JwsError, KeyRing, SigningAlg};
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
    Sign(JwsError),
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

    /// Signs it, for the way that it is to take: a redirect or a form, with one parameter.
    ///
    /// # Errors
    /// [`UnsignedError`].
    pub fn sign(self, issuer: &Issuer, ring: &KeyRing, now: i64) -> Result<Reply, UnsignedError> {
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
        let jwt = key.sign(TYP, &claims).map_err(UnsignedError::Sign)?;
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
    use crate::testing::{NOW, issuer, ring};
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
            let reply = unsigned(false, alg).sign(&issuer(), &ring, NOW).unwrap();
            let Reply::Redirect(location) = reply else {
                panic!("a redirect was wanted")
            };
            let start = "https://edu.example/callback?own=1&response=";
            assert_eq!(said(location.strip_prefix(start).unwrap()), expected);
            let Reply::Form { to, fields } =
                unsigned(true, alg).sign(&issuer(), &ring, NOW).unwrap()
            else {
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
            unsigned(false, SigningAlg::EdDsa).sign(&issuer(), &ring, NOW),
            Err(UnsignedError::NoKey(SigningAlg::EdDsa))
        );
    }
}
