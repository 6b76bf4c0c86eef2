//! O: codes by SMS, of apps and tokens, and of activations.

use std::sync::Arc;

use journey::ActivationId;
use store::{NewActivation, seal::Keys};
use testkit::memory::Canton;
use testkit::{Answer, App, Attempt, Browser, Person, Place, Role, Town};

use super::sign_in::{activation_code, tries};
use super::{account, alike, audit, begins, by, canton, gets, posts, somebody, wrong};
use crate::application::{asks, at};

/// [O08] A code opens the journey for which it was sent, in the browser that asked for it, and no
/// other of the same person.
#[test]
fn a_code_opens_its_own_journey_only() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::Home);
    let mut other = canton.browser(Place::Home);
    let first = begins(&mut *browser, &anna);
    let code = (&mut canton as &mut dyn Town).sms_code(&anna);
    let second = begins(&mut *browser, &anna);
    let elsewhere = begins(&mut *other, &anna);
    assert!(!posts(&mut *browser, &second, &[("code", &code)]).signs_somebody_in());
    assert!(!posts(&mut *other, &elsewhere, &[("code", &code)]).signs_somebody_in());
    assert!(!posts(&mut *other, &first, &[("code", &code)]).signs_somebody_in());
    assert!(posts(&mut *browser, &first, &[("code", &code)]).signs_somebody_in());
}

/// [O10] [A16] A thousand wrong codes at once over forty journeys share one budget, and when it is
/// spent, [O11] a right code and a wrong one get the same page.
#[test]
fn a_thousand_codes_over_many_journeys_share_one_budget() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    let (right, mistyped) = (begins(&mut *browser, &chloe), begins(&mut *browser, &chloe));
    let journeys: Vec<String> = (0..40).map(|_| begins(&mut *browser, &chloe)).collect();
    let code = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
    let guesses: Vec<Attempt> = (0..1000)
        .map(|guess| {
            let path = at(&journeys[guess % journeys.len()]);
            let guess = format!(
                "{:06}",
                (code.parse::<usize>().unwrap() + 1 + guess) % 1_000_000
            );
            Attempt::post(&path, &[("code", &guess)])
                .from_page_of(&at(""))
                .from(Place::Home)
                .with_cookies_of(&mut *browser)
        })
        .collect();
    for answer in canton.sends(guesses) {
        assert!(
            !answer.signs_somebody_in() && answer.status < 500,
            "{answer:?}"
        );
    }
    let looked_at = audit(&canton)
        .iter()
        .filter(|entry| entry.happened.contains("code-wrong"))
        .count();
    assert!(looked_at <= 50, "{looked_at} codes were looked at");
    let lane = store::LaneKey::SecondFactor(account(&canton, &chloe).person.id);
    let lane = canton.waits_for(canton.store().lane(&lane)).unwrap();
    assert_eq!(lane.tries, 50, "the budget is spent");

    let mut said = Vec::new();
    for (journey, code) in [(&right, code.clone()), (&mistyped, wrong(&code))] {
        let answer = posts(&mut *browser, journey, &[("code", &code)]);
        assert!(!answer.signs_somebody_in());
        let page = gets(&mut *browser, journey);
        let support = super::between(&page.body, "<strong class=\"code\">", "<");
        said.push((
            answer.status,
            alike(&page, &support),
            answer.location() == journey,
        ));
    }
    assert_eq!(said[0].0, said[1].0);
    assert_eq!(said[0].2, said[1].2);
    assert_eq!(said[0].1.0, said[1].1.0);
    assert_eq!(
        without_codes(&said[0].1.2, &right),
        without_codes(&said[1].1.2, &mistyped)
    );
}

/// A page without support codes, which are drawn for each journey: four letters and digits, twice.
fn without_codes(page: &str, journey: &str) -> String {
    let like = |word: &str| {
        word.len() == 9
            && word.chars().nth(4) == Some('-')
            && word
                .chars()
                .all(|c| c == '-' || c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    page.replace(journey, "…")
        .split(['<', '>', ' ', '\n'])
        .filter(|word| !like(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// [O11] A right password and a wrong one get the same page while the budget is spent.
#[test]
fn a_right_password_over_the_budget_tells_nothing() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mistyped = Person {
        password: "Falsch-1234".into(),
        ..anna.clone()
    };
    for _ in 0..5 {
        tries(&mut *canton.browser(Place::Home), &mistyped);
    }
    let right = tries(&mut *canton.browser(Place::Home), &anna);
    let mistyped = tries(&mut *canton.browser(Place::Home), &mistyped);
    assert_eq!(right.status, 429);
    assert_eq!(
        alike(&right, &anna.username),
        alike(&mistyped, &anna.username)
    );
}

/// [O13] Whoever has the password makes the phone ring five times at once, then every twelve minutes,
/// and twenty times and a little more on the first day: by new sign-ins, by asking again, or by a
/// hundred at the same time.
#[test]
fn a_phone_rings_within_its_budget() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let rung = |canton: &mut Canton| {
        canton.waits();
        i64::try_from((canton as &mut dyn Town).sms(&anna).len()).unwrap()
    };
    let mut browser = canton.browser(Place::Home);
    let page = gets(&mut *browser, "/login");
    let ticket = super::between(&page.body, "name=\"ticket\" value=\"", "\"");
    let fields = [
        ("username", anna.username.as_str()),
        ("password", &anna.password),
        ("ticket", &ticket),
    ];
    let knock = Attempt::post(&at("/login"), &fields)
        .from_page_of(&at(""))
        .from(Place::Home);
    let knock = knock.with_cookies_of(&mut *browser);
    canton.sends(vec![knock.clone(); 100]);
    assert!(
        (1..=5).contains(&rung(&mut canton)),
        "{} at once",
        rung(&mut canton)
    );

    let began = canton.now();
    for _ in 0..96 {
        for answer in canton.sends(vec![knock.clone(); 2]) {
            posts(&mut *browser, answer.location(), &[("action", "resend")]);
            canton.passes(40);
            posts(&mut *browser, answer.location(), &[("action", "resend")]);
        }
        canton.passes(820);
        let page = gets(&mut *browser, "/login");
        assert_eq!(page.status, 200);
        let elapsed = canton.now() - began;
        let most = (5 + elapsed / 720).min(20 + elapsed / 4320) + 1;
        assert!(
            rung(&mut canton) <= most,
            "{} after {elapsed} s",
            rung(&mut canton)
        );
    }
}

/// Issues a new activation code to somebody, as the desk does.
pub(super) fn issues(canton: &mut Canton, person: &Person) -> String {
    let id = account(canton, person).person.id;
    let code = server::activation_code::draw(canton.toy());
    let keys = Arc::new(Keys::from_master(&[7; 32]));
    let canonical = server::activation_code::canonical(&code).unwrap();
    let mut activation = [0; 16];
    canton.toy().throw(&mut activation);
    let new = NewActivation {
        id: ActivationId(activation),
        mac: server::activation_code::mac(&keys, id, &canonical),
        message: None,
        person: id,
        until: journey::Timestamp(canton.now()).plus(86_400),
    };
    let by = by(canton);
    canton
        .waits_for(canton.store().issue_activation(&new, &by))
        .unwrap();
    code
}

/// Opens an activation; the address of the journey.
pub(super) fn opens(browser: &mut dyn Browser, username: &str, code: &str) -> Answer {
    posts(
        browser,
        "/activate",
        &[("username", username), ("activation_code", code)],
    )
}

/// The steps from the data to the choice of the method.
pub(super) fn chooses_password(browser: &mut dyn Browser, journey: &str, password: &str) {
    posts(browser, journey, &[("action", "confirm")]);
    posts(
        browser,
        journey,
        &[("new_password", password), ("new_password_again", password)],
    );
}

/// A password of the cantonal rules.
pub(super) const PASSWORD: &str = "Marmotte-2026-Furka";

/// [O16] An activation code is good for an activation of its person, until its time: it is no
/// password, no code, no link; and begun in time is not finished in time.
#[test]
fn an_activation_code_is_for_one_purpose_one_person_and_one_day() {
    let mut canton = canton();
    let elodie = somebody(&mut canton, Role::New);
    let mail = (&mut canton as &mut dyn Town).next_mail(&elodie);
    let code = activation_code(&mail);
    let mut browser = canton.browser(Place::School);
    let typed = Person {
        password: code.clone(),
        ..elodie.clone()
    };
    assert_eq!(tries(&mut *browser, &typed).status, 422);
    let inside = posts(&mut *browser, &format!("/resume/{code}"), &[]);
    assert!(!inside.signs_somebody_in(), "{inside:?}");
    let mut home = canton.browser(Place::Home);
    assert_eq!(
        posts(&mut *home, &format!("/resume/{code}"), &[]).status,
        410
    );
    let anna = somebody(&mut canton, Role::Sms);
    let journey = begins(&mut *home, &anna);
    assert!(!posts(&mut *home, &journey, &[("code", &code)]).signs_somebody_in());
    assert_eq!(opens(&mut *browser, &anna.username, &code).status, 422);

    canton.passes(86_400 - 300);
    let journey = opens(&mut *browser, &elodie.username, &code)
        .location()
        .to_owned();
    assert!(journey.starts_with("/activate/"));
    chooses_password(&mut *browser, &journey, PASSWORD);
    canton.passes(400);
    posts(
        &mut *browser,
        &journey,
        &[("method", "sms"), ("phone", "0791112233")],
    );
    assert!(
        account(&canton, &elodie).password.is_none(),
        "activated after the deadline"
    );
    assert_eq!(opens(&mut *browser, &elodie.username, &code).status, 422);
}

/// [O16] Of two who open the same code at once, one activates.
#[test]
fn an_activation_code_is_spent_by_one() {
    let mut canton = canton();
    let elodie = somebody(&mut canton, Role::New);
    let code = issues(&mut canton, &elodie);
    let mut browsers = [canton.browser(Place::Home), canton.browser(Place::Home)];
    let last: Vec<Attempt> = (0..2)
        .map(|number| {
            let browser = &mut *browsers[number];
            let journey = opens(browser, &elodie.username, &code)
                .location()
                .to_owned();
            chooses_password(browser, &journey, &format!("{PASSWORD}-{number}"));
            let phone = format!("079111223{number}");
            let fields = [("method", "sms"), ("phone", phone.as_str())];
            Attempt::post(&at(&journey), &fields)
                .from_page_of(&at(""))
                .with_cookies_of(browser)
        })
        .collect();
    canton.sends(last);
    let entries = audit(&canton);
    let activated = entries
        .iter()
        .filter(|entry| entry.happened.contains("\"activated\""))
        .count();
    assert_eq!(activated, 1);
}

/// [O10] Whose activation wants a token that somebody else holds cannot guess its code over many
/// journeys: the budget of second factors counts here, too.
#[test]
fn a_token_cannot_be_guessed_by_activating_again_and_again() {
    let mut canton = canton();
    let elodie = somebody(&mut canton, Role::New);
    let code = issues(&mut canton, &elodie);
    let token = journey::Otp {
        algorithm: journey::Algorithm::Sha1,
        carrier: journey::Carrier::Token,
        digits: 6,
        drift: 0,
        id: journey::FactorId([5; 16]),
        kind: journey::OtpKind::Totp { period_s: 30 },
        last_counter: None,
        secret: journey::Secret::new(b"a free token's seed.".to_vec()),
    };
    let new = store::NewToken {
        otp: token,
        serial: "VS-FREE".into(),
    };
    let by = by(&mut canton);
    canton
        .waits_for(canton.store().import_tokens(&[new], &by))
        .unwrap();
    for _ in 0..40 {
        let mut browser = canton.browser(Place::Home);
        let journey = opens(&mut *browser, &elodie.username, &code)
            .location()
            .to_owned();
        chooses_password(&mut *browser, &journey, PASSWORD);
        posts(
            &mut *browser,
            &journey,
            &[("method", "token"), ("phone", "")],
        );
        for guess in 0..5 {
            let guess = format!("{guess:06}");
            posts(
                &mut *browser,
                &journey,
                &[("serial", "VS-FREE"), ("code", &guess)],
            );
        }
    }
    let lane = store::LaneKey::SecondFactor(account(&canton, &elodie).person.id);
    let lane = canton.waits_for(canton.store().lane(&lane)).unwrap();
    assert_eq!(lane.tries, 50, "the budget is spent");
    // Beyond it nothing is looked at, not even the right code.
    let key = data_encoding::BASE32_NOPAD.encode(b"a free token's seed.");
    let right = (&mut canton as &mut dyn Town).app_code(&App { key });
    let mut browser = canton.browser(Place::Home);
    let journey = opens(&mut *browser, &elodie.username, &code)
        .location()
        .to_owned();
    chooses_password(&mut *browser, &journey, PASSWORD);
    posts(
        &mut *browser,
        &journey,
        &[("method", "token"), ("phone", "")],
    );
    posts(
        &mut *browser,
        &journey,
        &[("serial", "VS-FREE"), ("code", &right)],
    );
    assert!(account(&canton, &elodie).password.is_none());
}

/// [O18] No secret is compared with `==`: where one is exposed, it is hashed, sealed or sent.
#[test]
fn no_exposed_secret_is_compared() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<_> = ["journey", "peers", "server", "store", "wire"]
        .map(|room| root.join(room).join("src"))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let product = text.split("#[cfg(test)]").next().unwrap_or_default();
            let is_test =
                path.ends_with("tests.rs") || path.to_string_lossy().contains("conformance");
            for line in product.lines().filter(|_| !is_test) {
                let compares =
                    line.contains("expose()") && (line.contains("==") || line.contains("!="));
                assert!(!compares, "{}: {line}", path.display());
            }
        }
    }
}

/// The page of a fresh request shows nothing of an earlier one.
#[test]
fn asking_again_shows_no_code() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::Home);
    let journey = begins(&mut *browser, &anna);
    let code = (&mut canton as &mut dyn Town).sms_code(&anna);
    for path in [journey.as_str(), "/login", &asks(&[])[at("").len()..]] {
        assert!(!gets(&mut *browser, path).body.contains(&code), "{path}");
    }
}
