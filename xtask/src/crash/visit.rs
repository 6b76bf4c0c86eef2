//! What a browser and an application do at the provider, a call at a time.

use std::io;

use super::canton::{PASSWORD, PORTAL, REDIRECT, SECRET};
use super::http::{Answer, Browser, form};
use crate::workshop::Trouble;

/// [RFC 7636 §Appendix B] Its example is as good as any here.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Why a call did not come to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection ended, as it does when the provider is killed.
    Off(io::Error),
    /// The provider answered something that it never should.
    Strange(String),
}

impl Broken {
    pub(super) fn strange(wanted: &str, answer: &Answer) -> Self {
        let came = answer.sentence();
        Self::Strange(format!("{wanted} was expected, and the answer was {came}"))
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Off(error)
    }
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Off(error) => Self::new(format!("the provider broke off: {error}")),
            Broken::Strange(sentence) => Self::new(sentence),
        }
    }
}

/// The address at which an application asks who somebody is.
pub(super) fn asks(application: &str) -> String {
    let query = form(&[
        ("response_type", "code"),
        ("client_id", application),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile"),
        ("state", "state"),
        ("nonce", "nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    format!("/authorize?{query}")
}

/// The code in a redirect back to the application.
pub(super) fn code_in(answer: &Answer) -> Result<String, Broken> {
    let query = answer.location().strip_prefix(REDIRECT);
    let query = query.and_then(|rest| rest.strip_prefix('?'));
    let mut pairs = query.unwrap_or_default().split('&');
    pairs
        .find_map(|pair| pair.strip_prefix("code="))
        .map(str::to_owned)
        .ok_or_else(|| Broken::strange("a way back with a code", answer))
}

/// The application redeems a code.
pub(super) fn redeem(browser: &mut Browser, code: &str) -> Result<Answer, Broken> {
    Ok(browser.post(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", PORTAL),
            ("client_secret", SECRET),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ],
    )?)
}

/// The access token in the answer to a redeemed code.
pub(super) fn token_in(answer: &Answer) -> Result<String, Broken> {
    let token = serde_json::from_str(&answer.body).ok();
    let token = token
        .and_then(|body: serde_json::Value| Some(body.get("access_token")?.as_str()?.to_owned()));
    token.ok_or_else(|| Broken::strange("a token", answer))
}

/// Opens a sign-in page and sends name and password.
pub(super) fn enter(
    browser: &mut Browser,
    page: &str,
    (username, password): (&str, &str),
) -> Result<Answer, Broken> {
    let page = browser.get(page)?;
    let ticket = ticket_in(&page)?;
    let fields = [
        ("ticket", ticket.as_str()),
        ("username", username),
        ("password", password),
    ];
    Ok(browser.post("/login", &fields)?)
}

/// The hidden ticket of a sign-in page, or of a question before it.
pub(super) fn ticket_in(page: &Answer) -> Result<String, Broken> {
    let ticket = page.between("name=\"ticket\" value=\"", "\"");
    ticket
        .map(str::to_owned)
        .ok_or_else(|| Broken::strange("a page with a ticket", page))
}

/// Types a wrong password.
pub(super) fn mistype(browser: &mut Browser, username: &str) -> Result<Answer, Broken> {
    let answer = enter(browser, "/login", (username, "Grimsel-1894-Strasse"))?;
    match answer.status {
        422 | 429 => Ok(answer),
        _ => Err(Broken::strange("a refusal", &answer)),
    }
}

/// Types name and activation code.
pub(super) fn begin_activation(
    browser: &mut Browser,
    username: &str,
    code: &str,
) -> Result<Answer, Broken> {
    let fields = [("username", username), ("activation_code", code)];
    let answer = browser.post("/activate", &fields)?;
    match answer.status {
        303 | 422 => Ok(answer),
        _ => Err(Broken::strange(
            "the first page of an activation, or a refusal",
            &answer,
        )),
    }
}

/// The rest of an activation: the data are right, a password, a number and the app.
pub(super) fn finish_activation(browser: &mut Browser, path: &str) -> Result<(), Broken> {
    let password = [("new_password", PASSWORD), ("new_password_again", PASSWORD)];
    let method = [("method", "app"), ("phone", "+41791234567")];
    let forms: [&[(&str, &str)]; 3] = [&[], &password, &method];
    for fields in forms {
        let answer = browser.post(path, fields)?;
        if answer.status != 303 {
            return Err(Broken::strange("the next page of an activation", &answer));
        }
    }
    Ok(())
}
