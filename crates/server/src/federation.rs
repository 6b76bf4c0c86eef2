//! Federations: what they say is fetched, verified and kept; what was kept becomes applications.
//!
//! Every node fetches by itself, so no other one needs to live for it; the store keeps what was fetched last,
//! and tells all nodes when that is something else. See
//! `docs/decisions/0031-a-federation-is-a-document-that-ends.md`.

use std::{collections::BTreeMap, time::Duration};

use journey::Timestamp;
use store::FederationCopy;
use wire::saml::{
    Federation,
    federation::{BYTES_MAX, Chosen, Member},
};

use crate::{app::App, failure::chain};

/// Between two looks whether a federation is due.
const LOOK: Duration = Duration::from_secs(5);
/// After a failure it is tried again so soon, in seconds.
const RETRY_S: i64 = 120;

/// When which federation is fetched next, as this node sees it.
#[derive(Default)]
pub(crate) struct Plans(BTreeMap<String, Plan>);

struct Plan {
    /// As it was trusted then: another trust is due at once.
    federation: Federation,
    next: Timestamp,
}

/// Runs for ever.
pub(crate) async fn run(app: &App) {
    let mut plans = Plans::default();
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        refresh(app, &mut plans).await;
    }
}

/// Fetches what is due, one after the other; how many were believed.
pub(crate) async fn refresh(app: &App, plans: &mut Plans) -> usize {
    let catalogue = app.catalogue.load_full();
    let trusted = || catalogue.federations.iter().filter(|one| one.enabled);
    plans.0.retain(|id, _| trusted().any(|one| one.id == *id));
    let mut believed = 0;
    for federation in trusted() {
        let now = app.world.now();
        let waits = |plan: &Plan| plan.federation == *federation && now < plan.next;
        if plans.0.get(&federation.id).is_some_and(waits) {
            continue;
        }
        let wait_s = match renew(app, federation).await {
            Ok(()) => {
                believed += 1;
                federation.refresh_s()
            }
            Err(why) => {
                tracing::warn!(
                    federation = federation.id,
                    why,
                    "a federation's metadata could not be renewed; what it said before counts until its end"
                );
                federation.refresh_s().min(RETRY_S)
            }
        };
        let plan = Plan {
            federation: federation.clone(),
            next: app.world.now().plus(wait_s),
        };
        plans.0.insert(federation.id.clone(), plan);
    }
    believed
}

async fn renew(app: &App, federation: &Federation) -> Result<(), String> {
    let (_, _, applications) = app.catalogue.load_full().senders.clone();
    let fetched = applications.fetch(&federation.url, BYTES_MAX).await;
    let document = fetched.map_err(|error| chain(&error))?;
    let (now, trusted) = (app.world.now(), federation.clone());
    // Tens of MiB take seconds, during which this thread would serve nobody.
    let verified = tokio::task::spawn_blocking(move || trusted.choose(&document, now.0)).await;
    let chosen = verified.map_err(|error| chain(&error))?;
    let Chosen {
        members,
        packed,
        valid_until,
    } = chosen.map_err(|error| chain(&error))?;
    let copy = FederationCopy {
        at: now,
        document: packed,
        id: federation.id.clone(),
        source: federation.source(),
        until: Timestamp(valid_until),
    };
    let kept = app.store.keep_federation(&copy).await;
    let is_new = kept.map_err(|error| chain(&error))?;
    if is_new {
        tracing::info!(
            federation = federation.id,
            members,
            valid_until = %copy.until,
            "a federation's metadata was renewed"
        );
    }
    Ok(())
}

/// The members of all trusted federations, in their order. What was believed of another source is not
/// believed; what cannot be read is left out until it is fetched again.
///
/// # Errors
/// When the reading itself broke off: then nothing may be taken for all that there is.
pub(crate) async fn members(
    trusted: Vec<Federation>,
    copies: Vec<FederationCopy>,
) -> Result<Vec<Member>, tokio::task::JoinError> {
    let read = move || -> Vec<Member> {
        let all = trusted.iter().filter(|one| one.enabled).map(|federation| {
            let source = federation.source();
            let is_its = |copy: &&FederationCopy| copy.id == federation.id && copy.source == source;
            let Some(copy) = copies.iter().find(is_its) else {
                return Vec::new();
            };
            federation.members(&copy.document).unwrap_or_else(|error| {
                tracing::warn!(
                    federation = federation.id,
                    why = chain(&error),
                    "what was kept of a federation's metadata cannot be read"
                );
                Vec::new()
            })
        });
        all.flatten().collect()
    };
    tokio::task::spawn_blocking(read).await
}
