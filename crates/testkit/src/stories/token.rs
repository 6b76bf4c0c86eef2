//! Chapter 4: the hardware token.

use super::{STRONG, enters, is_in, knocks, signs_in};
use crate::{Application, Place, Role, Town, Words};

/// [Guide 1.1] "Cette étape n'aura pas lieu si vous avez sélectionné le système d'authentification forte par Token ; vous avez toujours accès à ISM avec vos anciens identifiants."
pub fn a_token_holder_reaches_ism_by_the_former_name_without_any_setup(
    town: &mut dyn Town,
    w: &Words,
) {
    let luca = town.somebody(Role::Token);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    knocks(town, browser, w, Application::Ism);
    enters(browser, w, &luca);
    browser.sees(w.token_title);
    browser.is_pictured("token");
    let code = town.shown_by_token(&luca);
    browser.types(w.token_code, &code);
    browser.clicks(w.soumettre);
    let claims = is_in(town, browser, w, Application::Ism, STRONG);
    assert_eq!(claims["amr"], serde_json::json!(["pwd", "otp", "mfa"]));
    assert_eq!(town.sms(&luca), Vec::<String>::new());

    // A second time, when the display has changed; the same code is not taken twice.
    let mut again = town.browser(Place::Home);
    let again = &mut *again;
    signs_in(town, again, w, &luca);
    again.types(w.token_code, &code);
    again.clicks(w.soumettre);
    again.sees(w.code_replayed);
    town.passes(60);
    again.types(w.token_code, &town.shown_by_token(&luca));
    again.clicks(w.soumettre);
    is_in(town, again, w, Application::Ent, STRONG);
}

/// A token whose clock fell behind: twenty minutes ago it showed these codes.
pub fn a_token_out_of_step_is_found_again_by_two_codes(town: &mut dyn Town, w: &Words) {
    let luca = town.somebody(Role::Token);
    // At the beginning of a minute, so that the two codes follow each other on every stage.
    let into_the_minute = town.now() % 60;
    town.passes(61 - into_the_minute);
    let first = town.shown_by_token(&luca);
    town.passes(60);
    let second = town.shown_by_token(&luca);
    town.passes(20 * 60);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &luca);

    browser.types(w.token_code, &first);
    browser.clicks(w.soumettre);
    browser.sees(w.token_wrong);
    browser.clicks(w.token_resync);
    browser.types(w.token_first, &first);
    browser.types(w.token_next, &second);
    browser.clicks(w.soumettre);

    is_in(town, browser, w, Application::Ent, STRONG);
}
