//! Vectors of the standards, tokens of another implementation, and what hostile senders try.

use aws_lc_rs::rsa::{OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::*;
use crate::Secret;
use crate::jose::{SigningAlg, SigningKey};
use crate::testing::{Odd, hers};

const CHANCE: Chance = [7; 112];

/// The private key of [RFC 7516 Appendix A.1], as PKCS#8.
const OF_THE_RFC: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQChqFQihbDQrS6wo245HofjCR/igFRcdPFG+BvjwT4FW/GR4M2N\
         sLiF7ytRZwmhmZ2zaHszvSKYRWFFTl2Mg1e2qWVcjgMWpwjUOCNP0t7A0PwxbYqt/dKmyT9mSgWeKVqQbKBPClne56wf48UAE0hR\
         ik6I3Xl2xBGSCvS8SHE33aLZqxs56dJl7JrHOIrvZTDGusqgTG/qRzm3BdOriH5AKEs6WfT+a1RnB+xFoxK0+zqZLpeuDGfFtaGi\
         N/rre24RC54YL4UIx+trfoL2ScMUbMqw1rstkrZ2NiDIPclH8wH/g1Qlb9Oo5C3AdhvF6+gkCub4vlK2jCPMbL79urobAgMBAAEC\
         ggEBAJC3bSI+hmw5LPwKQkk2ELXpXDbbZSojsj8zK1x3iPspNRe/pKQ8WOPlmOTVleSp7WhHl0tY/NhN++ccYVjB18r42HnD0/X6\
         cEfzPYFfJ/R64dmp06Uw/dw7etsqVt8g7CcwZ0562LtYsFkYASqxGGOOqgGSKwNsQMJ5tl+7hkdYYIZKg6dFao95G0gs9V8nwrOv\
         y3oQcLcRyMofEYqcuNKduJqDgG4MVcN68U/75bd1FXuFjtyZCTs5aVH/ik1SNj7YJvnQEcUxLRPonfuDia9IfivlRbN1Up3VUyM5\
         0sX8q4/CCy+jBv1L/GALu1SC0gd5TltPOfuKhNw84K044MkCgYEA1r52Xk46c+LsfB5P442p7atdPUrxQSy4mti/tZI3Mgf2EuFV\
         bUoDBvaRQ+SWxkbkmoEzL7JXroSBjSrK3YIQgYdMgyAEPTPjXv/hI2/1eTSPVZfzL0lffNn03IXqWF5MDFuoUYE0hzb2vhrlN/rK\
         rbfDIwUbTrjjgieRbwC6Cl0CgYEAwLb35x7hmQWZsWJmB/vle87ihgZ19S8lBEROLIsZG4ayZVe9Hi9gDVCOBmUDdaDYVTSNx/8F\
         yw1YYa9XGrGnDew00J28cRUoeBB/jKI1oma0Orv1T9aXIWxKwd4gvxFImOWr3QRL9KEBRzk2RatUBnmDZJTIAfwTs0g68UZHvtcC\
         gYBkr5jATt2JSHSpHW1HvDxYe2iUPHcxn85OjCIW+B95DdKKt6xeOb2BnkouExe+j67P4pQlYPFLmkVD8zR692jV0qJFONXD/Hg3\
         KrJc8zmdQs+RylTzbuuelnMAkql2FYCCqtcYoAQJAfRe3i1rOeOd3/NWkCZlmrrRY8wEx8py4QKBgA6tIH4CdQ3RRl4i70BGZ7ih\
         DdFFJrCQcZI8nXN4+GWHQYjEQMvOsdLxwo8sHDJWGIOMqAuGGWvYTVXLI6gNxXoi9fa5PIOkJ9vU7dHI/Kqshac/bzQwVHwgIiVX\
         hEjoyQ2T2B3R2PL9W/qPmdl+bby8fkwnpH+6Mcnig1Kilo4rAoGAVIMpMYbPf47dT1w/zDUXfPimsSegnMOA1zTaX7aGk/8urY6R\
         8+ZW1FxU7AlWAyLWybqq6t16VFd7hQd0y6flUK4SlOydB61gwanOsXGOAOv82cHq0E3eL4HrtZkUuKvnPrMnsUUFlfUdybVzxyjz\
         9JF/XyaY14ardLSjf4L/FNY=";

/// The example of [RFC 7516 Appendix A.1]: RSA-OAEP and A256GCM.
const BY_THE_RFC: &str = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.\
    OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGeipsEdY3mx_etLbbWSrFr05kLzcSr4qKAq7YN7e9jwQRb23nfa6c9d-StnImGyFDbSv04uVuxIp5Zms1gNxKKK2Da14B8S4rzVRltdYwam_lDp5XnZAYpQdb76FdIKLaVmqgfwX7XWRxv2322i-vDxRfqNzo_tETKzpVLzfiwQyeyPGLBIO56YJ7eObdv0je81860ppamavo35UgoRdbYaBcoh9QcfylQr66oc6vFWXRcZ_ZT2LawVCWTIy3brGPi6UklfCpIMfIjf7iGdXKHzg.\
    48V1_ALb6US04U3b.\
    5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A.\
    XFBoMYUZodetZdvTiFvSkQ";

/// What npm's `jose` 6.2 encrypted to the key of [`hers`], with `apu` and `apv` in two of them.
const BY_JOSE: [&str; 3] = [
    "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOENCQy1IUzI1NiIsImN0eSI6IkpXVCIsImVwayI6eyJ4IjoiRnpwbjI4eXViZ0thYTc0RmpLSkxrTS1RYjBIQmRwLUFpbEtQZlR6am5DOCIsImNydiI6IlAtMjU2Iiwia3R5IjoiRUMiLCJ5IjoiSmx3ZHpBVWdXMm9QS0F6NlpjMlIxLXJsQlctTHM1SmpDcXo4ckM0WDFsNCJ9fQ..x3aTj_dq5GuRGiUk7QC5qQ.ezzfAlyk-vdt7hMWWzGwbUIyP-_blHd6UaLjEG5a1MU.p_KvWgQn_TGGW38kwUjKaQ",
    "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJjdHkiOiJKV1QiLCJlcGsiOnsieCI6Im84RjRuT2p6UzRnOFhIWWVBN1RPMmkydEl6SjY0VVlZYnN4NmYxcXI1UkEiLCJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieSI6IlB3My1GSlh1eGczY3UwS3RxMDl4ZE0xc1NYbHdpVFdxWjY4c0lFRWZHZjgifSwiYXB1IjoiUVd4cFkyVSIsImFwdiI6IlFtOWkifQ.PCrzROF228Zi5te94honLBw3whZPw6I9_DM0dEKMrxyMM1Am6LpPfQ.SBjTErOP4X8LAQdx.rXTm0uOm76P2mOGS2arXwg.afPeWUS8OVJHPSHMDY7wTg",
    "eyJhbGciOiJFQ0RILUVTK0ExMjhLVyIsImVuYyI6IkExMjhHQ00iLCJjdHkiOiJKV1QiLCJlcGsiOnsieCI6ImZ3WmhaamZkdDRMSEhCbFl4VGlNM2xJT3VHVzI3VWF5SGNpdVpkU0RjYmMiLCJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieSI6InZ4dkg0TldLdzlmS1NVcTdYS3RjR01ZUHhtajhOV1VaZWdwRVp0T0sxYmsifSwiYXB1IjoiUVd4cFkyVSIsImFwdiI6IlFtOWkifQ.BicciNVLlocZcaoASj51UVCuLjay5ipz.7gFOKbJ5xYYapU1q.ExM6wqfuSM-4qKqJj8mUAA.pMLHIwNCSR4lJ_16DLiTSQ",
];

fn number(part: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&number(token.split('.').next().unwrap())).unwrap()
}

/// What an application with this RSA key reads.
fn read_by_rsa(pkcs8: &[u8], padding: &'static OaepAlgorithm, token: &str) -> Option<Vec<u8>> {
    let parts: Vec<&str> = token.split('.').collect();
    let key = PrivateDecryptingKey::from_pkcs8(pkcs8).unwrap();
    let key = OaepPrivateDecryptingKey::new(key).unwrap();
    let mut out = vec![0; key.min_output_size()];
    let content = key.decrypt(padding, &number(parts[1]), &mut out, None);
    let enc = ContentEncryption::named(header(token)["enc"].as_str().unwrap()).unwrap();
    let (start, sealed, tag) = (number(parts[2]), number(parts[3]), number(parts[4]));
    enc.open(content.ok()?, &start, parts[0].as_bytes(), (&sealed, &tag))
}

#[test]
fn the_example_of_the_rfc_opens() {
    let pkcs8 = BASE64.decode(OF_THE_RFC.as_bytes()).unwrap();
    let read = read_by_rsa(&pkcs8, &OAEP_SHA1_MGF1SHA1, BY_THE_RFC).unwrap();
    let said = b"The true sign of intelligence is not knowledge but imagination.";
    assert_eq!(read, said);
}

#[test]
fn what_another_implementation_encrypts_to_us_opens() {
    for token in BY_JOSE {
        let opened = hers().open(token).unwrap();
        assert_eq!(opened.as_slice(), b"a signed request", "{}", header(token));
    }
}

/// Keys change, and an application that names none may have read the list before.
#[test]
fn without_a_name_an_older_key_opens_as_well() {
    let number = |byte: u8| Secret::new(vec![byte; 32]);
    let [old, new] = [1, 2].map(|byte| DecryptingKeys::of(&[number(byte)]));
    let both = DecryptingKeys::of(&[number(2), number(1)]);
    let mut nameless = old.published().unwrap().clone();
    nameless.kid = None;
    for alg in KeyManagement::OURS {
        let key = EncryptingKey::of(&nameless, alg).unwrap();
        let enc = ContentEncryption::A128Gcm;
        let token = key.encrypt(Content::Jwt("a.b.c"), enc, &CHANCE).unwrap();
        assert_eq!(both.open(&token).unwrap().as_slice(), b"a.b.c");
        assert_eq!(new.open(&token), Err(JweError::Unopened));
    }
}

/// [RFC 7519 §5.2] "In the case that nested signing or encryption is employed, this Header Parameter MUST be present; in this case, the value MUST be "JWT", to indicate that a Nested JWT is carried in this JWT."
/// [OIDC Core §10.2] "If there are multiple keys in the referenced JWK Set document, a kid value MUST be provided in the JOSE Header."
#[test]
fn what_we_encrypt_its_recipient_opens_whatever_the_algorithms() {
    for enc in ContentEncryption::ALL {
        let mine = hers();
        for alg in KeyManagement::OURS {
            assert_eq!(KeyManagement::named(alg.name()), Some(alg));
            let key = EncryptingKey::of(mine.published().unwrap(), alg).unwrap();
            let token = key.encrypt(Content::Jwt("a.b.c"), enc, &CHANCE).unwrap();
            assert_eq!(mine.open(&token).unwrap().as_slice(), b"a.b.c");
            let said = header(&token);
            assert_eq!(said["cty"], "JWT");
            assert_eq!(said["kid"], json!(mine.published().unwrap().kid));
            assert!(said["epk"].get("d").is_none() && said["epk"].get("kid").is_none());
        }
        let pair = SigningKey::generate(SigningAlg::Rs256).unwrap();
        for (alg, padding) in [
            (KeyManagement::RsaOaep256, &OAEP_SHA256_MGF1SHA256),
            (KeyManagement::RsaOaep, &OAEP_SHA1_MGF1SHA1),
        ] {
            let key = EncryptingKey::of(pair.public(), alg).unwrap();
            let token = key.encrypt(Content::Claims(b"{}"), enc, &CHANCE).unwrap();
            let pkcs8 = pair.to_pkcs8().unwrap();
            let read = read_by_rsa(pkcs8.expose(), padding, &token);
            assert_eq!(read.as_deref(), Some(b"{}".as_slice()));
            assert_eq!(header(&token).get("cty"), None);
        }
    }
}

/// [RFC 7518 §4.6] "A new ephemeral public key value MUST be generated for each key agreement operation."
#[test]
fn another_chance_makes_another_ephemeral_key_and_no_chance_makes_none() {
    let mine = hers();
    let key = EncryptingKey::of(mine.published().unwrap(), KeyManagement::EcdhEs).unwrap();
    let enc = ContentEncryption::A256Gcm;
    let made = |chance: &Chance| key.encrypt(Content::Claims(b"{}"), enc, chance);
    let (one, other) = (made(&CHANCE).unwrap(), made(&[8; 112]).unwrap());
    assert_ne!(header(&one)["epk"], header(&other)["epk"]);
    // Twice a number that is none of a point: nothing is sent.
    assert_eq!(made(&[0xff; 112]), Err(JweError::Unwritable));
}

/// A token whose header says something else, with the content left as it was.
fn with(change: impl Fn(&mut Value)) -> String {
    let (said, rest) = BY_JOSE[1].split_once('.').unwrap();
    let mut said: Value = serde_json::from_slice(&number(said)).unwrap();
    change(&mut said);
    format!("{}.{rest}", base64url(said.to_string().as_bytes()))
}

/// [RFC 7516 §5.2] "When Direct Key Agreement or Direct Encryption are employed, verify that the JWE Encrypted Key value is an empty octet sequence."
#[test]
fn a_hostile_header_is_refused_before_anything_is_computed_with_it() {
    let refused = |token: &str| hers().open(token).unwrap_err();
    for alg in [
        "RSA1_5",
        "RSA-OAEP",
        "RSA-OAEP-256",
        "dir",
        "none",
        "A256KW",
        "A256GCMKW",
        "ecdh-es",
        "ECDH-ES+A192KW",
        "PBES2-HS512+A256KW",
        "HS256",
        "",
    ] {
        let token = with(|said| {
            said["alg"] = json!(alg);
            said["p2c"] = json!(u32::MAX);
            said["p2s"] = json!("AAAA");
        });
        assert_eq!(refused(&token), JweError::WrongAlgorithm, "{alg}");
    }
    for enc in ["A192GCM", "A256CBC-HS512", "none", "a256gcm", ""] {
        let token = with(|said| said["enc"] = json!(enc));
        assert_eq!(refused(&token), JweError::WrongAlgorithm, "{enc}");
    }
    for (name, value, told) in [
        ("zip", json!("DEF"), JweError::Compressed),
        ("crit", json!(["exp"]), JweError::Critical),
        ("crit", json!([]), JweError::Critical),
        ("kid", json!("another"), JweError::UnknownKey),
        ("kid", json!(7), JweError::Malformed),
        ("epk", Value::Null, JweError::Malformed),
        ("epk", json!("AAAA"), JweError::Malformed),
        ("apu", json!("é"), JweError::Malformed),
        ("apu", json!("Qm9i"), JweError::Unopened),
        ("enc", json!("A128GCM"), JweError::Unopened),
        ("alg", json!("ECDH-ES"), JweError::Unopened),
        ("alg", json!("ECDH-ES+A128KW"), JweError::Unopened),
        ("jku", json!("https://evil.example/"), JweError::Unopened),
    ] {
        let token = with(|said| said[name] = value.clone());
        assert_eq!(refused(&token), told, "{name} {value}");
    }
}

#[test]
fn an_ephemeral_key_that_is_not_on_our_curve_opens_nothing() {
    let zero = base64url(&[0; 32]);
    let low = json!({"kty": "OKP", "crv": "X25519", "x": zero});
    for epk in [
        json!({"kty": "EC", "crv": "P-256", "x": zero, "y": zero}),
        json!({"kty": "EC", "crv": "P-256", "x": base64url(&[1; 32]), "y": base64url(&[1; 32])}),
        json!({"kty": "EC", "crv": "P-256", "x": base64url(&[0xff; 32]), "y": zero}),
        json!({"kty": "EC", "crv": "P-256", "x": zero}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        json!({"kty": "EC", "crv": "P-384", "x": base64url(&[1; 48]), "y": base64url(&[1; 48])}),
        json!({"kty": "RSA", "n": "AA", "e": "AQAB"}),
        low.clone(),
    ] {
        let token = with(|said| said["epk"] = epk.clone());
        assert_eq!(
            hers().open(&token).unwrap_err(),
            JweError::Unopened,
            "{epk}"
        );
    }
    let low: Jwk = serde_json::from_value(low).unwrap();
    let flaw = EncryptingKey::of(&low, KeyManagement::EcdhEs).err();
    assert_eq!(flaw, Some(JwkFlaw::NotForEncryption));
}

#[test]
fn a_token_that_is_cut_lengthened_or_too_long_opens_nothing() {
    for token in BY_JOSE {
        let parts: Vec<&str> = token.split('.').collect();
        for (place, part) in parts.iter().enumerate().skip(1) {
            for length in 0..part.len() {
                let mut cut = parts.clone();
                cut[place] = &part[..length];
                assert!(
                    hers().open(&cut.join(".")).is_err(),
                    "part {place} of {length}"
                );
            }
        }
        for other in [
            format!("{token}."),
            format!("{token}A"),
            format!("{token}="),
            token.replacen('.', "", 1),
            token.replacen("..", ".AAAA.", 1) + "AA",
            parts[..3].join("."),
            String::new(),
            "....".to_owned(),
        ] {
            assert!(hers().open(&other).is_err(), "{other}");
        }
        assert!(is_encrypted(token) && !is_encrypted("a.b.c"));
        let others = DecryptingKeys::of(&[Secret::new(vec![4; 32])]);
        assert_eq!(others.open(token).unwrap_err(), JweError::Unopened);
    }
    let with_a_key = BY_JOSE[0].replacen("..", ".AAAA.", 1);
    assert_eq!(hers().open(&with_a_key).unwrap_err(), JweError::Unopened);
    let long = format!("{}.{}..", BY_JOSE[0], "A".repeat(32 * 1024));
    assert_eq!(hers().open(&long).unwrap_err(), JweError::Malformed);
}

#[test]
fn no_accident_opens() {
    let (mut odd, mine) = (Odd(11), hers());
    for _ in 0..2_000 {
        let token = BY_JOSE[odd.below(3)];
        let other = odd.mutated(token);
        assert!(other == token || mine.open(&other).is_err(), "{other}");
    }
}

/// [RFC 7518 §4.3] "A key of size 2048 bits or larger MUST be used with these algorithms."
#[test]
fn a_short_or_a_wrong_key_is_no_recipient() {
    let rsa = |bytes: usize| Jwk::rsa(&vec![0xff; bytes], &[1, 0, 1], "RSA-OAEP");
    let flaw = |key: &Jwk, alg| EncryptingKey::of(key, alg).err();
    assert_eq!(
        flaw(&rsa(128), KeyManagement::RsaOaep),
        Some(JwkFlaw::Short)
    );
    assert_eq!(
        flaw(&rsa(1025), KeyManagement::RsaOaep),
        Some(JwkFlaw::Damaged)
    );
    assert_eq!(
        flaw(&rsa(256), KeyManagement::EcdhEs),
        Some(JwkFlaw::NotForEncryption)
    );
    let point = hers().published().unwrap().clone();
    assert_eq!(
        flaw(&point, KeyManagement::RsaOaep256),
        Some(JwkFlaw::NotForEncryption)
    );
    let mut off = point.clone();
    off.y = off.x.clone();
    assert_eq!(
        flaw(&off, KeyManagement::EcdhEsA256Kw),
        Some(JwkFlaw::NotForEncryption)
    );
}
