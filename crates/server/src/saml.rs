//! What is configured for SAML: the registered applications with their metadata, and our certificates.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use journey::Timestamp;
use wire::{
    jose::{KeyRing, SigningAlg},
    saml::{
        Application, Credential, ServiceProvider, certificate, federation::Member,
        metadata::MetadataError,
    },
};

/// A registered application and what its metadata says.
#[derive(Clone, Debug)]
pub struct Registered {
    /// As it is registered.
    pub application: Application,
    /// As it describes itself.
    pub provider: ServiceProvider,
}

impl From<Member> for Registered {
    fn from(member: Member) -> Self {
        Self {
            application: member.application,
            provider: member.provider,
        }
    }
}

/// Everything SAML, at one generation.
#[derive(Clone, Debug, Default)]
pub struct Saml {
    registered: Vec<Arc<Registered>>,
    /// By the name of the key.
    certificates: BTreeMap<String, String>,
    described: Arc<Mutex<Option<Described>>>,
}

/// Our metadata as it was last signed.
#[derive(Debug)]
struct Described {
    /// The certificates in it.
    certificates: Vec<String>,
    since: Timestamp,
    text: Arc<str>,
}

/// After so long our metadata is signed again, in seconds: it says until when it counts, a week ahead.
const AGAIN_S: i64 = 86_400;

impl Saml {
    /// Reads the metadata of all applications and makes the certificates of our keys. A member of a federation
    /// that is registered by hand, too, is that and nothing else, even if it is switched off there; one of two
    /// federations belongs to the first.
    ///
    /// # Errors
    /// [`MetadataError`] of the first application whose metadata cannot be read. One whose metadata is
    /// over stays registered; it is not answered.
    pub fn of(
        applications: Vec<Application>,
        members: impl Iterator<Item = Arc<Registered>>,
        ring: &KeyRing,
    ) -> Result<Self, MetadataError> {
        let read = |application: Application| -> Result<Arc<Registered>, MetadataError> {
            let provider = application.provider(i64::MIN)?;
            Ok(Arc::new(Registered {
                application,
                provider,
            }))
        };
        let mut registered: Vec<_> = applications
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()?;
        let names = registered.iter().map(|one| one.provider.entity_id.clone());
        let mut known: BTreeSet<String> = names.collect();
        registered.extend(members.filter(|one| known.insert(one.provider.entity_id.clone())));
        let keys = ring.oldest_first(SigningAlg::Rs256, i64::MIN);
        let certificates = keys
            .into_iter()
            .filter_map(|key| Some((key.kid().to_owned(), certificate(key)?)))
            .collect();
        Ok(Self {
            registered,
            certificates,
            described: Arc::default(),
        })
    }

    /// The application with this entity ID, registered and switched on.
    #[must_use]
    pub fn entity(&self, entity_id: &str) -> Option<&Registered> {
        self.enabled()
            .find(|one| one.provider.entity_id == entity_id)
    }

    /// The application with this id, registered and switched on.
    #[must_use]
    pub fn application(&self, id: &str) -> Option<&Registered> {
        self.enabled().find(|one| one.application.id == id)
    }

    /// The applications that people may begin at from here.
    pub fn beginnings(&self) -> impl Iterator<Item = &Application> {
        let all = self.enabled().map(|one| &one.application);
        all.filter(|application| application.unsolicited)
    }

    fn enabled(&self) -> impl Iterator<Item = &Registered> {
        let all = self.registered.iter().map(Arc::as_ref);
        all.filter(|one| one.application.enabled)
    }

    /// Our metadata with the keys of now. `describe` signs it where it was not signed with them within the
    /// last day: anybody may ask for it as often as they like.
    pub fn described(
        &self,
        keys: &[Credential<'_>],
        now: Timestamp,
        describe: impl FnOnce() -> Option<String>,
    ) -> Option<Arc<str>> {
        // A holder that panicked has changed nothing, or everything.
        let mut kept = self
            .described
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let certificates: Vec<&str> = keys.iter().map(Credential::certificate).collect();
        let holds = |one: &&Described| {
            one.certificates == certificates && one.since <= now && now < one.since.plus(AGAIN_S)
        };
        if let Some(known) = kept.as_ref().filter(holds) {
            return Some(Arc::clone(&known.text));
        }
        let text: Arc<str> = describe()?.into();
        *kept = Some(Described {
            certificates: certificates.into_iter().map(str::to_owned).collect(),
            since: now,
            text: Arc::clone(&text),
        });
        Some(text)
    }

    /// The credentials that applications should believe now. The first one signs: after a rotation
    /// that is the old key until its time is over, because applications read metadata rarely.
    #[must_use]
    pub fn credentials<'s>(&'s self, ring: &'s KeyRing, now: Timestamp) -> Vec<Credential<'s>> {
        let keys = ring.oldest_first(SigningAlg::Rs256, now.0);
        keys.into_iter()
            .filter_map(|key| Some(Credential::new(key, self.certificates.get(key.kid())?)))
            .collect()
    }
}
