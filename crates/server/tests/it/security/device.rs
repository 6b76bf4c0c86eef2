//! C16: devices without a keyboard, which somebody lets in elsewhere [RFC 8628].

use serde_json::{Value, json};
use store::{EndSessions, Resource, ResourceKind};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Language, Person, Place, Role, Town, Words};

use super::registered::{SECRET, registers};
use super::{SCHOOL, STRANGER, account, audit, between, by, canton, gets, metric};
use super::{posts, somebody, switch_off};
use crate::application::{at, claims, sends};

/// What an application brings with a device code.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What people read.
const FIELD: &str = "Code affiché par l'appareil";
const CONTINUE: &str = "Continuer";
const QUESTION: &str = "Autoriser un appareil pour";
const LET_IN: &str = "L'appareil est autorisé";

/// The screen of a classroom.
fn screen(changes: Value) -> Value {
    let mut screen = json!({
        "id": "screen",
        "name": { "fr": "Écran", "de": "Bildschirm", "en": "Screen" },
        "grants": ["device_code", "refresh_token"],
        "redirect_uris": null,
        "scopes": ["openid", "profile"],
    });
    for (name, value) in changes.as_object().unwrap() {
        screen[name] = value.clone();
    }
    screen
}

fn canton_with(changes: Value) -> Canton {
    let mut canton = canton();
    registers(&mut canton, &[screen(changes)]);
    canton
}

/// A device that was told its codes.
struct Device {
    device_code: String,
    user_code: String,
}

fn asks_from(canton: &Canton, address: [u8; 4], more: &[(&str, &str)]) -> Answer {
    let mut form = vec![("client_id", "screen"), ("client_secret", SECRET)];
    form.extend(more);
    canton.calls(address, Attempt::post(&at("/device-authorization"), &form))
}

fn device_at(canton: &Canton, address: [u8; 4], scope: &str) -> Device {
    let answer = asks_from(canton, address, &[("scope", scope)]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let (device_code, user_code) = (text("device_code"), text("user_code"));
    assert_eq!(told["verification_uri"], at("/device"));
    let complete = at(&format!("/device?user_code={user_code}"));
    assert_eq!(told["verification_uri_complete"], complete);
    assert_eq!(
        (&told["expires_in"], &told["interval"]),
        (&json!(600), &json!(5))
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    Device {
        device_code,
        user_code,
    }
}

/// A device in a school.
fn device(canton: &Canton) -> Device {
    device_at(canton, SCHOOL, "openid profile")
}

fn token(canton: &mut Canton, form: &[(&str, &str)]) -> Answer {
    let mut all = vec![("client_id", "screen"), ("client_secret", SECRET)];
    all.extend(form);
    sends(canton, Attempt::post(&at("/token"), &all))
}

fn polls(canton: &mut Canton, device: &Device) -> Answer {
    let form = [
        ("grant_type", GRANT),
        ("device_code", device.device_code.as_str()),
    ];
    token(canton, &form)
}

/// What the device hears, five seconds later.
fn hears(canton: &mut Canton, device: &Device) -> String {
    canton.passes(5);
    let answer = polls(canton, device);
    match answer.status {
        200 => "tokens".to_owned(),
        400 => answer.json()["error"].as_str().unwrap().to_owned(),
        status => panic!("{status}: {}", answer.body),
    }
}

/// Types the code of a device.
fn types_code(browser: &mut dyn Browser, code: &str) {
    browser.opens(&at("/device"));
    browser.types(FIELD, code);
    browser.clicks(CONTINUE);
}

/// Types name and password on the page that asks for them.
fn signs_in(browser: &mut dyn Browser, person: &Person) {
    let w = Words::of(Language::French);
    browser.types(w.username, &person.username);
    browser.types(w.password, &person.password);
    browser.clicks(w.connexion);
}

/// Somebody at school who typed the code and signed in, before the question.
fn is_asked(canton: &mut Canton, device: &Device) -> (Person, Box<dyn Browser>) {
    let anna = somebody(canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    types_code(&mut *browser, &device.user_code);
    signs_in(&mut *browser, &anna);
    browser.sees(QUESTION);
    (anna, browser)
}

fn lets_in(canton: &mut Canton, device: &Device) -> (Person, Box<dyn Browser>) {
    let (anna, mut browser) = is_asked(canton, device);
    browser.clicks("Autoriser");
    browser.sees(LET_IN);
    (anna, browser)
}

fn happened(canton: &Canton, what: &str) -> usize {
    let what = format!("\"{what}\"");
    audit(canton)
        .iter()
        .filter(|entry| entry.happened.contains(&what))
        .count()
}

/// [RFC 8628 §5.3] "SHOULD display information about the device so that the user could notice if a software client was attempting to impersonate a hardware device"
/// [RFC 8628 §5.4] "it is RECOMMENDED to inform the user that they are authorizing a device during the user-interaction step (see Section 3.3) and to confirm that the device is in their possession."
/// [C16] [A01] Somebody types the code, signs in, reads what asks and from where, and says yes; then, and not
/// before, the device gets tokens that say the same about the sign-in as any, once.
#[test]
fn a_device_is_let_in_by_a_click_and_gets_its_tokens_once() {
    let mut canton = canton_with(json!({}));
    let device = device(&canton);
    assert_eq!(hears(&mut canton, &device), "authorization_pending");
    let (anna, mut browser) = is_asked(&mut canton, &device);
    let in_front = "Acceptez seulement s'il est devant vous";
    for said in [
        "Écran",
        &device.user_code,
        "192.0.2.20",
        &anna.username,
        in_front,
    ] {
        browser.sees(said);
    }
    assert_eq!(hears(&mut canton, &device), "authorization_pending");
    browser.reloads();
    assert_eq!(hears(&mut canton, &device), "authorization_pending");
    browser.clicks("Autoriser");
    browser.sees(LET_IN);
    browser.reloads();
    browser.sees(LET_IN);

    canton.passes(5);
    let answer = polls(&mut canton, &device);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let tokens = answer.json();
    let said = claims(tokens["id_token"].as_str().unwrap());
    let person = account(&canton, &anna).person;
    assert_eq!(said["sub"], person.id.to_string());
    assert_eq!(said["aud"], "screen");
    assert_eq!(said["acr"], "https://refeds.org/profile/sfa");
    assert_eq!(said["amr"], json!(["pwd"]));
    assert!(said["nonce"].is_null() && said["sid"].is_string());
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let userinfo = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
    assert_eq!(sends(&mut canton, userinfo).status, 200);

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(token(&mut canton, &form).status, 200);
    for (what, times) in [
        ("device-asked", 1),
        ("device-allowed", 1),
        ("token-issued", 1),
    ] {
        assert_eq!(happened(&canton, what), times, "{what}");
    }
    assert_eq!(metric(&canton, "furka_devices_asked_total"), 1);
    assert_eq!(metric(&canton, "furka_devices_allowed_total"), 1);
    // A second time takes back what the first one gave, as with any code.
    assert_eq!(hears(&mut canton, &device), "invalid_grant");
    let userinfo = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
    assert_eq!(sends(&mut canton, userinfo).status, 401);
}

/// [RFC 8628 §3.3.1] "The server SHOULD display the "user_code" to the user and ask them to verify that it matches the "user_code" being displayed on the device to confirm they are authorizing the correct device."
/// [C16] The link that holds the code saves the typing and nothing else: somebody with a session, too, is
/// asked, and looking lets nobody in.
#[test]
fn the_link_with_the_code_saves_the_typing_only() {
    let mut canton = canton_with(json!({}));
    let first = device(&canton);
    let (_, mut browser) = lets_in(&mut canton, &first);
    let second = device(&canton);
    browser.opens(&at(&format!("/device?user_code={}", second.user_code)));
    assert_eq!(browser.value(FIELD), second.user_code);
    assert_eq!(hears(&mut canton, &second), "authorization_pending");
    browser.clicks(CONTINUE);
    browser.sees(QUESTION);
    browser.sees(&second.user_code);
    assert_eq!(hears(&mut canton, &second), "authorization_pending");
    browser.clicks("Autoriser");
    assert_eq!(hears(&mut canton, &second), "tokens");
}

/// [C16] However somebody writes it, the code is found; what is no code costs no try.
#[test]
fn a_code_is_found_however_it_is_written() {
    let mut canton = canton_with(json!({}));
    let device = device(&canton);
    let plain = device.user_code.replace('-', "");
    let wide: String = plain
        .chars()
        .map(|letter| char::from_u32(u32::from(letter) + 0xfee0).unwrap())
        .collect();
    let mut browser = canton.browser(Place::School);
    for typed in [plain.to_lowercase(), format!(" {plain} "), wide] {
        types_code(&mut *browser, &typed);
        browser.sees("Mot de passe");
    }
    for _ in 0..60 {
        let answer = posts(&mut *browser, "/device", &[("user_code", "WDJ-BMH")]);
        assert_eq!(answer.status, 422);
    }
    types_code(&mut *browser, &plain);
    browser.sees("Mot de passe");
}

/// [C16] A no is told to the device, and so is that its time is over.
#[test]
fn a_device_hears_that_it_was_refused_or_that_nobody_came() {
    let mut canton = canton_with(json!({}));
    let (refused, forgotten) = (device(&canton), device(&canton));
    let (_, mut browser) = is_asked(&mut canton, &refused);
    browser.clicks("Refuser");
    browser.sees("L'appareil n'est pas autorisé");
    assert_eq!(hears(&mut canton, &refused), "access_denied");
    assert_eq!(happened(&canton, "device-refused"), 1);
    assert_eq!(metric(&canton, "furka_devices_refused_total"), 1);
    // What was answered is not asked again.
    types_code(&mut *browser, &refused.user_code);
    browser.sees("Aucun appareil n'affiche ce code");

    canton.passes(600);
    assert_eq!(hears(&mut canton, &forgotten), "expired_token");
    types_code(&mut *browser, &forgotten.user_code);
    browser.sees("Aucun appareil n'affiche ce code");
}

/// [C16] A device that asks too often is told to slow down, and waits longer from then on.
#[test]
fn a_device_that_asks_too_often_is_slowed_down() {
    let mut canton = canton_with(json!({}));
    let device = device(&canton);
    assert_eq!(hears(&mut canton, &device), "authorization_pending");
    for _ in 0..2 {
        assert_eq!(polls(&mut canton, &device).json()["error"], "slow_down");
    }
    assert_eq!(hears(&mut canton, &device), "slow_down");
    canton.passes(20);
    assert_eq!(hears(&mut canton, &device), "authorization_pending");
}

/// [RFC 8628 §3.1] "confidential clients (those that have established client credentials) authenticate in the same manner as when making requests to the token endpoint"
/// [C16] [C05] [C08] A device code is good for the application that asked, which proves that it is itself and is
/// registered for it; made up ones are good for nobody.
#[test]
fn a_device_code_is_good_for_its_own_application_only() {
    let mut canton = canton_with(json!({}));
    let other = json!({ "id": "other", "grants": ["authorization_code", "device_code"] });
    registers(&mut canton, &[other, json!({ "id": "portal" })]);
    let device = device(&canton);
    lets_in(&mut canton, &device);
    let form = |client, secret| {
        [
            ("client_id", client),
            ("client_secret", secret),
            ("grant_type", GRANT),
            ("device_code", device.device_code.as_str()),
        ]
    };
    let made_up = "A".repeat(43);
    for (client, secret, error) in [
        ("other", SECRET, "invalid_grant"),
        ("portal", SECRET, "unauthorized_client"),
        ("screen", "guessed", "invalid_client"),
    ] {
        let answer = sends(
            &mut canton,
            Attempt::post(&at("/token"), &form(client, secret)),
        );
        assert_eq!(answer.json()["error"], error, "{client}");
        let asked = Attempt::post(&at("/device-authorization"), &form(client, secret));
        let asked = sends(&mut canton, asked);
        match client {
            "other" => assert_eq!(asked.status, 200),
            _ => assert_eq!(asked.json()["error"], error, "{client}"),
        }
    }
    for wrong in [made_up.as_str(), "x"] {
        let form = [("grant_type", GRANT), ("device_code", wrong)];
        assert_eq!(token(&mut canton, &form).json()["error"], "invalid_grant");
    }
    let more = [("scope", "openid phone")];
    let refused = asks_from(&canton, SCHOOL, &more);
    assert_eq!(refused.json()["error"], "invalid_scope");
    // None of that took it from the one it belongs to.
    assert_eq!(hears(&mut canton, &device), "tokens");
}

/// [C16] [L05] Whoever said yes is looked at again when the device comes for its tokens: switched off, signed
/// out, or no longer enough for the application, they let nobody in.
#[test]
fn whoever_said_yes_is_looked_at_again() {
    let ends: [fn(&mut Canton, &Person, &mut dyn Browser); 4] = [
        |canton, anna, _| switch_off(canton, anna),
        |_, _, browser| {
            let answer = posts(browser, "/account", &[("action", "sign-out")]);
            assert!(answer.status < 400, "{answer:?}");
        },
        |canton, anna, _| {
            let (id, by) = (account(canton, anna).person.id, by(canton));
            let end = EndSessions::All(id);
            canton
                .waits_for(canton.store().end_sessions(&end, &by))
                .unwrap();
        },
        |canton, _, _| now_demands(canton, "strong"),
    ];
    for end in ends {
        let mut canton = canton_with(json!({}));
        let device = device(&canton);
        let (anna, mut browser) = lets_in(&mut canton, &device);
        end(&mut canton, &anna, &mut *browser);
        assert_eq!(hears(&mut canton, &device), "access_denied");
    }
}

/// Every application demands more from now on.
fn now_demands(canton: &mut Canton, minimum: &str) {
    let found = canton
        .waits_for(canton.store().resource(ResourceKind::Applications))
        .unwrap()
        .unwrap();
    let mut document: Value = toml::from_str(&found.text).unwrap();
    for client in document["application"].as_array_mut().unwrap() {
        client["minimum"] = json!(minimum);
    }
    let new = Resource {
        text: toml::to_string(&document).unwrap(),
        ..found
    };
    let by = by(canton);
    assert!(canton.waits_for(canton.store().apply(&[new], &by)).unwrap());
    assert!(canton.waits_for(canton.provider().reload()).unwrap());
}

/// [C16] [A01] The minimum of the application holds: after a password at school there is no question before the
/// second factor.
#[test]
fn a_device_of_a_strong_application_needs_two_factors() {
    let mut canton = canton_with(json!({ "minimum": "strong" }));
    let device = device(&canton);
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::School);
    types_code(&mut *browser, &device.user_code);
    signs_in(&mut *browser, &chloe);
    browser.does_not_see(QUESTION);
    shows_app_code(&mut canton, &mut *browser, &chloe);
    browser.sees(QUESTION);
    browser.clicks("Autoriser");
    canton.passes(5);
    let tokens = polls(&mut canton, &device).json();
    let said = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(said["acr"], "https://refeds.org/profile/mfa");
}

fn shows_app_code(canton: &mut Canton, browser: &mut dyn Browser, chloe: &Person) {
    let code = (canton as &mut dyn Town).shown_by_app(chloe);
    browser.types(Words::of(Language::French).app_code, &code);
    browser.clicks(Words::of(Language::French).soumettre);
}

/// [C16] [A01] [S04] A password that is enough in a school does not let in a device that is elsewhere: nobody at
/// a distance gets tokens for what only this building waives.
#[test]
fn a_password_at_school_lets_in_no_device_elsewhere() {
    let mut canton = canton_with(json!({}));
    let far = device_at(&canton, STRANGER, "openid");
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::School);
    types_code(&mut *browser, &far.user_code);
    signs_in(&mut *browser, &chloe);
    browser.does_not_see(QUESTION);
    assert_eq!(hears(&mut canton, &far), "authorization_pending");
    browser.clicks(CONTINUE);
    shows_app_code(&mut canton, &mut *browser, &chloe);
    browser.sees(QUESTION);
    browser.sees("un réseau public (203.0.113.66)");
    browser.clicks("Autoriser");
    assert_eq!(hears(&mut canton, &far), "tokens");
}

/// [C16] Codes that no device shows are counted, for a network and for whoever is signed in; both wait, and
/// neither the other.
#[test]
fn guessing_codes_is_slowed_down() {
    let mut canton = canton_with(json!({}));
    let device = device(&canton);
    let guess = [("user_code", "BBB-BBB-BBB")];
    let guesses = |canton: &Canton| {
        let attempt = Attempt::post(&at("/device"), &guess).from_page_of(&at(""));
        canton.calls(STRANGER, attempt)
    };
    for number in 0..40 {
        assert_eq!(guesses(&canton).status, 422, "{number}");
    }
    let waits = guesses(&canton);
    assert_eq!(waits.status, 429, "{}", waits.body);
    assert!(waits.header("retry-after").is_some());
    assert!(waits.body.contains("/login"), "{}", waits.body);
    assert_eq!(happened(&canton, "device-unknown"), 40);
    // The right one is not looked at either, from there.
    let right = [("user_code", device.user_code.as_str())];
    let attempt = Attempt::post(&at("/device"), &right).from_page_of(&at(""));
    assert_eq!(canton.calls(STRANGER, attempt).status, 429);

    let (_, mut browser) = is_asked(&mut canton, &device);
    for number in 0..10 {
        let answer = posts(&mut *browser, "/device", &guess);
        assert_eq!(answer.status, 422, "{number}");
    }
    let waits = posts(&mut *browser, "/device", &guess);
    assert_eq!(waits.status, 429);
    assert!(!waits.body.contains("/login\""), "{}", waits.body);
}

/// [C16] More devices than a school has are not asked for by one application, wherever it asks from; a neighbour
/// at the same address is not slowed down by it.
#[test]
fn devices_without_end_are_refused() {
    let mut canton = canton();
    registers(
        &mut canton,
        &[screen(json!({})), screen(json!({ "id": "board" }))],
    );
    for number in 0..300 {
        assert_eq!(asks_from(&canton, STRANGER, &[]).status, 200, "{number}");
    }
    for address in [STRANGER, SCHOOL] {
        let refused = asks_from(&canton, address, &[]);
        assert_eq!(refused.status, 429, "{}", refused.body);
        assert_eq!(refused.json()["error"], "temporarily_unavailable");
    }
    let neighbour = [("client_id", "board"), ("client_secret", SECRET)];
    let asked = Attempt::post(&at("/device-authorization"), &neighbour);
    assert_eq!(canton.calls(STRANGER, asked).status, 200);
}

/// [C16] Anybody may name an application without a secret: whoever does so without end slows down their own
/// network only.
#[test]
fn a_public_application_is_counted_by_network() {
    let canton = canton_with(json!({ "kind": "public", "auth": "none", "secret_sha256": null }));
    let asks = |address| {
        let form = [("client_id", "screen")];
        canton.calls(address, Attempt::post(&at("/device-authorization"), &form))
    };
    for number in 0..300 {
        assert_eq!(asks(STRANGER).status, 200, "{number}");
    }
    assert_eq!(asks(STRANGER).status, 429);
    assert_eq!(asks(SCHOOL).status, 200);
}

/// [C16] [S07] The question is asked of one session: another browser, another person and a stranger find nothing
/// behind its address, and cannot answer it.
#[test]
fn a_question_is_answered_by_whom_it_was_asked() {
    let mut canton = canton_with(json!({}));
    let device = device(&canton);
    let (anna, mut browser) = is_asked(&mut canton, &device);
    let asked = browser.url();
    let path = asked.strip_prefix(&at("")).unwrap().to_owned();
    let ticket = between(&path, "ticket=", "&");
    let yes = [("ticket", ticket.as_str()), ("action", "allow")];

    let mut stranger = canton.browser(Place::School);
    assert_eq!(gets(&mut *stranger, &path).status, 410);
    assert_eq!(posts(&mut *stranger, "/device/confirm", &yes).status, 410);
    let another = device_at(&canton, SCHOOL, "openid");
    types_code(&mut *stranger, &another.user_code);
    signs_in(&mut *stranger, &anna);
    stranger.sees(QUESTION);
    assert_eq!(gets(&mut *stranger, &path).status, 410);
    assert_eq!(posts(&mut *stranger, "/device/confirm", &yes).status, 410);
    let changed = [("ticket", &yes[0].1[1..]), ("action", "allow")];
    assert_eq!(
        posts(&mut *browser, "/device/confirm", &changed).status,
        410
    );
    let nothing = [("ticket", ticket.as_str())];
    assert_eq!(
        posts(&mut *browser, "/device/confirm", &nothing).status,
        400
    );
    assert_eq!(hears(&mut canton, &device), "authorization_pending");
    assert_eq!(posts(&mut *browser, "/device/confirm", &yes).status, 303);
    let no = [("ticket", ticket.as_str()), ("action", "deny")];
    assert_eq!(posts(&mut *browser, "/device/confirm", &no).status, 303);
    browser.opens(&asked);
    browser.sees(LET_IN);
    assert_eq!(hears(&mut canton, &device), "tokens");
}

/// [C16] Somebody else at a shared computer signs in for their own device.
#[test]
fn somebody_else_at_the_computer_signs_in_anew() {
    let mut canton = canton_with(json!({}));
    let device = device(&canton);
    let (anna, mut browser) = is_asked(&mut canton, &device);
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    browser.clicks("Ce n'est pas vous");
    browser.clicks(CONTINUE);
    signs_in(&mut *browser, &chloe);
    browser.sees(QUESTION);
    browser.sees(&chloe.username);
    browser.does_not_see(&anna.username);
    browser.clicks("Autoriser");
    canton.passes(5);
    let tokens = polls(&mut canton, &device).json();
    let said = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(said["sub"], account(&canton, &chloe).person.id.to_string());
}

/// [C12] [C16] What an application of others would be told stands in the question, and the yes is one that can be
/// taken back.
#[test]
fn an_application_of_others_says_what_its_device_would_be_told() {
    let mut canton = canton_with(json!({ "trusted": false }));
    let device = device(&canton);
    let (_, mut browser) = is_asked(&mut canton, &device);
    browser.sees("un numéro qui lui permet de vous reconnaître");
    browser.does_not_see("adresse e-mail");
    browser.clicks("Autoriser");
    canton.passes(5);
    let tokens = polls(&mut canton, &device).json();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert!(gets(&mut *browser, "/account").body.contains("Écran"));
    let taken = [("action", "take-back"), ("application", "screen")];
    assert_eq!(posts(&mut *browser, "/account", &taken).status, 303);
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(token(&mut canton, &form).json()["error"], "invalid_grant");
}

/// [C12] [C16] A yes that comes too late, because the other tab said no, agrees to nothing.
#[test]
fn a_yes_that_does_not_count_is_no_consent() {
    let mut canton = canton_with(json!({ "trusted": false }));
    let device = device(&canton);
    let (anna, mut browser) = is_asked(&mut canton, &device);
    let ticket = between(&browser.url(), "ticket=", "&");
    for action in ["deny", "allow"] {
        let answer = [("ticket", ticket.as_str()), ("action", action)];
        assert_eq!(posts(&mut *browser, "/device/confirm", &answer).status, 303);
    }
    let person = account(&canton, &anna).person.id;
    let consents = canton.waits_for(canton.store().consents(person)).unwrap();
    assert_eq!(consents, []);
    assert_eq!(hears(&mut canton, &device), "access_denied");
}

/// [C04] [C16] The metadata names the endpoint and the grant where an application has them, and only there.
#[test]
fn the_metadata_names_devices_where_an_application_has_them() {
    let metadata = |canton: &mut Canton| {
        let document = Attempt::get(&at("/.well-known/openid-configuration"));
        sends(canton, document).json()
    };
    let grants = |json: &Value| json["grant_types_supported"].to_string();
    let without = metadata(&mut canton());
    assert!(without["device_authorization_endpoint"].is_null());
    assert!(!grants(&without).contains(GRANT));
    let with = metadata(&mut canton_with(json!({})));
    assert_eq!(
        with["device_authorization_endpoint"],
        at("/device-authorization")
    );
    assert!(grants(&with).contains(GRANT));
}
