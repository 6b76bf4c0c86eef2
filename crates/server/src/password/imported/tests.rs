//! Vectors made by other programs: Python's hashlib and crypt, OpenSSL, the Argon2 reference.

use std::sync::Arc;

use store::seal::Keys;

use super::*;
use crate::password::{Costs, Pepper, Stored, Verdict, verify::Hasher};

const RIGHT: &str = "correct horse été";

const VECTORS: [(Format, &str); 18] = [
    (
        Format::Argon2id,
        "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHQ$ARoLS0zJLKrVcYxFnZqn5NrLaUQYSrH2rCCTagfu0uc",
    ),
    (
        Format::Argon2i,
        "{ARGON2}$argon2i$v=19$m=64,t=3,p=1$c29tZXNhbHQ$syrVjpxRXSuBb3gHoFDLu/yNVvuE12yZ3/YTwWdQZ2I",
    ),
    (
        Format::Bcrypt,
        "$2a$05$abcdefghijklmnopqrstuub7j8xbZenGbIF7VtJoePYjgcNJ7g0Kq",
    ),
    (
        Format::Bcrypt,
        "$2b$05$abcdefghijklmnopqrstuub7j8xbZenGbIF7VtJoePYjgcNJ7g0Kq",
    ),
    (
        Format::Bcrypt,
        "$2y$05$abcdefghijklmnopqrstuub7j8xbZenGbIF7VtJoePYjgcNJ7g0Kq",
    ),
    (
        Format::Pbkdf2Sha1,
        "$pbkdf2$1000$AAECAwQFBgcICQoLDA0ODw$.QCtg3908lfR2Km6e0xmW3LRxkA",
    ),
    (
        Format::Pbkdf2Sha256,
        "$pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw$ixhbZg7UPTZuuO1vo0NxxxX6.4nDl.Cprc2Pgysk.Us",
    ),
    (
        Format::Pbkdf2Sha256,
        "{PBKDF2-SHA256}1000$AAECAwQFBgcICQoLDA0ODw$ixhbZg7UPTZuuO1vo0NxxxX6.4nDl.Cprc2Pgysk.Us",
    ),
    (
        Format::Pbkdf2Sha256,
        "pbkdf2_sha256$1000$tXy9saltDj$kcCaUzwSPRo6RcmNdaX+v7YrklOfhN7fdp1H55ixmZs=",
    ),
    (
        Format::Pbkdf2Sha512,
        "$pbkdf2-sha512$1000$AAECAwQFBgcICQoLDA0ODw$ypm1cSqfoE4IlMiA67oKGNgM06zR04OvtgKZzIloKHP/./pyfihkEX5aG8dWgp1gc/tlFJGYDi/tTahOJp.JYw",
    ),
    (Format::Sha, "{SHA}ZN3uoDVVxUUtOQ/M0CpeqM1FnF8="),
    (
        Format::Sha256Crypt,
        "$5$saltstring$iyHPg3wU4kwt1ruj44CmIh8Nsr0PMjIi/hcMi3RJbG9",
    ),
    (
        Format::Sha512Crypt,
        "{CRYPT}$6$saltstring$mFPp26/15hAdSseKIi17XJz9KRcxVj5lSK28O/ONSUM96aMWstrono2eE/aQRziyxmLY.D.XGUaJjJYBZbzD/0",
    ),
    (
        Format::Sha512Crypt,
        "$6$rounds=2000$saltsalt$g8JH2gn1.otUH5gT4sQCWH8CmKxma/Dc43yrcKcJB9mr7zlyoIzcx.BYHDPBKg91OahD8cjLF8LaxQobp6k6B0",
    ),
    (
        Format::Ssha,
        "{SSHA}8Y2+EeyyQAzpI2Q/OithkoYf1VsAAQIDBAUGBw==",
    ),
    (Format::Ssha, "{ssha}8Y2+EeyyQAzpI2Q/OithkoYf1VsAAQIDBAUGBw"),
    (
        Format::Ssha256,
        "{SSHA256}hnZ2lKFbwGHBLyYEJiEBcvuOxH1i7Lj/1eRr+OWUspEAAQIDBAUGBw==",
    ),
    (
        Format::Ssha512,
        "{SSHA512}PTFiM5RAQE72jM5S4hvpapQp5FZkCUMfDGM28TKQAyvZMY9/3bnWPsFW3wvtPYMAVB6aEaWAvnqFHP8SQa4j1AABAgMEBQYH",
    ),
];

fn verify(typed: &str, stored: &str) -> Verdict {
    let mut hasher = Hasher::new(
        Costs::dangerously_cheap(),
        Arc::new(Pepper::of(Arc::new(Keys::from_master(&[1; 32])))),
    );
    let typed = Password::parse(typed.to_owned()).unwrap();
    hasher.verify(&typed, &Stored::parse(stored).unwrap())
}

#[test]
fn hashes_of_other_systems_are_recognised_and_verify() {
    for (format, text) in VECTORS {
        assert_eq!(Imported::recognise(text), Ok(format), "{text}");
        assert_eq!(
            verify(RIGHT, text),
            Verdict::Right { upgrade: true },
            "{text}"
        );
        assert_eq!(verify("correct horse ete", text), Verdict::Wrong, "{text}");
    }
}

/// [A09] bcrypt ignores what follows 72 bytes: such a password is wrong, not shortened.
#[test]
fn bcrypt_never_accepts_a_password_it_would_have_shortened() {
    let hash = bcrypt::hash("x".repeat(72), 4).unwrap();
    assert_eq!(
        verify(&"x".repeat(72), &hash),
        Verdict::Right { upgrade: true }
    );
    assert_eq!(verify(&"x".repeat(73), &hash), Verdict::Wrong);
    let hash = bcrypt::hash("a", 4).unwrap();
    assert_eq!(verify("a\0a", &hash), Verdict::Wrong);
}

/// [A12] An imported row cannot make a sign-in cost minutes.
#[test]
fn imported_hashes_beyond_the_bounds_are_refused_before_hashing() {
    let refused = |text: &str| Imported::recognise(text).unwrap_err();
    let too_costly = |what, found, max| UnusableHash::TooCostly { what, found, max };
    assert_eq!(
        refused("$2b$15$abcdefghijklmnopqrstuub7j8xbZenGbIF7VtJoePYjgcNJ7g0Kq"),
        too_costly("bcrypt cost steps", 15, 14)
    );
    assert_eq!(
        refused("pbkdf2_sha256$2000001$tXy9saltDj$kcCaUzwSPRo6RcmNdaX+v7YrklOfhN7fdp1H55ixmZs="),
        too_costly("iterations", 2_000_001, 2_000_000)
    );
    assert_eq!(
        refused("$5$rounds=999999999$saltstring$iyHPg3wU4kwt1ruj44CmIh8Nsr0PMjIi/hcMi3RJbG9"),
        too_costly("rounds", 999_999_999, 1_000_000)
    );
}

#[test]
fn a_hash_made_with_a_key_of_another_system_is_refused() {
    let text = "$argon2id$v=19$m=64,t=2,p=2,keyid=AAAA$c29tZXNhbHQ$\
                ARoLS0zJLKrVcYxFnZqn5NrLaUQYSrH2rCCTagfu0uc";
    assert_eq!(Imported::recognise(text), Err(UnusableHash::ForeignKey));
}

/// [P07] What cannot be read is refused with its reason, and never panics.
#[test]
fn broken_hashes_are_refused() {
    for text in [
        "",
        "geheim",
        "$",
        "$$",
        "{MD5}AAAA",
        "{SSHA",
        "$1$salt$hash",
        "$2x$05$",
        "{CRYPT}ab",
    ] {
        assert_eq!(
            Imported::recognise(text),
            Err(UnusableHash::Unknown),
            "{text}"
        );
    }
    for (format, text) in VECTORS {
        for end in 0..text.len() {
            let Some(cut) = text.get(..end) else { continue };
            // Cutting the padding or a part of the salt leaves a whole hash of another password.
            if let Ok(found) = Imported::recognise(cut) {
                assert_eq!(found, format, "{cut}");
            }
        }
        assert!(Imported::recognise(&format!("{text}$x")).is_err(), "{text}");
        assert!(Imported::recognise(&format!("{text}é")).is_err(), "{text}");
    }
    let unsalted = Imported::recognise("{SSHA}ZN3uoDVVxUUtOQ/M0CpeqM1FnF8=");
    assert_eq!(unsalted, Err(UnusableHash::Malformed(Format::Ssha)));
}
