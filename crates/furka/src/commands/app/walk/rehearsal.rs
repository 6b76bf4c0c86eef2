//! A rehearsal: the provider itself, in memory, with one application and one person of the installation.
//!
//! It has a database, sealing keys and signing keys of its own, drawn for this walk and gone with it. So
//! every message is made by the code that makes the real ones, and nothing of it opens anything: no
//! application believes these signatures, no session is left, and no factor of anybody is used. The person
//! has their name, role, number and way of signing in, but a password, an app or a token of the rehearsal.

use std::{net::IpAddr, num::NonZeroUsize, sync::Arc};

use axum::Router;
use data_encoding::BASE64URL_NOPAD;
use ipnet::IpNet;
use journey::{
    ActivationId, Carrier, FactorId, JourneyId, Method, Otp, Person, PersonId, Place, Secret,
    Timestamp,
    activation::{Activation, Opened},
    effect::Effect,
};
use server::{
    Forwarding, Parts, Provider, RealWorld, Settings,
    password::{Costs, Password, Pepper, Pool, PoolLimits, Salt, monotonic},
};
use store::{
    AnyStore, By, Committed, Journey, JourneyState, KeyRecord, Message, NewPerson, NewToken,
    Resource, ResourceKind, seal::Keys, sqlite::Sqlite,
};
use wire::{
    jose::{SigningAlg, SigningKey},
    oauth::client::Applications,
};

use super::Stage;
use crate::{
    failure::{Doing, Failure},
    installation::{Installation, connect, draw},
};

/// How the audit calls this.
pub(super) const COMMAND: &str = "app test";
/// An interval of an app or a token, in seconds.
const INTERVAL_S: i64 = 30;
/// The proxy of the rehearsal, for applications behind the gate.
pub(super) const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// The number on the back of a token that nobody holds.
const SERIAL: &str = "REHEARSAL-1";
/// So many messages are looked through for a code.
const MESSAGES: u16 = 10;

/// A provider that nobody else reaches.
pub(super) struct Rehearsal {
    pub(super) actor: Actor,
    pub(super) router: Router,
}

/// Whoever plays the person.
pub(super) struct Actor {
    /// Their app or token; none for somebody with SMS.
    otp: Option<Otp>,
    pub(super) password: String,
    store: AnyStore,
    pub(super) username: String,
}

impl Rehearsal {
    /// Sets it up with these applications only.
    pub(super) async fn of(stage: &Stage<'_>, file: &Applications) -> Result<Self, Failure> {
        let here = stage.here;
        let keys = Arc::new(Keys::from_master(&draw::<32>(&here.world)));
        let store: AnyStore = Arc::new(Sqlite::open_in_memory(keys.clone())?);
        let by = here.by(COMMAND);
        furnish(here, &store, (file, &by)).await?;
        let actor = Actor::moves_in(stage, store.clone(), (&keys, &by)).await?;
        let config = &here.config;
        let parts = Parts {
            clock: monotonic(),
            connect: connect(),
            costs: Costs::default(),
            keys,
            limits: PoolLimits::for_cores(NonZeroUsize::MIN),
            node: None,
            settings: Settings {
                forwarding: Forwarding::XForwardedFor,
                institution: config.institution.name(),
                mtls_url: None,
                proxies_pass_certificates: false,
                public_url: config.public_url.clone(),
                support: config.support.clone(),
                trusted_proxies: vec![IpNet::from(PROXY)],
            },
            store,
            world: Arc::new(RealWorld),
        };
        let provider = Provider::start(parts).await;
        let provider = provider.doing(|| "starting the rehearsal".to_owned())?;
        Ok(Self {
            actor,
            router: provider.router(),
        })
    }
}

/// The installation's zones and policy, these applications, no gateway, and new signing keys.
async fn furnish(
    here: &Installation,
    store: &AnyStore,
    (file, by): (&Applications, &By),
) -> Result<(), Failure> {
    let applications = toml::to_string(file).doing(|| "writing the application down".to_owned())?;
    let documents = [
        (
            ResourceKind::Zones,
            here.resource(ResourceKind::Zones).await?.text,
        ),
        (
            ResourceKind::Policy,
            here.resource(ResourceKind::Policy).await?.text,
        ),
        (ResourceKind::Applications, applications),
    ];
    let documents = documents.map(|(kind, text)| Resource {
        kind,
        text,
        version: 0,
    });
    store.apply(&documents, by).await?;
    let mut wanted = vec![SigningAlg::Es256, SigningAlg::Rs256];
    for client in &file.application {
        for alg in [
            client.id_token_alg,
            client.answer_alg(),
            client.access_token_alg,
        ] {
            if !wanted.contains(&alg) {
                wanted.push(alg);
            }
        }
    }
    for alg in wanted {
        let doing = || "drawing a signing key".to_owned();
        let key = SigningKey::generate(alg).doing(doing)?;
        let record = KeyRecord {
            algorithm: alg.name().to_owned(),
            kid: key.kid().to_owned(),
            pkcs8: Secret::new(key.to_pkcs8().doing(doing)?.expose().to_vec()),
            until: None,
        };
        store.rotate_key(&record, here.now(), by).await?;
    }
    Ok(())
}

impl Actor {
    /// Somebody with everything that is known of a person, and with other secrets.
    async fn moves_in(
        stage: &Stage<'_>,
        store: AnyStore,
        (keys, by): (&Arc<Keys>, &By),
    ) -> Result<Self, Failure> {
        let world = &stage.here.world;
        let person = &stage.account.person;
        let password = BASE64URL_NOPAD.encode(&draw::<24>(world));
        let factor = Factor::of(person);
        let mut otp = Otp::draw_for_app(FactorId(draw(world)), &draw(world));
        // The code with which it was bound, before this one.
        otp.last_counter = interval(by.at).checked_sub(2);
        if factor == Factor::Token {
            otp.carrier = Carrier::Token;
            let serial = SERIAL.to_owned();
            let token = NewToken {
                otp: otp.clone(),
                serial,
            };
            store.import_tokens(&[token], by).await.doing(moving_in)?;
        }
        let hash = hashed(&password, keys, world).await?;
        let new = NewPerson {
            aliases: Vec::new(),
            first_name: person.first_name.clone(),
            id: person.id,
            language: person.language,
            last_name: person.last_name.clone(),
            mail: person.mail.clone(),
            method: Some(factor.method()),
            password: Some(hash),
            phone: person.phone.clone(),
            role: person.role,
            school: person.school.clone(),
            token_serial: (factor == Factor::Token).then(|| SERIAL.to_owned()),
            username: person.username.clone(),
        };
        store.import_people(&[new], by).await.doing(moving_in)?;
        bind(&store, (person.id, factor, &otp), (world, by)).await?;
        if person.disabled {
            store.disable(person.id, true, by).await?;
        }
        Ok(Self {
            otp: (factor != Factor::Sms).then_some(otp),
            password,
            store,
            username: person.username.clone(),
        })
    }

    /// The code that they would type now, and where they read it.
    pub(super) async fn code(
        &self,
        here: &Installation,
    ) -> Result<(String, &'static str), Failure> {
        if let Some(otp) = &self.otp {
            let carrier = match otp.carrier {
                Carrier::App => "their app",
                Carrier::Token => "their token",
            };
            return Ok((otp.code_at(interval(here.now())), carrier));
        }
        let messages = self.store.claim_messages(here.now(), MESSAGES).await?;
        let mut codes = messages.into_iter().filter_map(|one| match one.message {
            Message::SmsCode { digits, .. } => String::from_utf8(digits.expose().to_vec()).ok(),
            _ => None,
        });
        let code = codes.next_back().unwrap_or_default();
        Ok((code, "an SMS that was not sent"))
    }
}

/// The interval of an app's clock.
fn interval(now: Timestamp) -> u64 {
    u64::try_from(now.0.div_euclid(INTERVAL_S)).unwrap_or_default()
}

fn moving_in() -> String {
    "taking the person into the rehearsal".to_owned()
}

/// How the person of the rehearsal proves the second factor.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Factor {
    App,
    Sms,
    Token,
}

impl Factor {
    /// The way that somebody has chosen; the app if they have not, or have lost what it needs.
    fn of(person: &Person) -> Self {
        match person.method {
            Some(Method::Sms) if person.phone.is_some() => Self::Sms,
            Some(Method::Token) => Self::Token,
            _ => Self::App,
        }
    }

    const fn method(self) -> Method {
        match self {
            Self::App => Method::App,
            Self::Sms => Method::Sms,
            Self::Token => Method::Token,
        }
    }
}

async fn hashed(password: &str, keys: &Arc<Keys>, world: &RealWorld) -> Result<Secret, Failure> {
    let doing = || "hashing a password".to_owned();
    let limits = PoolLimits::for_cores(NonZeroUsize::MIN);
    let pepper = Pepper::of(keys.clone());
    let pool = Pool::new(limits, Costs::default(), pepper, monotonic()).doing(doing)?;
    let password = Password::parse(password.to_owned()).doing(doing)?;
    let hash = pool.hash(password, Salt(draw(world))).await;
    let hash = hash.map_err(|_| Failure::new("the machine is too busy to hash a password"))?;
    Ok(Secret::new(hash.as_str().as_bytes().to_vec()))
}

/// Binds an app, or confirms a number, as the steps of a journey do.
async fn bind(
    store: &AnyStore,
    (person, factor, otp): (PersonId, Factor, &Otp),
    (world, by): (&RealWorld, &By),
) -> Result<(), Failure> {
    let place = Place::Public;
    let effect = match factor {
        Factor::Token => return Ok(()),
        Factor::Sms => Effect::EnrolSms { person, place },
        Factor::App => Effect::EnrolApp {
            otp: Box::new(otp.clone()),
            person,
            place,
        },
    };
    let opened = Opened {
        activation: ActivationId(draw(world)),
        code: Secret::new(Vec::new()),
        person,
        until: by.at,
    };
    let journey = Journey {
        browser: draw(world),
        id: JourneyId(draw(world)),
        purpose: String::new(),
        state: JourneyState::Activation(Activation::CheckData(opened)),
        support: String::new(),
        until: by.at,
        version: 0,
    };
    match store.open_journey(&journey, &[effect], by).await? {
        Committed::Yes(_) => Ok(()),
        _ => Err(Failure::new("the rehearsal could not bind a factor")),
    }
}
