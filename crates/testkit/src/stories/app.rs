//! Chapter 3: the authenticator app.

use super::{STRONG, answers_sms, enters, is_in, knocks, signs_in};
use crate::{App, Application, Browser, Person, Place, Role, Town, Words};

/// [Guide 4.1] "Une fois le code SMS saisi, vous serez invité à télécharger l'application depuis l'App Store (iOS) ou Google Play (Android)"
/// [Guide 4.3] "Suivez les instructions à l'écran : 1. Installez Microsoft Authenticator (TOTP) sur votre smartphone."
/// [Guide 4.4] "Pour que le smartphone puisse scanner le code QR, autorisez l'application à accéder à la caméra (si demandé)."
/// [Guide 4.5] "Passez le tutoriel. Cliquez sur « Ajouter un compte ». Ajoutez un compte de type « Autre… »."
/// [Guide 4.6] "L'application collecte d'office des données non personnelles"
/// [Guide 4.7] "2. Ouvrez l'application et scannez le code QR affiché à l'écran."
/// [Guide 4.8] "3. Entrez le code à usage unique fourni par l'application et cliquez sur « Soumettre » pour terminer."
/// [Guide 4.9] "Entrez le code de votre smartphone sur l'écran de votre PC (sans espace)."
/// [Guide 4.10] "La validité des codes étant limitée, l'heure du smartphone doit être correctement configurée (réglage automatique)."
/// [Guide 4.11] "Une fois l'activation effectuée, vous serez alors automatiquement connecté à l'ENT."
pub fn the_app_is_set_up_after_the_sms(town: &mut dyn Town, w: &Words) {
    let bastien = town.somebody(Role::App);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &bastien);
    answers_sms(town, browser, w, &bastien);

    for words in [
        w.app_title,
        w.app_store,
        w.google_play,
        w.app_install,
        w.app_camera,
        w.app_account,
        w.app_telemetry,
        w.app_scan,
        w.app_enter,
        w.app_time,
    ] {
        browser.sees(words);
    }
    browser.is_pictured("app");
    let app = scanned(&browser.scans());
    assert!(
        !town.again(&bastien).enrolled,
        "nothing is bound before a code was right"
    );
    browser.is_signed_in_nowhere(&town.origins());
    browser.types(w.app_code, &town.app_code(&app));
    browser.clicks(w.soumettre);

    let claims = is_in(town, browser, w, Application::Ent, STRONG);
    assert_eq!(claims["amr"], serde_json::json!(["pwd", "otp", "mfa"]));
    assert!(town.again(&bastien).enrolled);
}

/// [Guide 4.7] for those who read the page on the phone itself, and for those without a camera: link,
/// key and picture are the same secret.
pub fn the_key_can_be_typed_and_the_link_tapped(town: &mut dyn Town, w: &Words) {
    let bastien = town.somebody(Role::App);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &bastien);
    answers_sms(town, browser, w, &bastien);

    browser.sees(w.app_open);
    let picture = scanned(&browser.scans());
    let Some(link) = browser.link("otpauth://totp/") else {
        panic!("no link to tap")
    };
    assert_eq!(scanned(&link), picture);
    assert!(
        link.contains(&bastien.username) && link.contains("issuer="),
        "{link}"
    );
    browser.clicks(w.app_by_hand);
    let Some(key) = browser.key_to_type() else {
        panic!("no key to type")
    };
    assert_eq!(key, picture.key);
    assert_eq!(key.len(), 32, "160 bits");
}

/// [Guide 4.2] "Celle-ci vous servira à l'avenir à entrer les codes d'authentification forte et ainsi ne plus passer par le SMS."
pub fn the_next_time_the_app_is_asked_for_and_no_sms_is_sent(town: &mut dyn Town, w: &Words) {
    let (bastien, chloe) = (town.somebody(Role::App), town.somebody(Role::EnrolledApp));
    let mut browser = town.browser(Place::Home);
    let app = sets_up(town, &mut *browser, w, &bastien);
    let sent = town.sms(&bastien);

    town.passes(86_400);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &bastien);
    browser.sees(w.app_code_title);
    browser.is_pictured("app-code");
    browser.types(w.app_code, &town.app_code(&app));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);

    // The same for who has been using it for long.
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    knocks(town, browser, w, Application::Ism);
    enters(browser, w, &chloe);
    browser.types(w.app_code, &town.shown_by_app(&chloe));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ism, STRONG);

    assert_eq!(
        sent.len(),
        town.sms(&bastien).len(),
        "an SMS was sent all the same"
    );
    assert_eq!(town.sms(&chloe), Vec::<String>::new());
}

/// Sets the app up from the portal's front page to the end.
pub(super) fn sets_up(
    town: &mut dyn Town,
    browser: &mut dyn Browser,
    w: &Words,
    person: &Person,
) -> App {
    signs_in(town, browser, w, person);
    answers_sms(town, browser, w, person);
    browser.sees(w.app_title);
    let app = scanned(&browser.scans());
    browser.types(w.app_code, &town.app_code(&app));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);
    app
}

/// What an app makes of a link: the key, if it is one that every app understands.
pub(super) fn scanned(link: &str) -> App {
    let Ok(url) = url::Url::parse(link) else {
        panic!("« {link} » is no link")
    };
    assert_eq!(
        (url.scheme(), url.host_str()),
        ("otpauth", Some("totp")),
        "{link}"
    );
    let find = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    // Apps ignore what is not their default.
    for (name, only) in [("algorithm", "SHA1"), ("digits", "6"), ("period", "30")] {
        assert!(find(name).is_none_or(|value| value == only), "{link}");
    }
    match find("secret") {
        Some(key) => App { key },
        None => panic!("no key in {link}"),
    }
}
