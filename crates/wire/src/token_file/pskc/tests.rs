//! PSKC files made by other programs, the RFC's own figures, and every way to damage them.
//!
//! The files in `samples/` were written by python-pskc and satisfy the schema of the RFC (`pskctool --validate`).

use super::*;
use crate::testing::Odd;
use crate::token_file::RefusedSeed;
use data_encoding::HEXLOWER;

const PLAIN: &str = include_str!("../../../samples/plain.pskcxml");
const AES128: &str = include_str!("../../../samples/preshared-aes128.pskcxml");
const AES256: &str = include_str!("../../../samples/preshared-aes256.pskcxml");
const PASSWORD: &str = include_str!("../../../samples/password.pskcxml");
const SEED: &[u8] = b"12345678901234567890";

fn key(hex: &str) -> Unlock {
    Unlock::Key(Secret::new(HEXLOWER.decode(hex.as_bytes()).unwrap()))
}

fn key128() -> Unlock {
    key("12345678901234567890123456789012")
}

fn password(text: &str) -> Unlock {
    Unlock::Password(Secret::new(text.as_bytes().to_vec()))
}

fn opened(text: &str, unlock: &Unlock) -> TokenFile {
    read(text.as_bytes(), unlock).unwrap()
}

fn reasons(text: &str, unlock: &Unlock) -> Vec<Reason> {
    opened(text, unlock)
        .refused
        .into_iter()
        .map(|refused| refused.reason)
        .collect()
}

/// Programs on Windows write one.
#[test]
fn a_byte_order_mark_is_passed_over() {
    let file = opened(&format!("\u{feff}{PLAIN}"), &Unlock::Nothing);
    assert_eq!((file.seeds.len(), file.refused.len()), (3, 0));
}

#[test]
fn the_samples_are_read_plain_and_with_key_and_password() {
    let key256 = key("1234567890123456789012345678901212345678901234567890123456789012");
    for (text, unlock) in [
        (PLAIN, Unlock::Nothing),
        (PLAIN, key128()),
        (AES128, key128()),
        (AES256, key256),
        (PASSWORD, password("qwerty")),
    ] {
        let file = opened(text, &unlock);
        assert_eq!(file.refused, []);
        let what: Vec<_> = file
            .seeds
            .iter()
            .map(|seed| (seed.serial.as_str(), seed.kind, seed.algorithm, seed.digits))
            .collect();
        assert_eq!(
            what,
            [
                (
                    "2600124811001",
                    Kind::Totp { period_s: 30 },
                    Algorithm::Sha1,
                    6
                ),
                (
                    "2600124811002",
                    Kind::Totp { period_s: 60 },
                    Algorithm::Sha256,
                    8
                ),
                (
                    "2600124811003",
                    Kind::Hotp { counter: 42 },
                    Algorithm::Sha1,
                    6
                ),
            ]
        );
        assert!(
            file.seeds
                .iter()
                .all(|seed| seed.secret.expose().starts_with(SEED))
        );
        assert!(
            file.seeds
                .iter()
                .all(|seed| seed.vendor.as_deref() == Some("Feitian"))
        );
    }
}

/// The container of RFC 6030's figures 6 and 7, around their own values.
fn figure(encryption_key: &str, mac_key: &str, value: &str, mac: &str) -> String {
    let cipher = |value: &str| {
        format!(
            r#"<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>
            <xenc:CipherData><xenc:CipherValue>
              {value}
            </xenc:CipherValue></xenc:CipherData>"#
        )
    };
    let (mac_key, value) = (cipher(mac_key), cipher(value));
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"
            xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#">
          <EncryptionKey>{encryption_key}</EncryptionKey>
          <MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"><MACKey>{mac_key}</MACKey></MACMethod>
          <KeyPackage>
            <DeviceInfo><Manufacturer>TokenVendorAcme</Manufacturer><SerialNo>987654321</SerialNo></DeviceInfo>
            <Key Id="12345678" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
              <AlgorithmParameters><ResponseFormat Length="8" Encoding="DECIMAL"/></AlgorithmParameters>
              <Data>
                <Secret><EncryptedValue>{value}</EncryptedValue><ValueMAC>{mac}</ValueMAC></Secret>
                <Counter><PlainValue>0</PlainValue></Counter>
              </Data>
            </Key>
          </KeyPackage>
        </KeyContainer>"#
    )
}

fn figure_6() -> String {
    figure(
        "<KeyName>Pre-shared-key</KeyName>",
        "ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX",
        "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv",
        "Su+NvtQfmvfJzF6bmQiJqoLRExc=",
    )
}

fn figure_7(rounds: &str, algorithm: &str) -> String {
    figure(
        &format!(
            r#"<xenc11:DerivedKey><xenc11:KeyDerivationMethod Algorithm="{algorithm}"><PBKDF2-params>
            <Salt><Specified>Ej7/PEpyEpw=</Specified></Salt><IterationCount>{rounds}</IterationCount>
            <KeyLength>16</KeyLength><PRF/></PBKDF2-params></xenc11:KeyDerivationMethod></xenc11:DerivedKey>"#
        ),
        "2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx",
        "oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f",
        "LP6xMvjtypbfT9PdkJhBZ+D6O4w=",
    )
}

const PBKDF2: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2";

/// [RFC 6030 §6.2] "the IV MUST be passed by prepending it to the encrypted value."
/// [RFC 6030 §6.2] "the <DerivedKey> element defined in XML Encryption Version 1.1 [XMLENC11] MUST be used to specify the passphrased-based key."
/// [RFC 6030 §6.1.1] "When the sender generates such a random MAC key, the MAC key material MUST be encrypted with the same encryption key specified in <EncryptionKey> element of the key container."
#[test]
fn the_figures_of_the_rfc_are_read() {
    for (text, unlock) in [
        (figure_6(), key128()),
        (figure_7("1000", PBKDF2), password("qwerty")),
    ] {
        let file = opened(&text, &unlock);
        assert_eq!(file.refused, []);
        assert_eq!(file.seeds[0].secret.expose(), SEED);
        assert_eq!(
            (file.seeds[0].serial.as_str(), file.seeds[0].digits),
            ("987654321", 8)
        );
    }
    assert!(
        read(
            figure_6().replace("EncryptionKey>", "Other>").as_bytes(),
            &password("qwerty")
        )
        .is_err()
    );
}

#[test]
fn a_wrong_or_missing_key_opens_nothing() {
    assert_eq!(reasons(AES128, &Unlock::Nothing), [Reason::Locked; 3]);
    for wrong in [
        key("00000000000000000000000000000000"),
        key("00"),
        password("qwerty"),
        password(""),
    ] {
        assert!(read(AES128.as_bytes(), &wrong).is_err());
    }
    for wrong in ["qwertz", "", "qwerty "] {
        match read(PASSWORD.as_bytes(), &password(wrong)) {
            Err(error) => assert_eq!(error, PskcError::WrongKey),
            Ok(file) => assert!(file.seeds.is_empty()),
        }
    }
}

/// [RFC 6030 §6.1.1] "a keyed-MAC value MUST be placed in the <ValueMAC> element of the <Data> element."
/// [RFC 6030 §6.1.1] "In this case, the MAC algorithm type MUST be set in the <MACMethod> element of the <KeyContainer> element."
#[test]
fn an_altered_value_is_refused_before_it_is_decrypted() {
    let unmarked = figure_6()
        .replace("<ValueMAC>", "<Other>")
        .replace("</ValueMAC>", "</Other>");
    assert_eq!(reasons(&unmarked, &key128()), [Reason::MacMissing]);
    let unmethodical = figure_6().replace("MACMethod", "Other");
    assert_eq!(reasons(&unmethodical, &key128()), [Reason::MacMissing]);
    let altered = figure_6().replace("AAECAwQFBgcICQoL", "BAECAwQFBgcICQoL");
    assert_eq!(reasons(&altered, &key128()), [Reason::MacWrong]);
    let forged = figure_6().replace("Su+NvtQf", "Sv+NvtQf");
    assert_eq!(reasons(&forged, &key128()), [Reason::MacWrong]);
    let short = figure_6().replace("Su+NvtQfmvfJzF6bmQiJqoLRExc=", "Su8=");
    assert_eq!(reasons(&short, &key128()), [Reason::MacWrong]);
    let md5 = figure_6().replace("#hmac-sha1", "#hmac-md5");
    assert_eq!(
        read(md5.as_bytes(), &key128()).unwrap_err(),
        PskcError::MacMethod
    );
    let wrapped = figure_6().replace("#aes128-cbc", "#kw-aes128");
    assert_eq!(
        read(wrapped.as_bytes(), &key128()).unwrap_err(),
        PskcError::MacMethod
    );
}

/// [P07] Rounds are bounded, so that a file cannot keep the server busy.
#[test]
fn a_derivation_that_takes_too_long_or_is_unknown_is_refused() {
    for (rounds, algorithm) in [
        ("2000001", PBKDF2),
        ("4294967296", PBKDF2),
        ("0", PBKDF2),
        ("-1", PBKDF2),
        ("", PBKDF2),
        ("1000", "http://www.w3.org/2009/xmlenc11#ConcatKDF"),
        ("1000", ""),
    ] {
        let text = figure_7(rounds, algorithm);
        assert_eq!(
            read(text.as_bytes(), &password("qwerty")).unwrap_err(),
            PskcError::Derivation,
            "{rounds}"
        );
    }
}

/// [O06] [RFC 6030 §4.3.4] "This attribute defines the length of the response generated by the device and MUST be included."
#[test]
fn each_bad_package_is_refused_with_its_number_and_reason() {
    let change = |from: &str, to: &str| {
        let text = PLAIN.replacen(from, to, 1);
        assert_ne!(text, PLAIN, "{from}");
        let file = opened(&text, &Unlock::Nothing);
        assert_eq!((file.seeds.len(), file.refused.len()), (2, 1), "{from}");
        file.refused[0].clone()
    };
    for (from, to, reason) in [
        (r#" Length="6""#, "", Reason::Digits),
        (r#" Length="6""#, r#" Length="7""#, Reason::Digits),
        ("DECIMAL", "HEXADECIMAL", Reason::Digits),
        (
            "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
            "MTIzNDU2Nzg5MDEyMzQ1",
            Reason::SeedShort,
        ),
        ("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "", Reason::Seed),
        ("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "???", Reason::Seed),
        (r#"Algorithm="totp""#, r#"Algorithm="ocra""#, Reason::Type),
        (
            "<pskc:PlainValue>30<",
            "<pskc:PlainValue>45<",
            Reason::Period,
        ),
        (
            "<pskc:PlainValue>30<",
            "<pskc:PlainValue>x<",
            Reason::Period,
        ),
        ("2600124811001", "", Reason::Serial),
    ] {
        let refused = change(from, to);
        assert_eq!(
            refused,
            RefusedSeed {
                place: Place::Package(1),
                reason
            }
        );
    }
    let suite = change("HMAC-SHA256", "HMAC-MD5");
    assert_eq!(
        suite,
        RefusedSeed {
            place: Place::Package(2),
            reason: Reason::Algorithm
        }
    );
    let twice = change("2600124811002", "2600124811001");
    assert_eq!(
        twice,
        RefusedSeed {
            place: Place::Package(2),
            reason: Reason::SerialTwice
        }
    );
}

/// [P07] Document types, bombs, depth and size are refused before anything is read.
#[test]
fn dangerous_documents_are_refused() {
    let open = |text: &str| {
        read(text.as_bytes(), &Unlock::Nothing)
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(open(""), PskcError::NotXml);
    assert_eq!(open("<a"), PskcError::NotXml);
    assert_eq!(open("<a/>"), PskcError::NotAContainer);
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>"#;
    assert_eq!(open(bomb), PskcError::NotXml);
    let outside = r#"<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>"#;
    assert_eq!(open(outside), PskcError::NotXml);
    assert_eq!(open(&"<a>".repeat(500_000)), PskcError::TooMuch);
    let deep = format!("{}{}", "<a>".repeat(500_000), "</a>".repeat(500_000));
    assert_eq!(open(&deep), PskcError::TooMuch);
    assert_eq!(
        open(&format!("{}{}", "<a>".repeat(33), "</a>".repeat(33))),
        PskcError::TooMuch
    );
    assert_eq!(open(&" ".repeat(FILE_BYTES_MAX + 1)), PskcError::TooLarge);
    let empty = r#"<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"/>"#;
    assert_eq!(open(empty), PskcError::Empty);
    assert_eq!(open(&empty.replace("1.0", "2.0")), PskcError::NotAContainer);
    assert_eq!(
        open(&empty.replace(":pskc", ":other")),
        PskcError::NotAContainer
    );
    assert_eq!(
        read(b"\xff\xfe<a/>", &Unlock::Nothing).unwrap_err(),
        PskcError::NotXml
    );
}

/// [P07] The parser compares each attribute of an element with every other one, and hands every declaration
/// on to each element inside: eight megabytes of either would take hours, or all memory.
#[test]
fn attributes_and_declarations_without_end_are_refused_before_they_are_parsed() {
    let attributes: String = (0..200_000)
        .map(|number| format!(" a{number}=\"\""))
        .collect();
    let declarations = (0..200_000).map(|number| format!("<a xmlns:a{number}=\"u:{number}\">"));
    let in_comments = format!("<!-- ' --><a{attributes}/><!-- ' -->");
    for text in [
        format!("<KeyContainer{attributes}/>"),
        declarations.collect(),
        in_comments,
    ] {
        let read = read(text.as_bytes(), &Unlock::Nothing);
        assert_eq!(read.unwrap_err(), PskcError::TooMuch);
    }
}

/// [P07] No damage makes the reader panic, and none makes a seed that was not there.
#[test]
fn damaged_files_do_no_harm() {
    let figure = figure_6();
    let mut odd = Odd(13);
    for _ in 0..1_500 {
        let damaged = odd.mutated(&figure);
        if let Ok(file) = read(damaged.as_bytes(), &key128()) {
            assert!(file.seeds.iter().all(|seed| seed.secret.expose() == SEED));
        }
        let _ = read(
            &odd.bytes(300, b"<KeyContainer></pskc:Key>=\"&;"),
            &Unlock::Nothing,
        );
    }
}
