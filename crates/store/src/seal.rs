//! Sealing: what leaves memory leaves it encrypted, under keys that are not in the database.
//!
//! One master key of 32 bytes gives every purpose its own keys [RFC 5869], so that a value sealed for
//! one purpose opens for no other. Sealed bytes are: the number of the master key (1), the nonce
//! (12), the ciphertext, the tag (16). Deliberately absent: reading key files; see
//! `docs/decisions/0021-the-sealing-key-is-changed-while-nodes-serve.md`.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest, hkdf, hmac,
};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use journey::Secret;
use zeroize::Zeroizing;

/// Domain separation: keys derived by another program from the same master differ.
const SALT: &[u8] = b"furka 1";

/// What a key is for. Its name is part of the derivation and therefore for ever.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// An access token: a sealed ticket.
    AccessToken,
    /// The MAC of an activation code, or of a recovery code: what is typed years later, and is therefore
    /// checked with what is left of a key that is gone.
    ActivationCode,
    /// An authorization code: a sealed ticket.
    AuthorizationCode,
    /// The key of one backup.
    Backup,
    /// The MAC in a form against requests from other sites.
    Csrf,
    /// The value of ours that a DPoP proof must hold: a sealed ticket.
    DpopNonce,
    /// The state of a journey.
    JourneyState,
    /// A message in the outbox.
    Message,
    /// What password hashes are peppered with.
    Pepper,
    /// A value that tells whether a database belongs to a key.
    Probe,
    /// A refresh token: a sealed ticket.
    RefreshToken,
    /// What agrees on keys with whoever encrypts a request to us.
    RequestObject,
    /// The MAC of a resume token.
    Resume,
    /// The seed of an app or a hardware token.
    Seed,
    /// The hidden field of a sign-in page: a sealed ticket.
    SignInTicket,
    /// The private half of a signing key.
    SigningKey,
    /// A message of SAML that waits until its application fetches it.
    WaitingMessage,
}

impl Purpose {
    const ALL: [Self; 17] = [
        Self::AccessToken,
        Self::ActivationCode,
        Self::AuthorizationCode,
        Self::Backup,
        Self::Csrf,
        Self::DpopNonce,
        Self::JourneyState,
        Self::Message,
        Self::Pepper,
        Self::Probe,
        Self::RefreshToken,
        Self::RequestObject,
        Self::Resume,
        Self::Seed,
        Self::SignInTicket,
        Self::SigningKey,
        Self::WaitingMessage,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::ActivationCode => "activation code",
            Self::AuthorizationCode => "authorization code",
            Self::Backup => "backup",
            Self::Csrf => "csrf",
            Self::DpopNonce => "dpop nonce",
            Self::JourneyState => "journey state",
            Self::Message => "message",
            Self::Pepper => "pepper",
            Self::Probe => "probe",
            Self::RefreshToken => "refresh token",
            Self::RequestObject => "request object",
            Self::Resume => "resume",
            Self::Seed => "seed",
            Self::SignInTicket => "sign-in ticket",
            Self::SigningKey => "signing key",
            Self::WaitingMessage => "waiting message",
        }
    }
}

/// The keys of an installation: a ring of master keys, each with a number from 1 to 255. One seals and
/// makes MACs; each opens and recognises what it made. Whoever holds the value sees at once when another
/// ring takes its place.
pub struct Keys {
    ring: RwLock<Arc<Ring>>,
}

#[derive(Clone)]
struct Ring {
    current: u8,
    held: BTreeMap<u8, Arc<Held>>,
}

/// What is held of a master key.
struct Held {
    macs: Vec<(Purpose, hmac::Key)>,
    pepper: Secret,
    /// What agrees on keys; none as below.
    number: Option<Secret>,
    /// None if only [`Checks`] are left of it.
    sealing: Option<Sealing>,
}

type Sealing = Vec<(Purpose, RandomizedNonceKey)>;

/// What is left of a master key that seals and opens nothing any more: the pepper of the password hashes
/// and the key of the activation and recovery codes that it made. Nothing else can be derived from it.
pub struct Checks(Zeroizing<[u8; 64]>);

impl Checks {
    /// What is left of a master key.
    #[must_use]
    pub fn of(master: &[u8; 32]) -> Self {
        let prk = prk(master);
        let pepper = derive(&prk, "bare", Purpose::Pepper);
        let codes = derive(&prk, "mac", Purpose::ActivationCode);
        let mut both = Zeroizing::new([0; 64]);
        for (to, from) in both.iter_mut().zip(pepper.iter().chain(codes.iter())) {
            *to = *from;
        }
        Self(both)
    }

    /// The same, from where it was kept.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The bytes to keep: the caller now holds the secret.
    #[must_use]
    pub fn expose(&self) -> &[u8; 64] {
        &self.0
    }
}

impl std::fmt::Debug for Checks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Checks")
    }
}

impl Held {
    fn whole(master: &[u8; 32]) -> Self {
        let prk = prk(master);
        let macs = Purpose::ALL.map(|purpose| {
            let key = derive(&prk, "mac", purpose);
            (purpose, hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
        });
        Self {
            macs: macs.into(),
            pepper: Secret::new(derive(&prk, "bare", Purpose::Pepper).to_vec()),
            number: Some(Secret::new(
                derive(&prk, "bare", Purpose::RequestObject).to_vec(),
            )),
            sealing: Some(sealing(&prk)),
        }
    }

    fn left(checks: &Checks) -> Self {
        let (pepper, codes) = checks.0.split_at(32);
        let codes = hmac::Key::new(hmac::HMAC_SHA256, codes);
        Self {
            macs: vec![(Purpose::ActivationCode, codes)],
            pepper: Secret::new(pepper.to_vec()),
            number: None,
            sealing: None,
        }
    }

    /// The MAC, with the number of the key before it. That of the first key has none: there was no
    /// other when it was first used. 28 of 32 bytes are more than anybody guesses.
    fn mac(&self, number: u8, purpose: Purpose, data: &[u8]) -> Option<[u8; 32]> {
        let (_, key) = self.macs.iter().find(|(of, _)| *of == purpose)?;
        let front = mac_front(number);
        let made = hmac::sign(key, data);
        let mut mac = [0; 32];
        let bytes = front.iter().flatten().chain(made.as_ref());
        mac.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Some(mac)
    }
}

/// What the MACs of a key begin with.
pub(crate) fn mac_front(number: u8) -> Option<[u8; 4]> {
    (number > 1).then_some([0, 0, 0, number])
}

/// Bytes that do not open: sealed by another key, for another purpose or place, or changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("what was sealed does not open: another key made it, or it was changed")]
pub struct Unopened;

impl Keys {
    /// The keys of an installation that has one master key: 32 bytes from a good source of chance. Its
    /// number is 1.
    #[must_use]
    pub fn from_master(master: &[u8; 32]) -> Self {
        Self::from_numbered(1, master)
    }

    /// The keys of an installation whose master key of this number seals.
    #[must_use]
    pub fn from_numbered(number: u8, master: &[u8; 32]) -> Self {
        let held = BTreeMap::from([(number, Arc::new(Held::whole(master)))]);
        Self::from(Ring {
            current: number,
            held,
        })
    }

    /// The same keys and one more, which opens what it sealed. The number of the key that seals is taken.
    #[must_use]
    pub fn and_known(self, number: u8, master: &[u8; 32]) -> Self {
        self.and(number, || Held::whole(master))
    }

    /// The same keys and what is left of a further one.
    #[must_use]
    pub fn and_checks(self, number: u8, checks: &Checks) -> Self {
        self.and(number, || Held::left(checks))
    }

    /// The same keys and a newer master key, which seals from here on. At most 255 are told apart;
    /// further ones change nothing.
    #[must_use]
    pub fn and_newer(self, master: &[u8; 32]) -> Self {
        let mut ring = Ring::clone(&self.ring());
        let last = ring.held.last_key_value().map_or(0, |(number, _)| *number);
        if let Some(number) = last.checked_add(1) {
            ring.held.insert(number, Arc::new(Held::whole(master)));
            ring.current = number;
        }
        Self::from(ring)
    }

    fn and(self, number: u8, held: impl FnOnce() -> Held) -> Self {
        let mut ring = Ring::clone(&self.ring());
        ring.held.entry(number).or_insert_with(|| Arc::new(held()));
        Self::from(ring)
    }

    /// Other keys take the place of these, for everybody who holds them.
    pub fn replace(&self, newer: &Self) {
        let newer = newer.ring();
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = newer;
    }

    /// The number of the key that seals.
    #[must_use]
    pub fn current(&self) -> u8 {
        self.ring().current
    }

    fn ring(&self) -> Arc<Ring> {
        let ring = self.ring.read();
        ring.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Encrypts and authenticates with AES-256-GCM. `aad` says what the bytes belong to: a table and
    /// a row, a client. They open for the same purpose and `aad` only.
    #[must_use]
    pub fn seal(&self, purpose: Purpose, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = Zeroizing::new(plain.to_vec());
        let ring = self.ring();
        let number = ring.current;
        let nonce = (ring.sealing(number))
            .and_then(|sealing| key_of(sealing, purpose))
            .and_then(|key| {
                key.seal_in_place_append_tag(Aad::from(aad), &mut *sealed)
                    .ok()
            });
        let Some(nonce) = nonce else {
            unreachable!(
                "every purpose has a key, and AES-GCM fails only for texts of more than 64 GiB"
            )
        };
        [&[number], nonce.as_ref().as_slice(), &sealed].concat()
    }

    /// Decrypts what [`Keys::seal`] made.
    ///
    /// # Errors
    /// [`Unopened`], whatever the cause.
    pub fn open(&self, purpose: Purpose, aad: &[u8], sealed: &[u8]) -> Result<Secret, Unopened> {
        let (number, rest) = sealed.split_first().ok_or(Unopened)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unopened)?;
        let ring = self.ring();
        let sealing = ring.sealing(*number).ok_or(Unopened)?;
        let mut plain = Zeroizing::new(rest.to_vec());
        let len = key_of(sealing, purpose)
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(*nonce);
                key.open_in_place(nonce, Aad::from(aad), &mut plain).ok()
            })
            .ok_or(Unopened)?
            .len();
        plain.truncate(len);
        Ok(Secret::new(std::mem::take(&mut *plain)))
    }

    /// HMAC-SHA256 under the key that seals, for what is compared and never read again: codes, resume
    /// tokens.
    #[must_use]
    pub fn mac(&self, purpose: Purpose, data: &[u8]) -> [u8; 32] {
        let ring = self.ring();
        let held = ring.held.get(&ring.current);
        let Some(mac) = held.and_then(|held| held.mac(ring.current, purpose, data)) else {
            unreachable!("every purpose has a key")
        };
        mac
    }

    /// Whether [`Keys::mac`] made this MAC, under whichever of the keys.
    #[must_use]
    pub fn is_mac(&self, purpose: Purpose, data: &[u8], mac: &[u8; 32]) -> bool {
        let (ring, mac) = (self.ring(), Secret::new(mac.to_vec()));
        let of = |(number, held): (&u8, &Arc<Held>)| held.mac(*number, purpose, data);
        ring.held
            .iter()
            .filter_map(of)
            .any(|made| mac.matches(&made))
    }

    /// 32 bytes each without which no password hash can be checked; the first makes new hashes.
    #[must_use]
    pub fn peppers(&self) -> Vec<Secret> {
        let ring = self.ring();
        let current = ring.held.get(&ring.current);
        let others = ring
            .held
            .iter()
            .filter(|(number, _)| **number != ring.current);
        let all = current.into_iter().chain(others.map(|(_, held)| held));
        all.map(|held| held.pepper.clone()).collect()
    }

    /// 32 bytes each, which agree on keys with whoever encrypts a request to us; the first is published.
    #[must_use]
    pub fn request_numbers(&self) -> Vec<Secret> {
        let ring = self.ring();
        let mut held: Vec<_> = ring.held.iter().collect();
        held.sort_by_key(|(number, _)| **number != ring.current);
        let numbers = held.into_iter().map(|(_, held)| held.number.clone());
        numbers.flatten().collect()
    }

    /// The names of the keys that open what they sealed; the first one seals. A name tells nothing of its
    /// key.
    #[must_use]
    pub fn openers(&self) -> Vec<[u8; 4]> {
        let ring = self.ring();
        let held = ring.held.iter();
        let mut opening: Vec<_> = held.filter(|(_, held)| held.sealing.is_some()).collect();
        opening.sort_by_key(|(number, _)| **number != ring.current);
        let name = |(_, held): (&u8, &Arc<Held>)| pepper_id(held.pepper.expose());
        opening.into_iter().map(name).collect()
    }

    /// The numbers of all keys, and how password hashes say that they were made with the pepper of each.
    pub(crate) fn keyids(&self) -> Vec<(u8, Vec<u8>)> {
        let ring = self.ring();
        let keyid = |held: &Held| {
            let id = BASE64_NOPAD.encode(&pepper_id(held.pepper.expose()));
            format!("keyid={id}$").into_bytes()
        };
        let held = ring.held.iter();
        held.map(|(number, held)| (*number, keyid(held))).collect()
    }
}

impl Ring {
    fn sealing(&self, number: u8) -> Option<&Sealing> {
        self.held.get(&number)?.sealing.as_ref()
    }
}

impl From<Ring> for Keys {
    fn from(ring: Ring) -> Self {
        Self {
            ring: RwLock::new(Arc::new(ring)),
        }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.ring().held.len())
    }
}

/// What a password hash calls the pepper it was made with (`keyid`, in base64). It tells nothing of the
/// pepper, and is for ever.
#[must_use]
pub fn pepper_id(pepper: &[u8]) -> [u8; 4] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"furka: name of a password pepper\0");
    context.update(pepper);
    let mut id = [0; 4];
    let hash = context.finish();
    id.iter_mut()
        .zip(hash.as_ref())
        .for_each(|(to, from)| *to = *from);
    id
}

fn prk(master: &[u8; 32]) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(master)
}

fn sealing(prk: &hkdf::Prk) -> Sealing {
    let keys = Purpose::ALL.map(|purpose| {
        let key = derive(prk, "seal", purpose);
        match RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()) {
            Ok(key) => (purpose, key),
            Err(_) => unreachable!("AES-256 takes every key of 32 bytes"),
        }
    });
    keys.into()
}

fn key_of(sealing: &Sealing, purpose: Purpose) -> Option<&RandomizedNonceKey> {
    let mut keys = sealing.iter();
    keys.find(|(of, _)| *of == purpose).map(|(_, key)| key)
}

fn derive(prk: &hkdf::Prk, kind: &str, purpose: Purpose) -> Zeroizing<[u8; 32]> {
    let info = [kind.as_bytes(), b" ", purpose.name().as_bytes()];
    let mut key = Zeroizing::new([0; 32]);
    let filled = prk
        .expand(&info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *key));
    match filled {
        Ok(()) => key,
        Err(_) => unreachable!("HKDF-SHA256 gives up to 8160 bytes, and these are 32"),
    }
}

/// SHA-256, for lookups of what has 128 bits of chance or more and needs no key.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = digest::digest(&digest::SHA256, data);
    for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    hash
}

/// Bytes as they stand in cookies and links: base64url without padding [RFC 4648 §5].
#[must_use]
pub fn to_text(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// The bytes of such a text; none if it is no base64url or longer than `max` characters.
#[must_use]
pub fn from_text(text: &str, max: usize) -> Option<Secret> {
    (text.len() <= max)
        .then(|| {
            BASE64URL_NOPAD
                .decode(text.as_bytes())
                .ok()
                .map(Secret::new)
        })
        .flatten()
}

/// 256 random bits for a session's id: drawn here and not taken from the `World`, so that nobody
/// knows the id of a session before it is committed.
pub(crate) fn draw() -> Secret {
    let mut bytes = vec![0; 32];
    #[expect(
        clippy::disallowed_methods,
        reason = "the one draw outside the World, see above"
    )]
    let drawn = aws_lc_rs::rand::fill(&mut bytes);
    match drawn {
        Ok(()) => Secret::new(bytes),
        Err(_) => unreachable!("AWS-LC ends the process when the system has no chance to give"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_purpose_and_place_only() {
        let keys = Keys::from_master(&[7; 32]);
        let sealed = keys.seal(Purpose::Seed, b"otp 1", b"the seed");
        assert!(
            keys.open(Purpose::Seed, b"otp 1", &sealed)
                .unwrap()
                .matches(b"the seed")
        );
        assert!(keys.open(Purpose::Message, b"otp 1", &sealed).is_err());
        assert!(keys.open(Purpose::Seed, b"otp 2", &sealed).is_err());
        assert!(
            Keys::from_master(&[8; 32])
                .open(Purpose::Seed, b"otp 1", &sealed)
                .is_err()
        );
    }

    #[test]
    fn no_changed_or_shortened_byte_opens() {
        let keys = Keys::from_master(&[7; 32]);
        let sealed = keys.seal(Purpose::Seed, b"", b"x");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(
                keys.open(Purpose::Seed, b"", &changed).unwrap_err(),
                Unopened
            );
            assert!(keys.open(Purpose::Seed, b"", &sealed[..at]).is_err());
        }
    }

    #[test]
    fn the_same_text_is_never_sealed_alike() {
        let keys = Keys::from_master(&[7; 32]);
        let seal = || keys.seal(Purpose::Seed, b"", b"text");
        assert_ne!(seal(), seal());
    }

    #[test]
    fn a_newer_key_seals_and_the_older_still_opens() {
        let old = Keys::from_master(&[1; 32]);
        let both = Keys::from_master(&[1; 32]).and_newer(&[2; 32]);
        let before = old.seal(Purpose::Message, b"", b"before");
        let after = both.seal(Purpose::Message, b"", b"after");
        assert!(both.open(Purpose::Message, b"", &before).is_ok());
        assert!(both.open(Purpose::Message, b"", &after).is_ok());
        assert!(old.open(Purpose::Message, b"", &after).is_err());
        let newer_alone = Keys::from_numbered(2, &[2; 32]);
        assert!(newer_alone.open(Purpose::Message, b"", &after).is_ok());
        assert!(newer_alone.open(Purpose::Message, b"", &before).is_err());
    }

    #[test]
    fn a_key_that_is_known_opens_and_does_not_seal() {
        let here = Keys::from_master(&[1; 32]).and_known(2, &[2; 32]);
        let elsewhere = Keys::from_numbered(2, &[2; 32]).and_known(1, &[1; 32]);
        assert_eq!((here.current(), elsewhere.current()), (1, 2));
        for (from, to) in [(&here, &elsewhere), (&elsewhere, &here)] {
            let sealed = from.seal(Purpose::Seed, b"", b"x");
            assert_eq!(sealed[0], from.current());
            assert!(to.open(Purpose::Seed, b"", &sealed).is_ok());
            let mac = from.mac(Purpose::ActivationCode, b"code");
            assert!(to.is_mac(Purpose::ActivationCode, b"code", &mac));
            assert!(!to.is_mac(Purpose::ActivationCode, b"another", &mac));
        }
    }

    #[test]
    fn what_is_left_of_a_key_checks_what_it_made_and_opens_nothing() {
        let old = Keys::from_master(&[1; 32]);
        let sealed = old.seal(Purpose::Seed, b"", b"x");
        let mac = old.mac(Purpose::ActivationCode, b"code");
        let kept = Checks::from_bytes(Checks::of(&[1; 32]).expose());
        let new = Keys::from_numbered(2, &[2; 32]);
        assert!(!new.is_mac(Purpose::ActivationCode, b"code", &mac));
        let new = new.and_checks(1, &kept);
        assert!(new.is_mac(Purpose::ActivationCode, b"code", &mac));
        assert!(new.open(Purpose::Seed, b"", &sealed).is_err());
        let [made, checks] = &new.peppers()[..] else {
            panic!("two keys have two peppers")
        };
        assert!(checks.matches(old.peppers()[0].expose()));
        assert!(!made.matches(checks.expose()));
        assert_eq!(format!("{kept:?}"), "Checks");
    }

    #[test]
    fn other_keys_take_the_place_of_these_for_all_who_hold_them() {
        let held = Arc::new(Keys::from_master(&[1; 32]));
        let elsewhere = held.clone();
        let sealed = held.seal(Purpose::Seed, b"", b"x");
        held.replace(&Keys::from_master(&[1; 32]).and_newer(&[2; 32]));
        assert_eq!(elsewhere.current(), 2);
        assert!(elsewhere.open(Purpose::Seed, b"", &sealed).is_ok());
    }

    #[test]
    fn every_purpose_has_its_own_mac() {
        let keys = Keys::from_master(&[7; 32]);
        let macs = Purpose::ALL.map(|purpose| keys.mac(purpose, b"code"));
        for (at, mac) in macs.iter().enumerate() {
            assert_ne!(mac, &[0; 32]);
            assert!(!macs[..at].contains(mac));
        }
    }

    /// The derivation is for ever: changed, it would lock every installation out.
    #[test]
    fn the_derivation_does_not_change() {
        let mac = Keys::from_master(&[7; 32]).mac(Purpose::ActivationCode, b"code");
        assert_eq!(
            data_encoding::HEXLOWER.encode(&mac[..8]),
            "d60fe03713a38dbd"
        );
    }

    /// [P02] Keys print nothing.
    #[test]
    fn keys_print_nothing() {
        assert_eq!(format!("{:?}", Keys::from_master(&[7; 32])), "Keys(1)");
    }

    #[test]
    fn a_text_that_is_too_long_or_no_base64url_is_none() {
        assert!(from_text(&to_text(&[1; 32]), 43).is_some());
        assert!(from_text(&to_text(&[1; 33]), 43).is_none());
        assert!(from_text("a+b/", 43).is_none());
    }
}
