//! What the desk takes back, and what ends with it: seen by the first request after, at another node.

use serde_json::Value;
use testkit::memory::Canton;
use testkit::{Attempt, Browser, Lost, Person, Place, Role, Town};

use super::grants::{offline, redeems_at, refreshes};
use super::registered::{asks_as, registers};
use super::{begins, canton, signs_in_strongly, somebody};
use crate::application::{asks, at, parameter, redeems, sends};

/// A session's cookie, a code that was not redeemed, tokens of an application and half a sign-in.
struct Had {
    code: String,
    half: (String, Box<dyn Browser>),
    tokens: Value,
    browser: Box<dyn Browser>,
}

fn had(canton: &mut Canton, chloe: &Person) -> Had {
    let mut browser = canton.browser(Place::Home);
    signs_in_strongly(canton, &mut *browser, chloe);
    let asked = asks_as("mail", &[("scope", Some("openid offline_access"))]);
    let answer = browser.sends(Attempt::get(&asked));
    let code = parameter(answer.location(), "code").unwrap();
    let tokens = sends(canton, redeems_at("mail", &code));
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let answer = browser.sends(Attempt::get(&asks(&[])));
    let code = parameter(answer.location(), "code").unwrap();
    canton.passes(60);
    let mut other = canton.browser(Place::Home);
    let journey = begins(&mut *other, chloe);
    Had {
        code,
        half: (journey, other),
        tokens: tokens.json(),
        browser,
    }
}

/// [L05] [L09] [S05] Phone or password taken back: cookie, code, refresh token, access token and half a
/// sign-in are worth nothing at the next request, whichever node it reaches.
#[test]
fn what_was_had_before_a_reset_opens_nothing_at_any_node() {
    for lost in [Lost::Phone, Lost::Password] {
        let mut canton = canton();
        registers(&mut canton, &[offline("mail")]);
        let chloe = somebody(&mut canton, Role::EnrolledApp);
        let mut had = had(&mut canton, &chloe);
        let typed = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
        canton.desk(&chloe, lost);

        let origin = at("");
        let account = Attempt::get(&at("/account")).with_cookies_of(&mut *had.browser);
        assert_eq!(canton.calls_at(&origin, account).status, 303);
        let redeemed = canton.calls_at(&origin, redeems(&had.code));
        assert_eq!(redeemed.json()["error"], "invalid_grant");
        let due = had.tokens["refresh_token"].as_str().unwrap();
        let renewed = canton.calls_at(&origin, refreshes("mail", due));
        assert_eq!(renewed.json()["error"], "invalid_grant");
        let bearer = format!("Bearer {}", had.tokens["access_token"].as_str().unwrap());
        let userinfo = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
        assert_eq!(canton.calls_at(&origin, userinfo).status, 401);
        let (journey, browser) = &mut had.half;
        let half = Attempt::post(&at(journey), &[("code", &typed)])
            .from_page_of(&origin)
            .with_cookies_of(&mut **browser);
        let half = canton.calls_at(&origin, half);
        assert!(half.status == 410 && !half.signs_somebody_in(), "{half:?}");
    }
}
