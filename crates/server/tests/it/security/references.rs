//! C14: what a browser has instead of a request: once, for a while, and not too long.

use serde_json::json;
use testkit::{Attempt, Browser, Place, Role, Town};

use super::fapi::{App, anna, told};
use super::{canton, gets, somebody};
use crate::application::{at, enters};

/// [C14] A request object with an id is taken once, also where a browser brings it: whoever finds the address in a
/// log opens nothing with it, at either door. Where it was opened it may be loaded again.
#[test]
fn a_signed_request_that_a_browser_brings_is_taken_once() {
    let mut canton = canton();
    let mut app = App::registered(&mut canton, "signing", json!({}));
    let object = app.object(&mut canton, &json!({ "jti": "r-2" }));
    let brought = format!("/authorize?client_id=signing&request={object}");
    let mut browser = canton.browser(Place::School);
    let mine = gets(&mut *browser, &brought).location().to_owned();
    assert!(mine.contains("request_uri="), "{mine}");
    for _ in 0..2 {
        assert_eq!(gets(&mut *browser, &mine).status, 200);
    }
    let mut other = canton.browser(Place::School);
    let replayed = gets(&mut *other, &brought);
    assert_eq!((replayed.status, replayed.location()), (400, ""));
    assert_eq!(gets(&mut *other, &mine).status, 410);
    let request = [("client_id", "signing"), ("request", object.as_str())];
    let handed_over = app.posts(&mut canton, "/par", &request, false);
    assert_eq!(told(&handed_over), "invalid_request_object");
    // Another application may use the same id, and one that was handed over is taken here no more.
    let mut choir = App::registered(&mut canton, "choir", json!({}));
    let object = choir.object(&mut canton, &json!({ "jti": "r-2" }));
    let request = [("client_id", "choir"), ("request", object.as_str())];
    let handed_over = choir.posts(&mut canton, "/par", &request, false);
    assert_eq!(handed_over.status, 201, "{}", handed_over.body);
    let brought = format!("/authorize?client_id=choir&request={object}");
    assert_eq!(gets(&mut *other, &brought).status, 400);
}

/// [C14] Of many browsers with the same signed request at the same moment, one has it.
#[test]
fn a_signed_request_is_one_browsers() {
    let mut canton = canton();
    let mut app = App::registered(&mut canton, "signing", json!({}));
    let object = app.object(&mut canton, &json!({ "jti": "r-3" }));
    let brought = at(&format!("/authorize?client_id=signing&request={object}"));
    let all = (0..16).map(|_| Attempt::get(&brought)).collect();
    let answers = canton.sends(all);
    let taken = answers.iter().filter(|answer| answer.status != 400);
    assert_eq!(taken.count(), 1, "{answers:?}");
}

/// The way of whoever is somebody else, on the page that asks for consent.
fn not_me(browser: &mut dyn Browser, way: &str) -> String {
    let page = gets(browser, way);
    assert_eq!(page.status, 200, "{page:?}");
    let mut texts = page.body.split('"');
    let link = texts.find(|text| text.starts_with("/authorize?"));
    link.unwrap().replace("&#38;", "&")
}

/// [C14] However often our pages refer to what a browser has opened, an hour after the first time it is over.
#[test]
fn what_was_opened_has_an_end() {
    let mut canton = canton();
    let mut app = App::registered(&mut canton, "choir", json!({ "trusted": false }));
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let object = app.object(&mut canton, &json!({}));
    let brought = format!("/authorize?client_id=choir&request={object}");
    let mut way = gets(&mut *browser, &brought).location().to_owned();
    for pause in [1500, 1500, 500] {
        canton.passes(pause);
        let asked = enters(&mut *browser, &at(&way), &anna);
        assert!(asked.location().starts_with("/consent?"), "{asked:?}");
        way = not_me(&mut *browser, asked.location());
    }
    assert_eq!(gets(&mut *browser, &way).status, 200);
    canton.passes(120);
    assert_eq!(gets(&mut *browser, &way).status, 410);
}

/// [C14] An address that a proxy would cut is given to nobody: the application is told instead, while it can.
#[test]
fn a_request_whose_reference_is_too_long_is_not_taken() {
    let mut canton = canton();
    let mut app = App::registered(&mut canton, "signing", json!({}));
    for (state, hint, status) in [(2048, 2048, 201), (2048, 4096, 413)] {
        let object = app.object(
            &mut canton,
            &json!({ "state": "s".repeat(state), "id_token_hint": "h".repeat(hint) }),
        );
        let request = [("client_id", "signing"), ("request", object.as_str())];
        let answer = app.posts(&mut canton, "/par", &request, false);
        assert_eq!(answer.status, status, "{}", answer.body);
        match status {
            201 => assert!(answer.json()["request_uri"].as_str().unwrap().len() < 7680),
            _ => assert_eq!(told(&answer), "invalid_request"),
        }
    }
    let (_, mut browser) = anna(&mut canton);
    let object = app.object(&mut canton, &json!({ "state": "s".repeat(2048) }));
    let brought = format!("/authorize?client_id=signing&request={object}");
    assert_eq!(gets(&mut *browser, &brought).status, 303);
}
