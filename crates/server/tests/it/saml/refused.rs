//! What the provider says by itself, and what comes of messages that it does not believe.

use testkit::{Answer, Attempt};

use super::{canton, chloe, our_metadata, registered};
use crate::application::{at, sends};

const CONSUMER: &str = "https://app.example/acs";

pub(super) fn metadata() -> String {
    format!(
        r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://app.example/">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{CONSUMER}" index="0"/>
</md:SPSSODescriptor></md:EntityDescriptor>"#
    )
}

fn request(canton: &testkit::memory::Canton, id: &str, attributes: &str) -> String {
    let now = jiff::Timestamp::from_second(canton.toy().now()).unwrap();
    format!(
        r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="{id}" Version="2.0" IssueInstant="{now}" {attributes}><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://app.example/</saml:Issuer></samlp:AuthnRequest>"#
    )
}

fn posted(xml: &str) -> Attempt {
    let message = data_encoding::BASE64.encode(xml.as_bytes());
    let state = "\"><script>alert(1)</script>";
    Attempt::post(
        &at("/saml/sso"),
        &[("SAMLRequest", &message), ("RelayState", state)],
    )
    .from_page_of("https://app.example")
}

pub(super) fn asks(canton: &mut testkit::memory::Canton, id: &str, attributes: &str) -> Answer {
    let xml = request(canton, id, attributes);
    sends(canton, posted(&xml))
}

/// [X07] [X10] A form of another site is taken without cookies; what it brings back is escaped.
#[test]
fn a_posted_request_goes_on_without_its_form() {
    let mut canton = canton();
    registered(&canton, "app", &metadata(), "unsolicited = true\n");
    let (person, mut browser) = chloe(&mut canton);
    let answer = asks(&mut canton, "_a", "");
    assert_eq!(answer.status, 303, "{answer:?}");
    let next = at(answer.location());
    let answer = crate::application::enters(&mut *browser, &next, &person);
    let page = browser.sends(Attempt::get(&at(answer.location())));
    assert!(
        page.body.contains(&format!("action=\"{CONSUMER}\"")),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    let policy = page
        .headers
        .iter()
        .find(|(name, _)| name == "content-security-policy");
    assert!(policy.is_some_and(|(_, policy)| policy.contains("script-src 'nonce-")));
    // The same person may begin here, where the page of their account says so.
    let front = browser.sends(Attempt::get(&at("/account")));
    assert!(
        front.body.contains("href=\"/saml/start/app\""),
        "{}",
        front.body
    );
    let answer = browser.sends(Attempt::get(&at("/saml/start/app")));
    let page = browser.sends(Attempt::get(&at(answer.location())));
    assert_eq!(page.status, 200);
    assert!(page.body.contains(CONSUMER), "{}", page.body);
}

/// [X07] Whoever is not registered, or asks for an answer at another address, gets a page and nothing.
#[test]
fn nothing_goes_to_an_address_that_is_not_registered() {
    let mut canton = canton();
    let unknown = asks(&mut canton, "_a", "");
    assert_eq!(unknown.status, 400);
    registered(&canton, "app", &metadata(), "");
    for (number, attributes) in [
        "AssertionConsumerServiceURL=\"https://evil.example/acs\"",
        "Destination=\"https://other.example/saml/sso\"",
        "AssertionConsumerServiceIndex=\"7\"",
    ]
    .iter()
    .enumerate()
    {
        let answer = asks(&mut canton, &format!("_{number}"), attributes);
        assert_eq!(
            (answer.status, answer.location()),
            (400, ""),
            "{attributes}"
        );
        assert!(!answer.body.contains("evil.example"));
    }
    let doctype = format!("<!DOCTYPE x>{}", request(&canton, "_d", ""));
    assert_eq!(sends(&mut canton, posted(&doctype)).status, 400);
    let start = sends(&mut canton, Attempt::get(&at("/saml/start/app")));
    assert_eq!(start.status, 404, "it did not ask for this");
}

/// [X09] Nobody else's word signs anybody in: a response that comes here, at whichever door and under
/// whichever name, leads to no session.
#[test]
fn an_assertion_of_somebody_else_signs_nobody_in() {
    let mut canton = canton();
    registered(&canton, "app", &metadata(), "");
    let now = jiff::Timestamp::from_second(canton.toy().now()).unwrap();
    let response = format!(
        r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0" IssueInstant="{now}"><saml:Issuer>https://app.example/</saml:Issuer><saml:Assertion ID="_a" Version="2.0" IssueInstant="{now}"><saml:Issuer>https://app.example/</saml:Issuer><saml:Subject><saml:NameID>chloe</saml:NameID></saml:Subject></saml:Assertion></samlp:Response>"#
    );
    let message = data_encoding::BASE64.encode(response.as_bytes());
    for path in ["/saml/sso", "/saml/slo"] {
        for field in ["SAMLRequest", "SAMLResponse"] {
            let form =
                Attempt::post(&at(path), &[(field, &message)]).from_page_of("https://app.example");
            let answer = sends(&mut canton, form);
            assert_eq!(
                (answer.status, answer.location()),
                (400, ""),
                "{path} {field}"
            );
            let cookies = answer
                .headers
                .iter()
                .filter(|(name, _)| name == "set-cookie");
            assert!(
                !cookies
                    .into_iter()
                    .any(|(_, value)| value.contains("session="))
            );
        }
    }
}

/// An application that is switched off, and one whose metadata is over, are answered like unknown ones.
#[test]
fn a_disabled_or_expired_application_is_not_answered() {
    for (metadata, more) in [
        (metadata(), "enabled = false\n"),
        (
            metadata().replace("entityID=", "validUntil=\"2026-01-01T00:00:00Z\" entityID="),
            "unsolicited = true\n",
        ),
    ] {
        let mut canton = canton();
        registered(&canton, "app", &metadata, more);
        let answer = asks(&mut canton, "_a", "");
        assert_eq!((answer.status, answer.location()), (400, ""));
        let start = sends(&mut canton, Attempt::get(&at("/saml/start/app")));
        assert_eq!(start.status, 404);
    }
}

/// Who may not enter is told so here, and the application learns no more than that.
/// [Core §3.4.1.4] "if prevented from providing an assertion by policies in effect at the identity provider"
#[test]
fn somebody_of_another_group_does_not_enter() {
    let mut canton = canton();
    registered(&canton, "app", &metadata(), "groups = [\"nobody\"]\n");
    let (person, mut browser) = chloe(&mut canton);
    let answer = asks(&mut canton, "_a", "");
    let answer = crate::application::enters(&mut *browser, &at(answer.location()), &person);
    browser.opens(&at(answer.location()));
    assert!(
        !browser.text().contains("onward.js"),
        "nothing goes off by itself"
    );
    let (_, fields) = super::onward(&mut *browser);
    let message = data_encoding::BASE64.decode(super::field(&fields, "SAMLResponse").as_bytes());
    let message = String::from_utf8(message.unwrap()).unwrap();
    assert!(message.contains("status:RequestDenied") && !message.contains("Assertion"));
}

/// [Core §3.4.1] "the identity provider and the user agent itself MUST NOT visibly take control of the user interface from the requester and interact with the presenter in a noticeable fashion."
#[test]
fn somebody_of_another_group_is_not_stopped_by_a_passive_request() {
    let mut canton = canton();
    registered(&canton, "app", &metadata(), "groups = [\"nobody\"]\n");
    let (person, mut browser) = chloe(&mut canton);
    let first = asks(&mut canton, "_a", "");
    super::signs_in(&mut *browser, &at(first.location()), &person);
    let passive = asks(&mut canton, "_b", "IsPassive=\"true\"");
    let page = browser.sends(Attempt::get(&at(passive.location())));
    assert!(page.body.contains("onward.js"), "{}", page.body);
}

/// A message of another site comes without cookies. It must not take the place of those there are, or
/// the sign-in in another tab ends.
#[test]
fn a_form_of_another_site_leaves_the_browser_as_it_is() {
    let mut canton = canton();
    registered(&canton, "app", &metadata(), "");
    let own = sends(&mut canton, Attempt::get(&at("/login")));
    let browser = |answer: &Answer| answer.cookies_set().any(|name| name.contains("browser"));
    assert!(browser(&own), "{own:?}");
    let message = asks(&mut canton, "_a", "");
    let authorize = Attempt::post(&at("/authorize"), &[("client_id", "ent")])
        .from_page_of("https://app.example");
    let authorize = sends(&mut canton, authorize);
    for answer in [message, authorize] {
        assert_eq!(answer.status, 303, "{answer:?}");
        assert!(!browser(&answer), "{answer:?}");
    }
}

/// Whoever is signed in leaves no application by an address that another site made up.
#[test]
fn somebody_who_is_signed_in_leaves_nothing() {
    let mut canton = canton();
    registered(&canton, "app", &metadata(), "");
    let (person, mut browser) = chloe(&mut canton);
    let answer = asks(&mut canton, "_a", "");
    super::signs_in(&mut *browser, &at(answer.location()), &person);
    let answer = browser.sends(Attempt::get(&at("/saml/leave/app")));
    assert_eq!(answer.location(), "/account", "{answer:?}");
}

/// What was asked for in time is not answered once the application's metadata is over, nor at an
/// address that was taken from it.
#[test]
fn metadata_counts_when_the_answer_goes_out() {
    let mut canton = canton();
    let until = jiff::Timestamp::from_second(canton.toy().now() + 60).unwrap();
    let described = metadata().replace("entityID=", &format!("validUntil=\"{until}\" entityID="));
    registered(&canton, "app", &described, "");
    let answer = asks(&mut canton, "_a", "");
    canton.toy().passes(61);
    let late = sends(&mut canton, Attempt::get(&at(answer.location())));
    assert_eq!(late.status, 410);

    let mut canton = super::canton();
    registered(&canton, "app", &metadata(), "");
    let answer = asks(&mut canton, "_a", "");
    let kind = store::ResourceKind::Applications;
    crate::registered::changes(&canton, kind, |text| {
        text.replace(CONSUMER, "https://app.example/new")
    });
    let gone = sends(&mut canton, Attempt::get(&at(answer.location())));
    assert_eq!(gone.status, 410);
}

/// A step-up begins another session; what was opened before it is still named at the sign-out.
#[test]
fn an_application_of_before_a_step_up_is_still_named() {
    let mut canton = canton();
    registered(&canton, "weak", &metadata(), "unsolicited = true\n");
    let strong = metadata().replace("app.example", "strong.example");
    registered(&canton, "strong", &strong, "unsolicited = true\n");
    let (person, mut browser) = chloe(&mut canton);
    super::signs_in(&mut *browser, &at("/saml/start/weak"), &person);
    canton.toy().passes(2);
    let forced =
        request(&canton, "_f", "ForceAuthn=\"true\"").replace("app.example", "strong.example");
    let answer = sends(&mut canton, posted(&forced));
    super::signs_in(&mut *browser, &at(answer.location()), &person);
    browser.opens(&at("/account"));
    browser.clicks("Se d\u{e9}connecter");
    browser.sees("weak");
    browser.sees("strong");
}

/// [Core §3.4.1] "If "true", the identity provider MUST authenticate the presenter directly rather than rely on a previous security context."
/// A password of the same second was typed before, too.
#[test]
fn a_password_of_the_same_second_is_no_fresh_one() {
    let mut canton = canton();
    registered(&canton, "app", &metadata(), "");
    let (person, mut browser) = chloe(&mut canton);
    let first = asks(&mut canton, "_a", "");
    super::signs_in(&mut *browser, &at(first.location()), &person);
    super::onward(&mut *browser);
    let forced = asks(&mut canton, "_b", "ForceAuthn=\"true\"");
    browser.opens(&at(forced.location()));
    browser.sees("Connexion");
    assert_eq!(browser.form().0, at("/login"), "{}", browser.text());
    super::signs_in(&mut *browser, &at(forced.location()), &person);
    super::onward(&mut *browser);
}

/// Two people, one browser: who signs in second leaves nothing that the first one opened.
#[test]
fn what_somebody_else_opened_is_not_left_by_the_next_person() {
    let mut canton = canton();
    registered(&canton, "app", &metadata(), "unsolicited = true\n");
    let (chloe, mut browser) = chloe(&mut canton);
    super::signs_in(&mut *browser, &at("/saml/start/app"), &chloe);
    let luca = {
        let town: &mut dyn testkit::Town = &mut canton;
        town.somebody(testkit::Role::Token)
    };
    let answer = crate::application::enters(&mut *browser, &at("/login"), &luca);
    assert_eq!(answer.location(), "/account", "{answer:?}");
    browser.opens(&at("/account"));
    browser.clicks("Se d\u{e9}connecter");
    assert_eq!(browser.url(), at("/account"), "{}", browser.text());
    browser.does_not_see("Se d\u{e9}connecter de");
}

/// [C15] Out of the identity provider means out of a SAML application that hears of it by itself: nothing is
/// left for the person to click on, in this browser or in another one.
#[test]
fn an_application_that_hears_by_itself_is_left_by_itself() {
    let mut canton = canton();
    let (chloe, mut browser) = chloe(&mut canton);
    browser.goes_to(testkit::Place::Home);
    let ism = testkit::Town::origins(&canton).ism;
    browser.opens(&format!("{ism}/login"));
    browser.types("Nom d'utilisateur", &chloe.username);
    browser.types("Mot de passe", &chloe.password);
    browser.clicks("Connexion");
    let code = {
        let town: &mut dyn testkit::Town = &mut canton;
        town.shown_by_app(&chloe)
    };
    browser.types("Code de l'application", &code);
    browser.clicks("Soumettre");
    browser.lands_at(&format!("{ism}/"));
    let inside = |browser: &mut dyn testkit::Browser| {
        browser
            .sends(Attempt::get(&format!("{ism}/api/whoami")))
            .status
    };
    assert_eq!(inside(&mut *browser), 200);
    let stolen = browser.cookies();

    browser.opens(&at("/account"));
    browser.clicks("Se d\u{e9}connecter");
    browser.does_not_see("ISM");
    testkit::Town::waits(&mut canton);
    assert_eq!(inside(&mut *browser), 401);
    let mut thief = testkit::Town::browser(&mut canton, testkit::Place::Home);
    thief.takes(&stolen);
    assert_eq!(inside(&mut *thief), 401);
}

/// Anybody may ask for our metadata; it is signed once a day, and when the keys change.
#[test]
fn our_metadata_is_not_signed_for_everybody_who_asks() {
    let mut canton = canton();
    let first = our_metadata(&mut canton);
    canton.toy().passes(86_399);
    assert_eq!(our_metadata(&mut canton), first);
    canton.toy().passes(1);
    let next = our_metadata(&mut canton);
    assert_ne!(next, first);
    let until = |text: &str| {
        let text = text.split("validUntil=\"").nth(1).unwrap();
        text.split('"')
            .next()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    assert_eq!(until(&next).as_second() - until(&first).as_second(), 86_400);
}

/// Our metadata says what applications need, before any is registered.
#[test]
fn our_metadata_is_there_and_signed() {
    let mut canton = canton();
    let text = our_metadata(&mut canton);
    for part in [
        "entityID=\"http://localhost:8400/saml/metadata\"",
        "<ds:SignatureValue>",
        "<shibmd:Scope xmlns:shibmd=\"urn:mace:shibboleth:metadata:1.0\" regexp=\"false\">localhost<",
        "xml:lang=\"de\"",
        "WantAuthnRequestsSigned=\"false\"",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

/// [C20] After a rotation both keys are in the metadata, and the one that applications know signs; two
/// days later the new one does.
#[test]
fn a_new_key_is_known_before_it_signs() {
    use wire::jose::{SigningAlg, SigningKey};
    let mut canton = canton();
    let signer = |text: &str| {
        let certificate = text.split("X509Certificate>").nth(1).unwrap();
        certificate.to_owned()
    };
    let before = our_metadata(&mut canton);
    assert_eq!(before.matches("<md:KeyDescriptor").count(), 1);
    let key = SigningKey::generate(SigningAlg::Rs256).unwrap();
    let record = store::KeyRecord {
        algorithm: "RS256".to_owned(),
        kid: key.kid().to_owned(),
        pkcs8: journey::Secret::new(key.to_pkcs8().unwrap().expose().to_vec()),
        until: None,
    };
    let two_days = journey::Timestamp(canton.toy().now() + 2 * 86_400);
    let by = canton.by();
    canton
        .waits_for(canton.store().rotate_key(&record, two_days, &by))
        .unwrap();
    assert!(canton.waits_for(canton.provider().reload()).unwrap());
    let during = our_metadata(&mut canton);
    assert_eq!(during.matches("<md:KeyDescriptor").count(), 2);
    assert_eq!(signer(&during), signer(&before));
    canton.toy().passes(2 * 86_400);
    let after = our_metadata(&mut canton);
    assert_eq!(after.matches("<md:KeyDescriptor").count(), 1);
    assert_ne!(signer(&after), signer(&before));
}
