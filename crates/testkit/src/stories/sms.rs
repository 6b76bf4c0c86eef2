//! Chapter 2: the code by SMS.

use super::{STRONG, answers_sms, is_in, knocks, signs_in};
use crate::{Application, Place, Role, Town, Words};

/// [Guide 2.1] "Rendez-vous ensuite sur la plateforme ENT"
/// [Guide 2.2] "Cliquez sur « Se connecter »."
/// [Guide 2.3] "Vous êtes redirigé vers une page de connexion qui demande le nom d'utilisateur et le mot de passe créés dans la précédente étape."
/// [Guide 2.4] "Cliquez sur « Connexion »."
/// [Guide 3.2] "Lors de votre première connexion, vous serez redirigé vers le système d'authentification forte."
/// [Guide 3.3] "Un code SMS à usage unique vous sera envoyé sur votre smartphone."
/// [Guide 3.4] "Entrez ce code dans le champ prévu à cet effet."
/// [Guide 3.5] "Cliquez sur « Soumettre »."
/// [Guide 3.6] "Si vous avez sélectionné l'authentification forte par SMS, vous pouvez passer directement à la connexion à l'ENT (point 11)."
pub fn a_teacher_at_home_signs_in_with_a_code_by_sms(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;

    browser.opens(&format!("{}/", town.origins().ent));
    browser.is_pictured("portal");
    browser.clicks(w.se_connecter);
    browser.sees(w.sign_in_title);
    browser.is_pictured("sign-in");
    browser.types(w.username, &anna.username);
    browser.types(w.password, &anna.password);
    browser.clicks(w.connexion);

    browser.sees(w.sms_title);
    browser.is_pictured("sms-code");
    browser.is_signed_in_nowhere(&town.origins());
    browser.types(w.sms_code, &town.sms_code(&anna));
    browser.clicks(w.soumettre);

    let claims = is_in(town, browser, w, Application::Ent, STRONG);
    assert_eq!(claims["amr"], serde_json::json!(["pwd", "sms", "mfa"]));
    browser.sees(anna.first_name());
    browser.is_pictured("signed-in");
    assert!(town.again(&anna).enrolled, "the number is confirmed");
    assert_eq!(town.sms(&anna).len(), 1);
}

/// Who chose SMS gets one each time: nothing remembers a browser as proof.
pub fn the_next_time_a_code_comes_again(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    for _ in 0..2 {
        let mut browser = town.browser(Place::Home);
        signs_in(town, &mut *browser, w, &anna);
        answers_sms(town, &mut *browser, w, &anna);
        is_in(town, &mut *browser, w, Application::Ent, STRONG);
        town.passes(3600);
    }
    assert_eq!(town.sms(&anna).len(), 2);
}

/// One sign-in for all applications: the strong session is shown, nothing is typed again.
pub fn who_is_signed_in_reaches_the_next_application_at_once(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &anna);
    answers_sms(town, browser, w, &anna);
    let at_ent = is_in(town, browser, w, Application::Ent, STRONG);

    browser.opens(&format!("{}/", town.origins().ism));
    browser.clicks(w.se_connecter);

    let at_ism = is_in(town, browser, w, Application::Ism, STRONG);
    assert_eq!(at_ent["sub"], at_ism["sub"]);
    assert_eq!(town.sms(&anna).len(), 1);

    // Somebody else's browser has no part in it.
    let mut other = town.browser(Place::Home);
    knocks(town, &mut *other, w, Application::Ism);
    other.sees(w.sign_in_title);
}
