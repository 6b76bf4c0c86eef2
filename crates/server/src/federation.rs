//! Federations: what they say is fetched, verified and kept; what was kept becomes applications.
//!
//! Every node fetches by itself, so no other one needs to live for it; the store keeps what was fetched last,
//! and tells all nodes when that is something else. See
//! `docs/decisions/0031-a-federation-is-a-document-that-ends.md`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use journey::Timestamp;
use store::FederationCopy;
use wire::saml::{
    Federation,
    federation::{BYTES_MAX, Chosen},
};

use crate::{app::App, cookie::sha256, failure::chain, saml::Registered};

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

/// A federation's members as they were read. A new generation of the configuration seldom has to do with them, and
/// to read thousands takes seconds.
pub(crate) struct Known {
    /// As it was trusted then: another trust may choose others, and give them something else.
    federation: Federation,
    /// SHA-256 of what they were read from.
    document: [u8; 32],
    members: Vec<Arc<Registered>>,
}

impl Known {
    /// The members, as applications.
    pub(crate) fn members(&self) -> impl Iterator<Item = Arc<Registered>> {
        self.members.iter().map(Arc::clone)
    }

    fn read(
        federation: Federation,
        copy: &FederationCopy,
        before: &[Arc<Self>],
    ) -> Option<Arc<Self>> {
        let document = sha256(&copy.document);
        let is_same = |one: &&Arc<Self>| one.document == document && one.federation == federation;
        if let Some(same) = before.iter().find(is_same) {
            return Some(Arc::clone(same));
        }
        match federation.members(&copy.document) {
            Ok(members) => Some(Arc::new(Self {
                members: members
                    .into_iter()
                    .map(|member| Arc::new(member.into()))
                    .collect(),
                federation,
                document,
            })),
            Err(error) => {
                tracing::warn!(
                    federation = federation.id,
                    why = chain(&error),
                    "what was kept of a federation's metadata cannot be read"
                );
                None
            }
        }
    }
}

/// What all trusted federations said, in their order. What was believed of another source is not believed; what
/// cannot be read is left out until it is fetched again; what was read `before` is not read again.
///
/// # Errors
/// When the reading itself broke off: then nothing may be taken for all that there is.
pub(crate) async fn known(
    trusted: Vec<Federation>,
    copies: Vec<FederationCopy>,
    before: Vec<Arc<Known>>,
) -> Result<Vec<Arc<Known>>, tokio::task::JoinError> {
    let read = move || -> Vec<Arc<Known>> {
        let all = trusted.into_iter().filter(|one| one.enabled);
        all.filter_map(|federation| {
            let source = federation.source();
            let is_its = |copy: &&FederationCopy| copy.id == federation.id && copy.source == source;
            let copy = copies.iter().find(is_its)?;
            Known::read(federation, copy, &before)
        })
        .collect()
    };
    tokio::task::spawn_blocking(read).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "0123456789abcdef0123456789abcdef";

    fn federation() -> Federation {
        let text = format!(
            "id = 'eduid'\nurl = 'https://federation.example/'\ncertificates = ''\nsalt = '{SALT}'\n\
             entities = ['https://a.example/', 'https://b.example/']"
        );
        toml::from_str(&text).unwrap()
    }

    /// What is kept of a document with these members: packed as a block that is not compressed [RFC 1951 §3.2.4].
    fn copy(federation: &Federation, members: &[&str]) -> FederationCopy {
        let member = |host: &&str| {
            format!(
                r#"<md:EntityDescriptor entityID="https://{host}.example/"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://{host}.example/acs"/></md:SPSSODescriptor></md:EntityDescriptor>"#
            )
        };
        let members: String = members.iter().map(member).collect();
        let text = format!(
            r#"<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{members}</md:EntitiesDescriptor>"#
        );
        let length = u16::try_from(text.len()).unwrap();
        let head = [length, !length].map(u16::to_le_bytes).concat();
        FederationCopy {
            at: Timestamp(0),
            document: [[1].as_slice(), head.as_slice(), text.as_bytes()].concat(),
            id: federation.id.clone(),
            source: federation.source(),
            until: Timestamp(1),
        }
    }

    fn names(known: &[Arc<Known>]) -> Vec<String> {
        let members = known.iter().flat_map(|one| one.members());
        members.map(|one| one.provider.entity_id.clone()).collect()
    }

    /// Reading again would make others.
    #[tokio::test]
    async fn what_a_federation_still_says_is_not_read_again() {
        let trusted = federation();
        let said = copy(&trusted, &["a"]);
        let read = |before| known(vec![trusted.clone()], vec![said.clone()], before);
        let first = read(Vec::new()).await.unwrap();
        assert_eq!(names(&first), ["https://a.example/"]);
        let second = read(first.clone()).await.unwrap();
        assert!(Arc::ptr_eq(&first[0], &second[0]));
        assert!(Arc::ptr_eq(&first[0].members[0], &second[0].members[0]));
        let unknown = read(Vec::new()).await.unwrap();
        assert!(!Arc::ptr_eq(&first[0], &unknown[0]));
    }

    /// What was read before must not outlive what it was read from, or the trust in it.
    #[tokio::test]
    async fn what_a_federation_says_anew_is_read_anew() {
        let trusted = federation();
        let said = copy(&trusted, &["a", "b"]);
        let both = known(vec![trusted.clone()], vec![said.clone()], Vec::new()).await;
        let both = both.unwrap();
        assert_eq!(names(&both).len(), 2);
        let fewer = copy(&trusted, &["b"]);
        let fewer = known(vec![trusted.clone()], vec![fewer], both.clone()).await;
        assert_eq!(names(&fewer.unwrap()), ["https://b.example/"]);
        let mut narrower = trusted.clone();
        narrower.entities.truncate(1);
        let narrower = known(vec![narrower], vec![said.clone()], both.clone()).await;
        assert_eq!(names(&narrower.unwrap()), ["https://a.example/"]);
    }

    /// [X05] Neither a federation that is switched off or gone, nor one with another pinned key, has members that were
    /// read when it was trusted.
    #[tokio::test]
    async fn what_was_read_before_is_not_believed_without_trust() {
        let trusted = federation();
        let said = copy(&trusted, &["a"]);
        let before = known(vec![trusted.clone()], vec![said.clone()], Vec::new()).await;
        let before = before.unwrap();
        assert_eq!(names(&before).len(), 1);
        let off = Federation {
            enabled: false,
            ..trusted.clone()
        };
        let pinned = Federation {
            certificates: "another".to_owned(),
            ..trusted.clone()
        };
        let moved = Federation {
            url: "https://elsewhere.example/".to_owned(),
            ..trusted.clone()
        };
        for now in [vec![off], vec![pinned], vec![moved], vec![]] {
            let still = known(now, vec![said.clone()], before.clone()).await;
            assert!(names(&still.unwrap()).is_empty());
        }
        let gone = known(vec![trusted], Vec::new(), before).await;
        assert!(names(&gone.unwrap()).is_empty(), "the copy is gone");
    }

    /// What is broken is left out alone, and is not kept in place of what comes next.
    #[tokio::test]
    async fn what_cannot_be_read_is_left_out_and_looked_at_again() {
        let trusted = federation();
        let good = copy(&trusted, &["a"]);
        let broken = FederationCopy {
            document: b"nonsense".to_vec(),
            ..good.clone()
        };
        let none = known(vec![trusted.clone()], vec![broken], Vec::new()).await;
        let none = none.unwrap();
        assert!(none.is_empty());
        let mended = known(vec![trusted], vec![good], none).await;
        assert_eq!(names(&mended.unwrap()), ["https://a.example/"]);
    }
}
