//! Encrypted elements: AES-GCM, its key encrypted with RSA-OAEP to the application.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{DS, Space, Writer, XENC};
use crate::saml::key::EncryptingKey;

/// How the content of an encrypted element is encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataCipher {
    /// AES-256-GCM.
    #[default]
    Aes256Gcm,
    /// AES-128-GCM.
    Aes128Gcm,
    /// AES-256-CBC, which does not notice changes: only for an application that has nothing else.
    Aes256Cbc,
    /// AES-128-CBC, as above.
    Aes128Cbc,
}

impl DataCipher {
    /// The name of the algorithm.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Aes256Gcm => "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            Self::Aes128Gcm => "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            Self::Aes256Cbc => "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
            Self::Aes128Cbc => "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
        }
    }

    /// The cipher of a name that metadata may ask for without a technician's word: GCM only.
    #[must_use]
    pub fn of_metadata(uri: &str) -> Option<Self> {
        [Self::Aes256Gcm, Self::Aes128Gcm]
            .into_iter()
            .find(|cipher| cipher.uri() == uri)
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::Aes256Gcm | Self::Aes256Cbc => 32,
            Self::Aes128Gcm | Self::Aes128Cbc => 16,
        }
    }
}

/// What chance gave for one encryption: 32 bytes for the key, 16 for the start value.
pub(crate) type Chance = [u8; 48];

/// Wraps an element into `wrapper` (`saml:EncryptedAssertion`).
///
/// None when the cryptographic library fails.
pub(crate) fn encrypted(
    (space, wrapper): (&'static Space, &'static str),
    plain: &str,
    cipher: DataCipher,
    to: &EncryptingKey,
    chance: &Chance,
) -> Option<String> {
    let (key, start) = chance.split_at_checked(32)?;
    let key = key.get(..cipher.key_bytes())?;
    let data = content(cipher, key, start, plain.as_bytes())?;
    let wrapped = to.wrap(key)?;
    // [Core §6.1] "Type attribute SHOULD be used and, if it is present, MUST have the value http://www.w3.org/2001/04/xmlenc#Element"
    let mut writer = Writer::new();
    writer
        .open(space, wrapper, &[])
        .open(
            &XENC,
            "EncryptedData",
            &[("Type", "http://www.w3.org/2001/04/xmlenc#Element")],
        )
        .leaf(
            &XENC,
            "EncryptionMethod",
            &[("Algorithm", cipher.uri())],
            "",
        )
        .open(&DS, "KeyInfo", &[])
        .open(&XENC, "EncryptedKey", &[])
        .open(
            &XENC,
            "EncryptionMethod",
            &[(
                "Algorithm",
                "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
            )],
        )
        .leaf(
            &DS,
            "DigestMethod",
            &[("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")],
            "",
        )
        .close()
        .open(&XENC, "CipherData", &[])
        .leaf(&XENC, "CipherValue", &[], &BASE64.encode(&wrapped))
        .close()
        .close()
        .close()
        .open(&XENC, "CipherData", &[])
        .leaf(&XENC, "CipherValue", &[], &BASE64.encode(&data));
    Some(writer.finish())
}

/// The start value, the ciphertext and, with GCM, the tag.
fn content(cipher: DataCipher, key: &[u8], start: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let mut data = plain.to_vec();
    let start = match cipher {
        DataCipher::Aes256Gcm | DataCipher::Aes128Gcm => {
            let algorithm = match cipher {
                DataCipher::Aes256Gcm => &AES_256_GCM,
                _ => &AES_128_GCM,
            };
            let start = start.get(..NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(start).ok()?;
            let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
            key.seal_in_place_append_tag(nonce, Aad::empty(), &mut data)
                .ok()?;
            start
        }
        DataCipher::Aes256Cbc | DataCipher::Aes128Cbc => {
            let algorithm = match cipher {
                DataCipher::Aes256Cbc => &AES_256,
                _ => &AES_128,
            };
            let key = UnboundCipherKey::new(algorithm, key).ok()?;
            let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
            let vector: [u8; 16] = start.try_into().ok()?;
            let context = EncryptionContext::Iv128(FixedLength::from(vector));
            key.less_safe_encrypt(&mut data, context).ok()?;
            start
        }
    };
    Some([start, &data].concat())
}
