//! Who lives in a simulated canton: people of every method, each with a browser at home, one at school,
//! a phone, and a thief who knows their password.

use journey::login::Login;
use journey::{
    Algorithm, Carrier, Effect, FactorId, JourneyId, Language, Method, Otp, OtpKind, PersonId,
    Phone, Role, Secret, Timestamp,
};
use store::{By, Journey, JourneyState, NewPerson, NewToken};

use super::nodes::Ground;
use crate::memory::must;

/// The password of everybody: it is no secret here.
pub(super) const PASSWORD: &str = "Murmeltier-am-Simplon-7";
/// Seconds of a step of an app.
pub(super) const APP_S: u64 = 30;
/// Seconds of a step of a token.
const TOKEN_S: u64 = 60;

/// What somebody shows beside the password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Means {
    App,
    Sms,
    /// A token with a button.
    Hotp,
    /// A token with a clock.
    Totp,
}

/// Whether somebody is switched off, as far as the desk was told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    On,
    Off,
    /// The desk was told of a failure: nobody knows.
    Unknown,
}

/// Somebody, and what they have in their hands.
pub(super) struct Somebody {
    pub(super) activated: bool,
    /// The codes they were sent, the newest last.
    pub(super) activations: Vec<String>,
    /// The next counter of their token's button.
    pub(super) button: u64,
    pub(super) id: PersonId,
    pub(super) means: Means,
    pub(super) name: String,
    /// How often everything of theirs was ended: what began before does not count any more.
    pub(super) epoch: u32,
    /// What may be their password: after an activation without an answer there are two.
    pub(super) passwords: Vec<String>,
    pub(super) phone: String,
    /// The keys in their app, or of their token; the newest last.
    pub(super) seeds: Vec<Vec<u8>>,
    /// The last step whose code they used, so that they wait for another.
    pub(super) shown: u64,
    pub(super) standing: Standing,
}

impl Somebody {
    /// Seconds of a step; none for a button.
    pub(super) fn period_s(&self) -> Option<u64> {
        match self.means {
            Means::App => Some(APP_S),
            Means::Totp => Some(TOKEN_S),
            Means::Hotp | Means::Sms => None,
        }
    }
}

/// So many people move in: by import, as everybody does.
pub(super) async fn move_in(ground: &Ground, count: usize) -> Vec<Somebody> {
    let hash = ground.hash(PASSWORD).await;
    let mut people: Vec<Somebody> = (0..count).map(|number| somebody(ground, number)).collect();
    let tokens: Vec<NewToken> = people.iter().filter_map(|one| token(ground, one)).collect();
    let by = by(ground);
    must(
        "import the tokens",
        ground.store.import_tokens(&tokens, &by).await,
    );
    let new: Vec<NewPerson> = people.iter().map(|one| register(one, &hash)).collect();
    must(
        "import the people",
        ground.store.import_people(&new, &by).await,
    );
    for (number, one) in people.iter_mut().enumerate() {
        // Every other app is bound already; the others bind theirs at their first sign-in.
        if one.means == Means::App && one.activated && number % 2 == 0 {
            let seed = ground.fate.throws(|dice| dice.bytes::<20>().to_vec());
            bind(ground, one.id, &seed).await;
            one.seeds.push(seed);
        }
    }
    people
}

/// Who does it, in the audit.
pub(super) fn by(ground: &Ground) -> By {
    By {
        address: None,
        at: Timestamp(ground.fate.now()),
        person: None,
        place: journey::Place::Public,
        support: String::new(),
        through: "a simulation".into(),
    }
}

fn somebody(ground: &Ground, number: usize) -> Somebody {
    let (means, activated) = match number % 8 {
        0 | 4 => (Means::Sms, true),
        1 => (Means::Totp, true),
        2 | 3 => (Means::App, true),
        5 => (Means::Hotp, true),
        6 => (Means::App, false),
        _ => (Means::Sms, false),
    };
    let has_token = matches!(means, Means::Hotp | Means::Totp);
    let seed = has_token.then(|| ground.fate.throws(|dice| dice.bytes::<20>().to_vec()));
    Somebody {
        activated,
        activations: Vec::new(),
        button: 0,
        id: PersonId(ground.fate.throws(|dice| dice.bytes())),
        means,
        name: format!("{}.{number:02}", name_of(means, activated)),
        epoch: 0,
        passwords: vec![PASSWORD.to_owned()],
        phone: format!("+4179{:07}", 1_000_000 + number),
        seeds: seed.into_iter().collect(),
        shown: 0,
        standing: Standing::On,
    }
}

fn name_of(means: Means, activated: bool) -> &'static str {
    match (means, activated) {
        (Means::App, true) => "bastien",
        (Means::App, false) => "elodie",
        (Means::Hotp, _) => "hugo",
        (Means::Sms, true) => "anna",
        (Means::Sms, false) => "ivo",
        (Means::Totp, _) => "luca",
    }
}

fn token(ground: &Ground, one: &Somebody) -> Option<NewToken> {
    let kind = match one.means {
        Means::Hotp => OtpKind::Hotp,
        Means::Totp => OtpKind::Totp {
            period_s: u32::try_from(TOKEN_S).ok()?,
        },
        Means::App | Means::Sms => return None,
    };
    Some(NewToken {
        otp: otp(ground, Carrier::Token, kind, one.seeds.last()?),
        serial: serial(one),
    })
}

fn serial(one: &Somebody) -> String {
    format!("VS-{}", one.name)
}

fn register(one: &Somebody, hash: &Secret) -> NewPerson {
    let (first, last) = one.name.split_once('.').unwrap_or((&one.name, ""));
    let has_token = matches!(one.means, Means::Hotp | Means::Totp);
    let method = match one.means {
        Means::App => Method::App,
        Means::Sms => Method::Sms,
        Means::Hotp | Means::Totp => Method::Token,
    };
    NewPerson {
        aliases: Vec::new(),
        first_name: first.to_owned(),
        id: one.id,
        language: Language::Fr,
        last_name: last.to_owned(),
        mail: format!("{}@edu.example", one.name),
        method: one.activated.then_some(method),
        password: one.activated.then(|| hash.clone()),
        phone: Phone::parse(&one.phone).ok().filter(|_| one.activated),
        role: Role::Teacher,
        school: None,
        token_serial: has_token.then(|| serial(one)),
        username: one.name.clone(),
    }
}

fn otp(ground: &Ground, carrier: Carrier, kind: OtpKind, seed: &[u8]) -> Otp {
    Otp {
        algorithm: Algorithm::Sha1,
        carrier,
        digits: 6,
        drift: 0,
        id: FactorId(ground.fate.throws(|dice| dice.bytes())),
        kind,
        last_counter: None,
        secret: Secret::new(seed.to_vec()),
    }
}

/// An app that is bound already.
async fn bind(ground: &Ground, person: PersonId, seed: &[u8]) {
    let kind = OtpKind::Totp { period_s: 30 };
    let yesterday = u64::try_from(ground.fate.now()).unwrap_or_default() / APP_S - 2880;
    let shown = Otp {
        last_counter: Some(yesterday),
        ..otp(ground, Carrier::App, kind, seed)
    };
    let effect = Effect::EnrolApp {
        otp: Box::new(shown),
        person,
        place: journey::Place::Public,
    };
    let journey = Journey {
        browser: [0; 32],
        id: JourneyId(ground.fate.throws(|dice| dice.bytes())),
        purpose: String::new(),
        state: JourneyState::Login(Login::Refused(journey::Refusal::TooLate)),
        support: String::new(),
        until: Timestamp(ground.fate.now()),
        version: 0,
    };
    let bound = ground
        .store
        .open_journey(&journey, &[effect], &by(ground))
        .await;
    let bound = must("bind an app", bound);
    assert!(
        matches!(bound, store::Committed::Yes(_)),
        "an app was not bound"
    );
}
