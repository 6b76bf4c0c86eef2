//! C14: authorization requests that applications hand over themselves.

use data_encoding::BASE64URL_NOPAD;
use store::ResourceKind;
use testkit::memory::{Canton, ENT_SECRET};
use testkit::{Answer, Attempt, Browser, Place, Role, Town};
use url::Url;

use super::{canton, gets, somebody};
use crate::application::{REDIRECT, asks, at, basic, enters, parameter, redeems, sends};
use crate::registered::changes;

/// The request of [`asks`], handed over by the ENT.
fn hands_over(canton: &mut Canton, authorization: &str) -> Answer {
    hands_over_with(canton, authorization, &[])
}

fn hands_over_with(
    canton: &mut Canton,
    authorization: &str,
    changes: &[(&str, Option<&str>)],
) -> Answer {
    let url = Url::parse(&asks(changes)).unwrap();
    let fields: Vec<_> = url.query_pairs().into_owned().collect();
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let attempt = Attempt::post(&at("/par"), &fields);
    sends(canton, attempt.header("authorization", authorization))
}

/// The address with the reference, of a request that was handed over.
fn reference(canton: &mut Canton, client: &str) -> String {
    let authorization = basic("ent", ENT_SECRET);
    let answer = hands_over(canton, &authorization);
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["expires_in"], 60);
    let uri = body["request_uri"].as_str().unwrap().to_owned();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", client)
        .append_pair("request_uri", &uri)
        .append_pair("scope", "phone")
        .finish();
    format!("/authorize?{query}")
}

fn opens(browser: &mut dyn Browser, reference: &str) -> Answer {
    let first = gets(browser, reference);
    match first.location().strip_prefix(&at("")) {
        Some(path) => gets(browser, path),
        None if first.location().is_empty() => first,
        None => {
            let path = first.location().to_owned();
            gets(browser, &path)
        }
    }
}

/// [C14] [RFC 9126 §4] "Authorization servers SHOULD treat request_uri values as one-time use"
/// A request that was handed over leads to a sign-in, for one browser, which may look at it again;
/// what stands beside the reference counts for nothing.
#[test]
fn a_reference_is_opened_once() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let reference = reference(&mut canton, "ent");
    let mut browser = canton.browser(Place::School);
    let first = gets(&mut *browser, &reference);
    assert_eq!(first.status, 303);
    let mine = first
        .location()
        .strip_prefix(&at(""))
        .unwrap_or(first.location());
    let mine = mine.to_owned();
    for _ in 0..2 {
        assert_eq!(gets(&mut *browser, &mine).status, 200);
    }
    let answer = enters(&mut *browser, &at(&mine), &anna);
    let code = parameter(answer.location(), "code").unwrap();
    let tokens = sends(&mut canton, redeems(&code)).json();
    assert_eq!(tokens["scope"], "openid profile");

    let mut other = canton.browser(Place::School);
    for used in [&reference, &mine] {
        assert_eq!(gets(&mut *other, used).status, 410, "{used}");
    }
    assert_eq!(gets(&mut *browser, &reference).status, 410);
    canton.passes(3600);
    let over = gets(&mut *browser, &mine);
    assert_eq!(over.status, 410);
    let leads_on = over.body.contains("class=\"button");
    assert!(leads_on, "to the application, or to the start");
}

/// [C14] [RFC 9126 §2.1] "as a required authorization request parameter, it is similarly required in a pushed authorization request"
/// Who it is, an application says twice: by authenticating, and in the request.
#[test]
fn a_request_that_is_handed_over_names_its_application() {
    let mut canton = canton();
    crate::registered::registers_a_neighbour(&canton);
    let url = Url::parse(&asks(&[])).unwrap();
    let fields: Vec<_> = url.query_pairs().into_owned().collect();
    for named in [None, Some("neighbour"), Some("")] {
        let rest = fields.iter().filter(|(name, _)| name != "client_id");
        let mut form: Vec<_> = rest.map(|(name, value)| (&**name, &**value)).collect();
        form.extend(named.map(|id| ("client_id", id)));
        let attempt = Attempt::post(&at("/par"), &form);
        let attempt = attempt.header("authorization", &basic("ent", ENT_SECRET));
        let answer = sends(&mut canton, attempt);
        assert!(
            matches!(answer.status, 400 | 401),
            "{named:?} {}",
            answer.body
        );
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(
            ["invalid_request", "invalid_client"].contains(&&*error),
            "{named:?} {error}"
        );
    }
}

/// [OIDC Core §3.1.2.6] "The Authorization Server requires End-User authentication": what shows no page is answered where
/// no cookie goes, as in a frame of another site.
#[test]
fn a_silent_request_by_reference_is_answered_without_a_cookie() {
    let mut canton = canton();
    let silent = [("prompt", Some("none"))];
    let answer = hands_over_with(&mut canton, &basic("ent", ENT_SECRET), &silent);
    let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
    let reference = at(&format!("/authorize?client_id=ent&request_uri={uri}"));
    let answer = sends(&mut canton, Attempt::get(&reference));
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(answer.location().starts_with(REDIRECT), "{answer:?}");
    let error = parameter(answer.location(), "error");
    assert_eq!(error.as_deref(), Some("login_required"));
    assert_eq!(sends(&mut canton, Attempt::get(&reference)).status, 410);
}

/// [C01] An address that was taken out after the request was read is sent nothing.
#[test]
fn a_reference_leads_to_no_address_that_was_taken_out() {
    let mut canton = canton();
    let reference = reference(&mut canton, "ent");
    let mut browser = canton.browser(Place::School);
    let opened = gets(&mut *browser, &reference).location().to_owned();
    let opened = opened.strip_prefix(&at("")).unwrap_or(&opened).to_owned();
    assert_eq!(gets(&mut *browser, &opened).status, 200);
    changes(&canton, ResourceKind::Applications, |text| {
        let moved = format!("{REDIRECT}/moved");
        assert!(text.contains(REDIRECT));
        text.replace(REDIRECT, &moved)
    });
    let refused = gets(&mut *browser, &opened);
    assert_eq!((refused.status, refused.location()), (400, ""));
}

/// [C14] One that comes late, for another application, or from nobody leads nowhere.
#[test]
fn a_reference_is_for_its_application_and_a_minute() {
    let mut canton = canton();
    crate::registered::registers_a_neighbour(&canton);
    let mut browser = canton.browser(Place::School);
    let of_another = reference(&mut canton, "neighbour");
    assert_eq!(opens(&mut *browser, &of_another).status, 410);
    let late = reference(&mut canton, "ent");
    canton.passes(60);
    assert_eq!(opens(&mut *browser, &late).status, 410);
    let sealed = BASE64URL_NOPAD.encode(&[7; 300]);
    let made_up =
        format!("/authorize?client_id=ent&request_uri=urn:ietf:params:oauth:request_uri:{sealed}");
    assert_eq!(opens(&mut *browser, &made_up).status, 410);
}

/// [C08] [C14] [RFC 9126 §2.1] "Authenticate the client in the same way as at the token endpoint": nobody hands anything over for an application who is not that application.
#[test]
fn whoever_hands_a_request_over_is_the_application() {
    let mut canton = canton();
    crate::registered::registers_a_neighbour(&canton);
    for wrong in [
        basic("ent", "wrong"),
        basic("ent", ""),
        basic("neighbour", ENT_SECRET),
        String::new(),
    ] {
        let answer = hands_over(&mut canton, &wrong);
        assert!(matches!(answer.status, 400 | 401), "{}", answer.body);
        assert!(answer.json().get("request_uri").is_none());
    }
}
