//! Toys for the tests of this crate: a clock one sets, dice one can repeat, an echo.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{Method as Verb, Request, Response, StatusCode};
use tower::ServiceExt;

use crate::otp::{Digits, Generator, Hash};
use crate::people::{Method, People, Person, Standing};
use crate::phone::token::{HardwareToken, Moving};
use crate::place::Places;
use crate::reach::Reach;
use crate::secret::Secret;
use crate::settings::{Origins, SamlKey, Settings};
use crate::world::World;

/// A world whose time stands still until it is moved; its chance is a counter.
pub(crate) struct Clockwork {
    now: AtomicI64,
    drawn: AtomicU64,
}

impl Clockwork {
    pub(crate) fn at(now: i64) -> Self {
        Self {
            now: AtomicI64::new(now),
            drawn: AtomicU64::new(0),
        }
    }

    pub(crate) fn passes(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl World for Clockwork {
    fn now_unix(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn fill(&self, bytes: &mut [u8]) {
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (byte, value) in bytes.iter_mut().zip(drawn.iter().cycle()) {
            *byte = *value;
        }
    }
}

/// Answers with what it was sent, a line a header, in the order of names.
pub(crate) struct Echo;

#[async_trait]
impl Reach for Echo {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        let mut lines: Vec<String> = request
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str() != "cookie")
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines.insert(0, request.uri().to_string());
        Response::new(Body::from(lines.join("\n")))
    }
}

/// Everybody is activated and nobody enrolled.
pub(crate) struct Everybody;

#[async_trait]
impl People for Everybody {
    async fn standing(&self, _username: &str) -> Standing {
        Standing {
            activated: true,
            enrolled: false,
        }
    }
}

/// The ISM's key: making one takes a while.
static ISM_KEY: LazyLock<SamlKey> = LazyLock::new(|| {
    let key = wire::jose::SigningKey::generate(wire::jose::SigningAlg::Rs256).unwrap();
    SamlKey::new(key).unwrap()
});

/// A small canton: one person of each method, one token of each kind.
pub(crate) fn settings() -> Settings {
    let seed = || b"12345678901234567890".to_vec();
    let token = |serial: &str, moving| HardwareToken {
        serial: serial.to_owned(),
        holder: Some("claude.rey".to_owned()),
        generator: Generator::new(seed(), Hash::Sha1, Digits::Six),
        moving,
    };
    let person = |username: &str, name: &str, method, phone: &str| Person {
        username: username.to_owned(),
        password: "Rhone-Glacier-1".to_owned(),
        method,
        name: name.to_owned(),
        phone: Some(phone.to_owned()),
        mail: Some(format!("{username}@edu.example.ch")),
        serial: (method == Method::Token).then(|| "T-60".to_owned()),
    };
    Settings {
        origins: Origins::on_localhost(8400),
        ent_secret: Secret::new("s3cret+with/characters that need%encoding"),
        ism_key: ISM_KEY.clone(),
        ism_salt: Secret::new("0123456789abcdef0123456789abcdef"),
        gateway_token: Secret::new("gateway-token"),
        people: vec![
            person("anna.favre", "Anna Favre", Method::Sms, "+41791234501"),
            person("bruno.zufferey", "Bruno Zufferey", Method::App, "+41791234502"),
            person("claude.rey", "Claude Rey", Method::Token, "+41791234503"),
        ],
        tokens: vec![
            token("T-60", Moving::Time { period_s: 60, ahead_s: 0 }),
            token("H-1", Moving::Button { next: 0 }),
        ],
        scanned: vec![
            "otpauth://totp/Furka:bruno.zufferey?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Furka"
                .to_owned(),
        ],
        places: Places::default(),
    }
}

/// A browser with a cookie jar for one host.
#[derive(Default)]
pub(crate) struct Browser {
    jar: BTreeMap<String, String>,
}

/// What came back.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) async fn opens(&mut self, room: &Router, path: &str) -> Seen {
        self.sends(room, Verb::GET, path, None).await
    }

    pub(crate) async fn posts(&mut self, room: &Router, path: &str, form: &str) -> Seen {
        self.sends(room, Verb::POST, path, Some(form.to_owned()))
            .await
    }

    async fn sends(&mut self, room: &Router, verb: Verb, path: &str, form: Option<String>) -> Seen {
        let cookies: Vec<String> = self.jar.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let mut request = Request::builder()
            .method(verb)
            .uri(path)
            .header(ACCEPT, "text/html")
            .header(COOKIE, cookies.join("; "));
        if form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request
            .body(form.map_or_else(Body::empty, Body::from))
            .unwrap();
        let response = room.clone().oneshot(request).await.unwrap();
        for line in response.headers().get_all(SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.jar.insert(name.to_owned(), value.to_owned());
        }
        let location = response
            .headers()
            .get(LOCATION)
            .map(|l| l.to_str().unwrap().to_owned());
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Seen {
            status,
            location: location.unwrap_or_default(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}
