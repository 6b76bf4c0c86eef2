//! What ends a portal's session from outside.

use super::*;

/// [C15] [Back-Channel Logout §2.6] The provider ends a portal's session by a logout token, and by
/// nothing else.
#[tokio::test]
async fn a_session_ends_when_the_provider_says_so_and_only_then() {
    let mut story = Story::of(Lies::default());
    story.signs_in("/login").await;
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let right = json!({
        "iss": ISSUER, "aud": "ent", "sub": "7c1", "iat": NOW, "exp": NOW + 120, "jti": "one",
        "events": { event: {} },
    });
    let twists: [Twist; 9] = [
        |claims| claims["iss"] = json!("http://evil.example"),
        |claims| claims["aud"] = json!("ism"),
        |claims| claims["sub"] = json!("somebody else"),
        |claims| claims["exp"] = json!(NOW - 61),
        |claims| claims["iat"] = json!(NOW + 61),
        |claims| claims["nonce"] = json!("n"),
        |claims| claims["events"] = json!({}),
        |claims| claims["jti"] = json!(""),
        |claims| claims["sub"] = Value::Null,
    ];
    for twist in twists {
        let mut claims = right.clone();
        twist(&mut claims);
        story.hears(&signed("logout+jwt", &claims)).await;
        assert_eq!(story.whoami().await.0, StatusCode::OK, "{claims}");
    }
    for token in [signed("JWT", &right), String::new(), "a.b.c".to_owned()] {
        assert_eq!(story.hears(&token).await, StatusCode::BAD_REQUEST);
        assert_eq!(story.whoami().await.0, StatusCode::OK);
    }
    let mut of_the_session = right.clone();
    of_the_session["sid"] = json!("another session");
    of_the_session["jti"] = json!("two");
    let told = signed("logout+jwt", &of_the_session);
    assert_eq!(story.hears(&told).await, StatusCode::OK);
    assert_eq!(story.whoami().await.0, StatusCode::OK);

    let mut of_everything = right;
    of_everything["jti"] = json!("three");
    let told = signed("logout+jwt", &of_everything);
    assert_eq!(story.hears(&told).await, StatusCode::OK);
    story.is_nobody().await;
    assert_eq!(story.hears(&told).await, StatusCode::BAD_REQUEST);
}

fn signed(typ: &str, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("issuer-1".to_owned());
    header.typ = Some(typ.to_owned());
    jsonwebtoken::encode(&header, claims, &ISSUER_KEY).unwrap()
}

/// What lay open while somebody signed out lets nobody in afterwards.
#[tokio::test]
async fn an_answer_to_a_request_of_before_the_sign_out_opens_nothing() {
    let mut story = Story::of(Lies::default());
    let lay_open = story.begins("/login").await;
    story.signs_in("/login").await;
    story.browser.posts(&story.portal, "/logout", "").await;
    let state = lay_open.one("state").unwrap();
    let answer = format!("code=c&state={state}&iss={ISSUER}");
    let seen = story.comes_back(&answer).await;
    assert_eq!(seen.status, StatusCode::BAD_REQUEST);
    story.is_nobody().await;
}
