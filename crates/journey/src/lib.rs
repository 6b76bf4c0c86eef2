//! What happens next: the journeys of people, as pure functions over typed facts.
//!
//! A journey is `step(state, event, view, now) -> (state, effects)`. Nothing in this crate waits,
//! asks the time, draws chance, opens a socket or knows HTTP or SQL; it cannot, see its
//! `Cargo.toml`. Values that only a check can make ([`PasswordProof`], [`FactorProof`], [`Proof`])
//! keep steps from being skipped.

pub mod activation;
pub mod effect;
pub mod factor;
pub mod facts;
mod happened;
mod language;
pub mod limit;
pub mod login;
mod moment;
mod name;
pub mod own;
mod person;
mod phone;
pub mod policy;
mod proof;
mod secret;
pub mod zone;

pub use crate::{
    effect::{Effect, Notice},
    factor::{
        otp::{Algorithm, Carrier, Checked, Otp, OtpKind},
        password::{Complaint, PASSWORD_LEN_MAX, PasswordRules, Wearer},
        recovery::{RightCode, SavedCode},
        sms::SmsCode,
        typed::{Malformed, Typed},
    },
    facts::Facts,
    happened::Happened,
    language::Language,
    login::Refusal,
    moment::{Moment, Timestamp},
    name::NameKey,
    person::{ActivationId, FactorId, JourneyId, Method, NoId, Person, PersonId, Role},
    phone::{Phone, PhoneError},
    policy::{Policy, PolicyError, Verdict},
    proof::{Assurance, Factor, FactorProof, PasswordProof, Proof, amr},
    secret::Secret,
    zone::{Place, Zone, Zones},
};
