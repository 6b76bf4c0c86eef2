//! The browser of a rehearsal: it follows redirects, keeps cookies, and fills in forms as the person would.

use std::{collections::BTreeMap, net::IpAddr};

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{
    HeaderMap, Request, StatusCode,
    header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE},
};
use server::Peer;
use tower::ServiceExt;
use url::{Position, Url, form_urlencoded::Serializer};
use wire::oauth::client::Applications;

use super::{
    Stage,
    page::{Form, said},
    rehearsal::{Actor, PROXY, Rehearsal},
    told::Message,
};
use crate::{
    commands::policy::say,
    failure::{Doing, Failure},
    installation::Installation,
};

/// No sign-in has more pages and redirects.
const STEPS_MAX: usize = 24;
/// No answer of ours is longer, in bytes.
const BODY_MAX: usize = 1024 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// A browser in front of the rehearsal, with a person at it.
pub(super) struct Browser<'s> {
    actor: Actor,
    /// Where they are; none for somewhere that no zone lists.
    address: Option<IpAddr>,
    /// By host and name.
    cookies: BTreeMap<(String, String), String>,
    here: &'s Installation,
    origin: String,
    router: Router,
    /// The hosts behind the gate.
    sites: Vec<String>,
    /// What the person did, in words.
    did: Vec<[String; 2]>,
}

/// Where a sign-in ends.
pub(super) enum Landed {
    /// At an address that is not the provider's.
    Away(Url),
    /// At a form for an address that is not the provider's.
    Posted(Url, Vec<(String, String)>),
    /// At a page of the provider that leads no further.
    Page(StatusCode, String),
}

/// What was answered.
pub(super) struct Answer {
    pub(super) body: String,
    pub(super) headers: HeaderMap,
    pub(super) status: StatusCode,
}

impl Answer {
    /// Where it leads.
    pub(super) fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION)?.to_str().ok()
    }
}

impl<'s> Browser<'s> {
    /// Opens one in front of a new rehearsal with these applications.
    pub(super) async fn opens(stage: &Stage<'s>, file: Applications) -> Result<Self, Failure> {
        let rehearsal = Rehearsal::of(stage, &file).await?;
        Ok(Self {
            actor: rehearsal.actor,
            address: stage.address,
            cookies: BTreeMap::new(),
            here: stage.here,
            origin: stage.here.config.public_url.origin().ascii_serialization(),
            router: rehearsal.router,
            sites: file
                .gate
                .into_iter()
                .flat_map(|site| site.origins)
                .collect(),
            did: Vec::new(),
        })
    }

    /// Goes there and on, up to where the provider's pages end. What the person must do, they do.
    pub(super) async fn goes(
        &mut self,
        mut url: Url,
        mut form: Option<Vec<(String, String)>>,
    ) -> Result<Landed, Failure> {
        let mut filled = Vec::new();
        for _ in 0..STEPS_MAX {
            if !self.is_ours(&url) {
                return Ok(match form {
                    Some(fields) => Landed::Posted(url, fields),
                    None => Landed::Away(url),
                });
            }
            let answer = self.asks(&url, form.take()).await?;
            let doing = || "following a redirect of the rehearsal".to_owned();
            if let Some(location) = answer.location() {
                url = url.join(location).doing(doing)?;
                continue;
            }
            let page = Form::of(&answer.body).filter(|_| answer.status.is_success());
            let asks = page.as_ref().map(|form| form.action.clone());
            let Some(page) = page.filter(|form| {
                // A page that asks for the same again did not like the answer.
                let typed = form.asks_for("username") || form.asks_for("code");
                !typed || !filled.contains(&asks)
            }) else {
                return Ok(Landed::Page(answer.status, said(&answer.body)));
            };
            filled.push(asks);
            let page = self.fills(page).await?;
            url = url.join(&page.action).doing(doing)?;
            form = Some(page.fields);
        }
        Err(Failure::new(
            "the sign-in of the rehearsal leads round and round",
        ))
    }

    /// What the person does with a page.
    async fn fills(&mut self, mut form: Form) -> Result<Form, Failure> {
        if form.asks_for("username") {
            let (username, password) = (self.actor.username.clone(), self.actor.password.clone());
            form.fill("username", &username);
            form.fill("password", &password);
            self.does("types", "their name and their password");
        } else if form.asks_for("code") {
            let (code, carrier) = self.actor.code(self.here).await?;
            form.fill("code", &code);
            self.does("types", &format!("the code of {carrier}"));
        } else if form.fields.iter().any(|(_, value)| value == "allow") {
            self.does("allows", "what the application asks to know");
        }
        Ok(form)
    }

    fn does(&mut self, what: &str, with: &str) {
        self.did.push([what.to_owned(), with.to_owned()]);
    }

    /// What the person did on the provider's pages, as one message, and why it was asked of them; none if they
    /// did nothing.
    pub(super) fn signed_in(&mut self, stage: &Stage<'_>) -> Option<Message> {
        if self.did.is_empty() {
            return None;
        }
        let place = match self.address {
            None => "from a public network".to_owned(),
            Some(address) => format!("from {address}"),
        };
        let mut message = Message::new("person \u{2194} provider", format!("sign-in, {place}"), "");
        for [what, with] in self.did.drain(..) {
            message = message.part(what, with, "");
        }
        let (verdict, rule) = &stage.decided;
        Some(message.part(
            "policy",
            say(*verdict),
            format!("after the password: {rule}"),
        ))
    }

    /// One request, of the browser or passed on by the proxy of the gate.
    pub(super) async fn asks(
        &mut self,
        url: &Url,
        form: Option<Vec<(String, String)>>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .uri(&url[Position::BeforePath..Position::AfterQuery])
            .header(ACCEPT_LANGUAGE, "en");
        let mut body = String::new();
        if let Some(fields) = form {
            body = Serializer::new(String::new()).extend_pairs(fields).finish();
            request = request.method("POST").header(CONTENT_TYPE, FORM);
            request = request.header("origin", &self.origin);
        }
        match self.is_behind(url) {
            true => request = self.passed_on(request, url),
            false => {
                request = request.header(HOST, &url[Position::BeforeHost..Position::AfterPort])
            }
        }
        if let Some(cookies) = self.cookies_at(url) {
            request = request.header(COOKIE, cookies);
        }
        let mut request = request.body(Body::from(body)).doing(asking)?;
        let peer = match self.is_behind(url) {
            true => Some(PROXY),
            false => self.address,
        };
        if let Some(peer) = peer {
            request.extensions_mut().insert(Peer(peer));
        }
        let answer = self.sends(request).await?;
        self.keeps(url, &answer);
        Ok(answer)
    }

    /// A request of the application itself.
    pub(super) async fn sends(&self, request: Request<Body>) -> Result<Answer, Failure> {
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, BODY_MAX).await.doing(asking)?;
        Ok(Answer {
            body: String::from_utf8_lossy(&body).into_owned(),
            headers: parts.headers,
            status: parts.status,
        })
    }

    /// What a proxy says of a browser's request.
    pub(super) fn passed_on(
        &self,
        request: http::request::Builder,
        url: &Url,
    ) -> http::request::Builder {
        let address = self.address.map(|address| address.to_string());
        let provider = self.here.config.public_url.authority().to_owned();
        request
            .header(HOST, provider)
            .header(
                "x-forwarded-for",
                address.unwrap_or_else(|| "unknown".to_owned()),
            )
            .header("x-forwarded-proto", url.scheme())
            .header(
                "x-forwarded-host",
                &url[Position::BeforeHost..Position::AfterPort],
            )
            .header(
                "x-forwarded-uri",
                &url[Position::BeforePath..Position::AfterQuery],
            )
            .header("x-forwarded-method", "GET")
    }

    /// The cookies for an address, as a browser sends them.
    pub(super) fn cookies_at(&self, url: &Url) -> Option<String> {
        let host = url.host_str().unwrap_or_default();
        let fitting = self.cookies.iter().filter(|((at, _), _)| at == host);
        let pairs: Vec<String> = fitting
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn keeps(&mut self, url: &Url, answer: &Answer) {
        let host = url.host_str().unwrap_or_default();
        for line in answer.headers.get_all(SET_COOKIE) {
            let pair = line.to_str().ok().and_then(|line| line.split(';').next());
            if let Some((name, value)) = pair.and_then(|pair| pair.split_once('=')) {
                let key = (host.to_owned(), name.trim().to_owned());
                self.cookies.insert(key, value.trim().to_owned());
            }
        }
    }

    fn is_ours(&self, url: &Url) -> bool {
        url.origin().ascii_serialization() == self.origin || self.is_behind(url)
    }

    /// Whether a proxy passes this on to the provider.
    fn is_behind(&self, url: &Url) -> bool {
        let origin = url.origin().ascii_serialization();
        self.sites.contains(&origin) && url.path().starts_with("/.furka/")
    }
}

fn asking() -> String {
    "asking the rehearsal".to_owned()
}
