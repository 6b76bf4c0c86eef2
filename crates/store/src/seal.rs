//! Sealing: what leaves memory leaves it encrypted, under keys that are not in the database.
//!
//! One master key of 32 bytes gives every purpose its own keys [RFC 5869], so that a value sealed for
//! one purpose opens for no other. Sealed bytes are: the number of the master key (1), the nonce
//! (12), the ciphertext, the tag (16). Deliberately absent: reading key files.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest, hkdf, hmac,
};
use data_encoding::BASE64URL_NOPAD;
use journey::Secret;
use zeroize::Zeroizing;

/// Domain separation: keys derived by another program from the same master differ.
const SALT: &[u8] = b"furka 1";

/// What a key is for. Its name is part of the derivation and therefore for ever.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// An access token: a sealed ticket.
    AccessToken,
    /// The MAC of an activation code.
    ActivationCode,
    /// An authorization code: a sealed ticket.
    AuthorizationCode,
    /// The key of one backup.
    Backup,
    /// The MAC in a form against requests from other sites.
    Csrf,
    /// The state of a journey.
    JourneyState,
    /// A message in the outbox.
    Message,
    /// What password hashes are peppered with.
    Pepper,
    /// A value that tells whether a database belongs to a key.
    Probe,
    /// The MAC of a resume token.
    Resume,
    /// The seed of an app or a hardware token.
    Seed,
    /// The hidden field of a sign-in page: a sealed ticket.
    SignInTicket,
    /// The private half of a signing key.
    SigningKey,
}

impl Purpose {
    const ALL: [Self; 13] = [
        Self::AccessToken,
        Self::ActivationCode,
        Self::AuthorizationCode,
        Self::Backup,
        Self::Csrf,
        Self::JourneyState,
        Self::Message,
        Self::Pepper,
        Self::Probe,
        Self::Resume,
        Self::Seed,
        Self::SignInTicket,
        Self::SigningKey,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::ActivationCode => "activation code",
            Self::AuthorizationCode => "authorization code",
            Self::Backup => "backup",
            Self::Csrf => "csrf",
            Self::JourneyState => "journey state",
            Self::Message => "message",
            Self::Pepper => "pepper",
            Self::Probe => "probe",
            Self::Resume => "resume",
            Self::Seed => "seed",
            Self::SignInTicket => "sign-in ticket",
            Self::SigningKey => "signing key",
        }
    }
}

/// The keys of an installation: a ring of master keys, numbered from 1 in the order in which they
/// came into use. The newest seals, each opens what it sealed; MACs and pepper stay with the first,
/// because what they made cannot be made again.
pub struct Keys {
    macs: Vec<(Purpose, hmac::Key)>,
    pepper: Secret,
    ring: Vec<Sealing>,
}

type Sealing = Vec<(Purpose, RandomizedNonceKey)>;

/// Bytes that do not open: sealed by another key, for another purpose or place, or changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("what was sealed does not open: another key made it, or it was changed")]
pub struct Unopened;

impl Keys {
    /// The keys of an installation that has one master key: 32 bytes from a good source of chance.
    #[must_use]
    pub fn from_master(master: &[u8; 32]) -> Self {
        let prk = prk(master);
        let macs = Purpose::ALL.map(|purpose| {
            let key = derive(&prk, "mac", purpose);
            (purpose, hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
        });
        Self {
            macs: macs.into(),
            pepper: Secret::new(derive(&prk, "bare", Purpose::Pepper).to_vec()),
            ring: vec![sealing(&prk)],
        }
    }

    /// The same keys and a newer master key, which seals from here on. At most 255 are told apart;
    /// further ones change nothing.
    #[must_use]
    pub fn and_newer(mut self, master: &[u8; 32]) -> Self {
        if self.ring.len() < usize::from(u8::MAX) {
            self.ring.push(sealing(&prk(master)));
        }
        self
    }

    /// Encrypts and authenticates with AES-256-GCM. `aad` says what the bytes belong to: a table and
    /// a row, a client. They open for the same purpose and `aad` only.
    #[must_use]
    pub fn seal(&self, purpose: Purpose, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = Zeroizing::new(plain.to_vec());
        let number = u8::try_from(self.ring.len()).unwrap_or(u8::MAX);
        let nonce = (self.ring.last())
            .and_then(|ring| key_of(ring, purpose))
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
        let ring = usize::from(*number)
            .checked_sub(1)
            .and_then(|at| self.ring.get(at))
            .ok_or(Unopened)?;
        let mut plain = Zeroizing::new(rest.to_vec());
        let len = key_of(ring, purpose)
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(*nonce);
                key.open_in_place(nonce, Aad::from(aad), &mut plain).ok()
            })
            .ok_or(Unopened)?
            .len();
        plain.truncate(len);
        Ok(Secret::new(std::mem::take(&mut *plain)))
    }

    /// HMAC-SHA256, for what is compared and never read again: codes, resume tokens, form tokens.
    #[must_use]
    pub fn mac(&self, purpose: Purpose, data: &[u8]) -> [u8; 32] {
        let Some((_, key)) = self.macs.iter().find(|(of, _)| *of == purpose) else {
            unreachable!("every purpose has a key")
        };
        let mut mac = [0; 32];
        for (to, from) in mac.iter_mut().zip(hmac::sign(key, data).as_ref()) {
            *to = *from;
        }
        mac
    }

    /// 32 bytes without which no password hash can be checked.
    #[must_use]
    pub fn pepper(&self) -> Secret {
        self.pepper.clone()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.ring.len())
    }
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

fn key_of(ring: &Sealing, purpose: Purpose) -> Option<&RandomizedNonceKey> {
    let mut keys = ring.iter();
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
        assert_eq!(
            old.mac(Purpose::Resume, b"x"),
            both.mac(Purpose::Resume, b"x")
        );
        assert!(old.pepper().matches(both.pepper().expose()));
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
