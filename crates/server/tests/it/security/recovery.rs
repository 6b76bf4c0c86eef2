//! O15: recovery codes, as strangers and scripts meet them.

use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Language, Person, Place, Role, Town};

use super::{account, begins, gets, is_signed_in, posts, signs_in_strongly, somebody, switch_off};
use crate::application::at;

const SHEET: &str = "/account/recovery-codes";

fn offering() -> Canton {
    Canton::under("recommended", Language::French)
}

/// What stands on the sheet that an answer shows.
fn codes_in(answer: &Answer) -> Vec<String> {
    let parts = answer.body.split("<li><code>").skip(1);
    parts
        .filter_map(|part| part.split('<').next().map(str::to_owned))
        .collect()
}

/// Makes a set in place of none.
fn makes(canton: &mut Canton, person: &Person) -> Vec<String> {
    let mut browser = canton.browser(Place::Home);
    signs_in_strongly(canton, &mut *browser, person);
    let answer = posts(&mut *browser, SHEET, &[("set", "")]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    codes_in(&answer)
}

/// Name and password, then no phone: the journey.
fn lost(browser: &mut dyn Browser, person: &Person) -> String {
    let journey = begins(browser, person);
    let answer = posts(browser, &journey, &[("action", "lost")]);
    assert_eq!(answer.location(), journey, "{answer:?}");
    journey
}

/// [O15] Of twenty browsers that send one code at once one is asked what is lost; the others hear that it was
/// used.
#[test]
fn a_recovery_code_is_taken_once_from_many_browsers() {
    let mut canton = offering();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let codes = makes(&mut canton, &chloe);
    canton.passes(60);
    let mut journeys = vec![];
    for _ in 0..20 {
        let mut browser = canton.browser(Place::Home);
        let journey = lost(&mut *browser, &chloe);
        journeys.push((browser, journey));
    }
    let attempts = journeys.iter_mut().map(|(browser, journey)| {
        Attempt::post(&at(journey), &[("recovery_code", &codes[4])])
            .from_page_of(&at(""))
            .from(Place::Home)
            .with_cookies_of(&mut **browser)
    });
    let attempts = attempts.collect();
    let answers = canton.sends(attempts);
    assert!(answers.iter().all(|answer| answer.status == 303));
    let mut asked = 0;
    for (browser, journey) in &mut journeys {
        let page = gets(&mut **browser, journey);
        match page.status {
            200 => asked += 1,
            status => assert_eq!(status, 422, "{}", page.body),
        }
        assert!(!is_signed_in(&mut **browser));
    }
    assert_eq!(asked, 1);
    let store = canton.store();
    let set = canton.waits_for(store.recovery_set(account(&canton, &chloe).person.id));
    assert_eq!(set.unwrap().unwrap().left(), 7);
}

/// [O15] Whoever knows a password learns nothing of who keeps codes: the same way, pages and words.
#[test]
fn nobody_is_told_who_keeps_recovery_codes() {
    let mut canton = offering();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let walk = |canton: &mut Canton| {
        let mut browser = canton.browser(Place::Home);
        let journey = lost(&mut *browser, &chloe);
        let asks = gets(&mut *browser, &journey);
        let wrong = [("recovery_code", "22222-33333-44444")];
        posts(&mut *browser, &journey, &wrong);
        let refuses = gets(&mut *browser, &journey);
        [asks, refuses].map(|page| {
            let journey = journey.as_str();
            let body = page.body.replace(journey, "");
            let nonce = body.split("nonce=\"").nth(1).map(|rest| &rest[..22]);
            let nonce = nonce.unwrap_or_default().to_owned();
            (page.status, body.replace(&nonce, ""))
        })
    };
    let without = walk(&mut canton);
    makes(&mut canton, &chloe);
    canton.passes(60);
    assert_eq!(walk(&mut canton), without);
}

/// [O10] [O15] Recovery codes share the budget of all second factors: who guesses at both gets no more.
#[test]
fn guessing_recovery_codes_spends_the_budget_of_all_codes() {
    let mut canton = offering();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let codes = makes(&mut canton, &chloe);
    canton.passes(60);
    let mut tries = 0;
    'guessing: for _ in 0..30 {
        let mut browser = canton.browser(Place::Home);
        let journey = lost(&mut *browser, &chloe);
        for _ in 0..5 {
            let wrong = [("recovery_code", "22222-33333-44444")];
            posts(&mut *browser, &journey, &wrong);
            let page = gets(&mut *browser, &journey);
            if page.status == 403 {
                continue 'guessing;
            }
            tries += 1;
        }
    }
    assert!(tries <= 50, "{tries}");
    let mut browser = canton.browser(Place::Home);
    let journey = lost(&mut *browser, &chloe);
    posts(&mut *browser, &journey, &[("recovery_code", &codes[0])]);
    assert_eq!(gets(&mut *browser, &journey).status, 403);
}

/// [O15] The guide knows no recovery codes: under its policy there is no page, no button and no way.
#[test]
fn under_the_guide_there_are_no_recovery_codes() {
    let mut canton = super::canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    let journey = begins(&mut *browser, &chloe);
    let page = gets(&mut *browser, &journey).body;
    assert!(!page.contains("value=\"lost\""));
    posts(&mut *browser, &journey, &[("action", "lost")]);
    assert_eq!(gets(&mut *browser, &journey).body.len(), page.len());
    let mut browser = canton.browser(Place::Home);
    canton.passes(60);
    signs_in_strongly(&mut canton, &mut *browser, &chloe);
    assert!(!gets(&mut *browser, "/account").body.contains(SHEET));
    assert_eq!(gets(&mut *browser, SHEET).status, 404);
    assert_eq!(posts(&mut *browser, SHEET, &[("set", "")]).status, 404);
}

/// [O15] The form sent twice makes one set: the second answer shows none, and the first sheet stays good.
#[test]
fn a_form_sent_twice_makes_one_set() {
    let mut canton = offering();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    signs_in_strongly(&mut canton, &mut *browser, &chloe);
    let first = posts(&mut *browser, SHEET, &[("set", "")]);
    let again = posts(&mut *browser, SHEET, &[("set", "")]);
    assert_eq!((first.status, again.status), (200, 303));
    assert!(codes_in(&again).is_empty());
    for nonsense in ["x", "00", &"f".repeat(33)] {
        assert_eq!(
            posts(&mut *browser, SHEET, &[("set", nonsense)]).status,
            400
        );
    }
    canton.passes(60);
    let mut browser = canton.browser(Place::Home);
    let journey = lost(&mut *browser, &chloe);
    let code = codes_in(&first).pop().unwrap();
    posts(&mut *browser, &journey, &[("recovery_code", &code)]);
    assert_eq!(gets(&mut *browser, &journey).status, 200);
}

/// [L05] [O15] Who is switched off has no codes any more, not even when they are switched on again.
#[test]
fn recovery_codes_end_with_the_identity() {
    let mut canton = offering();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let codes = makes(&mut canton, &chloe);
    switch_off(&mut canton, &chloe);
    let (id, by) = (account(&canton, &chloe).person.id, super::by(&mut canton));
    canton
        .waits_for(canton.store().disable(id, false, &by))
        .unwrap();
    canton.passes(60);
    let mut browser = canton.browser(Place::Home);
    let journey = lost(&mut *browser, &chloe);
    posts(&mut *browser, &journey, &[("recovery_code", &codes[0])]);
    assert_eq!(gets(&mut *browser, &journey).status, 422);
}

/// [P02] [O15] The database holds no code in any spelling, nor does the audit.
#[test]
fn no_recovery_code_is_written_down() {
    let mut canton = offering();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let codes = makes(&mut canton, &chloe);
    assert_eq!(codes.len(), 8);
    canton.settles();
    let bytes = canton.database();
    for code in codes {
        for spelt in [code.clone(), code.replace('-', "")] {
            let found = bytes.windows(spelt.len()).any(|w| w == spelt.as_bytes());
            assert!(!found, "{spelt}");
        }
    }
}
