//! The people of the demo. Their names and passwords stand on the phone's page; keys and seeds are
//! drawn anew at every start.

use demo::{
    Digits, Generator, HardwareToken, Hash, Moving, Origins, Places, SamlKey, Secret as Told,
    Settings,
};
use journey::{
    ActivationId, Algorithm, Carrier, Effect, FactorId, JourneyId, Language, Method, Otp, OtpKind,
    PersonId, Phone, Place, Refusal, Role, Secret, Timestamp, activation::CODE_BY_MAIL_S,
    login::Login,
};
use server::{
    RealWorld, World, activation_code,
    password::{Password, Pool, Salt},
};
use store::{
    AnyStore, By, Committed, Journey, JourneyState, Message, NewActivation, NewPerson, NewToken,
    seal::Keys,
};
use wire::jose::{SigningAlg, SigningKey};

use super::Failure;

/// One of the cast, as the register has them.
struct Person {
    first_name: &'static str,
    /// The name they had before and still sign in with.
    former: Option<&'static str>,
    language: Language,
    last_name: &'static str,
    method: Method,
    password: &'static str,
    phone: &'static str,
    /// Whether they have bound an app already.
    scanned: bool,
    serial: Option<&'static str>,
    username: &'static str,
}

const SMS: Person = Person {
    first_name: "Sophie",
    former: None,
    language: Language::Fr,
    last_name: "Rey",
    method: Method::Sms,
    password: "Trois-Bisses-et-1-abricot",
    phone: "+41791000001",
    scanned: false,
    serial: None,
    username: "sophie.rey",
};

const PEOPLE: [Person; 5] = [
    SMS,
    Person {
        first_name: "Luc",
        last_name: "Favre",
        method: Method::App,
        password: "Glacier-du-Rhone-1856",
        phone: "+41791000002",
        username: "luc.favre",
        ..SMS
    },
    Person {
        first_name: "Anna",
        former: Some("azurb0417"),
        language: Language::De,
        last_name: "Zurbriggen",
        method: Method::Token,
        password: "Gletsch-1894-Bahn",
        phone: "+41791000003",
        serial: Some("VS-1000417"),
        username: "anna.zurbriggen",
        ..SMS
    },
    Person {
        first_name: "Eva",
        language: Language::De,
        last_name: "Imhof",
        method: Method::App,
        password: "Simplon-Murmeltier-7",
        phone: "+41791000004",
        scanned: true,
        username: "eva.imhof",
        ..SMS
    },
    Person {
        first_name: "Marc",
        last_name: "Bonvin",
        password: "",
        phone: "",
        username: "marc.bonvin",
        ..SMS
    },
];

/// A token that lies in a drawer, for somebody who chooses one at their activation.
const SPARE: &str = "VS-1000418";

/// The cast with everything that was drawn for this start.
pub(super) struct Cast {
    app_seed: [u8; 20],
    pub(super) settings: Settings,
    token_seed: [u8; 20],
}

impl Cast {
    /// Draws keys and seeds.
    pub(super) fn draw(port: u16, world: &RealWorld) -> Result<Self, Failure> {
        let (app_seed, token_seed): ([u8; 20], [u8; 20]) = (draw(world), draw(world));
        let secret = |bytes: [u8; 32]| Told::new(data_encoding::BASE64URL_NOPAD.encode(&bytes));
        let settings = Settings {
            origins: Origins::on_localhost(port),
            ent_secret: secret(draw(world)),
            ism_key: SamlKey::new(SigningKey::generate(SigningAlg::Rs256)?)?,
            ism_salt: secret(draw(world)),
            gateway_token: secret(draw(world)),
            people: PEOPLE.iter().map(told).collect(),
            tokens: tokens(&token_seed),
            scanned: scanned(&app_seed),
            places: Places::default(),
        };
        Ok(Self {
            app_seed,
            settings,
            token_seed,
        })
    }

    /// The people and their tokens move in: by import, as everybody does.
    pub(super) async fn moves_in(
        &self,
        store: &AnyStore,
        keys: &Keys,
        pool: &Pool,
    ) -> Result<(), Failure> {
        let by = by();
        for serial in PEOPLE
            .iter()
            .filter_map(|person| person.serial)
            .chain([SPARE])
        {
            let mut otp = self.otp(Carrier::Token);
            if serial == SPARE {
                otp.secret = Secret::new(spare(&self.token_seed).to_vec());
            }
            store
                .import_tokens(
                    &[NewToken {
                        otp,
                        serial: serial.to_owned(),
                    }],
                    &by,
                )
                .await?;
        }
        let mut newcomers = Vec::new();
        for person in &PEOPLE {
            newcomers.push(new_person(person, pool).await?);
        }
        store.import_people(&newcomers, &by).await?;
        for (person, newcomer) in PEOPLE.iter().zip(&newcomers) {
            if person.scanned {
                self.bind_app(store, newcomer.id).await?;
            }
            if person.password.is_empty() {
                send_activation(store, keys, newcomer.id).await?;
            }
        }
        Ok(())
    }

    async fn bind_app(&self, store: &AnyStore, person: PersonId) -> Result<(), Failure> {
        let otp = Box::new(self.otp(Carrier::App));
        let effect = Effect::EnrolApp {
            otp,
            person,
            place: Place::Public,
        };
        match store.open_journey(&over(), &[effect], &by()).await? {
            Committed::Yes(_) => Ok(()),
            _ => Err("the demo's app could not be bound".into()),
        }
    }

    fn otp(&self, carrier: Carrier) -> Otp {
        let (seed, period_s) = match carrier {
            Carrier::App => (&self.app_seed, 30),
            Carrier::Token => (&self.token_seed, 60),
        };
        Otp {
            algorithm: Algorithm::Sha1,
            carrier,
            digits: 6,
            drift: 0,
            id: FactorId(draw(&RealWorld)),
            kind: OtpKind::Totp { period_s },
            // An app is bound with a counter already used; a token may never have been.
            last_counter: (carrier == Carrier::App).then_some(0),
            secret: Secret::new(seed.to_vec()),
        }
    }
}

fn told(person: &Person) -> demo::Person {
    demo::Person {
        username: person.former.unwrap_or(person.username).to_owned(),
        password: person.password.to_owned(),
        method: match person.method {
            Method::App => demo::Method::App,
            Method::Sms => demo::Method::Sms,
            Method::Token => demo::Method::Token,
        },
        name: format!("{} {}", person.first_name, person.last_name),
        phone: (!person.phone.is_empty()).then(|| person.phone.to_owned()),
        mail: Some(mail(person)),
        serial: person.serial.map(str::to_owned),
    }
}

fn tokens(seed: &[u8; 20]) -> Vec<HardwareToken> {
    let held = PEOPLE
        .iter()
        .filter_map(|person| Some((person, person.serial?)));
    let holders =
        held.map(|(person, serial)| (serial, Some(person.former.unwrap_or(person.username))));
    let holders = holders.chain([(SPARE, None)]);
    holders
        .map(|(serial, holder)| HardwareToken {
            serial: serial.to_owned(),
            holder: holder.map(str::to_owned),
            generator: Generator::new(
                if serial == SPARE {
                    spare(seed).to_vec()
                } else {
                    seed.to_vec()
                },
                Hash::Sha1,
                Digits::Six,
            ),
            moving: Moving::Time {
                period_s: 60,
                ahead_s: 0,
            },
        })
        .collect()
}

/// The spare token's seed: another one, from the same dice.
fn spare(seed: &[u8; 20]) -> [u8; 20] {
    let mut other = *seed;
    other.reverse();
    other
}

fn scanned(seed: &[u8; 20]) -> Vec<String> {
    let key = data_encoding::BASE32_NOPAD.encode(seed);
    let people = PEOPLE.iter().filter(|person| person.scanned);
    people
        .map(|person| {
            format!(
                "otpauth://totp/Canton:{}?secret={key}&issuer=Canton",
                person.username
            )
        })
        .collect()
}

fn mail(person: &Person) -> String {
    format!("{}@edu.example", person.username)
}

async fn new_person(person: &Person, pool: &Pool) -> Result<NewPerson, Failure> {
    let activated = !person.password.is_empty();
    let hash = match person.former {
        // Who comes from the former system brings the hash from there.
        Some(_) => Some(former_hash(person.password)),
        None if activated => {
            let password = Password::parse(person.password.to_owned())?;
            Some(
                pool.hash(password, Salt(draw(&RealWorld)))
                    .await?
                    .as_str()
                    .to_owned(),
            )
        }
        None => None,
    };
    Ok(NewPerson {
        aliases: person.former.into_iter().map(str::to_owned).collect(),
        first_name: person.first_name.to_owned(),
        id: PersonId(draw(&RealWorld)),
        language: person.language,
        last_name: person.last_name.to_owned(),
        mail: mail(person),
        method: activated.then_some(person.method),
        password: hash.map(|hash| Secret::new(hash.into_bytes())),
        phone: Phone::parse(person.phone).ok(),
        role: Role::Teacher,
        school: Some("Centre scolaire de Brigue".to_owned()),
        token_serial: person.serial.map(str::to_owned),
        username: person.username.to_owned(),
    })
}

/// `{SSHA}`, as many directories keep passwords.
fn former_hash(password: &str) -> String {
    let salt: [u8; 8] = draw(&RealWorld);
    let salted = [password.as_bytes(), &salt].concat();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &salted);
    format!(
        "{{SSHA}}{}",
        data_encoding::BASE64.encode(&[digest.as_ref(), &salt].concat())
    )
}

async fn send_activation(store: &AnyStore, keys: &Keys, person: PersonId) -> Result<(), Failure> {
    let code = activation_code::draw(&RealWorld);
    let canonical = activation_code::canonical(&code).ok_or("a drawn code is no code")?;
    let until = RealWorld.now().plus(CODE_BY_MAIL_S);
    let new = NewActivation {
        id: ActivationId(draw(&RealWorld)),
        mac: activation_code::mac(keys, person, &canonical),
        message: Some(Message::Activation {
            code: Secret::new(code.into_bytes()),
            until,
        }),
        person,
        until,
    };
    Ok(store.issue_activation(&new, &by()).await?)
}

/// A journey that is over, to carry an effect.
fn over() -> Journey {
    Journey {
        browser: draw(&RealWorld),
        id: JourneyId(draw(&RealWorld)),
        purpose: String::new(),
        state: JourneyState::Login(Login::Refused(Refusal::TooLate)),
        support: String::new(),
        until: Timestamp(0),
        version: 0,
    }
}

/// Who does it, in the audit.
pub(super) fn by() -> By {
    By {
        address: None,
        at: RealWorld.now(),
        person: None,
        place: Place::Public,
        support: String::new(),
        through: "command demo".to_owned(),
    }
}

fn draw<const N: usize>(world: &RealWorld) -> [u8; N] {
    let mut bytes = [0; N];
    world.fill(&mut bytes);
    bytes
}
