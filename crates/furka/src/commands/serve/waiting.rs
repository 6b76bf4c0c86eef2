//! A start without a database: a node that comes up before it, or while no server leads, waits. What does
//! not pass by itself ends the start at once, with its sentence.

use std::{sync::Arc, time::Duration};

use server::{Provider, RealWorld, Settings, Waiting};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{doors::Doors, told};
use crate::failure::{Doing, Failure};

/// The first pause between two tries; each is twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest one.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// How often the log says that nothing has changed.
const SAID_EVERY: Duration = Duration::from_secs(30);

/// Tries to start until that works, answering meanwhile; none if somebody asks for the end before.
///
/// # Errors
/// What does not pass by itself.
pub(super) async fn until_there<S: Future<Output = Result<Provider, Failure>>>(
    failure: Failure,
    start: impl Fn() -> S,
    (doors, settings): (&Doors, Settings),
    stop: watch::Receiver<bool>,
) -> Result<Option<Provider>, Failure> {
    let waiting = Waiting::new(settings, Arc::new(RealWorld));
    let (end, ended) = watch::channel(false);
    let starting = async {
        let outcome = tokio::select! {
            started = try_again(failure, start) => started.map(Some),
            () = told(stop) => Ok(None),
        };
        end.send_replace(true);
        outcome
    };
    let routers = (waiting.router(), waiting.management());
    let (answered, outcome) = tokio::join!(doors.answer(routers, told(ended)), starting);
    answered.doing(|| "answering while the database is away".to_owned())?;
    outcome
}

async fn try_again<S: Future<Output = Result<Provider, Failure>>>(
    mut failure: Failure,
    start: impl Fn() -> S,
) -> Result<Provider, Failure> {
    let began = Instant::now();
    let mut said = (String::new(), began);
    let mut pause = PAUSE;
    loop {
        let why = failure.causes().join(": ");
        if why != said.0 {
            tracing::warn!(why, "the database cannot be used yet: waiting for it");
            said = (why, Instant::now());
        } else if said.1.elapsed() > SAID_EVERY {
            let seconds = began.elapsed().as_secs();
            tracing::warn!(seconds, why, "still waiting for the database");
            said.1 = Instant::now();
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(PAUSE_MAX);
        match start().await {
            Err(next) if next.is_passing() => failure = next,
            Ok(provider) => {
                let seconds = began.elapsed().as_secs();
                tracing::info!(seconds, "the database is there");
                return Ok(provider);
            }
            Err(failure) => return Err(failure),
        }
    }
}
