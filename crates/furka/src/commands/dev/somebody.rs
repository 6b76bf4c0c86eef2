//! Somebody who does not exist: as many of each role as the canton has, in its two languages, with the
//! ways of signing in that a canton has after some years.

use std::collections::HashMap;

use journey::{
    Algorithm, Carrier, FactorId, Language, Method, Otp, OtpKind, PersonId, Phone, Role, Secret,
};
use store::{NewPerson, NewToken};
use unicode_normalization::UnicodeNormalization;

use super::{dice::Dice, names::Names};

/// The canton has 55,000 pupils and 5,200 teachers; and then those in the offices.
const ROLES: [(u64, Kind); 4] = [
    (55_000, Kind::Pupil),
    (5_200, Kind::Teacher),
    (1_100, Kind::Staff),
    (30, Kind::Admin),
];
/// Of a hundred, so many live where German is spoken.
const GERMAN: u64 = 28;
/// The canton has so many places with a school.
const SCHOOLS_MAX: u64 = 700;
/// So many people belong to one, on average.
const PEOPLE_OF_A_SCHOOL: u64 = 88;
/// Of a hundred, so many had a name in a former system.
const FORMER_NAMES: u64 = 5;

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Kind {
    #[default]
    Pupil,
    Teacher,
    Staff,
    Admin,
}

impl Kind {
    fn role(self) -> Role {
        match self {
            Self::Pupil => Role::Pupil,
            Self::Teacher => Role::Teacher,
            Self::Staff => Role::Staff,
            Self::Admin => Role::Admin,
        }
    }

    /// How many of a hundred stand where.
    fn standings(self) -> [(u64, Standing); 5] {
        let [absent, unbound, sms, app, token] = match self {
            Self::Pupil => [14, 21, 24, 40, 1],
            Self::Teacher => [4, 4, 24, 58, 10],
            Self::Staff => [4, 4, 32, 50, 10],
            Self::Admin => [0, 0, 0, 70, 30],
        };
        [
            (absent, Standing::NotActivated),
            (unbound, Standing::Unbound),
            (sms, Standing::Sms),
            (app, Standing::App),
            (token, Standing::Token),
        ]
    }
}

/// How far somebody is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) enum Standing {
    /// Waits for an activation code.
    #[default]
    NotActivated,
    /// Chose the app, has a password, and has yet to bind it at home.
    Unbound,
    /// Has a number that answered.
    Sms,
    /// Has an app.
    App,
    /// Has a hardware token.
    Token,
}

/// Somebody, without a password yet.
#[derive(Clone, Debug)]
pub(super) struct Somebody {
    /// The generator of their app or token.
    pub(super) otp: Option<Otp>,
    pub(super) person: NewPerson,
    pub(super) standing: Standing,
}

impl Somebody {
    /// The token they hold, as its vendor delivers it.
    pub(super) fn token(&self) -> Option<NewToken> {
        Some(NewToken {
            otp: self.otp.clone()?,
            serial: self.person.token_serial.clone()?,
        })
    }
}

/// Makes one after the other. The first of a small canton are the first of a large one.
pub(super) struct People {
    french: Names,
    german: Names,
    next: u64,
    seed: u64,
    /// How often a name was given.
    taken: HashMap<String, u32>,
}

impl People {
    /// Those of this seed, without end.
    pub(super) fn of(seed: u64) -> Self {
        Self {
            french: Names::french(),
            german: Names::german(),
            next: 0,
            seed,
            taken: HashMap::new(),
        }
    }

    /// Nobody has a name that somebody had before.
    fn username(&mut self, first: &str, last: &str) -> String {
        let name = format!("{}.{}", plain(first), plain(last));
        let count = self.taken.entry(name.clone()).or_default();
        *count = count.saturating_add(1);
        match *count {
            1 => name,
            count => format!("{name}{count}"),
        }
    }

    fn names(&self, german: bool) -> &Names {
        match german {
            true => &self.german,
            false => &self.french,
        }
    }

    fn school(&self, number: u64) -> School {
        // Far from the numbers of people.
        let mut dice = Dice::of(self.seed, u64::MAX - number);
        let german = dice.below(100) < GERMAN;
        let names = self.names(german);
        let (what, place) = (dice.one_of(&names.schools), dice.one_of(&names.places));
        let joint = match (german, plain(place).starts_with(['a', 'e', 'i', 'o'])) {
            (true, _) => " ",
            (false, true) => " d'",
            (false, false) => " de ",
        };
        School {
            german,
            name: format!("{what}{joint}{place}"),
        }
    }

    fn person(&mut self, dice: &mut Dice) -> (NewPerson, Kind) {
        let number = self.next;
        // A school fills before the next one opens, so that a small canton has few.
        let school = (number / PEOPLE_OF_A_SCHOOL) % SCHOOLS_MAX;
        let school = self.school(school);
        // Families move.
        let speaks_german = school.german != (dice.below(100) < 8);
        let names = self.names(speaks_german);
        let (first, last) = (dice.one_of(&names.first), dice.one_of(&names.last));
        let kind = dice.share(&ROLES);
        let username = self.username(first, last);
        let former = dice.below(100) < FORMER_NAMES;
        let person = NewPerson {
            aliases: former
                .then(|| format!("ism{number:07}"))
                .into_iter()
                .collect(),
            first_name: first.to_owned(),
            id: PersonId(dice.bytes()),
            language: match school.german {
                true => Language::De,
                false => Language::Fr,
            },
            last_name: last.to_owned(),
            mail: format!("{username}@edu.vs.example"),
            method: None,
            password: None,
            phone: None,
            role: kind.role(),
            school: (kind != Kind::Admin).then_some(school.name),
            token_serial: None,
            username,
        };
        (person, kind)
    }
}

impl Iterator for People {
    type Item = Somebody;

    fn next(&mut self) -> Option<Somebody> {
        let number = self.next;
        let mut dice = Dice::of(self.seed, number);
        let (mut person, kind) = self.person(&mut dice);
        self.next = number.saturating_add(1);
        let standing = dice.share(&kind.standings());
        person.method = match standing {
            Standing::NotActivated => None,
            Standing::Sms => Some(Method::Sms),
            Standing::App | Standing::Unbound => Some(Method::App),
            Standing::Token => Some(Method::Token),
        };
        person.phone = match standing {
            Standing::Sms => Phone::parse(&format!("+4179{:07}", number % 10_000_000)).ok(),
            _ => None,
        };
        person.token_serial = (standing == Standing::Token).then(|| format!("VS{number:08}"));
        let otp = match standing {
            Standing::App => Some(otp(&mut dice, Carrier::App, person.id)),
            Standing::Token => Some(otp(&mut dice, Carrier::Token, person.id)),
            _ => None,
        };
        Some(Somebody {
            otp,
            person,
            standing,
        })
    }
}

fn otp(dice: &mut Dice, carrier: Carrier, PersonId(id): PersonId) -> Otp {
    Otp {
        algorithm: Algorithm::Sha1,
        carrier,
        digits: 6,
        drift: 0,
        // Whoever binds many in the order of their people writes neighbours together.
        id: FactorId(id),
        kind: OtpKind::Totp { period_s: 30 },
        last_counter: None,
        secret: Secret::new(dice.bytes::<20>().to_vec()),
    }
}

struct School {
    german: bool,
    name: String,
}

/// Letters as they stand in a user name.
fn plain(name: &str) -> String {
    let letters = name.nfd().flat_map(char::to_lowercase);
    letters.filter(char::is_ascii_alphabetic).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const MANY: usize = 20_000;

    #[test]
    fn nobody_has_the_name_or_the_id_of_somebody_else() {
        let all: Vec<_> = People::of(1).take(MANY).collect();
        let names: HashSet<_> = all
            .iter()
            .flat_map(|one| {
                [&one.person.username]
                    .into_iter()
                    .chain(&one.person.aliases)
            })
            .collect();
        let aliases: usize = all.iter().map(|one| one.person.aliases.len()).sum();
        assert_eq!(names.len(), MANY + aliases);
        let ids: HashSet<_> = all.iter().map(|one| one.person.id).collect();
        assert_eq!(ids.len(), MANY);
    }

    #[test]
    fn the_first_people_of_a_large_canton_are_those_of_a_small_one() {
        let small: Vec<_> = People::of(7).take(50).collect();
        let other: Vec<_> = People::of(8).take(50).collect();
        for (one, same) in small.iter().zip(People::of(7)) {
            assert_eq!(one.person.id, same.person.id);
            assert_eq!(one.person.username, same.person.username);
        }
        assert!(
            small
                .iter()
                .zip(&other)
                .all(|(a, b)| a.person.id != b.person.id)
        );
    }

    #[test]
    fn there_are_as_many_of_each_role_as_the_canton_has() {
        let of = |role: Role| {
            let all = People::of(3).take(MANY);
            all.filter(|one| one.person.role == role).count()
        };
        let (pupils, teachers) = (of(Role::Pupil), of(Role::Teacher));
        // 55,000 to 5,200.
        assert!(
            (9..12).contains(&(pupils / teachers)),
            "{pupils} {teachers}"
        );
        assert!(of(Role::Staff) > 100 && of(Role::Admin) > 0);
    }

    #[test]
    fn each_brings_what_their_method_needs_and_nothing_else() {
        for one in People::of(5).take(MANY) {
            let (person, standing) = (&one.person, one.standing);
            assert_eq!(person.phone.is_some(), standing == Standing::Sms);
            assert_eq!(person.token_serial.is_some(), standing == Standing::Token);
            assert_eq!(person.method.is_none(), standing == Standing::NotActivated);
            let has_otp = matches!(standing, Standing::App | Standing::Token);
            assert_eq!(one.otp.is_some(), has_otp);
            assert_eq!(one.token().is_some(), standing == Standing::Token);
        }
    }

    #[test]
    fn both_languages_live_beside_each_other() {
        let all: Vec<_> = People::of(1).take(MANY).collect();
        let german = |one: &&Somebody| one.person.language == Language::De;
        let count = all.iter().filter(german).count();
        assert!((MANY / 5..MANY / 2).contains(&count), "{count}");
        let schools: HashSet<_> = all.iter().map(|one| &one.person.school).collect();
        assert!(schools.len() > 50, "{}", schools.len());
        assert_eq!(
            plain("Zenh\u{e4}usern-\u{c9}l\u{e9}onore d'A"),
            "zenhauserneleonoreda"
        );
    }
}
