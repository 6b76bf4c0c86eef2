//! The people of the canton in memory, with their phones and tokens.

use async_trait::async_trait;
use demo::{Digits, Generator, HardwareToken, Hash, Moving, Person, Places, Settings, Standing};
use journey::login::Login;
use journey::{
    Algorithm, Carrier, Effect, FactorId, JourneyId, Language, Method, NameKey, Otp, OtpKind,
    PersonId, Phone, Role, Secret, Timestamp,
};
use server::activation_code;
use store::seal::Keys;
use store::{AnyStore, Journey, JourneyState, Message, NewActivation, NewPerson, NewToken};

use super::canton::{by, ism_key, must, secrets};
use super::world::Toy;
use crate::stage::IN_THE_DRAWER;

/// The networks of the demo's three places but home.
pub(super) const ZONES: &str = r#"
[[zone]]
id = "school-brig"
kind = "school"
name = { fr = "Centre scolaire de Brigue", de = "Schulzentrum Brig", en = "Brig school centre" }
networks = ["192.0.2.0/24", "2001:db8:5::/48"]
second_factor = "not-asked"
enrolment = "refused"
owner = "ICT-VS"
review_by = "2027-08-01"

[[zone]]
id = "state"
kind = "state"
name = { fr = "État du Valais", de = "Staat Wallis", en = "State of Valais" }
networks = ["198.51.100.0/24", "2001:db8:1::/48"]
second_factor = "not-asked"
enrolment = "refused"
owner = "ICT-VS"
review_by = "2027-08-01"
"#;

/// How long an activation code works: a day.
const ACTIVATION_S: i64 = 86_400;

/// One of the cast. `password` is a hash that came with the import.
struct Cast {
    /// The name in the register.
    username: &'static str,
    /// The name they sign in with; a former one where it differs.
    types: &'static str,
    name: (&'static str, &'static str),
    password: &'static str,
    /// `{SSHA}` of the password: how the former system kept it.
    hash: &'static str,
    method: demo::Method,
    phone: &'static str,
    serial: Option<&'static str>,
    app: Option<&'static [u8; 20]>,
    language: Language,
}

const PEOPLE: [Cast; 5] = [
    Cast {
        username: "anna.roten",
        types: "anna.roten",
        name: ("Anna", "Roten"),
        password: "Murmeltier-am-Simplon-7",
        hash: "{SSHA}XUhwCmXeJCUoNpDfE8Ps1v0jv9Rhbm5hLXNhbHQ=",
        method: demo::Method::Sms,
        phone: "+41791000001",
        serial: None,
        app: None,
        language: Language::De,
    },
    Cast {
        username: "bastien.favre",
        types: "bastien.favre",
        name: ("Bastien", "Favre"),
        password: "Trois-Bisses-et-1-fendant",
        hash: "{SSHA}9bK+2HH8L9PIRrcQpOWiPdDUa+tiYXN0aWVuLXNhbHQ=",
        method: demo::Method::App,
        phone: "+41791000002",
        serial: None,
        app: None,
        language: Language::Fr,
    },
    Cast {
        username: "chloe.zufferey",
        types: "chloe.zufferey",
        name: ("Chloé", "Zufferey"),
        password: "Raclette-sans-4-chandelles",
        hash: "{SSHA}ETKhwlZnTQZ9F/GAedj/tfTshHRjaGxvZS1zYWx0",
        method: demo::Method::App,
        phone: "+41791000003",
        serial: None,
        app: Some(b"twenty bytes of seed"),
        language: Language::Fr,
    },
    Cast {
        username: "luca.zenruffinen",
        types: "zrl0417",
        name: ("Luca", "Zenruffinen"),
        password: "Gletsch-1894-Bahn",
        hash: "{SSHA}FWEtr9+EZXxmI9s4X997+kJekdhsdWNhLXNhbHQ=",
        method: demo::Method::Token,
        phone: "+41791000004",
        serial: Some("VS-1000417"),
        app: None,
        language: Language::De,
    },
    Cast {
        username: "elodie.rey",
        types: "elodie.rey",
        name: ("Elodie", "Rey"),
        password: "",
        hash: "",
        method: demo::Method::Sms,
        phone: "",
        serial: None,
        app: None,
        language: Language::Fr,
    },
];

/// The hardware tokens as their maker's file has them: serial number and seed. The second one lies in
/// the school's drawer.
const TOKENS: [(&str, &[u8; 20]); 2] = [
    ("VS-1000417", b"another twenty bytes"),
    (IN_THE_DRAWER, b"bytes in the drawer."),
];

/// Who the town knows, for the demo's rooms: nobody has moved in yet.
pub(super) fn settings(origins: demo::Origins) -> Settings {
    let [ent_secret, gateway_token, ism_salt] = secrets();
    let person = |one: &Cast| Person {
        username: one.types.into(),
        password: one.password.into(),
        method: one.method,
        name: format!("{} {}", one.name.0, one.name.1),
        phone: Some(one.phone)
            .filter(|phone| !phone.is_empty())
            .map(str::to_owned),
        mail: Some(one.mail()),
        serial: one.serial.map(str::to_owned),
    };
    let tokens = TOKENS.map(|(serial, seed)| HardwareToken {
        serial: serial.into(),
        holder: holder(serial).map(|one| one.types.into()),
        generator: Generator::new(seed.to_vec(), Hash::Sha1, Digits::Six),
        moving: Moving::Time {
            period_s: 60,
            ahead_s: 0,
        },
    });
    let scanned = PEOPLE.iter().filter_map(|one| {
        let secret = data_encoding::BASE32_NOPAD.encode(one.app?);
        Some(format!(
            "otpauth://totp/Canton:{}?secret={secret}&issuer=Canton",
            one.types
        ))
    });
    Settings {
        origins,
        ent_secret,
        ism_key: ism_key(),
        ism_salt,
        gateway_token,
        people: PEOPLE.iter().map(person).collect(),
        tokens: tokens.into(),
        scanned: scanned.collect(),
        places: Places::default(),
    }
}

/// The people and their tokens move in: by import, as everybody does.
pub(super) async fn moves_in(store: &AnyStore, keys: &Keys, toy: &Toy) {
    let by = by(toy);
    let tokens = TOKENS.map(|(serial, seed)| NewToken {
        otp: otp(Carrier::Token, seed, 60, toy),
        serial: serial.into(),
    });
    must("import the tokens", store.import_tokens(&tokens, &by).await);
    let people: Vec<NewPerson> = PEOPLE.iter().map(|one| one.person(toy)).collect();
    must("import the people", store.import_people(&people, &by).await);
    for (one, person) in PEOPLE.iter().zip(people) {
        if let Some(seed) = one.app {
            let yesterday = u64::try_from(toy.now() / 30 - 2880).ok();
            let otp = Otp {
                last_counter: yesterday,
                ..otp(Carrier::App, seed, 30, toy)
            };
            let place = journey::Place::Public;
            let effect = Effect::EnrolApp {
                otp: Box::new(otp),
                person: person.id,
                place,
            };
            let journey = a_journey(toy);
            let opened = store.open_journey(&journey, &[effect], &by).await;
            let committed = must("bind an app", opened);
            assert!(
                matches!(committed, store::Committed::Yes(_)),
                "an app was not bound"
            );
        }
        if one.hash.is_empty() {
            issue_activation(store, keys, toy, person.id).await;
        }
    }
}

/// A fresh activation message to somebody, as `furka activation send` makes it.
pub(super) async fn issue_activation(store: &AnyStore, keys: &Keys, toy: &Toy, person: PersonId) {
    let code = activation_code::draw(toy);
    let canonical = activation_code::canonical(&code).unwrap_or_default();
    let until = Timestamp(toy.now()).plus(ACTIVATION_S);
    let new = NewActivation {
        id: journey::ActivationId(draw(toy)),
        mac: activation_code::mac(keys, person, &canonical),
        message: Some(Message::Activation {
            code: Secret::new(code.into_bytes()),
            until,
        }),
        person,
        until,
    };
    must(
        "issue an activation",
        store.issue_activation(&new, &by(toy)).await,
    );
}

impl Cast {
    fn mail(&self) -> String {
        format!("{}@edu.example", self.username)
    }

    fn person(&self, toy: &Toy) -> NewPerson {
        let activated = !self.hash.is_empty();
        let method = match self.method {
            demo::Method::App => Method::App,
            demo::Method::Sms => Method::Sms,
            demo::Method::Token => Method::Token,
        };
        let former = (self.types != self.username).then(|| self.types.to_owned());
        NewPerson {
            aliases: former.into_iter().collect(),
            first_name: self.name.0.into(),
            id: PersonId(draw(toy)),
            language: self.language,
            last_name: self.name.1.into(),
            mail: self.mail(),
            method: activated.then_some(method),
            password: activated.then(|| Secret::new(self.hash.as_bytes().to_vec())),
            phone: Phone::parse(self.phone).ok(),
            role: Role::Teacher,
            school: Some("Centre scolaire de Brigue".into()),
            token_serial: self.serial.map(str::to_owned),
            username: self.username.into(),
        }
    }
}

/// Who holds a token.
fn holder(serial: &str) -> Option<&'static Cast> {
    PEOPLE.iter().find(|one| one.serial == Some(serial))
}

fn otp(carrier: Carrier, seed: &[u8; 20], period_s: u32, toy: &Toy) -> Otp {
    Otp {
        algorithm: Algorithm::Sha1,
        carrier,
        digits: 6,
        drift: 0,
        id: FactorId(draw(toy)),
        kind: OtpKind::Totp { period_s },
        last_counter: None,
        secret: Secret::new(seed.to_vec()),
    }
}

/// A journey that is over, to carry effects.
fn a_journey(toy: &Toy) -> Journey {
    let now = Timestamp(toy.now());
    Journey {
        browser: [0; 32],
        id: JourneyId(draw(toy)),
        purpose: String::new(),
        state: JourneyState::Login(Login::Refused(journey::Refusal::TooLate)),
        support: String::new(),
        until: now,
        version: 0,
    }
}

fn draw<const N: usize>(toy: &Toy) -> [u8; N] {
    let mut bytes = [0; N];
    toy.throw(&mut bytes);
    bytes
}

/// Tells the demo's pages where people stand.
pub(super) struct Registry(pub(super) AnyStore);

#[async_trait]
impl demo::People for Registry {
    async fn standing(&self, username: &str) -> Standing {
        let Some(name) = NameKey::of(username) else {
            return Standing::default();
        };
        match self.0.person_by_name(&name).await {
            Ok(Some(account)) => Standing {
                activated: account.password.is_some(),
                enrolled: account.person.enrolled(),
            },
            _ => Standing::default(),
        }
    }
}
