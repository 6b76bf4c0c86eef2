//! The phone's API, as scripts and the provider's gateway use it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::toys::{Browser, Clockwork, Everybody, settings};

fn room() -> (Router, Arc<Clockwork>) {
    let world = Arc::new(Clockwork::at(59));
    let live = Arc::new(Everybody);
    let phone = Phone::new(settings(), live, world.clone(), Messages::default()).unwrap();
    (router(phone), world)
}

async fn asks(room: &Router, method: &str, path: &str, json: &str) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .header("authorization", "Bearer gateway-token")
        .body(Body::from(json.to_owned()))
        .unwrap();
    let response = room.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

const SMS: &str =
    r#"{"to":"+41791234501","text":"Votre code : 123456\n\n@localhost #123456","id":"1"}"#;

#[tokio::test]
async fn a_text_message_arrives_once_however_often_it_is_sent() {
    let (room, _) = room();
    for _ in 0..2 {
        let (status, answer) = asks(&room, "POST", "/gateway/sms", SMS).await;
        assert_eq!(
            (status, answer["status"].as_str()),
            (StatusCode::OK, Some("delivered"))
        );
    }
    let (_, messages) = asks(&room, "GET", "/api/messages", "").await;
    assert_eq!(messages.as_array().unwrap().len(), 1);
    assert_eq!(messages[0]["at"], "1970-01-01T00:00:59Z");
    assert_eq!(messages[0]["channel"], "sms");
    assert_eq!(messages[0]["to"], "+41791234501");
    let page = Browser::default()
        .opens(&room, "/?who=anna.favre")
        .await
        .body;
    assert!(page.contains(r#"<b class="code">123456</b>"#), "{page}");
}

#[tokio::test]
async fn a_gateway_that_is_down_takes_no_message() {
    let (room, _) = room();
    asks(&room, "POST", "/api/gateway", r#"{"up": false}"#).await;
    let (status, _) = asks(&room, "POST", "/gateway/sms", SMS).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    asks(&room, "POST", "/api/gateway", r#"{"up": true}"#).await;
    let (status, _) = asks(&room, "POST", "/gateway/sms", SMS).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_stranger_cannot_send_a_text_message() {
    let (room, _) = room();
    let form = "to=%2B41791234501&text=123456&id=1";
    let seen = Browser::default().posts(&room, "/gateway/sms", form).await;
    assert_eq!(seen.status, StatusCode::UNAUTHORIZED);
    let (_, messages) = asks(&room, "GET", "/api/messages", "").await;
    assert_eq!(messages, serde_json::json!([]));
}

#[tokio::test]
async fn people_are_introduced_with_their_standing() {
    let (room, _) = room();
    let (_, people) = asks(&room, "GET", "/api/people", "").await;
    assert_eq!(people[0]["username"], "anna.favre");
    assert_eq!(people[0]["method"], "sms");
    assert_eq!(people[0]["activated"], true);
    assert_eq!(people[0]["enrolled"], false);
    assert_eq!(people[0].get("serial"), None);
    assert_eq!(people[2]["serial"], "T-60");
}

#[tokio::test]
async fn tokens_show_their_codes() {
    let (room, world) = room();
    let code =
        async |method: &str, path: &str| asks(&room, method, path, "").await.1["code"].clone();
    assert_eq!(code("GET", "/api/token/T-60").await, "755224");
    world.passes(1);
    assert_eq!(code("GET", "/api/token/T-60").await, "287082");
    assert_eq!(code("GET", "/api/token/H-1").await, "755224");
    assert_eq!(code("POST", "/api/token/H-1").await, "287082");
    assert_eq!(
        asks(&room, "GET", "/api/token/none", "").await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_app_holds_what_it_scanned_and_follows_the_phones_clock() {
    let (room, _) = room();
    let (_, before) = asks(&room, "GET", "/api/authenticator/bruno.zufferey", "").await;
    assert_eq!(before["code"], "287082");
    asks(&room, "POST", "/api/clock", r#"{"ahead_s": -59}"#).await;
    let (_, slow) = asks(&room, "GET", "/api/authenticator/bruno.zufferey", "").await;
    assert_eq!(slow["code"], "755224");

    let link = r#"{"uri":"otpauth://totp/Furka:anna.favre?secret=GEZDGNBVGY3TQOJQ&issuer=Furka"}"#;
    let (status, answer) = asks(&room, "POST", "/api/authenticator", link).await;
    assert_eq!(
        (status, answer["username"].as_str()),
        (StatusCode::CREATED, Some("anna.favre"))
    );
    let (status, _) = asks(
        &room,
        "POST",
        "/api/authenticator",
        r#"{"uri":"https://a.b"}"#,
    )
    .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = asks(&room, "GET", "/api/authenticator/nobody", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_buttons_of_the_page_lead_back_to_the_page() {
    let (room, _) = room();
    let mut browser = Browser::default();
    for (path, form) in [
        ("/api/gateway", "up=false"),
        ("/api/clock", "ahead_s=-240"),
        ("/api/token/H-1", ""),
        (
            "/api/authenticator",
            "uri=GEZDGNBVGY3TQOJQ&username=anna.favre",
        ),
    ] {
        let seen = browser.posts(&room, path, form).await;
        assert_eq!(
            (seen.status, seen.location.as_str()),
            (StatusCode::SEE_OTHER, "/"),
            "{path}"
        );
    }
    let seen = browser
        .posts(&room, "/api/gateway", "up=false&back=/?who%3Danna.favre")
        .await;
    assert_eq!(seen.location, "/?who=anna.favre");
    let seen = browser
        .posts(&room, "/api/authenticator", "uri=nonsense")
        .await;
    assert!(
        browser
            .opens(&room, &seen.location)
            .await
            .body
            .contains("ni un lien otpauth://")
    );
    let page = browser.opens(&room, "/").await.body;
    assert!(page.contains("Le téléphone retarde de 4 min."));
    assert!(page.contains("Passerelle SMS en panne"));
    assert!(page.contains("anna.favre"));
}

/// What arrives in a mailbox is shown as text, never as markup.
#[tokio::test]
async fn markup_in_a_message_stays_text() {
    let (room, _) = room();
    let sms =
        r#"{"to":"+41791234501","text":"<script>alert(1)</script> javascript:alert(1)","id":"2"}"#;
    asks(&room, "POST", "/gateway/sms", sms).await;
    let page = Browser::default().opens(&room, "/").await.body;
    assert!(!page.contains("<script>alert"));
    assert!(!page.contains("href=\"javascript"));
}
