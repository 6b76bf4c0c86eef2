//! The forms in which values stand in columns. They are the same in every engine, so that what one wrote
//! another can read.

use std::{collections::HashMap, error::Error, fmt};

use data_encoding::HEXLOWER;
use journey::{
    ActivationId, Happened, JourneyId, Method, NameKey, Notice, Otp, PasswordProof, PersonId,
    Phone, SavedCode, Timestamp, factor::recovery::CODES,
};
use serde::{
    Deserialize, Serialize,
    de::value::{Error as WordError, StrDeserializer},
};
use zeroize::Zeroizing;

use crate::{
    Conflict, Journey, JourneyState, LaneKey, Message, MessageState, NewPerson, OneTime,
    RecoverySet, Reset,
    seal::{Keys, Purpose, sha256},
};

/// Why a value has no form, or a column no value.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// A column that does not hold what only this crate writes there.
#[derive(Debug)]
pub(crate) struct Unreadable(pub(crate) &'static str);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the column `{}` holds something else", self.0)
    }
}

impl Error for Unreadable {}

/// The word of a variant, as serde spells it.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String, Cause> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(word) => Ok(word),
        _ => Err(Unreadable("word").into()),
    }
}

/// The variant of a word.
pub(crate) fn variant<'a, T: Deserialize<'a>>(word: &'a str) -> Result<T, Cause> {
    let word: StrDeserializer<'a, WordError> = StrDeserializer::new(word);
    Ok(T::deserialize(word)?)
}

/// A counter as SQL knows numbers; one that no token reaches in this universe fails.
pub(crate) fn to_sql(counter: u64) -> Result<i64, Cause> {
    Ok(i64::try_from(counter)?)
}

/// A count from SQL.
pub(crate) fn from_sql(number: i64) -> Result<u64, Cause> {
    Ok(u64::try_from(number)?)
}

/// The key of a budget: people's numbers and names are not spelt out.
pub(crate) fn lane(lane: &LaneKey) -> [u8; 32] {
    let (kind, owner): (&[u8], Vec<u8>) = match lane {
        LaneKey::Activation(name) => (b"activation", name.to_vec()),
        LaneKey::DeviceAsked(application) => (b"device-asked", application.to_vec()),
        LaneKey::DeviceAskedFrom(both) => (b"device-asked-from", both.to_vec()),
        LaneKey::DeviceCode(person) => (b"device-code", person.0.to_vec()),
        LaneKey::DeviceCodeFrom(network) => (b"device-code-from", network.to_vec()),
        LaneKey::Name(name) => (b"name", name.to_vec()),
        LaneKey::Password(person) => (b"password", person.0.to_vec()),
        LaneKey::PasswordFrom(person, device) => {
            (b"password-from", [person.0.as_slice(), device].concat())
        }
        LaneKey::Registration(whose) => (b"registration", whose.to_vec()),
        LaneKey::SecondFactor(person) => (b"second-factor", person.0.to_vec()),
        LaneKey::SecondFactorFrom(person, device) => (
            b"second-factor-from",
            [person.0.as_slice(), device].concat(),
        ),
        LaneKey::SmsAll => (b"sms-all", vec![]),
        LaneKey::SmsNumber(phone) => (b"sms-number", phone.as_str().as_bytes().to_vec()),
        LaneKey::SmsPerson(person) => (b"sms-person", person.0.to_vec()),
    };
    sha256(&[kind, b"\0", &owner].concat())
}

/// A message to put in.
pub(crate) struct Posting<'a> {
    pub(crate) journey: Option<JourneyId>,
    pub(crate) message: &'a Message,
    pub(crate) now: Timestamp,
    pub(crate) person: PersonId,
    /// Unique; the message is sealed to it.
    pub(crate) reference: String,
    pub(crate) until: Timestamp,
}

/// The key under which a one-time thing is remembered.
pub(crate) fn one_time(kind: OneTime, key: &[u8]) -> [u8; 32] {
    let kind: &[u8] = match kind {
        OneTime::ClientAssertion => b"client-assertion\0",
        OneTime::DpopProof => b"dpop-proof\0",
        OneTime::PushedRequest => b"pushed-request\0",
        OneTime::SamlMessage => b"saml-message\0",
        OneTime::Ticket => b"ticket\0",
    };
    sha256(&[kind, key].concat())
}

/// The bit of a recovery code in the column `used`.
pub(crate) fn recovery_bit(code: &SavedCode) -> Result<i64, Cause> {
    let bit = 1_i64.checked_shl(u32::from(code.place));
    let bit = bit.filter(|_| code.place < CODES);
    bit.ok_or_else(|| Unreadable("place").into())
}

/// A set of recovery codes, from its columns.
pub(crate) fn recovery_set(
    id: [u8; 16],
    macs: &[u8],
    (made, used): (Timestamp, i64),
) -> Result<RecoverySet, Cause> {
    let (macs, rest) = macs.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(Unreadable("macs").into());
    }
    let is_used = |place| used.checked_shr(place).is_some_and(|bits| bits & 1 == 1);
    Ok(RecoverySet {
        id,
        macs: macs.to_vec(),
        made,
        used: (0..).take(macs.len()).map(is_used).collect(),
    })
}

/// What of a journey is sealed.
#[derive(Deserialize, Serialize)]
pub(crate) struct Inside<P, S> {
    pub(crate) purpose: P,
    pub(crate) state: S,
}

/// What the state of a journey is bound to.
pub(crate) fn journey_aad(id: JourneyId) -> Vec<u8> {
    [b"journey ".as_slice(), &id.0].concat()
}

/// Purpose and state of a journey, sealed to its id.
pub(crate) fn seal_journey(keys: &Keys, journey: &Journey) -> Result<Vec<u8>, Cause> {
    let plain = Zeroizing::new(serde_json::to_vec(&Inside {
        purpose: &journey.purpose,
        state: &journey.state,
    })?);
    Ok(keys.seal(Purpose::JourneyState, &journey_aad(journey.id), &plain))
}

/// Purpose and state of a journey.
pub(crate) fn open_journey(
    keys: &Keys,
    id: JourneyId,
    sealed: &[u8],
) -> Result<Inside<String, JourneyState>, Cause> {
    let plain = keys.open(Purpose::JourneyState, &journey_aad(id), sealed)?;
    Ok(serde_json::from_slice(plain.expose())?)
}

/// Whose journey it is, once that is known.
pub(crate) fn traveller(state: &JourneyState) -> Option<PersonId> {
    match state {
        JourneyState::Activation(journey::activation::Activation::Done(person)) => Some(*person),
        JourneyState::Activation(state) => state.opened().map(|opened| opened.person),
        JourneyState::Login(state) => state.person(),
    }
}

/// In which era the password was proven behind which a journey stands; none before one was, and for an
/// activation, whose code is void once anything newer counts.
pub(crate) fn era(state: &JourneyState) -> Option<u32> {
    match state {
        JourneyState::Activation(_) => None,
        JourneyState::Login(state) => state.password().map(PasswordProof::era),
    }
}

/// What an app's sealed record is bound to: it opens on no other row and for nobody else.
pub(crate) fn app_aad(id: [u8; 16], person: PersonId) -> Vec<u8> {
    [b"app ".as_slice(), &id, &person.0].concat()
}

/// What a token's sealed record is bound to: the number on its back.
pub(crate) fn token_aad(serial: &str) -> Vec<u8> {
    [b"token ", serial.as_bytes()].concat()
}

/// A generator of codes, sealed.
pub(crate) fn seal_otp(keys: &Keys, aad: &[u8], otp: &Otp) -> Result<Vec<u8>, Cause> {
    let plain = Zeroizing::new(serde_json::to_vec(otp)?);
    Ok(keys.seal(Purpose::Seed, aad, &plain))
}

/// What is bound, as three columns.
pub(crate) struct Bound {
    pub(crate) drift: Option<i64>,
    pub(crate) last_counter: Option<i64>,
    pub(crate) sealed: Option<Vec<u8>>,
}

impl Bound {
    /// The generator, with the counter and drift of now; none if nothing is bound.
    pub(crate) fn open(self, keys: &Keys, aad: Option<Vec<u8>>) -> Result<Option<Otp>, Cause> {
        let (Some(aad), Some(sealed)) = (aad, self.sealed) else {
            return Ok(None);
        };
        let plain = keys.open(Purpose::Seed, &aad, &sealed)?;
        let otp: Otp = serde_json::from_slice(plain.expose())?;
        Ok(Some(Otp {
            drift: self.drift.unwrap_or_default(),
            last_counter: self.last_counter.map(u64::try_from).transpose()?,
            ..otp
        }))
    }
}

/// A message, sealed to its reference.
pub(crate) fn seal_message(
    keys: &Keys,
    reference: &str,
    message: &Message,
) -> Result<Vec<u8>, Cause> {
    let plain = Zeroizing::new(serde_json::to_vec(message)?);
    Ok(keys.seal(Purpose::Message, reference.as_bytes(), &plain))
}

/// A message in clear.
pub(crate) fn open_message(keys: &Keys, reference: &str, sealed: &[u8]) -> Result<Message, Cause> {
    let plain = keys.open(Purpose::Message, reference.as_bytes(), sealed)?;
    Ok(serde_json::from_slice(plain.expose())?)
}

/// What the message of an activation is called.
pub(crate) fn activation_message(activation: ActivationId) -> String {
    format!("activation-{activation}")
}

/// What the news of a session's end to an application is called. It stays when its person is switched
/// off.
pub(crate) fn signed_out_message(application: &str, session: &[u8; 32]) -> String {
    format!("signed-out-{application}-{}", HEXLOWER.encode(session))
}

/// What somebody is told by mail when the desk has taken their factor back, and with it perhaps a number.
pub(crate) fn reset_notices(reset: &Reset, at: Timestamp) -> Vec<Notice> {
    let factor = reset.factor.iter();
    let number = factor.clone().filter_map(|factor| factor.phone.as_ref());
    let replaced = |phone: &Phone| Notice::NumberReplaced {
        at,
        masked: phone.masked(),
    };
    factor
        .map(|_| Notice::FactorReset { at })
        .chain(number.map(replaced))
        .collect()
}

/// What the audit keeps of a reset.
pub(crate) fn reset_happened(reset: &Reset, method: Option<Method>) -> Happened {
    let factor = reset.factor.as_ref();
    Happened::PersonReset {
        factor: factor.is_some(),
        method: factor.map_or(method, |factor| factor.method),
        number: factor.is_some_and(|factor| factor.phone.is_some()),
        password: reset.password.is_some(),
        reason: reset.reason.clone(),
        user: reset.user.clone(),
    }
}

/// What the messages of a reset or a change are called.
pub(crate) fn change_message(id: &[u8; 16], number: usize) -> String {
    format!("change-{}-{number}", HEXLOWER.encode(id))
}

/// What a page may tell, from the column `state`.
pub(crate) fn message_state(word: &str) -> Result<MessageState, Cause> {
    match word {
        "failed" => Ok(MessageState::Failed),
        "sent" => Ok(MessageState::Sent),
        "trouble" => Ok(MessageState::Trouble),
        "waiting" => Ok(MessageState::Waiting),
        _ => Err(Unreadable("state").into()),
    }
}

/// How long a refresh token that was used may be used once more, in seconds: the answer may have been
/// lost.
pub(crate) const RENEWED_AGAIN_S: i64 = 30;

/// What must hold of a row of `refresh` at a moment: of this epoch, not over, of somebody who is not
/// switched off, and of a living session if it is not to outlive it.
macro_rules! alive_family {
    ($now:literal) => {
        concat!(
            "until > ",
            $now,
            " and epoch = (select number from meta where name = 'epoch')
              and (offline = 1 or exists (
                  select 1 from session
                  where session.key = refresh.session and session.epoch = refresh.epoch))
              and exists (
                  select 1 from person where person.id = refresh.person and person.disabled = 0)"
        )
    };
}
pub(crate) use alive_family;

/// So far apart the clocks of two nodes may be, in seconds: what was used once is remembered for so much
/// longer than it is good for.
pub(crate) const CLOCKS_APART_S: i64 = 60;
/// How much later than another a copy of a federation may be fetched that is kept before it, in seconds: fetching takes
/// two minutes at most, and clocks differ. What is later than that came of a wrong clock.
pub(crate) const FETCHES_APART_S: i64 = 120 + CLOCKS_APART_S;
/// How exact the last use of a session is, in seconds.
pub(crate) const USED_WITHIN_S: i64 = 60;
/// How exact the day is on which a device was last seen, in seconds: a day.
pub(crate) const SEEN_WITHIN_S: i64 = 86_400;
/// How long a notice is worth sending, in seconds: three days.
pub(crate) const NOTICE_S: i64 = 259_200;
/// How long an application is told that somebody signed out, in seconds: a day.
pub(crate) const SIGNED_OUT_S: i64 = 86_400;
/// How long a claimed message is left to whoever claimed it, in seconds.
pub(crate) const CLAIM_S: i64 = 60;
/// So many hashes of former passwords are kept.
pub(crate) const PASSWORDS_KEPT: u32 = 24;

/// What stands twice in one import: a name, or a token's serial number.
pub(crate) fn twice(people: &[NewPerson]) -> Vec<(usize, Conflict)> {
    let mut names: HashMap<NameKey, usize> = HashMap::new();
    let mut serials: HashMap<&str, usize> = HashMap::new();
    let mut conflicts = vec![];
    for (at, new) in people.iter().enumerate() {
        for name in names_of(new) {
            let before = NameKey::of(name).and_then(|key| names.insert(key, at));
            if before.is_some_and(|before| before != at) {
                conflicts.push((at, Conflict::Twice(name.to_owned())));
            }
        }
        if let Some(serial) = &new.token_serial
            && serials.insert(serial, at).is_some()
        {
            conflicts.push((at, Conflict::Twice(serial.clone())));
        }
    }
    conflicts
}

/// The user name, then the other names.
pub(crate) fn names_of(new: &NewPerson) -> impl Iterator<Item = &str> {
    std::iter::once(&new.username)
        .chain(&new.aliases)
        .map(String::as_str)
}
