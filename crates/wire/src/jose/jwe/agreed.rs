//! Keys that two sides agree on: ECDH with a key that is made for one token [RFC 7518 §4.6].

use aws_lc_rs::agreement::{Algorithm, ECDH_P256, PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::ContentEncryption;
use crate::jose::Jwk;

/// What the agreed key is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Agreement {
    /// It is the key of the content.
    Direct(ContentEncryption),
    /// It wraps that with AES-128.
    Wraps128,
    /// It wraps that with AES-256.
    Wraps256,
}

impl Agreement {
    /// What goes into the derivation, so that no key is used for two things.
    // [RFC 7518 §4.6.2] "In the Direct Key Agreement case, Data is set to the octets of the ASCII representation of the "enc" Header Parameter value. In the Key Agreement with Key Wrapping case, Data is set to the octets of the ASCII representation of the "alg" (algorithm) Header Parameter value."
    const fn name(self) -> &'static str {
        match self {
            Self::Direct(enc) => enc.name(),
            Self::Wraps128 => "ECDH-ES+A128KW",
            Self::Wraps256 => "ECDH-ES+A256KW",
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::Direct(enc) => enc.key_bytes(),
            Self::Wraps128 => 16,
            Self::Wraps256 => 32,
        }
    }

    fn kek(self, agreed: &[u8]) -> Option<AesKek> {
        let cipher = match self {
            Self::Direct(_) => return None,
            Self::Wraps128 => &AES_128,
            Self::Wraps256 => &AES_256,
        };
        AesKek::new(cipher, agreed).ok()
    }

    /// The key of the content as it is sent [RFC 3394].
    pub(super) fn wrap(self, agreed: &[u8], key: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; key.len().checked_add(8)?];
        let length = self.kek(agreed)?.wrap(key, &mut out).ok()?.len();
        out.truncate(length);
        Some(out)
    }

    /// The key of the content, if nobody changed it.
    pub(super) fn unwrap(self, agreed: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(vec![0; wrapped.len()]);
        let length = self.kek(agreed)?.unwrap(wrapped, &mut out).ok()?.len();
        out.truncate(length);
        Some(out)
    }
}

/// Who takes part in an agreement, as the header may say it (`apu`, `apv`).
#[derive(Default)]
pub(super) struct Parties {
    pub(super) u: Vec<u8>,
    pub(super) v: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Curve {
    P256,
    X25519,
}

impl Curve {
    const fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::P256 => &ECDH_P256,
            Self::X25519 => &X25519,
        }
    }
}

/// A public point. Whether it is on its curve is seen when something is agreed with it, and before anything
/// is computed.
#[derive(Debug)]
pub(super) struct Point {
    curve: Curve,
    bytes: Vec<u8>,
}

impl Point {
    /// The point of a key on P-256 or X25519; none for any other.
    pub(super) fn of(key: &Jwk) -> Option<Self> {
        let coordinate = |value: &Option<String>| {
            let bytes = BASE64URL_NOPAD.decode(value.as_deref()?.as_bytes()).ok()?;
            (bytes.len() == 32).then_some(bytes)
        };
        let x = coordinate(&key.x)?;
        match (key.kty.as_str(), key.crv.as_deref()) {
            ("EC", Some("P-256")) => Some(Self {
                curve: Curve::P256,
                bytes: [vec![4], x, coordinate(&key.y)?].concat(),
            }),
            ("OKP", Some("X25519")) => Some(Self {
                curve: Curve::X25519,
                bytes: x,
            }),
            _ => None,
        }
    }

    fn of_private(curve: Curve, own: &PrivateKey) -> Option<Self> {
        let public = own.compute_public_key().ok()?;
        Some(Self {
            curve,
            bytes: public.as_ref().to_vec(),
        })
    }

    /// The bare key: neither name nor use.
    fn jwk(&self) -> Option<Jwk> {
        let mut bare = match self.curve {
            Curve::P256 => {
                let (x, y) = self.bytes.strip_prefix(&[4])?.split_at_checked(32)?;
                Jwk::p256(x, y)
            }
            Curve::X25519 => {
                let mut bare = Jwk::ed25519(&self.bytes);
                bare.crv = Some("X25519".to_owned());
                bare
            }
        };
        (bare.alg, bare.use_) = (None, None);
        Some(bare)
    }

    /// Agrees with a key made of chance, which is forgotten: its public half, and what was agreed.
    pub(super) fn agreed(
        &self,
        chance: &[u8],
        agreement: Agreement,
    ) -> Option<(Jwk, Zeroizing<Vec<u8>>)> {
        let algorithm = self.curve.algorithm();
        // [RFC 7518 §4.6] "A new ephemeral public key value MUST be generated for each key agreement operation."
        let own = chance
            .chunks_exact(32)
            .find_map(|number| PrivateKey::from_private_key(algorithm, number).ok())?;
        let epk = Self::of_private(self.curve, &own)?.jwk()?;
        let key = derived(&own, self, agreement, &Parties::default())?;
        Some((epk, key))
    }

    /// Whether anything can be agreed with it at all.
    pub(super) fn is_sound(&self) -> bool {
        let number = [1; 32];
        let own = PrivateKey::from_private_key(self.curve.algorithm(), &number);
        own.is_ok_and(|own| derived(&own, self, Agreement::Wraps128, &Parties::default()).is_some())
    }
}

/// Our half of agreements on P-256.
pub(super) struct Own {
    key: PrivateKey,
    pub(super) public: Jwk,
}

impl Own {
    /// The key that a secret number of 32 bytes stands for; none for one in four billion.
    pub(super) fn of(number: &[u8]) -> Option<Self> {
        let key = PrivateKey::from_private_key(&ECDH_P256, number).ok()?;
        let mut public = Point::of_private(Curve::P256, &key)?.jwk()?;
        public.use_ = Some("enc".to_owned());
        public.kid = Some(public.thumbprint());
        Some(Self { key, public })
    }

    /// What was agreed with whoever has this ephemeral key; none if that is not on our curve.
    pub(super) fn agreed(
        &self,
        epk: &Jwk,
        agreement: Agreement,
        parties: &Parties,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let point = Point::of(epk).filter(|point| point.curve == Curve::P256)?;
        derived(&self.key, &point, agreement, parties)
    }
}

fn derived(
    own: &PrivateKey,
    other: &Point,
    agreement: Agreement,
    parties: &Parties,
) -> Option<Zeroizing<Vec<u8>>> {
    let other = UnparsedPublicKey::new(other.curve.algorithm(), &other.bytes);
    agree(own, other, (), |secret| {
        concat_kdf(secret, agreement, parties).ok_or(())
    })
    .ok()
}

/// The Concat KDF with SHA-256, which gives all that is needed in one round [RFC 7518 §4.6.2].
fn concat_kdf(
    secret: &[u8],
    agreement: Agreement,
    parties: &Parties,
) -> Option<Zeroizing<Vec<u8>>> {
    let length = agreement.key_bytes();
    let bits = u32::try_from(length.checked_mul(8)?).ok()?;
    let mut context = Context::new(&SHA256);
    context.update(&1_u32.to_be_bytes());
    context.update(secret);
    for said in [agreement.name().as_bytes(), &parties.u, &parties.v] {
        context.update(&u32::try_from(said.len()).ok()?.to_be_bytes());
        context.update(said);
    }
    context.update(&bits.to_be_bytes());
    let whole = context.finish();
    Some(Zeroizing::new(whole.as_ref().get(..length)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::base64url;

    /// The example of [RFC 7518 Appendix C]: Bob agrees with Alice's ephemeral key.
    /// [RFC 7518 §4.6.2] "In the Direct Key Agreement case, Data is set to the octets of the ASCII representation of the "enc" Header Parameter value. In the Key Agreement with Key Wrapping case, Data is set to the octets of the ASCII representation of the "alg" (algorithm) Header Parameter value."
    #[test]
    fn what_is_agreed_is_what_the_rfc_agrees() {
        let number = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        let bob = Own::of(&number("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw")).unwrap();
        assert_eq!(
            bob.public.x.as_deref(),
            Some("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ")
        );
        let alice: Jwk = serde_json::from_str(
            r#"{"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}"#,
        )
        .unwrap();
        let parties = Parties {
            u: b"Alice".to_vec(),
            v: b"Bob".to_vec(),
        };
        let direct = Agreement::Direct(ContentEncryption::A128Gcm);
        let agreed = bob.agreed(&alice, direct, &parties).unwrap();
        assert_eq!(base64url(&agreed), "VqqN6vgjbSBcIijNcacQGg");
        let wraps = bob.agreed(&alice, Agreement::Wraps128, &parties).unwrap();
        assert_ne!(
            agreed, wraps,
            "the name of what it is for goes into the key"
        );
    }

    /// The example of [RFC 3394 §4.6].
    #[test]
    fn a_wrapped_key_opens_unless_it_was_changed() {
        let kek: Vec<u8> = (0..32).collect();
        let key = [0x11; 32];
        let wrapped = Agreement::Wraps256.wrap(&kek, &key).unwrap();
        let unwrap = |wrapped: &[u8]| Agreement::Wraps256.unwrap(&kek, wrapped);
        assert_eq!(unwrap(&wrapped).as_deref(), Some(&key.to_vec()));
        for place in 0..wrapped.len() {
            let mut other = wrapped.clone();
            other[place] ^= 0x80;
            assert_eq!(unwrap(&other), None, "changed at {place}");
        }
        for length in [0, 7, 8, 23, 39] {
            assert_eq!(unwrap(&wrapped[..length]), None, "{length} bytes");
        }
        assert_eq!(Agreement::Wraps128.wrap(&kek, &key), None);
        assert_eq!(
            Agreement::Direct(ContentEncryption::A256Gcm).wrap(&kek, &key),
            None
        );
    }
}
