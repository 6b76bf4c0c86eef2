//! Toys that carry messages: an operator that reaches the demo's phones, and a postman.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::get;
use http::Request;
use peers::{Cause, Mail, PeerError, Receipt, SendMail, SendSms, Sms};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::net;

/// What the demo's gateway wants to be shown.
pub(crate) const GATEWAY_TOKEN: &str = "a token of the canton in memory";

/// Carries text messages to the demo's phone room, as its HTTP gateway would.
#[derive(Default)]
pub(crate) struct Operator {
    pub(crate) phone: OnceLock<Router>,
}

#[async_trait]
impl SendSms for Operator {
    async fn send(&self, sms: &Sms) -> Result<Receipt, PeerError> {
        let peer = || "operator".to_owned();
        let Some(phone) = self.phone.get() else {
            return Err(PeerError::Temporary {
                peer: peer(),
                cause: Cause::NotConfigured,
            });
        };
        let body = json!({ "id": sms.id, "to": sms.to, "text": sms.text }).to_string();
        let request = Request::post("/gateway/sms")
            .header("authorization", format!("Bearer {GATEWAY_TOKEN}"))
            .header("content-type", "application/json")
            .body(Body::from(body));
        let Ok(request) = request else {
            return Err(PeerError::Permanent {
                peer: peer(),
                cause: Cause::Malformed("message"),
            });
        };
        let answer = match phone.clone().oneshot(request).await {
            Ok(response) => net::answer(response).await,
            Err(never) => match never {},
        };
        match answer.status {
            200 => Ok(Receipt { peer: peer() }),
            503 => Err(PeerError::Temporary {
                peer: peer(),
                cause: Cause::Answered(503),
            }),
            status => Err(PeerError::Permanent {
                peer: peer(),
                cause: Cause::Answered(status),
            }),
        }
    }
}

/// Puts mails into the town's mailbox; a mail that comes twice is kept once.
#[derive(Clone, Default)]
pub(crate) struct Postman(Arc<Mutex<Vec<Mail>>>);

impl Postman {
    fn mails(&self) -> Vec<Value> {
        let mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = |mail: &Mail| json!({ "channel": "mail", "to": mail.to, "subject": mail.subject, "text": mail.text });
        mails.iter().map(entry).collect()
    }

    /// The phone room with this mailbox in its list of messages.
    pub(crate) fn beside(&self, phone: Router) -> Router {
        let (postman, inner) = (self.clone(), phone.clone());
        let messages = move || {
            let (postman, inner) = (postman.clone(), inner.clone());
            async move {
                let request = Request::get("/api/messages").body(Body::empty());
                let Ok(request) = request else {
                    return ().into_response();
                };
                let answer = match inner.oneshot(request).await {
                    Ok(response) => net::answer(response).await,
                    Err(never) => match never {},
                };
                let mut all = postman.mails();
                all.extend(answer.json().as_array().cloned().unwrap_or_default());
                (
                    [("content-type", "application/json")],
                    Value::from(all).to_string(),
                )
                    .into_response()
            }
        };
        Router::new()
            .route("/api/messages", get(messages))
            .fallback_service(phone)
    }
}

#[async_trait]
impl SendMail for Postman {
    async fn send(&self, mail: &Mail) -> Result<Receipt, PeerError> {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.iter().all(|kept| kept.id != mail.id) {
            mails.push(mail.clone());
        }
        Ok(Receipt {
            peer: "postman".to_owned(),
        })
    }
}
