//! CAS: an application that acts for a person at another one.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use journey::NameKey;
use store::ResourceKind;
use testkit::memory::Canton;
use testkit::{Attempt, Browser, Language, Person, Town};
use url::form_urlencoded::byte_serialize;

use crate::{
    application::{at, at_school, enters, parameter, sends},
    registered::{changes, registers, signs_out},
};

/// Where the application is that acts.
const PORTAL: &str = "https://portal.example.ch/";
/// Where it acts.
const MAIL: &str = "https://mail.example.ch/";
/// Where that acts in turn.
const DISK: &str = "https://disk.example.ch/";

/// A door of an application on this machine: it remembers what it is asked.
struct Door {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Door {
    /// One that answers everybody with this status, until the test ends.
    fn opens(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/proxy?a=1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remembers = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = vec![0; 8192];
                let length = stream.read(&mut request).unwrap();
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                remembers.lock().unwrap().push(text);
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { address, asked }
    }

    fn requests(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// The last ticket it was given, and the note about it.
    fn was_given(&self) -> (String, String) {
        let asked = self.asked.lock().unwrap();
        let line = asked.last().unwrap().lines().next().unwrap();
        let target = line.strip_prefix("GET ").unwrap();
        let url = format!("http://localhost{}", target.split(' ').next().unwrap());
        assert_eq!(parameter(&url, "a").as_deref(), Some("1"), "{url}");
        let value = |name| parameter(&url, name).unwrap();
        (value("pgtId"), value("pgtIou"))
    }
}

fn service(id: &str, address: &str, more: &str) -> String {
    format!(
        "[[cas]]\nid = \"{id}\"\nname = {{ fr = \"{id}\", de = \"{id}\", en = \"{id}\" }}\n\
         services = [\"{address}\"]\n{more}\n"
    )
}

/// The portal acts at the mail, which acts at the disk.
fn canton(portal: &Door, mail: &Door) -> Canton {
    let canton = Canton::new(Language::French);
    let acts = |door: &Door| format!("proxy = true\nproxy_callbacks = [\"{}\"]", door.address);
    registers(&canton, &service("portal", PORTAL, &acts(portal)));
    let both = format!(
        "{}\nproxied_by = [\"portal\"]\nattributes = [\"groups\"]",
        acts(mail)
    );
    registers(&canton, &service("mail", MAIL, &both));
    let last = "proxied_by = [\"mail\", \"portal\"]\nattributes = [\"display_name\"]";
    registers(&canton, &service("disk", DISK, last));
    canton
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

fn gets(canton: &mut Canton, path: &str) -> String {
    let answer = sends(canton, Attempt::get(&at(path)));
    assert_eq!(answer.status, 200, "the protocol says no in the document");
    answer.body
}

fn element(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<cas:{name}>"))?;
    Some(rest.split_once('<')?.0.to_owned())
}

/// A ticket for the portal, of somebody at school.
fn ticket(canton: &mut Canton) -> (Person, Box<dyn Browser>, String) {
    let (person, mut browser) = at_school(canton);
    let login = at(&format!("/cas/login?service={}", encoded(PORTAL)));
    let answer = enters(&mut *browser, &login, &person);
    let ticket = parameter(answer.location(), "ticket").unwrap();
    (person, browser, ticket)
}

/// The portal has its ticket explained, and wants one to act with.
fn validates(canton: &mut Canton, ticket: &str, callback: &str) -> String {
    let (service, callback) = (encoded(PORTAL), encoded(callback));
    gets(
        canton,
        &format!("/cas/p3/serviceValidate?service={service}&ticket={ticket}&pgtUrl={callback}"),
    )
}

/// What the portal is given to act with.
fn granted(canton: &mut Canton, portal: &Door) -> (Person, Box<dyn Browser>, String) {
    let (person, browser, ticket) = ticket(canton);
    let told = validates(canton, &ticket, &portal.address);
    let (granting, iou) = portal.was_given();
    assert_eq!(element(&told, "proxyGrantingTicket"), Some(iou), "{told}");
    (person, browser, granting)
}

fn proxies(canton: &mut Canton, granting: &str, target: &str) -> String {
    let target = encoded(target);
    gets(
        canton,
        &format!("/cas/proxy?pgt={granting}&targetService={target}"),
    )
}

fn proxy_ticket(canton: &mut Canton, granting: &str, target: &str) -> String {
    let told = proxies(canton, granting, target);
    element(&told, "proxyTicket").unwrap_or_else(|| panic!("{told}"))
}

fn explains(canton: &mut Canton, path: &str, service: &str, ticket: &str) -> String {
    let service = encoded(service);
    gets(
        canton,
        &format!("/cas/{path}?service={service}&ticket={ticket}"),
    )
}

/// [CAS §2.5] "`/serviceValidate` MUST also generate and issue proxy-granting tickets when requested."
/// [CAS §2.6] "`/proxyValidate` MUST be capable of validating both service tickets and proxy tickets."
/// [CAS §3.2.1] "Proxy tickets MUST only be valid for one ticket validation attempt."
#[test]
fn an_application_acts_for_a_person_at_one_that_lets_it() {
    let (portal, mail) = (Door::opens("200 OK"), Door::opens("200 OK"));
    let mut canton = canton(&portal, &mail);
    let (person, _, granting) = granted(&mut canton, &portal);
    let ticket = proxy_ticket(&mut canton, &granting, MAIL);
    assert!(ticket.starts_with("PT-") && ticket.len() <= 256, "{ticket}");
    let told = explains(&mut canton, "p3/proxyValidate", MAIL, &ticket);
    let user = element(&told, "user");
    assert_eq!(user.as_deref(), Some(person.username.as_str()), "{told}");
    assert_eq!(element(&told, "proxy"), Some(portal.address.clone()));
    assert_eq!(
        element(&told, "groups").as_deref(),
        Some("teacher"),
        "by the target's rules"
    );
    assert_eq!(element(&told, "isFromNewLogin").as_deref(), Some("false"));
    let again = explains(&mut canton, "p3/proxyValidate", MAIL, &ticket);
    assert!(again.contains("INVALID_TICKET"), "{again}");
    // One that acts may do so again.
    let second = proxy_ticket(&mut canton, &granting, MAIL);
    assert_ne!(second, ticket);
    let plain = explains(&mut canton, "proxyValidate", MAIL, &second);
    assert!(
        plain.contains("<cas:proxies>") && !plain.contains("attributes"),
        "{plain}"
    );
    let json = proxy_ticket(&mut canton, &granting, MAIL);
    let path = format!(
        "/cas/p3/proxyValidate?format=JSON&service={}&ticket={json}",
        encoded(MAIL)
    );
    let json: serde_json::Value = serde_json::from_str(&gets(&mut canton, &path)).unwrap();
    let success = &json["serviceResponse"]["authenticationSuccess"];
    assert_eq!(success["proxies"], serde_json::json!([portal.address]));
}

/// [CAS §2.6.2] "The most recently-visited proxy MUST be the first proxy listed, and all the other proxies MUST be shifted down as new proxies are added."
#[test]
fn who_acts_for_one_that_acts_stands_first_and_all_must_be_admitted() {
    let (portal, mail) = (Door::opens("200 OK"), Door::opens("200 OK"));
    let mut canton = canton(&portal, &mail);
    let (_, _, granting) = granted(&mut canton, &portal);
    let at_mail = proxy_ticket(&mut canton, &granting, MAIL);
    let callback = encoded(&mail.address);
    let path = format!(
        "/cas/p3/proxyValidate?service={}&ticket={at_mail}&pgtUrl={callback}",
        encoded(MAIL)
    );
    let told = gets(&mut canton, &path);
    let (second, iou) = mail.was_given();
    assert_eq!(element(&told, "proxyGrantingTicket"), Some(iou), "{told}");
    let at_disk = proxy_ticket(&mut canton, &second, DISK);
    assert!(at_disk.len() <= 256, "{}", at_disk.len());
    let told = explains(&mut canton, "p3/proxyValidate", DISK, &at_disk);
    let expected = format!(
        "<cas:proxies><cas:proxy>{}</cas:proxy><cas:proxy>{}</cas:proxy></cas:proxies>",
        mail.address, portal.address
    );
    assert!(told.contains(&expected), "{told}");
    assert!(
        told.contains("displayName") && !told.contains("groups"),
        "{told}"
    );
    // The disk takes back its word about the portal: what comes through it comes no more.
    let late = proxy_ticket(&mut canton, &second, DISK);
    changes(&canton, ResourceKind::Applications, |text| {
        text.replace("[\"mail\", \"portal\"]", "[\"mail\"]")
    });
    let told = explains(&mut canton, "p3/proxyValidate", DISK, &late);
    assert!(told.contains("INVALID_TICKET"), "{told}");
    let refused = proxies(&mut canton, &second, DISK);
    assert!(refused.contains("UNAUTHORIZED_SERVICE"), "{refused}");
}

/// [C17] Nobody acts who is not registered for it, and nothing is called that is not registered to the letter.
#[test]
fn nobody_acts_who_may_not_and_nothing_else_is_called() {
    let (portal, mail) = (Door::opens("200 OK"), Door::opens("200 OK"));
    let mut canton = canton(&portal, &mail);
    for callback in [
        format!("{}&b=2", portal.address),
        portal.address.replace("?a=1", ""),
        portal.address.replace("127.0.0.1", "localhost"),
        mail.address.clone(),
        "https://portal.example.ch/proxy".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let (_, _, ticket) = ticket(&mut canton);
        let told = validates(&mut canton, &ticket, &callback);
        assert!(
            told.contains("INVALID_PROXY_CALLBACK"),
            "{callback}: {told}"
        );
        let spent = explains(&mut canton, "serviceValidate", PORTAL, &ticket);
        assert!(spent.contains("INVALID_TICKET"), "{spent}");
    }
    assert_eq!((portal.requests(), mail.requests()), (0, 0));
    let (_, mut browser, _) = ticket(&mut canton);
    let disk = at(&format!("/cas/login?service={}", encoded(DISK)));
    let disk = parameter(browser.sends(Attempt::get(&disk)).location(), "ticket").unwrap();
    let path = format!(
        "/cas/serviceValidate?service={}&ticket={disk}&pgtUrl={}",
        encoded(DISK),
        encoded(&portal.address)
    );
    let told = gets(&mut canton, &path);
    assert!(told.contains("UNAUTHORIZED_SERVICE_PROXY"), "{told}");
    assert_eq!(portal.requests(), 0);

    let (_, _, granting) = granted(&mut canton, &portal);
    for target in [
        PORTAL,
        "https://gone.example.ch/",
        "https://mail.example.ch.evil.example/",
    ] {
        let told = proxies(&mut canton, &granting, target);
        assert!(told.contains("UNAUTHORIZED_SERVICE"), "{target}: {told}");
    }
    for (query, code) in [
        (String::new(), "INVALID_REQUEST"),
        (format!("pgt={granting}"), "INVALID_REQUEST"),
        (
            format!("targetService={}", encoded(MAIL)),
            "INVALID_REQUEST",
        ),
        (
            format!("pgt=PGT-AAAA&targetService={}", encoded(MAIL)),
            "BAD_PGT",
        ),
        (
            format!(
                "pgt={}&targetService={}",
                granting.replace("PGT-", "PT-"),
                encoded(MAIL)
            ),
            "BAD_PGT",
        ),
        (
            format!(
                "pgt={granting}&pgt={granting}&targetService={}",
                encoded(MAIL)
            ),
            "INVALID_REQUEST",
        ),
    ] {
        let told = gets(&mut canton, &format!("/cas/proxy?{query}"));
        assert!(told.contains(code), "{query}: {told}");
    }
}

/// [CAS §2.5.4] "proxy authentication MUST fail and CAS MUST respond with the appropriate error code"
#[test]
fn an_application_that_does_not_answer_gets_nothing_to_act_with() {
    for status in [
        "302 Found\r\nlocation: http://127.0.0.1:1/",
        "204 No Content",
        "404 Not Found",
        "500 Oh",
    ] {
        let (portal, mail) = (Door::opens(status), Door::opens("200 OK"));
        let mut canton = canton(&portal, &mail);
        let (_, _, ticket) = ticket(&mut canton);
        let told = validates(&mut canton, &ticket, &portal.address);
        assert!(told.contains("INVALID_PROXY_CALLBACK"), "{status}: {told}");
        assert!(
            !told.contains("anna") && !told.contains("proxyGrantingTicket"),
            "{told}"
        );
        assert_eq!(portal.requests(), 1, "{status}: no redirect, no second try");
    }
}

/// [CAS §2.7.1] "the service identifier specified here MUST match the `service` parameter specified to `/proxyValidate` upon validation of the proxy ticket."
/// [CAS §3.2.1] "If a service presents for validation an expired proxy ticket, CAS MUST respond with a validation failure response."
/// [C02] A proxy ticket is for one address, one validation and one minute, and no service ticket.
/// [CAS §2.5] "`/serviceValidate` MUST NOT return a successful authentication if it receives a proxy ticket."
#[test]
fn a_proxy_ticket_is_worth_nothing_elsewhere_later_or_twice() {
    let (portal, mail) = (Door::opens("200 OK"), Door::opens("200 OK"));
    let mut canton = canton(&portal, &mail);
    let (_, _, granting) = granted(&mut canton, &portal);
    let fresh = |canton: &mut Canton| proxy_ticket(canton, &granting, MAIL);
    for path in ["serviceValidate", "p3/serviceValidate"] {
        let ticket = fresh(&mut canton);
        let told = explains(&mut canton, path, MAIL, &ticket);
        assert!(told.contains("INVALID_TICKET_SPEC"), "{path}: {told}");
    }
    let ticket = fresh(&mut canton);
    assert_eq!(explains(&mut canton, "validate", MAIL, &ticket), "no\n");
    let ticket = fresh(&mut canton);
    let told = explains(&mut canton, "proxyValidate", DISK, &ticket);
    assert!(told.contains("INVALID_SERVICE"), "{told}");
    let told = explains(&mut canton, "proxyValidate", MAIL, &ticket);
    assert!(told.contains("INVALID_TICKET"), "void: {told}");
    let ticket = fresh(&mut canton);
    let told = explains(&mut canton, "proxyValidate?renew=true&x=", MAIL, &ticket);
    assert!(!told.contains("<cas:user>"), "{told}");
    let ticket = fresh(&mut canton);
    canton.passes(61);
    let told = explains(&mut canton, "proxyValidate", MAIL, &ticket);
    assert!(told.contains("INVALID_TICKET"), "{told}");
    // Of fifty that ask at once one is told.
    let ticket = fresh(&mut canton);
    let path = format!(
        "/cas/proxyValidate?service={}&ticket={ticket}",
        encoded(MAIL)
    );
    let answers = canton.sends(vec![Attempt::get(&at(&path)); 50]);
    let told = answers
        .iter()
        .filter(|answer| answer.body.contains("<cas:user>"));
    assert_eq!(told.count(), 1);
}

/// [S05] [CAS §3.3.1] "Proxy-granting tickets MUST expire when the client whose authentication is being proxied logs out of CAS."
#[test]
fn who_acts_for_a_person_stops_when_they_sign_out() {
    let (portal, mail) = (Door::opens("200 OK"), Door::opens("200 OK"));
    let mut canton = canton(&portal, &mail);
    let (_, mut browser, granting) = granted(&mut canton, &portal);
    let ticket = proxy_ticket(&mut canton, &granting, MAIL);
    signs_out(&mut *browser, &at("/cas/logout"));
    let told = explains(&mut canton, "proxyValidate", MAIL, &ticket);
    assert!(told.contains("INVALID_TICKET"), "{told}");
    let told = proxies(&mut canton, &granting, MAIL);
    assert!(told.contains("BAD_PGT"), "{told}");

    // The target hears of the end as well.
    let (_, mut browser, granting) = granted(&mut canton, &portal);
    let ticket = proxy_ticket(&mut canton, &granting, MAIL);
    assert!(explains(&mut canton, "proxyValidate", MAIL, &ticket).contains("<cas:user>"));
    let waiting = |canton: &Canton| canton.waits_for(canton.store().outbox_depth()).unwrap();
    let before = waiting(&canton);
    signs_out(&mut *browser, &at("/cas/logout"));
    assert_eq!(waiting(&canton) - before, 2, "the portal and the mail");
    // However often it acts, the end is told so many times and no more; another target hears of it all the same.
    let (_, mut browser, granting) = granted(&mut canton, &portal);
    for _ in 0..25 {
        let ticket = proxy_ticket(&mut canton, &granting, MAIL);
        assert!(explains(&mut canton, "proxyValidate", MAIL, &ticket).contains("<cas:user>"));
    }
    let ticket = proxy_ticket(&mut canton, &granting, DISK);
    assert!(explains(&mut canton, "proxyValidate", DISK, &ticket).contains("<cas:user>"));
    let before = waiting(&canton);
    signs_out(&mut *browser, &at("/cas/logout"));
    assert_eq!(waiting(&canton) - before, 22);

    let (person, _, granting) = granted(&mut canton, &portal);
    let name = NameKey::of(&person.username).unwrap();
    let found = canton.store().person_by_name(&name);
    let account = canton.waits_for(found).unwrap().unwrap();
    let by = canton.by();
    let switched = canton.store().disable(account.person.id, true, &by);
    canton.waits_for(switched).unwrap();
    let told = proxies(&mut canton, &granting, MAIL);
    assert!(told.contains("BAD_PGT"), "{told}");
}

/// [S03] An application that acts by itself keeps nobody signed in, and does so for a school day at most.
#[test]
fn acting_prolongs_nothing_and_has_an_end() {
    let (portal, mail) = (Door::opens("200 OK"), Door::opens("200 OK"));
    let mut canton = canton(&portal, &mail);
    let (_, _, granting) = granted(&mut canton, &portal);
    let mut over = false;
    for _ in 0..50 {
        canton.passes(600);
        let told = proxies(&mut canton, &granting, MAIL);
        over |= told.contains("BAD_PGT");
        if let Some(ticket) = element(&told, "proxyTicket") {
            assert!(!over, "what is over does not come back");
            explains(&mut canton, "proxyValidate", MAIL, &ticket);
        }
    }
    assert!(over, "eight hours and twenty minutes");
}

/// [A01] A target that demands two factors takes nobody with one, whoever acts.
#[test]
fn less_than_the_target_demands_is_not_enough() {
    let (portal, mail) = (Door::opens("200 OK"), Door::opens("200 OK"));
    let mut canton = canton(&portal, &mail);
    let (_, _, granting) = granted(&mut canton, &portal);
    let early = proxy_ticket(&mut canton, &granting, MAIL);
    changes(&canton, ResourceKind::Applications, |text| {
        text.replace("attributes = [\"groups\"]", "minimum = \"strong\"")
    });
    let told = explains(&mut canton, "proxyValidate", MAIL, &early);
    assert!(told.contains("INVALID_TICKET"), "{told}");
    let told = proxies(&mut canton, &granting, MAIL);
    assert!(told.contains("UNAUTHORIZED_SERVICE"), "{told}");
}

/// What the portal may no longer do, its old tickets do not do either.
#[test]
fn who_may_not_act_any_more_does_not() {
    let (portal, mail) = (Door::opens("200 OK"), Door::opens("200 OK"));
    let mut canton = canton(&portal, &mail);
    let (_, _, granting) = granted(&mut canton, &portal);
    let early = proxy_ticket(&mut canton, &granting, MAIL);
    let address = portal.address.clone();
    changes(&canton, ResourceKind::Applications, move |text| {
        text.replace(&address, "https://portal.example.ch/elsewhere")
    });
    let told = explains(&mut canton, "proxyValidate", MAIL, &early);
    assert!(told.contains("INVALID_TICKET"), "{told}");
    let told = proxies(&mut canton, &granting, MAIL);
    assert!(told.contains("UNAUTHORIZED_SERVICE"), "{told}");
}
