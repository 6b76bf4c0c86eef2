//! Authenticated encryption of the content [RFC 7518 §5].

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// How the content is encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum ContentEncryption {
    /// AES-128-CBC and HMAC-SHA-256: what is meant where only the other algorithm is given.
    // [OIDC Registration §2] "If id_token_encrypted_response_alg is specified, the default id_token_encrypted_response_enc value is A128CBC-HS256."
    #[default]
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// AES-128-GCM.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// AES-256-GCM.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

/// The length of every tag, in bytes.
pub(super) const TAG_BYTES: usize = 16;

impl ContentEncryption {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::A128CbcHs256, Self::A128Gcm, Self::A256Gcm];

    /// The algorithm of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|enc| enc.name() == name)
    }

    /// The name in `enc`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// How long its key is.
    pub(super) const fn key_bytes(self) -> usize {
        match self {
            Self::A128CbcHs256 | Self::A256Gcm => 32,
            Self::A128Gcm => 16,
        }
    }

    /// How long its start value is.
    pub(super) const fn start_bytes(self) -> usize {
        match self {
            Self::A128CbcHs256 => 16,
            Self::A128Gcm | Self::A256Gcm => 12,
        }
    }

    /// The ciphertext and its tag, which also covers `aad`. None if a length is wrong or the library fails.
    pub(super) fn seal(
        self,
        key: &[u8],
        start: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut data = plain.to_vec();
        if self == Self::A128CbcHs256 {
            let (mac, key) = halves(key)?;
            let key = UnboundCipherKey::new(&AES_128, key).ok()?;
            let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
            let vector: [u8; 16] = start.try_into().ok()?;
            let context = EncryptionContext::Iv128(FixedLength::from(vector));
            key.less_safe_encrypt(&mut data, context).ok()?;
            let tag = tag(mac, aad, start, &data)?;
            return Some((data, tag));
        }
        let nonce = Nonce::try_assume_unique_for_key(start).ok()?;
        let tag = self.gcm(key)?;
        let tag = tag.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut data);
        Some((data, tag.ok()?.as_ref().to_vec()))
    }

    /// The plaintext, if nobody changed anything: the tag is compared before anything is decrypted, and as
    /// long for every wrong one.
    pub(super) fn open(
        self,
        key: &[u8],
        start: &[u8],
        aad: &[u8],
        (sealed, shown): (&[u8], &[u8]),
    ) -> Option<Vec<u8>> {
        let fits = key.len() == self.key_bytes() && start.len() == self.start_bytes();
        if !fits || shown.len() != TAG_BYTES {
            return None;
        }
        let mut data = sealed.to_vec();
        if self == Self::A128CbcHs256 {
            let (mac, key) = halves(key)?;
            // [RFC 7518 §5.2.2.2] "If those values are identical, then A and E are considered valid, and processing is continued. Otherwise, all of the data used in the MAC validation are discarded, and the authenticated decryption operation returns an indication that it failed, and the operation halts."
            if !bool::from(tag(mac, aad, start, sealed)?.ct_eq(shown)) {
                return None;
            }
            let key = UnboundCipherKey::new(&AES_128, key).ok()?;
            let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
            let vector: [u8; 16] = start.try_into().ok()?;
            let context = DecryptionContext::Iv128(FixedLength::from(vector));
            return Some(key.decrypt(&mut data, context).ok()?.to_vec());
        }
        data.extend_from_slice(shown);
        let nonce = Nonce::try_assume_unique_for_key(start).ok()?;
        let plain = self
            .gcm(key)?
            .open_in_place(nonce, Aad::from(aad), &mut data);
        Some(plain.ok()?.to_vec())
    }

    fn gcm(self, key: &[u8]) -> Option<LessSafeKey> {
        let algorithm = match self {
            Self::A256Gcm => &AES_256_GCM,
            _ => &AES_128_GCM,
        };
        UnboundKey::new(algorithm, key).ok().map(LessSafeKey::new)
    }
}

/// The key of the MAC and that of the cipher [RFC 7518 §5.2.2.1].
fn halves(key: &[u8]) -> Option<(&[u8], &[u8])> {
    match key.len() {
        32 => key.split_at_checked(16),
        _ => None,
    }
}

/// The left half of the MAC over everything, and over how long the header is, in bits.
fn tag(key: &[u8], aad: &[u8], start: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let bits = u64::try_from(aad.len()).ok()?.checked_mul(8)?;
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in [aad, start, sealed, &bits.to_be_bytes()] {
        context.update(part);
    }
    let whole = context.sign();
    Some(whole.as_ref().get(..TAG_BYTES)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER_PERMISSIVE;

    /// The test case of [RFC 7518 Appendix B.1].
    /// [RFC 7518 §5.2.2.2] "If those values are identical, then A and E are considered valid, and processing is continued. Otherwise, all of the data used in the MAC validation are discarded, and the authenticated decryption operation returns an indication that it failed, and the operation halts."
    #[test]
    fn cbc_with_hmac_is_that_of_the_rfc() {
        let hex = |text: &str| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap();
        let key: Vec<u8> = (0..32).collect();
        let start = hex("1af38c2dc2b96ffdd86694092341bc04");
        let aad = b"The second principle of Auguste Kerckhoffs";
        let plain: &[u8] = b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience";
        let enc = ContentEncryption::A128CbcHs256;
        let (sealed, tag) = enc.seal(&key, &start, aad, plain).unwrap();
        assert!(sealed.starts_with(&hex("c80edfa32ddf39d5ef00c0b468834279")));
        assert_eq!(sealed.len(), 144);
        assert_eq!(tag, hex("652c3fa36b0a7c5b3219fab3a30bc1c4"));
        let open =
            |aad: &[u8], sealed: &[u8], tag: &[u8]| enc.open(&key, &start, aad, (sealed, tag));
        assert_eq!(open(aad, &sealed, &tag).as_deref(), Some(plain));
        for place in 0..sealed.len() {
            let mut other = sealed.clone();
            other[place] ^= 1;
            assert_eq!(open(aad, &other, &tag), None);
        }
        for length in 0..tag.len() {
            assert_eq!(
                open(aad, &sealed, &tag[..length]),
                None,
                "a tag of {length}"
            );
        }
        assert_eq!(open(b"", &sealed, &tag), None);
        assert_eq!(open(aad, b"", &tag), None);
    }

    #[test]
    fn a_key_a_start_or_a_tag_of_another_length_opens_nothing() {
        for enc in ContentEncryption::ALL {
            assert_eq!(ContentEncryption::named(enc.name()), Some(enc));
            let (key, start) = (vec![7; enc.key_bytes()], vec![9; enc.start_bytes()]);
            let (sealed, tag) = enc.seal(&key, &start, b"a", b"plain").unwrap();
            let open =
                |key: &[u8], start: &[u8], tag: &[u8]| enc.open(key, start, b"a", (&sealed, tag));
            assert_eq!(
                open(&key, &start, &tag).as_deref(),
                Some(b"plain".as_slice())
            );
            assert_eq!(open(&[7; 24], &start, &tag), None);
            assert_eq!(open(&key, &start[1..], &tag), None);
            assert_eq!(open(&key, &start, &tag[..12]), None);
            assert_eq!(open(&key, &start, &[tag.clone(), vec![0]].concat()), None);
            assert_eq!(enc.seal(&[7; 24], &start, b"a", b"plain"), None);
        }
    }
}
