//! CAS: a portal's tool has tickets explained.

use journey::{NameKey, Timestamp};
use store::EndSessions;
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Language, Person, Place, Town, Words};
use url::form_urlencoded::byte_serialize;

use crate::{
    application::{at, at_school, enters, parameter, sends},
    registered::{registers, signs_out, with_a_token},
};

/// Where the application is.
const MOODLE: &str = "https://moodle.example.ch/login?next=%2Fcourse";

const REGISTERED: &str = r#"
[[cas]]
id = "moodle"
name = { fr = "Moodle", de = "Moodle", en = "Moodle" }
services = ["https://moodle.example.ch/"]
attributes = ["display_name", "groups"]

[[cas]]
id = "marks"
name = { fr = "Notes", de = "Noten", en = "Marks" }
services = ["https://marks.example.ch/cas"]
minimum = "strong"

[[cas]]
id = "gone"
name = { fr = "A", de = "A", en = "A" }
services = ["https://gone.example.ch/"]
enabled = false
"#;

fn canton() -> Canton {
    let canton = Canton::new(Language::French);
    registers(&canton, REGISTERED);
    canton
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

fn login(service: &str, more: &str) -> String {
    at(&format!("/cas/login?service={}{more}", encoded(service)))
}

/// A ticket for somebody who signs in at school.
fn ticket(canton: &mut Canton) -> (Person, Box<dyn Browser>, String) {
    let (person, mut browser) = at_school(canton);
    let answer = enters(&mut *browser, &login(MOODLE, ""), &person);
    assert_eq!(answer.status, 303, "the browser comes by GET");
    assert!(
        answer
            .location()
            .starts_with(&format!("{MOODLE}&ticket=ST-")),
        "{answer:?}"
    );
    let ticket = parameter(answer.location(), "ticket").unwrap();
    (person, browser, ticket)
}

/// What the application is told.
fn asks(canton: &mut Canton, path: &str, service: &str, ticket: &str) -> String {
    let url = at(&format!(
        "{path}service={}&ticket={ticket}",
        encoded(service)
    ));
    let answer = sends(canton, Attempt::get(&url));
    assert_eq!(answer.status, 200, "the protocol says no in the document");
    answer.body
}

fn explains(canton: &mut Canton, ticket: &str) -> String {
    asks(canton, "/cas/p3/serviceValidate?", MOODLE, ticket)
}

/// [C02] [A01] A ticket is explained once, with what was proven and what the application may know.
/// [CAS §2.2.4] "This redirection MUST result in the client issuing a GET request to the `service`."
/// [CAS §3.1.1] "Whether or not validation was successful, CAS MUST then invalidate the ticket, causing all future validation attempts of that same ticket to fail."
#[test]
fn a_ticket_is_explained_once() {
    let mut canton = canton();
    let (person, _, ticket) = ticket(&mut canton);
    let told = explains(&mut canton, &ticket);
    for part in [
        format!("<cas:user>{}</cas:user>", person.username),
        "<cas:displayName>Anna Roten</cas:displayName>".to_owned(),
        "<cas:groups>teacher</cas:groups>".to_owned(),
        "<cas:isFromNewLogin>true</cas:isFromNewLogin>".to_owned(),
        "<cas:authnContextClass>https://refeds.org/profile/sfa</cas:authnContextClass>".to_owned(),
    ] {
        assert!(told.contains(&part), "{part} is not in {told}");
    }
    assert!(!told.contains("mail"), "nothing else is released: {told}");
    assert!(explains(&mut canton, &ticket).contains("INVALID_TICKET"));
    let reused = canton.audit();
    assert!(
        format!("{reused:?}").contains("code-reused"),
        "the desk sees it"
    );
}

/// The other ways to ask know the same ticket.
#[test]
fn every_way_to_ask_explains_a_ticket_or_says_no() {
    let mut canton = canton();
    let (_, mut browser, first) = ticket(&mut canton);
    let mut fresh = || {
        let answer = browser.sends(Attempt::get(&login(MOODLE, "")));
        parameter(answer.location(), "ticket").unwrap()
    };
    let (second, third, fourth, fifth) = (fresh(), fresh(), fresh(), fresh());
    assert_eq!(
        asks(&mut canton, "/cas/validate?", MOODLE, &first),
        "yes\nanna.roten\n"
    );
    assert_eq!(asks(&mut canton, "/cas/validate?", MOODLE, &first), "no\n");
    let plain = asks(&mut canton, "/cas/serviceValidate?", MOODLE, &second);
    assert!(
        plain.contains("anna.roten") && !plain.contains("attributes"),
        "{plain}"
    );
    let json = asks(
        &mut canton,
        "/cas/p3/proxyValidate?format=JSON&",
        MOODLE,
        &third,
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let success = &json["serviceResponse"]["authenticationSuccess"];
    assert_eq!(success["attributes"]["isFromNewLogin"], false);
    let saml = |ticket: &str| {
        let url = at(&format!("/cas/samlValidate?TARGET={}", encoded(MOODLE)));
        let mut attempt = Attempt::post(&url, &[]).header("content-type", "text/xml");
        attempt.body = format!(
            "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><p:Request \
             xmlns:p='urn:oasis:names:tc:SAML:1.0:protocol' RequestID='_1'><p:AssertionArtifact>{ticket}\
             </p:AssertionArtifact></p:Request></e:Body></e:Envelope>"
        );
        attempt
    };
    let told = sends(&mut canton, saml(&fourth)).body;
    assert!(
        told.contains("samlp:Success") && told.contains("Anna Roten"),
        "{told}"
    );
    assert!(
        sends(&mut canton, saml(&fourth))
            .body
            .contains("INVALID_TICKET")
    );
    let callback = "/cas/serviceValidate?pgtUrl=https%3A%2F%2Fmoodle.example.ch%2Fpgt&";
    let told = asks(&mut canton, callback, MOODLE, &fifth);
    assert!(told.contains("UNAUTHORIZED_SERVICE_PROXY"), "{told}");
}

/// [C02] A ticket is for one address to the letter; at another one it is void. A changed one is none.
/// [CAS §2.5.3] "the ticket provided was valid, but the service specified did not match the service associated with the ticket. CAS MUST invalidate the ticket and disallow future validation of that same ticket."
/// [CAS §3.1.1] "Service tickets MUST contain adequate secure random data so that a ticket is not guessable."
#[test]
fn a_ticket_at_another_address_is_void() {
    let mut canton = canton();
    for other in [
        "https://moodle.example.ch/login",
        "https://marks.example.ch/cas",
        "https://x.example/",
    ] {
        let (_, _, ticket) = ticket(&mut canton);
        let told = asks(&mut canton, "/cas/p3/serviceValidate?", other, &ticket);
        assert!(told.contains("INVALID_SERVICE"), "{told}");
        assert!(explains(&mut canton, &ticket).contains("INVALID_TICKET"));
    }
    let (_, _, ticket) = ticket(&mut canton);
    let mut changed = ticket.clone();
    changed.replace_range(9..10, if &ticket[9..10] == "A" { "B" } else { "A" });
    assert!(explains(&mut canton, &changed).contains("INVALID_TICKET"));
    assert!(explains(&mut canton, &ticket).contains("anna.roten"));
}

/// [C02] [S05] After a minute, after the sign-out and after the switch-off a ticket is worth nothing.
/// [CAS §3.1.1] "If a service presents an expired service ticket for validation, CAS MUST respond with a validation failure response."
/// [CAS §2.3.2] "`/logout` MUST display a page stating that the user has been logged out if no `service` parameter was provided."
#[test]
fn a_ticket_ends_with_its_time_and_with_its_session() {
    let mut canton = canton();
    let (_, _, old) = ticket(&mut canton);
    canton.passes(61);
    assert!(explains(&mut canton, &old).contains("INVALID_TICKET"));

    let (_, mut browser, left) = ticket(&mut canton);
    let out = signs_out(&mut *browser, &at("/cas/logout"));
    assert_eq!((out.status, out.location()), (200, ""));
    assert!(explains(&mut canton, &left).contains("INVALID_TICKET"));
    let again = browser.sends(Attempt::get(&login(MOODLE, "&gateway=true")));
    assert_eq!(again.location(), MOODLE, "nobody is signed in any more");

    let (person, _, off) = ticket(&mut canton);
    let name = NameKey::of(&person.username).unwrap();
    let by = canton.by();
    let account = canton
        .waits_for(canton.store().person_by_name(&name))
        .unwrap()
        .unwrap();
    let switched = canton.store().disable(account.person.id, true, &by);
    canton.waits_for(switched).unwrap();
    assert!(explains(&mut canton, &off).contains("INVALID_TICKET"));
}

/// [C02] Of fifty that ask at once one is told.
#[test]
fn of_many_that_ask_at_once_one_is_told() {
    let mut canton = canton();
    let (_, _, ticket) = ticket(&mut canton);
    let path = format!(
        "/cas/serviceValidate?service={}&ticket={ticket}",
        encoded(MOODLE)
    );
    let answers = canton.sends(vec![Attempt::get(&at(&path)); 50]);
    let told = answers
        .iter()
        .filter(|answer| answer.body.contains("anna.roten"));
    assert_eq!(told.count(), 1);
}

/// [CAS §2.1.1] "CAS MUST redirect the client to the URL specified by the `service` parameter with no "ticket" parameter appended to the URL."
/// [CAS §2.4.1] "It will fail if the ticket was issued from a single sign-on session."
#[test]
fn renew_asks_for_the_password_and_gateway_for_nothing() {
    let mut canton = canton();
    let mut stranger = canton.browser(Place::School);
    let answer = stranger.sends(Attempt::get(&login(MOODLE, "&gateway=true")));
    assert_eq!(answer.location(), MOODLE);

    let (person, mut browser, _) = ticket(&mut canton);
    let silent = browser.sends(Attempt::get(&login(MOODLE, "")));
    let known = parameter(silent.location(), "ticket").unwrap();
    let told = asks(
        &mut canton,
        "/cas/serviceValidate?renew=true&",
        MOODLE,
        &known,
    );
    assert!(told.contains("INVALID_TICKET"), "{told}");
    let page = browser.sends(Attempt::get(&login(MOODLE, "&renew=true")));
    assert!(page.body.contains("name=\"password\""));
    let answer = enters(&mut *browser, &login(MOODLE, "&renew=true"), &person);
    let fresh = parameter(answer.location(), "ticket").unwrap();
    let told = asks(
        &mut canton,
        "/cas/serviceValidate?renew=true&",
        MOODLE,
        &fresh,
    );
    assert!(told.contains("anna.roten"), "{told}");
}

/// [C01] [CAS §2.2.1] "the CAS Server MUST deny operation and print out a meaningful message if a non-authorized service URL is presented."
/// [CAS §2.3.2] "the CAS server MUST ensure that only registered [service] parameter Service URLs are accepted for redirection."
#[test]
fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let mut canton = canton();
    let (_, mut browser, _) = ticket(&mut canton);
    for odd in [
        "https://evil.example/",
        "https://moodle.example.ch.evil.example/",
        "https://moodle.example.ch@evil.example/",
        "https://moodle.example.ch/?ticket=ST-A",
        "http://moodle.example.ch/",
        "https://marks.example.ch/cas/x",
        "https://gone.example.ch/",
        "javascript:alert(1)",
    ] {
        for more in ["", "&gateway=true", "&renew=true"] {
            let answer = browser.sends(Attempt::get(&login(odd, more)));
            assert_eq!((answer.status, answer.location()), (400, ""), "{odd}");
        }
    }
    let out = |service: &str| {
        at(&format!(
            "/cas/logout?service={}&url=https://evil.example/",
            encoded(service)
        ))
    };
    let (_, mut browser, _) = ticket(&mut canton);
    let answer = signs_out(&mut *browser, &out("https://evil.example/"));
    assert_eq!((answer.status, answer.location()), (200, ""));
    let (_, mut browser, _) = ticket(&mut canton);
    assert_eq!(signs_out(&mut *browser, &out(MOODLE)).location(), MOODLE);
    let nobody = browser.sends(Attempt::get(&out(MOODLE)));
    assert_eq!(
        nobody.location(),
        MOODLE,
        "who is out already is asked nothing"
    );
}

/// [A01] [S04] An application that demands two factors gets nobody with one, and the step up is its own.
#[test]
fn an_application_that_demands_more_gets_more() {
    let mut canton = canton();
    let w = Words::of(Language::French);
    let (person, mut browser) = with_a_token(&mut canton);
    enters(&mut *browser, &login(MOODLE, ""), &person);
    canton.passes(5);
    let marks = login("https://marks.example.ch/cas", "");
    let mut stranger = canton.browser(Place::School);
    stranger.opens(&marks);
    stranger.sees("Notes");
    browser.opens(&marks);
    browser.clicks(w.next);
    let town: &mut dyn Town = &mut canton;
    let code = town.presses_token(&person);
    let (action, fields) = browser.form();
    let mut filled: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(name, _)| name != "code" && name != "action")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    filled.push(("code", &code));
    let answer: Answer = browser.sends(Attempt::post(&action, &filled).from_page_of(&at("")));
    let ticket = parameter(answer.location(), "ticket").unwrap();
    let told = asks(
        &mut canton,
        "/cas/p3/serviceValidate?",
        "https://marks.example.ch/cas",
        &ticket,
    );
    assert!(told.contains("https://refeds.org/profile/mfa"), "{told}");
    assert!(
        told.contains("<cas:isFromNewLogin>false</cas:isFromNewLogin>"),
        "{told}"
    );
}

/// [S05] Who ends all sessions of a person ends what tickets stand for.
#[test]
fn a_session_that_ends_elsewhere_ends_the_ticket() {
    let mut canton = canton();
    let (person, _, ticket) = ticket(&mut canton);
    let name = NameKey::of(&person.username).unwrap();
    let account = canton
        .waits_for(canton.store().person_by_name(&name))
        .unwrap()
        .unwrap();
    let by = store::By {
        at: Timestamp(canton.now()),
        ..canton.by()
    };
    let which = EndSessions::All(account.person.id);
    let ended = canton
        .waits_for(canton.store().end_sessions(&which, &by))
        .unwrap();
    assert_eq!(ended, 1);
    assert!(explains(&mut canton, &ticket).contains("INVALID_TICKET"));
}

/// [S05] [CAS §2.3.3] "If SLO is supported by the CAS Server, the CAS Server MUST send a HTTP POST request containing a logout XML document (see Appendix C) to all service URLs provided to CAS during this CAS session whenever a Ticket Granting Ticket is explicitly expired by the user (e.g. during logout)."
#[test]
fn every_application_that_explained_a_ticket_is_told_of_the_end() {
    let mut canton = canton();
    let waiting = |canton: &Canton| canton.waits_for(canton.store().outbox_depth()).unwrap();
    let (_, mut browser, ticket) = ticket(&mut canton);
    signs_out(&mut *browser, &at("/cas/logout"));
    assert_eq!(
        waiting(&canton),
        0,
        "a ticket that nobody brought is nobody's"
    );
    assert!(explains(&mut canton, &ticket).contains("INVALID_TICKET"));

    let (_, mut browser, first) = crate::cas::ticket(&mut canton);
    assert!(explains(&mut canton, &first).contains("anna.roten"));
    let answer = browser.sends(Attempt::get(&login(MOODLE, "")));
    let second = parameter(answer.location(), "ticket").unwrap();
    assert!(explains(&mut canton, &second).contains("anna.roten"));
    signs_out(&mut *browser, &at("/cas/logout"));
    assert_eq!(waiting(&canton), 2, "one for each ticket");
}
