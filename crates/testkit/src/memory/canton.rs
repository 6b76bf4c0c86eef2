//! A canton in memory: the provider and the demo's rooms, wired by their addresses.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use demo::{PLACE_HEADER, Reach, SamlKey, Secret, Settings};
use http::{Request, Response};
use journey::{Policy, Timestamp};
use server::password::{Costs, PoolLimits};
use server::{Forwarding, Parts, Peer, Provider};
use store::audit::{Checked, Entry};
use store::seal::Keys;

use store::{AnyStore, By, KeyRecord, Resource, ResourceKind};
use tokio::runtime::Runtime;
use tower::ServiceExt;
use wire::jose::{SigningAlg, SigningKey};

use super::browser::MemoryBrowser;
use super::cast;
use super::desk;
use super::engine::Engine;
use super::net::Net;
use super::post::{GATEWAY_TOKEN, Messenger, Operator, Postman};
use super::world::Toy;
use crate::{Answer, App, Attempt, Browser, Inbox, Language, Lost, Origins, Person, Place, Town};

/// The port of the provider; nothing listens there.
const PORT: u16 = 8400;
/// The client secret of the ENT, for tests that speak as the ENT.
pub const ENT_SECRET: &str = "dGhlIHNlY3JldCBvZiB0aGUgRU5UIGluIG1lbW9yeQ";
/// The ISM's salt.
const ISM_SALT: &str = "dGhlIHNhbHQgb2YgdGhlIElTTSBpbiBtZW1vcnk";
/// The front proxy's address, the only one the provider believes.
const PROXY: [u8; 4] = [127, 0, 0, 1];

/// A canton in memory. Everything ends with the value.
pub struct Canton {
    inbox: Inbox,
    language: Language,
    net: Net,
    provider: Provider,
    runtime: Arc<Runtime>,
    engine: Engine,
    store: AnyStore,
    toy: Arc<Toy>,
}

impl Canton {
    /// A canton under the guide's policy, on the first morning of school.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self::under("valais", language)
    }

    /// A canton under one of the presets.
    #[must_use]
    pub fn under(preset: &str, language: Language) -> Self {
        Self::remembering_by(preset, language, |store| store)
    }

    /// A canton whose provider sees the store through something of the test's.
    #[must_use]
    pub fn remembering_by(
        preset: &str,
        language: Language,
        through: impl FnOnce(AnyStore) -> AnyStore,
    ) -> Self {
        let runtime = must("start the runtime", Runtime::new());
        let runtime = Arc::new(runtime);
        let toy = Arc::new(Toy::default());
        let (operator, postman) = (Arc::new(Operator::default()), Postman::default());
        let messenger = Arc::new(Messenger::default());
        let keys = keys();
        let engine = runtime.block_on(Engine::open(&keys));
        let store = engine.store();
        let settings = cast::settings(demo::Origins::on_localhost(PORT));
        let policy = Policy::preset_text(preset).unwrap_or_default();
        let provider = runtime.block_on(async {
            configure(&store, &settings, policy, &toy).await;
            cast::moves_in(&store, &keys, &toy).await;
            let origin = demo::Origins::on_localhost(PORT).provider;
            let seen = through(Arc::clone(&store));
            let parts = parts(
                &seen,
                &toy,
                senders(&operator, &postman, &messenger),
                &origin,
            );
            must("start the provider", Provider::start(parts).await)
        });
        let rooms = rooms(settings, &provider, &store, &toy, &postman);
        if let Some(phone) = rooms.get(&demo::Origins::on_localhost(PORT).phone) {
            let _first = operator.phone.set(phone.clone());
        }
        let _first = messenger.rooms.set(rooms.clone());
        let net = Net::new(Arc::clone(&runtime), rooms);
        Self {
            inbox: Inbox::default(),
            language,
            net,
            provider,
            runtime,
            engine,
            store,
            toy,
        }
    }

    /// What the provider remembers.
    #[must_use]
    pub fn store(&self) -> &AnyStore {
        &self.store
    }

    /// The provider itself.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Time and chance.
    #[must_use]
    pub fn toy(&self) -> &Toy {
        &self.toy
    }

    /// All bytes of the database.
    #[must_use]
    pub fn database(&self) -> Vec<u8> {
        self.engine.bytes()
    }

    /// All that the audit tells, the oldest first; every chain of it holds.
    #[must_use]
    pub fn audit(&self) -> Vec<Entry> {
        let strands = self.runtime.block_on(self.store.audit_strands());
        let strands = must("look for the strands of the audit", strands);
        let entries = strands.into_iter().flat_map(|strand| {
            let entries = self.store.audit_from(strand, 1, u32::MAX);
            let entries = must("read the audit", self.runtime.block_on(entries));
            must("prove the audit", Checked::of(strand).go_on(&entries));
            entries
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// Who the tests are, in the audit.
    #[must_use]
    pub fn by(&self) -> By {
        by(&self.toy)
    }

    /// All that the store was given to write in passing is written.
    pub fn settles(&self) {
        let by = self.by();
        let entry = self.store.audit(&journey::Happened::ActivationSent, &by);
        must("write an entry", self.runtime.block_on(entry));
    }

    /// Waits for something.
    pub fn waits_for<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// A request straight to the provider's listener, past the front proxy, from this address.
    #[must_use]
    pub fn calls(&self, peer: [u8; 4], attempt: Attempt) -> Answer {
        let origin = self.origins().provider;
        self.alone(origin, with_peer(self.provider.router(), peer), attempt)
    }

    /// A request to the operators' listener.
    #[must_use]
    pub fn calls_management(&self, attempt: Attempt) -> Answer {
        self.alone(self.origins().provider, self.provider.management(), attempt)
    }

    /// The same to a second node of the provider, which stands behind this public address.
    #[must_use]
    pub fn calls_at(&self, origin: &str, attempt: Attempt) -> Answer {
        let node = self.node_at(origin);
        self.alone(origin.to_owned(), with_peer(node.router(), PROXY), attempt)
    }

    /// A second node of the provider, behind this public address. It has no gateway and no mail server, and
    /// posts to applications for real.
    #[must_use]
    pub fn node_at(&self, origin: &str) -> Provider {
        let connect: server::catalogue::Connect = Arc::new(|_| {
            let clock: peers::Clock = Arc::new(|| Duration::ZERO);
            Ok(peers::connect(&peers::Gateways::parse("")?, clock)?)
        });
        let parts = parts(&self.store, &self.toy, connect, origin);
        let started = self.runtime.block_on(Provider::start(parts));
        must("start a node", started)
    }

    fn alone(&self, origin: String, router: Router, attempt: Attempt) -> Answer {
        Net::new(
            Arc::clone(&self.runtime),
            BTreeMap::from([(origin, router)]),
        )
        .send(attempt)
    }
}

impl Town for Canton {
    fn browser(&mut self, place: Place) -> Box<dyn Browser> {
        let (net, toy) = (self.net.clone(), Arc::clone(&self.toy));
        Box::new(MemoryBrowser::new(net, toy, self.language, place))
    }

    fn sends(&mut self, attempts: Vec<Attempt>) -> Vec<Answer> {
        self.waits();
        self.net.sends(attempts)
    }

    fn passes(&mut self, seconds: i64) {
        self.toy.passes(seconds);
    }

    fn now(&mut self) -> i64 {
        self.toy.now()
    }

    fn origins(&self) -> Origins {
        Origins::on_localhost(PORT)
    }

    /// A phone whose clock shows `at` and into which the key is typed: the demo's.
    fn totp(&mut self, app: &App, at: i64) -> String {
        let phone = self.origins().phone;
        let ahead_s = at.saturating_sub(self.now()).to_string();
        let account = format!("{phone}/api/authenticator");
        let clock =
            |ahead_s: &str| Attempt::post(&format!("{phone}/api/clock"), &[("ahead_s", ahead_s)]);
        let name = ("username", "somebody at a story's phone");
        self.net.send(clock(&ahead_s));
        self.net
            .send(Attempt::post(&account, &[name, ("key", &app.key)]));
        let shown = self.net.send(Attempt::get(&format!(
            "{account}/somebody%20at%20a%20story's%20phone"
        )));
        self.net.send(clock("0"));
        shown
            .json()
            .get("code")
            .and_then(|code| code.as_str())
            .unwrap_or_default()
            .to_owned()
    }

    fn desk(&mut self, person: &Person, lost: Lost) {
        let (keys, who) = (keys(), (person.username.as_str(), lost));
        let done = desk::resets(&self.store, (&keys, &self.toy), who);
        self.runtime.block_on(done);
    }

    fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// Messages leave; nothing else is ever under way.
    fn waits(&mut self) -> bool {
        while self.runtime.block_on(self.provider.deliver_messages()) > 0 {}
        false
    }
}

/// The keys of the house.
pub(crate) fn keys() -> Arc<Keys> {
    Arc::new(Keys::from_master(&[7; 32]))
}

/// The way of the demo's front proxy and portals to the provider: by function call, from loopback.
struct Inside(Router);

#[async_trait]
impl Reach for Inside {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        assert!(
            !request.headers().contains_key(PLACE_HEADER),
            "the place stays in the demo"
        );
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// The provider as its listener makes it: every request knows its peer.
fn with_peer(router: Router, peer: [u8; 4]) -> Router {
    router.layer(axum::Extension(Peer(peer.into())))
}

fn rooms(
    settings: Settings,
    provider: &Provider,
    store: &AnyStore,
    toy: &Arc<Toy>,
    postman: &Postman,
) -> BTreeMap<String, Router> {
    let origins = settings.origins.clone();
    let reach = Arc::new(Inside(with_peer(provider.router(), PROXY)));
    let people = Arc::new(cast::Registry(Arc::clone(store)));
    let canton = demo::Canton::new(settings, reach, people, Arc::<Toy>::clone(toy));
    let canton = must("build the demo's rooms", canton);
    BTreeMap::from([
        (origins.provider, canton.proxy),
        (origins.ent, canton.ent),
        (origins.ism, canton.ism),
        (origins.phone, postman.beside(canton.phone)),
    ])
}

fn senders(
    operator: &Arc<Operator>,
    postman: &Postman,
    messenger: &Arc<Messenger>,
) -> server::catalogue::Connect {
    let (operator, postman) = (Arc::clone(operator), postman.clone());
    let messenger = Arc::clone(messenger);
    Arc::new(move |_| {
        Ok((
            Arc::<Operator>::clone(&operator),
            Arc::new(postman.clone()),
            Arc::<Messenger>::clone(&messenger),
        ))
    })
}

fn parts(
    store: &AnyStore,
    toy: &Arc<Toy>,
    connect: server::catalogue::Connect,
    origin: &str,
) -> Parts {
    Parts {
        clock: Arc::new(|| Duration::ZERO),
        connect,
        costs: Costs::dangerously_cheap(),
        keys: keys(),
        limits: PoolLimits {
            queue_max: 5000,
            ..PoolLimits::for_cores(NonZeroUsize::MIN)
        },
        node: None,
        settings: server::Settings {
            forwarding: Forwarding::XForwardedFor,
            institution: journey::zone::Name {
                de: "Kanton im Speicher".into(),
                en: "Canton in memory".into(),
                fr: "Canton en mémoire".into(),
            },
            mtls_url: Some(must("read the public address", origin.parse())),
            proxies_pass_certificates: true,
            public_url: must("read the public address", origin.parse()),
            support: "027 000 00 00".into(),
            trusted_proxies: vec![must("read the proxy's address", "127.0.0.1/32".parse())],
        },
        store: Arc::clone(store),
        world: Arc::<Toy>::clone(toy),
    }
}

/// The guide's policy and the demo's applications.
pub(crate) async fn configure_valais(store: &AnyStore) {
    let settings = cast::settings(demo::Origins::on_localhost(PORT));
    let policy = Policy::preset_text("valais").unwrap_or_default();
    configure(store, &settings, policy, &Toy::default()).await;
}

/// Zones, policy, applications and signing keys, as `furka init` and `furka apply` would leave them.
async fn configure(store: &AnyStore, settings: &Settings, policy: &str, toy: &Toy) {
    let applications = must("write the applications", settings.applications_toml());
    let documents = [
        (ResourceKind::Zones, cast::ZONES.to_owned()),
        (ResourceKind::Policy, policy.to_owned()),
        (ResourceKind::Applications, applications),
    ];
    let documents = documents.map(|(kind, text)| Resource {
        kind,
        text,
        version: 0,
    });
    let by = by(toy);
    must("apply the documents", store.apply(&documents, &by).await);
    for (algorithm, key) in signing_keys() {
        let record = KeyRecord {
            algorithm: algorithm.clone(),
            kid: key.kid().to_owned(),
            pkcs8: journey::Secret::new(must("write a key", key.to_pkcs8()).expose().to_vec()),
            until: None,
        };
        must(
            "add a signing key",
            store.rotate_key(&record, Timestamp(0), &by).await,
        );
    }
}

/// The signing keys of all cantons of this process: an RSA key takes a while to find.
fn signing_keys() -> &'static [(String, SigningKey)] {
    static KEYS: OnceLock<Vec<(String, SigningKey)>> = OnceLock::new();
    KEYS.get_or_init(|| {
        [("ES256", SigningAlg::Es256), ("RS256", SigningAlg::Rs256)]
            .map(|(name, alg)| {
                (
                    name.to_owned(),
                    must("make a signing key", SigningKey::generate(alg)),
                )
            })
            .into()
    })
}

/// The key of the ISM in all cantons of this process.
pub(super) fn ism_key() -> SamlKey {
    static KEY: OnceLock<SamlKey> = OnceLock::new();
    let make = || {
        let key = must(
            "make the ISM's key",
            SigningKey::generate(SigningAlg::Rs256),
        );
        must("certify the ISM's key", SamlKey::new(key))
    };
    KEY.get_or_init(make).clone()
}

/// What the demo's rooms must know, beside people and tokens: the ENT's, the gateway's, the ISM's.
pub(super) fn secrets() -> [Secret; 3] {
    [ENT_SECRET, GATEWAY_TOKEN, ISM_SALT].map(Secret::new)
}

/// Who does it, in the audit.
pub(super) fn by(toy: &Toy) -> By {
    By {
        address: None,
        at: Timestamp(toy.now()),
        person: None,
        place: journey::Place::Public,
        support: String::new(),
        through: "a canton in memory".into(),
    }
}

/// What cannot fail here; where it does, the sentence says what was being done.
pub(crate) fn must<T, E: std::fmt::Debug>(doing: &str, result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("could not {doing}: {error:?}"),
    }
}
