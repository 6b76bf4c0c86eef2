//! What is configured: zones, policy, applications, gateways, keys. Read from the store, checked as a
//! whole, and replaced as a whole when the store's generation moves on.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    sync::Arc,
};

use bytes::Bytes;
use journey::{Policy, PolicyError, Timestamp, Zones, zone::ZoneError};
use peers::{ConfigError, SecretRef, Senders};
use store::{AnyStore, KeyRecord, Registration, ResourceKind, StoreError};
use thiserror::Error;
use wire::{
    cas, gate,
    jose::{KeyRing, SigningAlg, SigningKey, Standing},
    oauth::{
        client::{AccessTokenForm, Applications, Client, NotASecret},
        registration::Registered,
    },
    oidc::Issuer,
    saml::Federation,
};

use crate::{
    federation::{self, Known},
    saml::Saml,
};

/// Makes senders from the text of `gateways.toml`. The binary gives it, so that the server names no
/// concrete peer.
pub type Connect = Arc<dyn Fn(&str) -> Result<Senders, Box<dyn Error + Send + Sync>> + Send + Sync>;

/// Every port of the device itself, as a source of a policy for browsers.
pub(crate) const LOCAL: &str = " http://localhost:* http://127.0.0.1:*";

/// Everything that is configured, at one generation.
pub struct Catalogue {
    /// The applications, by client id.
    pub applications: BTreeMap<String, Client>,
    /// The discovery document, rendered.
    pub discovery: Bytes,
    /// The federations whose members are applications.
    pub federations: Vec<Federation>,
    /// Where forms may lead beside our own pages and https, as a policy for browsers says it: to applications
    /// on people's own devices. Each has a space before it.
    pub form_action: String,
    /// The store's number for this state.
    pub generation: u64,
    /// What federations' members were read from, for the generation after this one.
    pub(crate) known: Vec<Arc<Known>>,
    /// Which of the applications registered themselves: nobody here chose their names and addresses.
    pub guests: BTreeSet<String>,
    /// Who must prove what.
    pub policy: Policy,
    /// Whether applications may register themselves.
    pub registration: bool,
    /// The signing keys.
    pub ring: KeyRing,
    /// The applications that speak SAML, and what we speak to them with.
    pub saml: Saml,
    /// Who sends messages.
    pub senders: Senders,
    /// The applications that speak CAS.
    pub services: Vec<cas::Service>,
    /// The applications behind the gate.
    pub sites: Vec<gate::Site>,
    /// The networks.
    pub zones: Zones,
}

/// Why a configuration is not taken into use. The one before stays.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// `applications.toml`.
    #[error("the applications cannot be used: {0}")]
    Applications(String),
    /// `gateways.toml`.
    #[error("the gateways cannot be used")]
    Gateways(#[source] Box<dyn Error + Send + Sync>),
    /// The signing keys.
    #[error("the signing keys cannot be used: {0}; `furka keys rotate` makes new ones")]
    Keys(String),
    /// `policy.toml`.
    #[error("the policy cannot be used")]
    Policy(#[from] PolicyError),
    /// Ours.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// `zones.toml`.
    #[error("the zones cannot be used")]
    Zones(#[from] ZoneError),
}

/// Reads and checks `applications.toml`.
///
/// # Errors
/// [`CatalogueError::Applications`], with every flaw of every application.
pub fn applications(text: &str) -> Result<BTreeMap<String, Client>, CatalogueError> {
    Ok(by_id(registered(text)?.application))
}

/// Reads and checks `applications.toml` with all languages that applications speak.
///
/// # Errors
/// As [`applications`].
pub fn registered(text: &str) -> Result<Applications, CatalogueError> {
    let file: Applications =
        toml::from_str(text).map_err(|error| CatalogueError::Applications(error.to_string()))?;
    let flaws: Vec<String> = file.check().iter().map(ToString::to_string).collect();
    if !flaws.is_empty() {
        return Err(CatalogueError::Applications(flaws.join("; ")));
    }
    Ok(file)
}

/// Why the secret of an application is not known here, so that it cannot prove what it is.
#[derive(Debug, Error)]
pub enum UnknownSecret {
    /// It is not where it should be.
    #[error(transparent)]
    Unread(#[from] ConfigError),
    /// What is there is too short, or too long.
    #[error("reading `{place}`: {flaw}")]
    Unfit {
        /// Where it is kept.
        place: String,
        /// Why not.
        flaw: NotASecret,
    },
}

/// Reads the secrets that applications keep outside of their registration, and says which of these cannot be used. Such
/// an application is refused, and keeps nobody else from anything.
pub fn read_secrets(applications: &mut [Client]) -> Vec<(String, UnknownSecret)> {
    let mut unknown = Vec::new();
    for client in applications {
        let Some(secret) = &mut client.secret else {
            continue;
        };
        let place = secret.place().to_owned();
        let learnt = match SecretRef::from(place.clone()).read() {
            Err(error) => Err(error.into()),
            Ok(text) => secret
                .learn(text.as_bytes())
                .map_err(|flaw| UnknownSecret::Unfit { place, flaw }),
        };
        if let Err(error) = learnt {
            unknown.push((client.id.clone(), error));
        }
    }
    unknown
}

/// Clients by their id.
#[must_use]
pub fn by_id(clients: Vec<Client>) -> BTreeMap<String, Client> {
    let named = clients.into_iter();
    named.map(|client| (client.id.clone(), client)).collect()
}

impl Catalogue {
    /// Reads everything. What the catalogue in use knows of federations that say and are trusted as before is
    /// taken over from it.
    ///
    /// # Errors
    /// [`CatalogueError`]: one wrong document stops all.
    pub async fn read(
        store: &AnyStore,
        connect: &Connect,
        issuer: &Issuer,
        now: Timestamp,
        before: Option<&Self>,
    ) -> Result<Self, CatalogueError> {
        // Read first: a change while the rest is read shows as a higher number next time.
        let generation = store.generation().await?;
        let zones = Zones::parse(&text(store, ResourceKind::Zones).await?)?;
        let policy = Policy::parse(&text(store, ResourceKind::Policy).await?)?;
        let mut registered = registered(&text(store, ResourceKind::Applications).await?)?;
        let gateways = text(store, ResourceKind::Gateways).await?;
        let senders = connect(&gateways).map_err(CatalogueError::Gateways)?;
        let ring = ring(store.signing_keys(now).await?)?;
        refuse_unsigned(&registered.application, &ring)?;
        for (application, error) in read_secrets(&mut registered.application) {
            let error: &dyn Error = &error;
            tracing::warn!(
                application,
                error,
                "an application cannot prove what it is; mend that, and `furka apply` has it read again"
            );
        }
        let guests = store.registrations().await?;
        let guests = add_guests(&mut registered.application, guests, &ring);
        let copies = store.federations().await?;
        let before = before.map_or_else(Vec::new, |before| before.known.clone());
        let known = federation::known(registered.federation.clone(), copies, before).await;
        let known = known.map_err(|error| CatalogueError::Applications(error.to_string()))?;
        let members = known.iter().flat_map(|one| one.members());
        let saml = Saml::of(registered.saml, members, &ring)
            .map_err(|error| CatalogueError::Applications(error.to_string()))?;
        tracing::debug!(
            generation,
            issuer = issuer.as_str(),
            "the configuration was read"
        );
        Ok(Self {
            discovery: crate::gate::discovery(
                issuer,
                &ring,
                &registered.application,
                registered.registration,
            ),
            generation,
            known,
            guests,
            federations: registered.federation,
            form_action: form_action(&registered.application),
            applications: by_id(registered.application),
            policy,
            registration: registered.registration,
            ring,
            saml,
            senders,
            services: registered.cas,
            sites: registered.gate,
            zones,
        })
    }

    /// An application that is registered and switched on.
    #[must_use]
    pub fn application(&self, id: &str) -> Option<&Client> {
        self.applications.get(id).filter(|client| client.enabled)
    }

    /// The CAS application that an address belongs to, registered and switched on.
    #[must_use]
    pub fn service(&self, named: &cas::Named) -> Option<&cas::Service> {
        let mut enabled = self.services.iter().filter(|service| service.enabled);
        enabled.find(|service| service.has(named))
    }

    /// The application behind the gate at an origin, registered and switched on.
    #[must_use]
    pub fn site(&self, origin: &str) -> Option<&gate::Site> {
        let mut enabled = self.sites.iter().filter(|site| site.enabled);
        enabled.find(|site| site.is_at(origin))
    }
}

/// What lets a browser follow a form to the applications on its own device: a port of it, or a scheme
/// [RFC 8252 §7].
fn form_action(applications: &[Client]) -> String {
    let enabled = applications.iter().filter(|client| client.enabled);
    let addresses = enabled.flat_map(|client| &client.redirect_uris);
    let schemes = addresses.filter_map(|address| address.split_once(':'));
    let sources: BTreeSet<String> = schemes
        .filter_map(|(scheme, _)| match scheme {
            "https" => None,
            "http" => Some(LOCAL.to_owned()),
            scheme => Some(format!(" {scheme}:")),
        })
        .collect();
    sources.into_iter().collect()
}

/// Adds the applications that registered themselves. One that cannot be used stays away and keeps nobody else
/// from anything: a stranger wrote it.
fn add_guests(
    applications: &mut Vec<Client>,
    guests: Vec<Registration>,
    ring: &KeyRing,
) -> BTreeSet<String> {
    let mut added = BTreeSet::new();
    for guest in guests {
        let id = guest.application.as_str();
        let wrong = match Registered::read(&guest.document) {
            Err(wrong) => wrong,
            Ok(registered) if registered.client.id != id => "its id differs".to_owned(),
            Ok(_) if applications.iter().any(|other| other.id == id) => {
                "applications.toml names another one with its id".to_owned()
            }
            Ok(registered) => match refuse_unsigned(std::slice::from_ref(&registered.client), ring)
            {
                Err(error) => error.to_string(),
                Ok(()) => {
                    added.insert(registered.client.id.clone());
                    applications.push(registered.client);
                    continue;
                }
            },
        };
        tracing::warn!(
            application = id,
            wrong,
            "an application that registered itself cannot be used; `furka app remove` removes it"
        );
    }
    added
}

/// Refuses an application whose tokens nothing could sign.
fn refuse_unsigned(applications: &[Client], ring: &KeyRing) -> Result<(), CatalogueError> {
    for client in applications.iter().filter(|client| client.enabled) {
        let access =
            (client.access_token == AccessTokenForm::Jwt).then_some(client.access_token_alg);
        let own = [client.id_token_alg, client.answer_alg()];
        let told = [
            client.userinfo_signed_response_alg,
            client.introspection_signed_response_alg,
        ];
        let told = told.into_iter().flatten();
        let mut wanted = own.into_iter().chain(access).chain(told);
        if let Some(alg) = wanted.find(|alg| ring.signing(*alg).is_none()) {
            let name = alg.name();
            return Err(CatalogueError::Applications(format!(
                "application `{}` wants {name}, for which there is no key: `furka keys rotate --alg {}` makes one",
                client.id,
                name.to_ascii_lowercase()
            )));
        }
    }
    Ok(())
}

async fn text(store: &AnyStore, kind: ResourceKind) -> Result<String, StoreError> {
    Ok(store
        .resource(kind)
        .await?
        .map(|resource| resource.text)
        .unwrap_or_default())
}

fn ring(records: Vec<KeyRecord>) -> Result<KeyRing, CatalogueError> {
    let mut keys = Vec::new();
    for record in records {
        let algorithm = SigningAlg::named(&record.algorithm).ok_or_else(|| {
            CatalogueError::Keys(format!("`{}` is no algorithm of ours", record.algorithm))
        })?;
        let pkcs8 = wire::Secret::new(record.pkcs8.expose().to_vec());
        let key = SigningKey::from_pkcs8(algorithm, &pkcs8)
            .map_err(|error| CatalogueError::Keys(error.to_string()))?;
        let standing = match record.until {
            None => Standing::Current,
            Some(until) => Standing::RetiredUntil(until.0),
        };
        keys.push((key, standing));
    }
    KeyRing::new(keys).map_err(|error| CatalogueError::Keys(error.to_string()))
}
