//! `/logout`: an application asks that the person be logged out [RP-Initiated Logout 1.0].

use serde::{Deserialize, Serialize};

use super::Issuer;
use super::id_token::Hint;
use crate::fault::faults;
use crate::form::{Bounds, Fields, FormError, with_query};
use crate::jose::KeyRing;
use crate::oauth::client::Client;

faults! {
    /// A fault of a logout request that is shown on a page. Lesser ones make that the person is
    /// asked, and not sent anywhere: see [`Logout`].
    pub enum Fault {
        /// More than 8 KiB.
        TooLong => "invalid_request", 400, "RP-Initiated Logout §4", "the request is too long";
        /// Not form-encoded UTF-8 text.
        Malformed => "invalid_request", 400, "RP-Initiated Logout §4", "the request is not form-encoded text";
        /// A parameter is there twice.
        Repeated => "invalid_request", 400, "RP-Initiated Logout §4", "a parameter is given more than once";
    }
}

/// A logout request after its verification; small enough to travel in a sealed ticket.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Logout {
    /// The person that the application means. Somebody else at the keyboard is asked first.
    pub subject: Option<String>,
    /// The session that the application means. Another one is asked about first.
    pub sid: Option<String>,
    /// The application, if it proved or at least named itself.
    pub client_id: Option<String>,
    /// Where the person is sent afterwards.
    pub return_to: Option<String>,
    /// The languages the application would like.
    pub ui_locales: Vec<String>,
}

impl Logout {
    /// Reads and verifies a request: the query of a GET or the body of a POST.
    ///
    /// # Errors
    /// [`Fault`]. A hint that is not ours or an address that is not registered is no error: it is
    /// not used.
    pub fn parse<'c>(
        raw: &[u8],
        ring: &KeyRing,
        issuer: &Issuer,
        now: i64,
        find: impl Fn(&str) -> Option<&'c Client>,
    ) -> Result<Self, Fault> {
        let fields = Fields::read(raw, BOUNDS).map_err(|error| match error {
            FormError::TooLong => Fault::TooLong,
            FormError::Malformed => Fault::Malformed,
        })?;
        fields.each_once().map_err(|_| Fault::Repeated)?;
        let value = |name: &str| fields.one(name).ok().flatten();
        let named = value("client_id");
        let hint = match value("id_token_hint") {
            None => None,
            Some(token) => match Hint::read(token, ring, issuer, now) {
                // [RP-Initiated Logout §2] "When both client_id and id_token_hint are present, the OP MUST verify that the Client Identifier matches the one used when issuing the ID Token."
                Ok(hint) if named.is_none_or(|id| id == hint.aud) => Some(hint),
                // [RP-Initiated Logout §4] "any operations requiring the information that failed to correctly validate MUST be aborted"
                Ok(_) | Err(_) => return Ok(Self::default()),
            },
        };
        let client = hint
            .as_ref()
            .map(|hint| hint.aud.as_str())
            .or(named)
            .and_then(find)
            .filter(|client| client.enabled);
        let return_to = client.and_then(|client| return_to(client, &fields));
        let locales = value("ui_locales").unwrap_or_default().split(' ');
        Ok(Self {
            client_id: client.map(|client| client.id.clone()),
            return_to,
            ui_locales: locales
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
            sid: hint.as_ref().and_then(|hint| hint.sid.clone()),
            subject: hint.map(|hint| hint.sub),
        })
    }

    /// Whether the person must be asked before being logged out of the session `sid` of `subject`.
    // [RP-Initiated Logout §2] "the OP MUST ask the End-User this question if an id_token_hint was not provided or if the supplied ID Token does not belong to the current OP session with the RP and/or currently logged in End-User."
    #[must_use]
    pub fn must_ask(&self, subject: &str, sid: &str) -> bool {
        let same_person = self.subject.as_deref() == Some(subject);
        let same_session = self.sid.as_deref().is_none_or(|hinted| hinted == sid);
        !(same_person && same_session)
    }
}

/// One of the application's own addresses, with its `state`. Without a hint the application has only
/// named itself, but the person is asked first, and the address is registered.
fn return_to(client: &Client, fields: &Fields) -> Option<String> {
    let uri = fields.one("post_logout_redirect_uri").ok().flatten()?;
    // [RP-Initiated Logout §3] "MUST NOT perform post-logout redirection if the post_logout_redirect_uri value supplied does not exactly match one of the previously registered post_logout_redirect_uris values."
    let registered = client
        .post_logout_redirect_uris
        .iter()
        .any(|known| known == uri);
    let state = fields.one("state").ok().flatten();
    registered.then(|| with_query(uri, &[("state", state)]))
}

const BOUNDS: Bounds = Bounds {
    total_bytes_max: 8 * 1024,
    value_bytes_max: 4 * 1024,
    fields_max: 20,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::SigningAlg;
    use crate::testing::{NOW, Odd, ent, issuer, ring};
    use serde_json::json;

    fn encoded(pairs: &[(&str, &str)]) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }

    fn token(ring: &KeyRing, iss: &str, aud: &str) -> String {
        let claims = json!({"iss": iss, "sub": "p-42", "aud": aud, "sid": "s-7", "exp": NOW - 86_400,
            "iat": NOW - 86_700, "auth_time": NOW - 86_700});
        ring.signing(SigningAlg::Es256)
            .unwrap()
            .sign("JWT", &claims)
            .unwrap()
    }

    fn asks(ring: &KeyRing, pairs: &[(&str, &str)]) -> Result<Logout, Fault> {
        let client = ent();
        Logout::parse(encoded(pairs).as_bytes(), ring, &issuer(), NOW, |id| {
            (id == client.id).then_some(&client)
        })
    }

    /// [C15] An expired hint of ours is good; the person it names is not asked.
    #[test]
    fn with_our_own_token_as_hint_the_person_is_sent_back_without_a_question() {
        let ring = ring();
        let hint = token(&ring, "https://id.example", "ent");
        let logout = asks(
            &ring,
            &[
                ("id_token_hint", &hint),
                ("state", "a b"),
                ("post_logout_redirect_uri", "https://edu.example/bye"),
                ("ui_locales", "de fr"),
            ],
        )
        .unwrap();
        assert_eq!(
            logout.return_to.as_deref(),
            Some("https://edu.example/bye?state=a+b")
        );
        assert_eq!(logout.client_id.as_deref(), Some("ent"));
        assert_eq!(logout.ui_locales, ["de", "fr"]);
        assert!(!logout.must_ask("p-42", "s-7"));
        assert!(logout.must_ask("p-42", "s-8"));
        assert!(logout.must_ask("p-43", "s-7"));
        let ticket = serde_json::to_string(&logout).unwrap();
        assert_eq!(serde_json::from_str::<Logout>(&ticket).unwrap(), logout);
    }

    /// [C15] [RP-Initiated Logout §2] "the OP MUST ask the End-User this question if an id_token_hint was not provided or if the supplied ID Token does not belong to the current OP session with the RP and/or currently logged in End-User."
    #[test]
    fn without_a_hint_the_person_is_asked() {
        let ring = ring();
        let bare = asks(&ring, &[]).unwrap();
        assert_eq!(bare, Logout::default());
        assert!(bare.must_ask("p-42", "s-7"));
        let named = asks(
            &ring,
            &[
                ("client_id", "ent"),
                ("post_logout_redirect_uri", "https://edu.example/bye"),
            ],
        )
        .unwrap();
        assert!(named.must_ask("p-42", "s-7"));
        assert_eq!(named.return_to.as_deref(), Some("https://edu.example/bye"));
    }

    /// [C15] [RP-Initiated Logout §2] "When both client_id and id_token_hint are present, the OP MUST verify that the Client Identifier matches the one used when issuing the ID Token."
    /// [RP-Initiated Logout §4] "any operations requiring the information that failed to correctly validate MUST be aborted"
    #[test]
    fn a_hint_that_is_forged_or_for_another_is_not_used_at_all() {
        let ring = ring();
        let bye = ("post_logout_redirect_uri", "https://edu.example/bye");
        let forged = token(&crate::testing::ring(), "https://id.example", "ent");
        let elsewhere = token(&ring, "https://other.example", "ent");
        let unsigned = format!("{}.", forged.rsplit_once('.').unwrap().0);
        for hint in [&forged, &elsewhere, &unsigned, "x"] {
            assert_eq!(
                asks(&ring, &[("id_token_hint", hint), ("client_id", "ent"), bye]),
                Ok(Logout::default())
            );
        }
        let ours = token(&ring, "https://id.example", "ent");
        assert_eq!(
            asks(
                &ring,
                &[("id_token_hint", &ours), ("client_id", "ism"), bye]
            ),
            Ok(Logout::default())
        );
        let unknown = token(&ring, "https://id.example", "gone");
        let logout = asks(&ring, &[("id_token_hint", &unknown), bye]).unwrap();
        assert_eq!((logout.client_id, logout.return_to), (None, None));
    }

    /// [S09] [RP-Initiated Logout §3] "MUST NOT perform post-logout redirection if the post_logout_redirect_uri value supplied does not exactly match one of the previously registered post_logout_redirect_uris values."
    #[test]
    fn nobody_is_sent_to_an_address_that_is_not_registered() {
        let ring = ring();
        let mut odd = Odd(3);
        for _ in 0..5_000 {
            let uri = odd.mutated("https://edu.example/bye");
            let pairs = [
                ("client_id", "ent"),
                ("post_logout_redirect_uri", uri.as_str()),
            ];
            let sent = asks(&ring, &pairs).ok().and_then(|logout| logout.return_to);
            assert_eq!(sent.is_some(), uri == "https://edu.example/bye", "{uri}");
        }
    }

    /// [C13]
    #[test]
    fn a_repeated_parameter_is_refused() {
        let ring = ring();
        for name in [
            "id_token_hint",
            "client_id",
            "post_logout_redirect_uri",
            "state",
            "ui_locales",
            "x",
        ] {
            assert_eq!(
                asks(&ring, &[(name, "1"), (name, "1")]),
                Err(Fault::Repeated)
            );
        }
        assert_eq!(
            asks(&ring, &[("state", &"x".repeat(9_000))]),
            Err(Fault::TooLong)
        );
        let bytes = Logout::parse(b"state=%ff", &ring, &issuer(), NOW, |_| None);
        assert_eq!(bytes, Err(Fault::Malformed));
    }
}
