//! What our own hashes hold, and that nothing read from a database can cost more than allowed.

use super::*;

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

fn pepper(number: u8) -> Pepper {
    Pepper::of(Arc::new(Keys::from_master(&[number; 32])))
}

fn hasher(pepper: Pepper) -> Hasher {
    Hasher::new(Costs::dangerously_cheap(), Arc::new(pepper))
}

fn stored(hash: &PhcString) -> Stored {
    Stored::parse(hash.as_str()).unwrap()
}

const SALT: Salt = Salt([9; 16]);
const UP_TO_DATE: Verdict = Verdict::Right { upgrade: false };
const OUT_OF_DATE: Verdict = Verdict::Right { upgrade: true };

/// [A09] No length and no letter is lost on the way into the hash.
#[test]
fn passwords_that_differ_in_their_last_letter_are_different() {
    let mut hasher = hasher(pepper(1));
    for length in [1, 7, 71, 72, 73, 128, 1023] {
        let right = format!("{}a", "x".repeat(length - 1));
        let hash = stored(&hasher.hash(&password(&right), SALT).unwrap());
        assert_eq!(hasher.verify(&password(&right), &hash), UP_TO_DATE);
        for wrong in [
            format!("{}b", "x".repeat(length - 1)),
            right.to_uppercase(),
            right + " ",
        ] {
            assert_eq!(
                hasher.verify(&password(&wrong), &hash),
                Verdict::Wrong,
                "{length}"
            );
        }
    }
}

/// [A12] The defaults are the recommended minimum and are written into the hash.
#[test]
fn a_new_hash_names_its_costs() {
    let mut hasher = Hasher::new(Costs::default(), Arc::new(pepper(1)));
    let hash = hasher.hash(&password("geheim"), SALT).unwrap();
    assert!(
        hash.as_str()
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid="),
        "{}",
        hash.as_str()
    );
    assert_eq!(
        hasher.verify(&password("geheim"), &stored(&hash)),
        UP_TO_DATE
    );
}

/// [A12] A hash made with other costs verifies and asks to be made anew.
#[test]
fn a_hash_with_other_costs_asks_for_an_upgrade() {
    let hash = hasher(pepper(1)).hash(&password("geheim"), SALT).unwrap();
    let mut now = Hasher::new(Costs::new(20_000, 2, 1).unwrap(), Arc::new(pepper(1)));
    assert_eq!(now.verify(&password("geheim"), &stored(&hash)), OUT_OF_DATE);
    assert_eq!(
        now.verify(&password("Geheim"), &stored(&hash)),
        Verdict::Wrong
    );
}

/// [A12] Costs below the minimum or above the bound are refused.
#[test]
fn costs_are_neither_too_weak_nor_too_high() {
    for (memory_kib, passes, lanes) in [(19_456, 2, 1), (47_104, 1, 1), (65_536, 3, 4)] {
        assert!(Costs::new(memory_kib, passes, lanes).is_ok());
    }
    for (memory_kib, passes, lanes) in [(19_455, 2, 1), (19_456, 1, 1), (19_456, 2, 0)] {
        assert_eq!(
            Costs::new(memory_kib, passes, lanes),
            Err(CostsRefused::TooWeak)
        );
    }
    for (memory_kib, passes, lanes) in [(262_145, 2, 1), (19_456, 17, 1), (19_456, 2, 9)] {
        assert_eq!(
            Costs::new(memory_kib, passes, lanes),
            Err(CostsRefused::TooCostly)
        );
    }
    assert_eq!(Costs::new(19_456, 2, 1), Ok(Costs::default()));
}

/// [A12] A row of the database cannot make a sign-in cost gigabytes or minutes.
#[test]
fn a_stored_hash_beyond_the_bounds_is_refused_before_hashing() {
    let refused = |params: &str| {
        let text = format!("$argon2id$v=19${params}$c29tZXNhbHQ$ARoLS0zJLKrVcYxFnZqn5NrLaUQYSrH2");
        Stored::parse(&text).unwrap_err()
    };
    let too_costly = |what, found, max| UnusableHash::TooCostly { what, found, max };
    assert_eq!(
        refused("m=4194304,t=2,p=1"),
        too_costly("KiB of memory", 4_194_304, MEMORY_KIB_MAX)
    );
    assert_eq!(
        refused("m=64,t=17,p=1,keyid=AAAA"),
        too_costly("passes", 17, PASSES_MAX)
    );
    assert_eq!(refused("m=1024,t=1,p=9"), too_costly("lanes", 9, LANES_MAX));
    assert_eq!(
        refused("m=1,t=1,p=1"),
        UnusableHash::Malformed(Format::Argon2id)
    );
    assert_eq!(
        refused("m=99999999999,t=1,p=1"),
        UnusableHash::Malformed(Format::Argon2id)
    );
}

/// Without the pepper a stored hash is not even a hash of its password.
#[test]
fn another_pepper_makes_every_password_wrong() {
    let hash = stored(&hasher(pepper(1)).hash(&password("geheim"), SALT).unwrap());
    assert_eq!(
        hasher(pepper(2)).verify(&password("geheim"), &hash),
        Verdict::Wrong
    );
}

#[test]
fn a_retired_pepper_still_verifies_and_asks_for_an_upgrade() {
    let hash = stored(&hasher(pepper(1)).hash(&password("geheim"), SALT).unwrap());
    let mut rotated = hasher(Pepper::of(Arc::new(
        Keys::from_master(&[1; 32]).and_newer(&[2; 32]),
    )));
    assert_eq!(rotated.verify(&password("geheim"), &hash), OUT_OF_DATE);
    let anew = stored(&rotated.hash(&password("geheim"), SALT).unwrap());
    assert_eq!(rotated.verify(&password("geheim"), &anew), UP_TO_DATE);
}

/// [P02] The pepper is not printed.
#[test]
fn a_pepper_prints_nothing() {
    assert_eq!(format!("{:?}", pepper(65)), "Pepper");
}

/// [A13] Memory grows for one imported hash only.
#[test]
fn memory_is_given_back_after_a_hash_that_needed_more() {
    let mut hasher = hasher(pepper(1));
    let hash = hasher.hash(&password("geheim"), SALT).unwrap();
    let kept = hasher.arena.blocks.len();
    let costly = hash.as_str().replace("m=64", "m=4096");
    let _wrong = hasher.verify(&password("geheim"), &Stored::parse(&costly).unwrap());
    assert_eq!(hasher.arena.blocks.len(), kept);
    assert_eq!(kept, 64);
}
