//! The steps of a person's way in.

use std::time::Duration;

use driver::{Answer, Browser};
use tokio::time::sleep;

use crate::{Trouble, canton::PASSWORD};

/// How often somebody comes back who was told to wait for a free place at the hashes.
const COMES_BACK: usize = 100;

/// Types name and password, as often as it takes while the hashes are busy.
pub(crate) async fn enters(
    browser: &mut Browser,
    who: &str,
) -> Result<(driver::Asked, Answer), Trouble> {
    let (asked, ticket) = browser.ask().await?;
    let fields = [
        ("ticket", ticket.as_str()),
        ("username", who),
        ("password", PASSWORD),
    ];
    let answer = patiently(browser, "/login", &fields).await?;
    match answer.status {
        303 => Ok((asked, answer)),
        _ => Err(answer.unexpected("a way on").into()),
    }
}

/// Sends a form again while it is answered that all places are taken.
pub(crate) async fn patiently(
    browser: &mut Browser,
    path: &str,
    fields: &[(&str, &str)],
) -> Result<Answer, Trouble> {
    for _ in 0..COMES_BACK {
        let answer = browser.post(path, fields).await?;
        if answer.status != 503 {
            return Ok(answer);
        }
        sleep(Duration::from_millis(200)).await;
    }
    Err("the nodes had no place for a hash for twenty seconds".into())
}

/// The journey to which an answer leads.
pub(crate) fn journey_in(answer: &Answer) -> Result<String, Trouble> {
    let way = answer.headers("location").next().unwrap_or_default();
    match answer.status {
        303 if way.starts_with("/login/") || way.starts_with("/activate/") => Ok(way.to_owned()),
        _ => Err(answer.unexpected("a step of a journey").into()),
    }
}
