//! A browser that signs in, and the application behind it that redeems the code.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use form_urlencoded::Serializer;
use server::{RealWorld, World};
use tokio::time::Instant;

use crate::{
    Trouble,
    canton::{CLIENT, REDIRECT, SECRET},
    http::{Answer, Connection},
};

/// Where the provider is, and what it calls itself.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    /// Its public origin.
    pub(crate) origin: String,
}

/// A browser in a school: its cookies, and its one connection.
pub(crate) struct Browser {
    connection: Option<Connection>,
    cookies: BTreeMap<String, String>,
    /// The address that the front proxy forwards.
    from: &'static str,
    site: Arc<Site>,
}

/// How a sign-in ended.
pub(crate) enum Entered {
    /// Signed in, and the application has a token for the right request.
    Yes,
    /// Name and password are said not to belong together.
    No,
    /// A page that says how long to wait, and the time until it was there.
    Later(Duration),
    /// The account's budget is spent.
    Throttled,
}

/// A request for a sign-in, as the application remembers it.
struct Asked {
    nonce: String,
    path: String,
    verifier: String,
}

impl Browser {
    /// A browser that was never here.
    pub(crate) fn new(site: &Arc<Site>, from: &'static str) -> Self {
        Self {
            connection: None,
            cookies: BTreeMap::new(),
            from,
            site: Arc::clone(site),
        }
    }

    /// Forgets all cookies and keeps the connection: the next person at the same proxy.
    pub(crate) fn forget(&mut self) {
        self.cookies.clear();
    }

    /// The whole way: page, name and password, code, token.
    pub(crate) async fn sign_in(&mut self, who: &str, password: &str) -> Result<Entered, Trouble> {
        let asked = Asked::draw();
        let page = self.get(&asked.path).await?;
        if page.status != 200 {
            return Err(page.unexpected("the sign-in page"));
        }
        let ticket = page.between("name=\"ticket\" value=\"", "\"");
        let ticket = ticket.ok_or("the sign-in page has no ticket")?.to_owned();
        let fields = [
            ("ticket", ticket.as_str()),
            ("username", who),
            ("password", password),
        ];
        let began = Instant::now();
        let answer = self.post("/login", &fields, None).await?;
        match answer.status {
            303 => {}
            422 => return Ok(Entered::No),
            429 => return Ok(Entered::Throttled),
            503 if answer.headers("retry-after").next().is_some() => {
                return Ok(Entered::Later(began.elapsed()));
            }
            _ => return Err(answer.unexpected("a way back to the application")),
        }
        let code = code_in(&answer)?;
        self.redeem(&asked, &code, who).await?;
        Ok(Entered::Yes)
    }

    /// Another application, with the session that is there: a code at once.
    pub(crate) async fn sign_in_again(&mut self) -> Result<(), Trouble> {
        let answer = self.get(&Asked::draw().path).await?;
        match answer.status {
            303 => code_in(&answer).map(drop),
            _ => Err(answer.unexpected("a code at once")),
        }
    }

    /// The sign-in page of an application.
    pub(crate) async fn sign_in_page(&mut self) -> Result<Answer, Trouble> {
        let page = self.get(&Asked::draw().path).await?;
        match page.status {
            200 => Ok(page),
            _ => Err(page.unexpected("the sign-in page")),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer, Trouble> {
        let request = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.usual());
        self.call(&request).await
    }

    async fn redeem(&mut self, asked: &Asked, code: &str, who: &str) -> Result<(), Trouble> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", &asked.verifier),
        ];
        let credentials = BASE64.encode(format!("{CLIENT}:{SECRET}").as_bytes());
        let answer = self.post("/token", &fields, Some(&credentials)).await?;
        if answer.status != 200 {
            return Err(answer.unexpected("a token"));
        }
        let token: serde_json::Value = serde_json::from_str(&answer.body)?;
        let claims = token
            .get("id_token")
            .and_then(|token| token.as_str()?.split('.').nth(1));
        let claims = BASE64URL_NOPAD.decode(claims.unwrap_or_default().as_bytes())?;
        let claims: serde_json::Value = serde_json::from_slice(&claims)?;
        let says = |claim: &str| claims.get(claim).and_then(|value| value.as_str());
        if says("nonce") != Some(&asked.nonce) {
            return Err("an ID token carries the nonce of another request".into());
        }
        match says("preferred_username") {
            Some(name) if name != who => Err(format!("{who} was signed in as {name}").into()),
            _ => Ok(()),
        }
    }

    async fn post(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        credentials: Option<&str>,
    ) -> Result<Answer, Trouble> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        // The application's own server has no cookies and no origin.
        let headers = match credentials {
            Some(basic) => format!(
                "Host: {}\r\nAuthorization: Basic {basic}\r\n",
                self.site.host()
            ),
            None => format!("{}Origin: {}\r\n", self.usual(), self.site.origin),
        };
        let request = format!(
            "POST {path} HTTP/1.1\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.call(&request).await
    }

    /// The headers that a browser always sends, as far as anybody reads them.
    fn usual(&self) -> String {
        let mut headers = format!(
            "Host: {}\r\nX-Forwarded-For: {}\r\nAccept: text/html\r\nAccept-Language: fr-CH,fr\r\n",
            self.site.host(),
            self.from
        );
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            headers.push_str(&format!("Cookie: {}\r\n", pairs.join("; ")));
        }
        headers
    }

    async fn call(&mut self, request: &str) -> Result<Answer, Trouble> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.site.address).await?,
        };
        let answer = connection.call(request).await?;
        if answer.headers("connection").all(|value| value != "close") {
            self.connection = Some(connection);
        }
        for line in answer.headers("set-cookie") {
            let pair = line.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

impl Site {
    fn host(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, host)| host)
    }
}

impl Asked {
    fn draw() -> Self {
        let [state, nonce, verifier] = [(); 3].map(|()| {
            let mut bytes = [0; 32];
            RealWorld.fill(&mut bytes);
            BASE64URL_NOPAD.encode(&bytes)
        });
        let challenge = BASE64URL_NOPAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref());
        let query = Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", CLIENT),
                ("redirect_uri", REDIRECT),
                ("scope", "openid profile email"),
                ("state", &state),
                ("nonce", &nonce),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        Self {
            nonce,
            path: format!("/authorize?{query}"),
            verifier,
        }
    }
}

fn code_in(answer: &Answer) -> Result<String, Trouble> {
    let way = answer.headers("location").next().unwrap_or_default();
    let query = way
        .strip_prefix(REDIRECT)
        .and_then(|rest| rest.strip_prefix('?'));
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    match pairs.find(|(name, _)| name == "code") {
        Some((_, code)) => Ok(code.into_owned()),
        None => Err(format!("a redirect without a code, to {way}").into()),
    }
}
