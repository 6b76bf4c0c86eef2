//! What was told to people, kept apart from the product: every promise in it must hold.

use std::collections::{BTreeMap, BTreeSet};

use store::audit::Entry;

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub(super) struct Broken(pub(super) String);

/// Whether all promises were kept so far.
pub(super) type Kept<T = ()> = Result<T, Broken>;

/// In any hour so many wrong passwords of strangers are looked at: five at once, then after 30 s, 60 s
/// … 480 s, and four more that time forgets; two for clocks that jump.
const WRONG_PASSWORDS: usize = 16;
/// One journey takes so many wrong codes.
const WRONG_CODES: u32 = 5;

/// Something that may be used once.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum OneTime {
    /// An activation code.
    Activation(String),
    /// A step or a counter of somebody's factor: seed, counter.
    Counter(Vec<u8>, u64),
    /// A link to go on elsewhere.
    Resume(String),
    /// The code of a text message, in its journey.
    Sms(String, String),
}

/// How a session was proven, as far as its person did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Proven {
    Password,
    TwoFactors,
}

/// A session that somebody was told of.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) cookie: String,
    pub(super) ended: bool,
    pub(super) person: usize,
    pub(super) proven: Proven,
}

/// An authorization code that somebody was given.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// When it was given.
    pub(super) at: i64,
    pub(super) code: String,
    pub(super) session: usize,
    /// How often tokens came for it.
    pub(super) redeemed: u32,
    /// A request to redeem it had no answer: nobody knows whether it was.
    pub(super) open: bool,
    /// The last access token it gave.
    pub(super) access: Option<String>,
    /// It came a second time, and that was told: what it gave is void.
    pub(super) void: bool,
}

/// All promises.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) grants: Vec<Grant>,
    pub(super) sessions: Vec<Session>,
    /// Sign-ins that were told, and requests that may have been one but had no answer.
    pub(super) signed_in: BTreeMap<usize, (u64, u64)>,
    pub(super) tokens: BTreeMap<usize, u64>,
    used: BTreeMap<OneTime, u32>,
    wrong_codes: BTreeMap<String, u32>,
    wrong_passwords: BTreeMap<usize, Vec<i64>>,
}

impl Ledger {
    /// A one-time thing was accepted, and that was told.
    pub(super) fn accepts(&mut self, thing: OneTime) -> Kept {
        let times = self.used.entry(thing.clone()).or_default();
        *times += 1;
        if *times > 1 {
            return Err(Broken(format!("used {times} times: {}", thing.name())));
        }
        Ok(())
    }

    /// The codes of these seeds that were accepted, with what they stood for.
    pub(super) fn used_codes(&self, seeds: &[Vec<u8>]) -> Vec<(String, OneTime)> {
        let own = self.used.keys().filter_map(|thing| match thing {
            OneTime::Counter(seed, counter) if seeds.contains(seed) => {
                Some((super::otp::code(seed, *counter), thing.clone()))
            }
            _ => None,
        });
        own.rev().take(3).collect()
    }

    pub(super) fn was_accepted(&self, thing: &OneTime) -> bool {
        self.used.contains_key(thing)
    }

    /// Somebody was told that they are in.
    pub(super) fn begins(&mut self, session: Session) -> usize {
        self.signed_in.entry(session.person).or_default().0 += 1;
        self.sessions.push(session);
        self.sessions.len() - 1
    }

    /// A request that may have signed somebody in had no answer.
    pub(super) fn may_have_begun(&mut self, person: usize) {
        self.signed_in.entry(person).or_default().1 += 1;
    }

    /// All sessions of a person have ended, and that was told.
    pub(super) fn end_all(&mut self, person: usize) {
        for session in &mut self.sessions {
            session.ended |= session.person == person;
        }
    }

    /// A wrong password of a stranger was looked at, and that was told.
    pub(super) fn wrong_password(&mut self, person: usize, now: i64) -> Kept {
        let times = self.wrong_passwords.entry(person).or_default();
        times.push(now);
        times.retain(|at| now.saturating_sub(*at) < 3600);
        if times.len() > WRONG_PASSWORDS {
            let count = times.len();
            return Err(Broken(format!(
                "{count} wrong passwords of strangers were looked at within an hour"
            )));
        }
        Ok(())
    }

    /// A journey said that a code was wrong.
    pub(super) fn wrong_code(&mut self, journey: &str) -> Kept {
        let times = self.wrong_codes.entry(journey.to_owned()).or_default();
        *times += 1;
        if *times > WRONG_CODES {
            return Err(Broken(format!("one journey took {times} wrong codes")));
        }
        Ok(())
    }

    /// Tokens came for a code.
    pub(super) fn redeems(&mut self, grant: usize, (acr, access): (&str, String)) -> Kept {
        let grant = &mut self.grants[grant];
        let session = &self.sessions[grant.session];
        grant.redeemed += 1;
        grant.access = Some(access);
        *self.tokens.entry(session.person).or_default() += 1;
        if grant.redeemed > 1 {
            let times = grant.redeemed;
            return Err(Broken(format!(
                "an authorization code gave tokens {times} times"
            )));
        }
        if acr != "https://refeds.org/profile/sfa" && session.proven == Proven::Password {
            return Err(Broken(format!(
                "an ID token says {acr} of a session of a password"
            )));
        }
        if session.ended {
            return Err(Broken(
                "a code of a session that had ended gave tokens".to_owned(),
            ));
        }
        Ok(())
    }

    /// Whether everything that was told is in the audit, and nothing else.
    pub(super) fn is_written(&self, people: &[String], entries: &[Entry]) -> Kept {
        for (person, name) in people.iter().enumerate() {
            let count = |what: &str| {
                let what = format!("\"what\":\"{what}\"");
                let own = entries.iter().filter(|entry| {
                    entry.person.is_some_and(|id| id.to_string() == *name)
                        && entry.happened.contains(&what)
                });
                own.count() as u64
            };
            let (told, open) = self.signed_in.get(&person).copied().unwrap_or_default();
            let written = count("signed-in");
            if written < told || written > told + open {
                return Err(Broken(format!(
                    "the audit has {written} sign-ins of person {person}, who was told of {told}; {open} requests had no answer"
                )));
            }
            let tokens = self.tokens.get(&person).copied().unwrap_or_default();
            if count("token-issued") < tokens {
                return Err(Broken(format!(
                    "the audit lacks tokens of person {person}: {tokens} were told"
                )));
            }
        }
        let numbers: BTreeSet<(u16, u64)> = entries
            .iter()
            .map(|entry| (entry.strand, entry.sequence))
            .collect();
        match numbers.len() == entries.len() {
            true => Ok(()),
            false => Err(Broken("two entries of the audit share a number".to_owned())),
        }
    }
}

impl OneTime {
    fn name(&self) -> &'static str {
        match self {
            Self::Activation(_) => "an activation code",
            Self::Counter(..) => "a step or counter of a factor",
            Self::Resume(_) => "a link to go on elsewhere",
            Self::Sms(..) => "a code by SMS",
        }
    }
}
