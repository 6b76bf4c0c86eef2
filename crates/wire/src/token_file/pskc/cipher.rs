//! How the values of a PSKC file are locked: AES-CBC, checked by an HMAC *before* decryption.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{hmac, pbkdf2};
use roxmltree::Node;

use super::{PSKC, PskcError, Unlock, base64, child, text};
use crate::Secret;
use crate::token_file::Reason;

/// The keys of one file.
pub(super) struct Lock {
    key: Secret,
    mac: Option<hmac::Key>,
}

impl Lock {
    /// Finds out how the file is locked; nothing if it is not.
    pub(super) fn read(
        container: Node<'_, '_>,
        unlock: &Unlock,
    ) -> Result<Option<Self>, PskcError> {
        let key = match unlock {
            Unlock::Nothing => return Ok(None),
            Unlock::Key(key) => key.clone(),
            Unlock::Password(password) => derived(container, password)?,
        };
        if !matches!(key.len(), 16 | 32) {
            return Err(PskcError::WrongKey);
        }
        // [RFC 6030 §6.1.1] "In this case, the MAC algorithm type MUST be set in the <MACMethod> element of the <KeyContainer> element."
        let Some(method) = child(container, "MACMethod") else {
            return Ok(Some(Self { key, mac: None }));
        };
        let algorithm = mac_algorithm(method).ok_or(PskcError::MacMethod)?;
        let mac_key = match child(method, "MACKey") {
            // [RFC 6030 §6.1.1] "When the sender generates such a random MAC key, the MAC key material MUST be encrypted with the same encryption key specified in <EncryptionKey> element of the key container."
            Some(encrypted) => decrypted(&key, &ciphertext(encrypted).ok_or(PskcError::MacMethod)?)
                .ok_or(PskcError::WrongKey)?,
            None => key.clone(),
        };
        Ok(Some(Self {
            key,
            mac: Some(hmac::Key::new(algorithm, mac_key.expose())),
        }))
    }

    /// Opens an `EncryptedValue`, its MAC first.
    pub(super) fn open(&self, value: Node<'_, '_>, mac: Option<&[u8]>) -> Result<Secret, Reason> {
        let bytes = ciphertext(value).ok_or(Reason::Encryption)?;
        // [RFC 6030 §6.1.1] "a keyed-MAC value MUST be placed in the <ValueMAC> element of the <Data> element."
        let (Some(key), Some(mac)) = (&self.mac, mac) else {
            return Err(Reason::MacMissing);
        };
        hmac::verify(key, &bytes, mac).map_err(|_| Reason::MacWrong)?;
        decrypted(&self.key, &bytes).ok_or(Reason::MacWrong)
    }
}

fn derived(container: Node<'_, '_>, password: &Secret) -> Result<Secret, PskcError> {
    let find = |name: &str| {
        let method = container
            .children()
            .find(|node| node.has_tag_name((PSKC, "EncryptionKey")))?;
        method
            .descendants()
            .find(|node| node.tag_name().name() == name)
    };
    // [RFC 6030 §6.2] "the <DerivedKey> element defined in XML Encryption Version 1.1 [XMLENC11] MUST be used to specify the passphrased-based key."
    let method = find("DerivedKey").and_then(|_| find("KeyDerivationMethod"));
    let algorithm = method
        .and_then(|node| node.attribute("Algorithm"))
        .unwrap_or_default();
    let is_pbkdf2 = algorithm
        .rsplit_once('#')
        .is_some_and(|(_, name)| name == "pbkdf2");
    let salt = find("Specified")
        .and_then(base64)
        .filter(|salt| salt.len() <= 1024);
    let rounds = find("IterationCount").and_then(|node| text(node).parse::<NonZeroU32>().ok());
    let length = find("KeyLength").map_or(Ok(16), |node| text(node).parse::<usize>());
    let prf = find("PRF").and_then(|node| node.attribute("Algorithm"));
    let prf = match prf.map(|uri| uri.rsplit('#').next().unwrap_or_default()) {
        None | Some("hmac-sha1") => pbkdf2::PBKDF2_HMAC_SHA1,
        Some("hmac-sha256") => pbkdf2::PBKDF2_HMAC_SHA256,
        Some("hmac-sha384") => pbkdf2::PBKDF2_HMAC_SHA384,
        Some("hmac-sha512") => pbkdf2::PBKDF2_HMAC_SHA512,
        Some(_) => return Err(PskcError::Derivation),
    };
    match (is_pbkdf2, salt, rounds, length) {
        (true, Some(salt), Some(rounds), Ok(length @ (16 | 32))) if rounds.get() <= ROUNDS_MAX => {
            let mut key = vec![0; length];
            pbkdf2::derive(prf, rounds, &salt, password.expose(), &mut key);
            Ok(Secret::new(key))
        }
        _ => Err(PskcError::Derivation),
    }
}

fn mac_algorithm(method: Node<'_, '_>) -> Option<hmac::Algorithm> {
    match method.attribute("Algorithm")?.rsplit('#').next()? {
        "hmac-sha1" => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        "hmac-sha256" => Some(hmac::HMAC_SHA256),
        "hmac-sha384" => Some(hmac::HMAC_SHA384),
        "hmac-sha512" => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

/// The ciphertext of an AES-CBC value.
fn ciphertext(value: Node<'_, '_>) -> Option<Vec<u8>> {
    let find = |name: &str| {
        value
            .descendants()
            .find(|node| node.has_tag_name((XENC, name)))
    };
    let algorithm = find("EncryptionMethod")?.attribute("Algorithm")?;
    let known = matches!(algorithm.strip_prefix(XENC)?, "aes128-cbc" | "aes256-cbc");
    known
        .then(|| find("CipherValue").and_then(base64))
        .flatten()
}

/// [RFC 6030 §6.2] "the IV MUST be passed by prepending it to the encrypted value."
fn decrypted(key: &Secret, value: &[u8]) -> Option<Secret> {
    let (iv, body) = value.split_at_checked(16)?;
    let context = DecryptionContext::Iv128(FixedLength::try_from(iv).ok()?);
    let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    let key = UnboundCipherKey::new(algorithm, key.expose()).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let mut body = zeroize::Zeroizing::new(body.to_vec());
    key.decrypt(&mut body, context)
        .ok()
        .map(|plain| Secret::new(plain.to_vec()))
}

const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const ROUNDS_MAX: u32 = 2_000_000;
