//! `/authorize`: nobody is sent to an address that is not registered, and a ticket keeps what was read.

use form_urlencoded::Serializer;
use serde_json::json;
use wire::oauth::authorize::{Authorize, Door, Fault, Received, Refused, Reply, parse};
use wire::oauth::client::{Client, Kind};
use wire::oauth::par;
use wire::oauth::scope::ScopeName;

use super::{Target, choice, seed};
use crate::sample::{CHALLENGE, CLIENTS, ISSUER, NOW, client, signed_token};

pub(super) const TARGET: Target = Target {
    name: "authorize",
    bytes_max: 10 * 1024,
    dictionary: "oauth",
    seeds,
    accepts,
};

/// Choices: the rest is a query; the claims of a request object, which is signed.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    match chosen % 2 {
        0 => is_granted(rest),
        _ => signed_token(br#"{"alg":"EdDSA"}"#, rest).is_some_and(|object| {
            is_granted(&query(&[("client_id", "signer"), ("request", &object)]))
        }),
    }
}

fn is_granted(input: &[u8]) -> bool {
    if let Some(referred) = par::Referred::read(input) {
        let uri = par::reference(&referred.sealed);
        let again = query(&[("client_id", &referred.client_id), ("request_uri", &uri)]);
        assert_eq!(par::Referred::read(&again), Some(referred));
    }
    match parsed(input, client) {
        Ok(request) => {
            holds(&request);
            true
        }
        Err(refused) => {
            goes_home(&refused);
            false
        }
    }
}

/// A request that a browser brings now.
pub(super) fn parsed<'c>(
    raw: &[u8],
    find: impl FnOnce(&str) -> Option<&'c Client>,
) -> Result<Authorize, Refused> {
    let issuer = ISSUER.as_ref().ok_or(Refused::Page(Fault::ServerError))?;
    let received = Received {
        issuer,
        now: NOW,
        by: Door::Browser,
        numbers: &[],
    };
    parse(raw, &received, find)
}

/// What is true of every request that is granted.
fn holds(request: &Authorize) {
    let client = client(&request.client_id);
    let client = client.filter(|client| client.enabled);
    assert!(client.is_some_and(|client| is_registered(client, &request.redirect_uri)));
    assert!(client.is_some_and(|client| client.scope().includes(&request.scope)));
    assert!(request.scope.has(ScopeName::Openid));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    assert_eq!(request.code_challenge.len(), 43);
    assert!(request.code_challenge.bytes().all(plain));
    assert!(
        request
            .state
            .as_ref()
            .is_none_or(|state| state.len() <= 2048)
    );
    let ticket = serde_json::to_vec(request).ok();
    let again = ticket.and_then(|ticket| serde_json::from_slice::<Authorize>(&ticket).ok());
    assert_eq!(
        again.as_ref(),
        Some(request),
        "a ticket keeps what was read"
    );
    if let Some(issuer) = ISSUER.as_ref() {
        leads_to(
            &request.granted("code", None, issuer),
            &request.redirect_uri,
        );
    }
}

/// Whoever is told of a fault is the application, at an address of its own.
fn goes_home(refused: &Refused) {
    let Refused::Redirect { redirect_uri, .. } = refused else {
        return;
    };
    assert!(
        CLIENTS
            .iter()
            .any(|client| is_registered(client, redirect_uri))
    );
    let issuer = ISSUER.as_ref();
    if let Some(reply) = issuer.and_then(|issuer| refused.reply(issuer)) {
        leads_to(&reply, redirect_uri);
    }
}

/// An answer goes to this address, and a header can hold it.
fn leads_to(reply: &Reply, uri: &str) {
    match reply {
        Reply::Redirect(location) => {
            let more = location.strip_prefix(uri);
            assert!(more.is_some_and(|more| more.starts_with(['?', '&']) || uri.ends_with('?')));
            assert!(location.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        Reply::Form { to, .. } => assert_eq!(to, uri),
        Reply::Jwt(unsigned) => assert_eq!(unsigned.to(), uri),
    }
}

/// Whether an address is one of the application's own: byte by byte, but for the port of a loopback
/// address of a native one. Written differently than the parser does it.
pub(super) fn is_registered(client: &Client, uri: &str) -> bool {
    let exact = client.redirect_uris.iter().any(|known| known == uri);
    let without_port = |uri: &str| {
        let host = ["http://127.0.0.1", "http://[::1]"]
            .into_iter()
            .find(|host| uri.starts_with(host))?;
        let rest = uri.get(host.len()..)?;
        let digits = rest.strip_prefix(':').unwrap_or_default();
        let digits = digits.split('/').next().unwrap_or_default();
        let port = digits.parse::<u16>().ok().filter(|port| *port > 0);
        let path = match port {
            Some(port) => rest.strip_prefix(&format!(":{port}"))?,
            None => rest,
        };
        path.starts_with('/').then(|| format!("{host}{path}"))
    };
    let asked = without_port(uri);
    let native = client.kind == Kind::Native && asked.is_some();
    let mut known = client.redirect_uris.iter();
    exact || (native && known.any(|known| without_port(known) == asked))
}

pub(super) fn query(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(pairs);
    form.finish().into_bytes()
}

fn seeds() -> Vec<Vec<u8>> {
    let ent = [
        ("client_id", "ent"),
        ("redirect_uri", "https://edu.example/callback"),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s t/\u{e4}+&="),
    ];
    let more = [
        ("nonce", "n"),
        ("prompt", "login consent"),
        ("max_age", "3600"),
        ("acr_values", "https://refeds.org/profile/mfa"),
        ("ui_locales", "fr-CH de"),
        ("login_hint", "anna"),
        ("response_mode", "form_post"),
    ];
    let native = ent.map(|(name, value)| match name {
        "client_id" => (name, "native"),
        "redirect_uri" => (name, "http://127.0.0.1:51004/cb"),
        _ => (name, value),
    });
    let referred = [
        ("client_id", "ent"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:c2VhbGVk"),
    ];
    let object = json!({
        "iss": "signer", "client_id": "signer", "aud": "https://id.example", "exp": NOW + 60, "jti": "a",
        "redirect_uri": "https://signer.example/", "response_type": "code", "scope": "openid",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", "max_age": 60,
        "claims": { "id_token": { "acr": { "essential": true, "values": ["a"] } } },
    });
    vec![
        seed(0, query(&ent)),
        seed(0, query(&[&ent[..], &more].concat())),
        seed(0, query(&native)),
        seed(0, query(&referred)),
        seed(1, object.to_string()),
    ]
}
