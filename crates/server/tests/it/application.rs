//! The ENT played by a script: it asks for codes and redeems them itself.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::Value;
use testkit::memory::{Canton, ENT_SECRET};
use testkit::{Answer, Attempt, Browser, Person, Place, Role, Town};
use url::Url;

/// 43 characters of the alphabet that [RFC 7636 §4.1] allows.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The only address to which the ENT has its codes sent.
pub(crate) const REDIRECT: &str = "http://localhost:8401/callback";

/// Where things are.
pub(crate) fn at(path: &str) -> String {
    format!("http://localhost:8400{path}")
}

/// An authorization request of the ENT, with some parameters set otherwise (or taken away).
pub(crate) fn asks(changes: &[(&str, Option<&str>)]) -> String {
    let challenge = BASE64URL_NOPAD.encode(digest(&SHA256, VERIFIER.as_bytes()).as_ref());
    let usual = [
        ("response_type", "code"),
        ("client_id", "ent"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile"),
        ("state", "a-state"),
        ("nonce", "a-nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let mut url = Url::parse(&at("/authorize")).unwrap();
    for (name, value) in usual {
        if !changes.iter().any(|(changed, _)| *changed == name) {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    for (name, value) in changes {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    url.into()
}

/// Somebody who signs in at school with a password, in a browser of theirs.
pub(crate) fn at_school(canton: &mut Canton) -> (Person, Box<dyn Browser>) {
    let town: &mut dyn Town = canton;
    (town.somebody(Role::Sms), town.browser(Place::School))
}

/// Answers the sign-in page for a request; where the browser is sent then.
pub(crate) fn enters(browser: &mut dyn Browser, request: &str, person: &Person) -> Answer {
    browser.opens(request);
    let (action, fields) = browser.form();
    let filled: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| match name.as_str() {
            "username" => ("username", person.username.as_str()),
            "password" => ("password", person.password.as_str()),
            name => (name, value.as_str()),
        })
        .collect();
    browser.sends(Attempt::post(&action, &filled).from_page_of(&at("")))
}

/// A fresh code for the ENT.
pub(crate) fn code(canton: &mut Canton) -> String {
    let (person, mut browser) = at_school(canton);
    let answer = enters(&mut *browser, &asks(&[]), &person);
    parameter(answer.location(), "code").unwrap()
}

/// One parameter of an address.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// The redemption of a code, as the ENT does it.
pub(crate) fn redeems(code: &str) -> Attempt {
    redeems_as(code, "ent", ENT_SECRET, VERIFIER)
}

/// The redemption of a code by somebody who says who they are.
pub(crate) fn redeems_as(code: &str, client: &str, secret: &str, verifier: &str) -> Attempt {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", verifier),
    ];
    Attempt::post(&at("/token"), &fields).header("authorization", &basic(client, secret))
}

/// [RFC 7617] the header of name and secret.
pub(crate) fn basic(client: &str, secret: &str) -> String {
    format!(
        "Basic {}",
        BASE64.encode(format!("{client}:{secret}").as_bytes())
    )
}

/// What a signed token says.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

/// Sends one request over the town's network.
pub(crate) fn sends(canton: &mut Canton, attempt: Attempt) -> Answer {
    canton.sends(vec![attempt]).remove(0)
}
