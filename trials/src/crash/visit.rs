//! What a browser does at the provider, a call at a time.

use super::browser::{Answer, Broken, Browser};
use crate::canton::PASSWORD;

/// The access token in the answer to a redeemed code.
pub(super) fn token_in(answer: &Answer) -> Result<String, Broken> {
    let token = answer.between("\"access_token\":\"", "\"");
    let token = token.filter(|_| answer.status == 200).map(str::to_owned);
    token.ok_or_else(|| answer.unexpected("a token"))
}

/// Opens a sign-in page and sends name and password.
pub(super) fn enter(
    browser: &mut Browser,
    page: &str,
    (username, password): (&str, &str),
) -> Result<Answer, Broken> {
    let page = browser.get(page)?;
    let ticket = driver::ticket_in(&page)?;
    let fields = [
        ("ticket", ticket.as_str()),
        ("username", username),
        ("password", password),
    ];
    browser.post("/login", &fields)
}

/// Types a wrong password.
pub(super) fn mistype(browser: &mut Browser, username: &str) -> Result<Answer, Broken> {
    let answer = enter(browser, "/login", (username, "Grimsel-1894-Strasse"))?;
    match answer.status {
        422 | 429 => Ok(answer),
        _ => Err(answer.unexpected("a refusal")),
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
        _ => Err(answer.unexpected("the first page of an activation, or a refusal")),
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
            return Err(answer.unexpected("the next page of an activation"));
        }
    }
    Ok(())
}
