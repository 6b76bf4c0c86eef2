//! Where the policy offers them: codes on paper, for the day on which the phone is lost.

use super::{STRONG, app::scanned, enters, is_in, knocks, lost::only_the_new_app_counts, signs_in};
use crate::{Application, Browser, Person, Place, Role, Town, Words};

/// [O15] [L01] [L04] Made at home behind a fresh second factor, shown once, told by mail; afterwards the account
/// says how many are left and nothing else.
pub fn recovery_codes_are_shown_once(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    is_in_by_app(town, browser, w, &chloe);
    let codes = makes_codes(town, browser, w);
    assert_eq!(codes.len(), 8);
    browser.is_pictured("recovery-codes");
    let mail = town.next_mail(&chloe);
    assert!(codes.iter().all(|code| !mail.contains(code)), "{mail}");

    browser.clicks(w.recovery_noted);
    browser.sees(w.recovery_left_8);
    for path in ["/account", "/account/recovery-codes"] {
        browser.opens(&format!("{}{path}", town.origins().provider));
        browser.sees(w.recovery_left_8);
        let text = browser.text();
        assert!(codes.iter().all(|code| !text.contains(code)), "{text}");
    }
}

/// [L07] Chloé's phone is gone. A code from her sheet, as she types it, lets her in, and a new app takes the
/// place of the old one, which shows nothing of worth any more.
pub fn a_lost_phone_is_replaced_with_a_recovery_code(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let codes = kept(town, w, &chloe);
    town.passes(86_400);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    asks_for_her_sheet(town, browser, w, &chloe);
    let spelt: String = codes[2].to_lowercase().replace('-', " ");
    browser.types(w.recovery_code, &spelt);
    browser.clicks(w.soumettre);
    browser.sees(w.replacement_title);
    browser.sees(w.replacement_left_7);
    browser.is_signed_in_nowhere(&town.origins());
    browser.clicks(w.replacement_replace);
    browser.sees(w.app_title);
    let app = scanned(&browser.scans());
    browser.types(w.app_code, &town.app_code(&app));
    browser.clicks(w.soumettre);
    let claims = is_in(town, browser, w, Application::Ent, STRONG);
    assert_eq!(claims["amr"], serde_json::json!(["pwd", "otp", "mfa"]));

    town.passes(120);
    only_the_new_app_counts(town, w, (&chloe, &app));
}

/// [C11] [O15] The phone lies at home: a code stands for it once, applications hear that there were two factors
/// and of no phone, and the same code never counts again.
pub fn a_forgotten_phone_costs_one_recovery_code(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let codes = kept(town, w, &chloe);
    let told = town.mails(&chloe).len();
    town.passes(3600);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    asks_for_her_sheet(town, browser, w, &chloe);
    browser.types(w.recovery_code, &codes[0]);
    browser.clicks(w.soumettre);
    browser.clicks(w.replacement_keep);
    let claims = is_in(town, browser, w, Application::Ent, STRONG);
    assert_eq!(claims["amr"], serde_json::json!(["pwd", "mfa"]));
    assert!(town.mails(&chloe).len() > told, "she is told by mail");

    // A code makes no codes: else one sheet would last for ever.
    browser.opens(&format!(
        "{}/account/recovery-codes",
        town.origins().provider
    ));
    browser.sees(w.recovery_not_with_a_code);

    town.passes(120);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    asks_for_her_sheet(town, browser, w, &chloe);
    browser.types(w.recovery_code, &codes[0]);
    browser.clicks(w.soumettre);
    browser.sees(w.code_replayed);
    browser.is_signed_in_nowhere(&town.origins());
    // She has found her phone.
    browser.clicks(w.recovery_usual);
    browser.types(w.app_code, &town.shown_by_app(&chloe));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// [O15] New codes void the old ones; and an old page sent once more makes none.
pub fn new_recovery_codes_void_the_old_ones(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let old = kept(town, w, &chloe);
    town.passes(60);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    is_in_by_app(town, browser, w, &chloe);
    browser.opens(&format!(
        "{}/account/recovery-codes",
        town.origins().provider
    ));
    browser.clicks(w.recovery_make_new);
    browser.sees(w.recovery_made_title);
    let new = codes_on(&browser.text());
    assert!(new.iter().all(|code| !old.contains(code)));

    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    asks_for_her_sheet(town, browser, w, &chloe);
    browser.types(w.recovery_code, &old[7]);
    browser.clicks(w.soumettre);
    browser.sees(w.recovery_wrong);
    browser.types(w.recovery_code, &new[7]);
    browser.clicks(w.soumettre);
    browser.sees(w.replacement_title);
}

/// [L01] A session of this morning makes no codes: password and second factor are asked for again. At school
/// none are made at all.
pub fn recovery_codes_need_a_fresh_second_factor_outside(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    is_in_by_app(town, browser, w, &chloe);
    let page = format!("{}/account/recovery-codes", town.origins().provider);
    town.passes(1800);
    browser.opens(&page);
    browser.clicks(w.recovery_make);
    browser.sees(w.sign_in_title);
    enters(browser, w, &chloe);
    browser.types(w.app_code, &town.shown_by_app(&chloe));
    browser.clicks(w.soumettre);
    browser.lands_at(&page);
    browser.clicks(w.recovery_make);
    browser.sees(w.recovery_made_title);

    browser.goes_to(Place::School);
    browser.opens(&page);
    browser.sees(w.on_network);
    browser.does_not_see(w.recovery_make_new);
}

/// Signs in at home with the app.
fn is_in_by_app(town: &mut dyn Town, browser: &mut dyn Browser, w: &Words, person: &Person) {
    signs_in(town, browser, w, person);
    browser.types(w.app_code, &town.shown_by_app(person));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// From the account to the sheet; the codes on it.
fn makes_codes(town: &mut dyn Town, browser: &mut dyn Browser, w: &Words) -> Vec<String> {
    browser.opens(&format!("{}/account", town.origins().provider));
    browser.sees(w.recovery_title);
    browser.clicks(w.recovery_open);
    browser.clicks(w.recovery_make);
    browser.sees(w.recovery_made_title);
    browser.sees(w.recovery_once);
    codes_on(&browser.text())
}

/// The sheet that somebody printed some time ago.
fn kept(town: &mut dyn Town, w: &Words, person: &Person) -> Vec<String> {
    let mut browser = town.browser(Place::Home);
    is_in_by_app(town, &mut *browser, w, person);
    makes_codes(town, &mut *browser, w)
}

/// Name and password, and then no phone.
fn asks_for_her_sheet(town: &mut dyn Town, browser: &mut dyn Browser, w: &Words, person: &Person) {
    knocks(town, browser, w, Application::Ent);
    enters(browser, w, person);
    browser.sees(w.app_code_title);
    browser.clicks(w.recovery_lost);
    browser.sees(w.recovery_code_title);
}

/// What looks like a recovery code.
fn codes_on(text: &str) -> Vec<String> {
    let is_code = |word: &&str| {
        let groups: Vec<_> = word.split('-').map(str::len).collect();
        groups == [5, 5, 5] && !word.contains(char::is_lowercase)
    };
    text.split_whitespace()
        .filter(is_code)
        .map(str::to_owned)
        .collect()
}
