//! `/par`: an application hands its authorization request over itself, and sends the browser with a
//! reference to it [RFC 9126].

use serde::Serialize;

use super::authorize::{self, Authorize, Door, Received};
use super::client::Client;
use super::token::{Answer, NO_STORE, SpendOnce};
use crate::Secret;
use crate::form::{Bounds, Fields};
use crate::oidc::Issuer;

/// How long a reference is good for, in seconds.
// [RFC 9126 §2.2] "The request URI lifetime is at the discretion of the authorization server but will typically be relatively short (e.g., between 5 and 600 seconds)."
pub const LIFETIME_S: i64 = 60;

/// What every reference begins with.
const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// The request that an application handed over, or what it is told is wrong with it. `client`: the one
/// that has proven that it is itself. If it signed the request under an id, the caller must consume that
/// once, and refuse the request if it was consumed before. `numbers`: of our keys, if it encrypted that.
///
/// # Errors
/// The answer to the application.
pub fn request(
    body: &[u8],
    client: &Client,
    (issuer, numbers): (&Issuer, &[Secret]),
    now: i64,
) -> Result<(Authorize, Option<SpendOnce>), Answer> {
    let received = Received {
        issuer,
        now,
        by: Door::Application,
        numbers,
    };
    // [RFC 9126 §2.1] "as a required authorization request parameter, it is similarly required in a pushed authorization request"
    // [RFC 9126 §2.1] "Reject the request if the request_uri authorization request parameter is provided."
    // [RFC 9126 §2.1] "Validate the pushed request as it would an authorization request sent to the authorization endpoint"
    let find = |id: &str| (id == client.id).then_some(client);
    authorize::read(body, &received, find).map_err(|refused| refusal(refused.fault()))
}

/// What an application is told that is wrong with its request.
#[must_use]
pub fn refusal(fault: authorize::Fault) -> Answer {
    #[derive(Serialize)]
    struct Told<'a> {
        error: &'a str,
        error_description: &'a str,
    }
    let row = fault.row();
    let told = Told {
        error: row.code,
        error_description: row.description,
    };
    // [RFC 9126 §2.3] has a status of its own for it.
    let status = match fault {
        authorize::Fault::TooLong => 413,
        _ => 400,
    };
    answer(status, &told)
}

/// The answer with the reference: `sealed` is base64url.
#[must_use]
pub fn accepted(sealed: &str) -> Answer {
    #[derive(Serialize)]
    struct Accepted {
        request_uri: String,
        expires_in: i64,
    }
    let request_uri = reference(sealed);
    let accepted = Accepted {
        request_uri,
        expires_in: LIFETIME_S,
    };
    answer(201, &accepted)
}

/// The reference to what is sealed.
#[must_use]
pub fn reference(sealed: &str) -> String {
    format!("{URN}{sealed}")
}

/// A request for the authorization endpoint that only refers to one.
#[derive(Debug, Eq, PartialEq)]
pub struct Referred {
    /// Who it says it is from.
    pub client_id: String,
    /// What is sealed.
    pub sealed: String,
}

impl Referred {
    /// Reads the query of a GET; none if it does not refer to anything of ours. All other parameters
    /// count for nothing.
    #[must_use]
    pub fn read(raw: &[u8]) -> Option<Self> {
        let fields = Fields::read(raw, BOUNDS).ok()?;
        let one = |name: &str| fields.one(name).ok().flatten();
        // [RFC 9101 §5] A request says what it wants in one way.
        if fields.one("request") != Ok(None) {
            return None;
        }
        Some(Self {
            sealed: one("request_uri")?.strip_prefix(URN)?.to_owned(),
            client_id: one("client_id")?.to_owned(),
        })
    }
}

fn answer(status: u16, body: &impl Serialize) -> Answer {
    Answer {
        status,
        headers: NO_STORE.to_vec(),
        body: serde_json::to_vec(body).unwrap_or_default(),
    }
}

/// A sealed request is somewhat longer than the 8 KiB of one.
const BOUNDS: Bounds = Bounds {
    total_bytes_max: 24 * 1024,
    value_bytes_max: 20 * 1024,
    fields_max: 40,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, ent, issuer};
    use serde_json::{Value, json};

    const GOOD: &str = "client_id=ent&response_type=code&redirect_uri=https://edu.example/callback\
        &scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
        &code_challenge_method=S256&client_secret=x";

    fn told(body: &str) -> Value {
        let answer = request(body.as_bytes(), &ent(), (&issuer(), &[]), NOW).unwrap_err();
        assert_eq!(answer.status, 400);
        assert!(answer.headers.contains(&("cache-control", "no-store")));
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// [C14] [RFC 9126 §2.1] "Validate the pushed request as it would an authorization request sent to the authorization endpoint"
    /// [RFC 9126 §2.1] "Reject the request if the request_uri authorization request parameter is provided."
    #[test]
    fn a_request_is_checked_when_it_is_handed_over() {
        let (request, spend) = request(GOOD.as_bytes(), &ent(), (&issuer(), &[]), NOW).unwrap();
        assert!(spend.is_none());
        assert_eq!(request.client_id, "ent");
        for (wrong, error) in [
            (GOOD.replace("client_id=ent&", ""), "invalid_request"),
            (GOOD.replace("=ent&", "=ism&"), "invalid_request"),
            (GOOD.replace("callback", "elsewhere"), "invalid_request"),
            (GOOD.replace("S256", "plain"), "invalid_request"),
            (GOOD.replace("=openid", "=phone"), "invalid_scope"),
            (format!("{GOOD}&state=1&state=1"), "invalid_request"),
            (
                format!("{GOOD}&request_uri={URN}x"),
                "request_uri_not_supported",
            ),
        ] {
            assert_eq!(told(&wrong)["error"], error, "{wrong}");
        }
    }

    /// [C14] [RFC 9126 §2.2] "The request URI lifetime is at the discretion of the authorization server but will typically be relatively short (e.g., between 5 and 600 seconds)."
    #[test]
    fn a_reference_comes_back_as_it_was_given() {
        let answer = accepted("c2VhbGVk");
        assert_eq!(answer.status, 201);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let uri = format!("{URN}c2VhbGVk");
        assert_eq!(body, json!({ "request_uri": uri, "expires_in": 60 }));
        let query = format!("client_id=ent&request_uri={uri}&scope=phone");
        let referred = Referred {
            client_id: "ent".to_owned(),
            sealed: "c2VhbGVk".to_owned(),
        };
        assert_eq!(Referred::read(query.as_bytes()), Some(referred));
    }

    /// [C13] [C17] What is somewhere else is not ours to fetch, and of two nothing counts.
    #[test]
    fn only_a_reference_of_ours_is_one() {
        for query in [
            "client_id=ent&request_uri=https://evil.example/request.jwt",
            "client_id=ent&request_uri=urn:ietf:params:oauth:x",
            "request_uri=urn:ietf:params:oauth:request_uri:x",
            "client_id=ent&client_id=ent&request_uri=urn:ietf:params:oauth:request_uri:x",
            "client_id=ent&request_uri=urn:ietf:params:oauth:request_uri:x\
             &request_uri=urn:ietf:params:oauth:request_uri:y",
            "client_id=ent&request=x&request_uri=urn:ietf:params:oauth:request_uri:x",
            "client_id=ent",
            "%ff",
        ] {
            assert_eq!(Referred::read(query.as_bytes()), None, "{query}");
        }
    }
}
