//! Hardware tokens of every kind that schools have in their drawers.

use journey::{
    Algorithm, Carrier, FactorId, Language as Written, Method, Otp, OtpKind, PersonId, Role, Secret,
};
use store::{NewPerson, NewToken};
use testkit::memory::Canton;
use testkit::{Language, Person, Place, Role as Part, Town, Words};

use crate::application::{asks, enters, parameter};

/// `{SSHA}` of `Gletsch-1894-Bahn`, as the former system kept it.
const HASH: &str = "{SSHA}eEXBjrG4l+Ole4Qt02ScOQeIjaZmdXJrYS1zYWx0";
const SEED: &[u8; 64] = b"1234567890123456789012345678901234567890123456789012345678901234";

fn otp(algorithm: Algorithm, digits: u8, kind: OtpKind, id: u8) -> Otp {
    let length = match algorithm {
        Algorithm::Sha1 => 20,
        Algorithm::Sha256 => 32,
        Algorithm::Sha512 => 64,
    };
    Otp {
        algorithm,
        carrier: Carrier::Token,
        digits,
        drift: 0,
        id: FactorId([id; 16]),
        kind,
        last_counter: None,
        secret: Secret::new(SEED[..length].to_vec()),
    }
}

/// Somebody comes over with a former name, a former password and this token.
fn comes_over(canton: &mut Canton, otp: &Otp) -> Person {
    let (store, by) = (canton.store().clone(), canton.by());
    let serial = format!("T-{}", otp.id.0[0]);
    let token = NewToken {
        otp: otp.clone(),
        serial: serial.clone(),
    };
    let person = NewPerson {
        aliases: vec!["former".into()],
        first_name: "Vreni".into(),
        id: PersonId([9; 16]),
        language: Written::De,
        last_name: "Imhof".into(),
        mail: "vreni@edu.example".into(),
        method: Some(Method::Token),
        password: Some(Secret::new(HASH.into())),
        phone: None,
        role: Role::Teacher,
        school: None,
        token_serial: Some(serial),
        username: "vreni.imhof".into(),
    };
    canton.waits_for(async {
        store.import_tokens(&[token], &by).await.unwrap();
        store.import_people(&[person], &by).await.unwrap();
    });
    let town: &mut dyn Town = canton;
    let luca = town.somebody(Part::Token);
    Person {
        username: "former".into(),
        password: "Gletsch-1894-Bahn".into(),
        ..luca
    }
}

/// [Guide 1.1] TOTP and HOTP, three hashes, six and eight digits, half a minute and a minute: all sign
/// in without any setup, and each code once.
#[test]
fn every_kind_of_token_signs_in() {
    let kinds = [
        (Algorithm::Sha1, 6, OtpKind::Totp { period_s: 30 }),
        (Algorithm::Sha1, 6, OtpKind::Totp { period_s: 60 }),
        (Algorithm::Sha256, 8, OtpKind::Totp { period_s: 30 }),
        (Algorithm::Sha512, 8, OtpKind::Totp { period_s: 60 }),
        (Algorithm::Sha1, 6, OtpKind::Hotp),
        (Algorithm::Sha256, 8, OtpKind::Hotp),
    ];
    for (id, (algorithm, digits, kind)) in (1..).zip(kinds) {
        let mut canton = Canton::new(Language::French);
        let otp = otp(algorithm, digits, kind, id);
        let vreni = comes_over(&mut canton, &otp);
        let counter = match kind {
            OtpKind::Hotp => 3,
            OtpKind::Totp { period_s } => {
                u64::try_from(canton.now() / i64::from(period_s)).unwrap()
            }
        };
        for taken in [true, false] {
            let code = otp.code_at(counter);
            assert_eq!(code.len(), usize::from(digits));
            assert_eq!(
                signs_in(&mut canton, &vreni, &code),
                taken,
                "{algorithm:?} {kind:?}"
            );
        }
    }
}

/// [O05] A button pressed in the pocket: ten codes ahead are found, an eleventh is not, and two in a
/// row find it again.
#[test]
fn a_button_pressed_too_often_needs_two_codes() {
    let mut canton = Canton::new(Language::French);
    let w = Words::of(Language::French);
    let otp = otp(Algorithm::Sha1, 6, OtpKind::Hotp, 7);
    let vreni = comes_over(&mut canton, &otp);
    assert!(signs_in(&mut canton, &vreni, &otp.code_at(5)));
    assert!(
        !signs_in(&mut canton, &vreni, &otp.code_at(4)),
        "no code of before"
    );
    assert!(
        !signs_in(&mut canton, &vreni, &otp.code_at(30)),
        "too far ahead for one code"
    );

    let mut browser = canton.browser(Place::Home);
    let answer = enters(&mut *browser, &asks(&[]), &vreni);
    browser.opens(&crate::application::at(answer.location()));
    browser.clicks(w.token_resync);
    browser.types(w.token_first, &otp.code_at(30));
    browser.types(w.token_next, &otp.code_at(32));
    browser.clicks(w.soumettre);
    browser.sees("ne se suivent pas");
    browser.types(w.token_first, &otp.code_at(40));
    browser.types(w.token_next, &otp.code_at(41));
    browser.clicks(w.soumettre);
    assert!(browser.url().contains("code="), "{}", browser.url());
    assert!(
        !signs_in(&mut canton, &vreni, &otp.code_at(41)),
        "both are spent"
    );
    assert!(signs_in(&mut canton, &vreni, &otp.code_at(42)));
}

/// Whether name, password and this code lead to the application.
fn signs_in(canton: &mut Canton, person: &Person, code: &str) -> bool {
    let w = Words::of(Language::French);
    let mut browser = canton.browser(Place::Home);
    let answer = enters(&mut *browser, &asks(&[]), person);
    browser.opens(&crate::application::at(answer.location()));
    browser.types(w.token_code, code);
    browser.clicks(w.soumettre);
    parameter(&browser.url(), "code").is_some()
}
