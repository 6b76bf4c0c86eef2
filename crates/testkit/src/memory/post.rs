//! Toys that carry messages: an operator that reaches the demo's phones, a postman, and a messenger to
//! its portals.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::get;
use http::Request;
use peers::{
    Callback, Cause, Gateways, Mail, News, PeerError, PostForm, Receipt, SendMail, SendSms, Sms,
};
use serde_json::{Value, json};
use tower::ServiceExt;
use url::Url;

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

/// Carries news to the demo's portals.
#[derive(Default)]
pub(crate) struct Messenger {
    pub(crate) rooms: OnceLock<BTreeMap<String, Router>>,
}

#[async_trait]
impl PostForm for Messenger {
    async fn post(&self, news: &News) -> Result<Receipt, PeerError> {
        let url = Url::parse(&news.to).ok();
        let origin = url.as_ref().map(|url| url.origin().ascii_serialization());
        let peer = origin.unwrap_or_default();
        let room = self.rooms.get().and_then(|rooms| rooms.get(&peer));
        let (Some(room), Some(url)) = (room, url) else {
            let cause = Cause::NotConfigured;
            return Err(PeerError::Temporary { peer, cause });
        };
        let request = Request::post(url.path())
            .header("host", url.authority())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(news.form.clone()));
        let Ok(request) = request else {
            let cause = Cause::Malformed("form");
            return Err(PeerError::Permanent { peer, cause });
        };
        let answer = match room.clone().oneshot(request).await {
            Ok(response) => net::answer(response).await,
            Err(never) => match never {},
        };
        match answer.status {
            200 => Ok(Receipt { peer }),
            status => {
                let cause = Cause::Answered(status);
                Err(PeerError::Permanent { peer, cause })
            }
        }
    }

    /// Tests that have somebody called open a door of their own on this machine, so this goes over HTTP.
    async fn call(&self, address: &Callback) -> Result<Receipt, PeerError> {
        over_http()?.call(address).await
    }

    /// As [`PostForm::call`].
    async fn fetch(&self, address: &str, bytes_max: usize) -> Result<Vec<u8>, PeerError> {
        over_http()?.fetch(address, bytes_max).await
    }
}

/// Who really goes over HTTP.
fn over_http() -> Result<Arc<dyn PostForm>, PeerError> {
    let clock = Arc::new(|| std::time::Duration::ZERO);
    let connected = peers::connect(&Gateways::default(), clock);
    let (_, _, applications) = connected.map_err(|_| PeerError::Permanent {
        peer: "an application".to_owned(),
        cause: Cause::NotConfigured,
    })?;
    Ok(applications)
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
