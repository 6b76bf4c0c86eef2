//! Somebody with a session, who goes on working while others crowd the door.

use std::{sync::Arc, time::Duration};

use driver::{Browser, Entered, Site};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    Trouble,
    canton::{PASSWORD, SCHOOL},
};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(50);

/// What they met.
#[derive(Debug, Default)]
pub(crate) struct Met {
    pub(crate) failed: Vec<String>,
    /// How long each answer took, sorted.
    pub(crate) took: Vec<Duration>,
}

/// Opens applications and reads keys until told to stop.
pub(crate) async fn work(
    site: Arc<Site>,
    who: String,
    stop: watch::Receiver<bool>,
) -> Result<Met, Trouble> {
    let mut browser = Browser::new(&site, SCHOOL);
    if !matches!(browser.sign_in(&who, PASSWORD).await?, Entered::Yes) {
        return Err("the one who works could not sign in before the rush".into());
    }
    let mut met = Met::default();
    while !*stop.borrow() {
        let began = Instant::now();
        let again = browser.sign_in_again().await;
        met.took.push(began.elapsed());
        let began = Instant::now();
        let keys = browser.get("/jwks").await;
        met.took.push(began.elapsed());
        met.failed
            .extend(again.err().map(|trouble| trouble.to_string()));
        match keys {
            Ok(keys) if keys.status == 200 => {}
            Ok(keys) => met.failed.push(keys.unexpected("the keys").to_string()),
            Err(trouble) => met.failed.push(trouble.to_string()),
        }
        sleep(EVERY).await;
    }
    met.took.sort();
    Ok(met)
}
