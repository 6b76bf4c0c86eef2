//! A browser that signs in, and the application behind it that redeems the code.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use form_urlencoded::Serializer;
use tokio::time::Instant;

use crate::http::{Answer, Connection, Trouble};

/// Where the provider is, what it calls itself, and who asks it.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where its connections go.
    pub address: SocketAddr,
    /// The application that people want to enter.
    pub application: Application,
    /// Its public origin.
    pub origin: String,
}

/// An application as the provider knows it.
#[derive(Clone, Copy, Debug)]
pub struct Application {
    /// Its `client_id`.
    pub id: &'static str,
    /// Where its codes go; nothing listens there.
    pub redirect: &'static str,
    /// Its secret, which protects nothing.
    pub secret: &'static str,
}

/// A browser: its cookies, and its one connection.
#[derive(Debug)]
pub struct Browser {
    connection: Option<Connection>,
    cookies: BTreeMap<String, String>,
    /// The address that the front proxy forwards.
    from: &'static str,
    site: Arc<Site>,
}

/// How a sign-in ended.
#[derive(Debug)]
pub enum Entered {
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
#[derive(Clone, Debug)]
pub struct Asked {
    nonce: String,
    path: String,
    verifier: String,
}

impl Browser {
    /// A browser that was never here.
    #[must_use]
    pub fn new(site: &Arc<Site>, from: &'static str) -> Self {
        Self {
            connection: None,
            cookies: BTreeMap::new(),
            from,
            site: Arc::clone(site),
        }
    }

    /// Forgets all cookies and keeps the connection: the next person at the same proxy.
    pub fn forget(&mut self) {
        self.cookies.clear();
    }

    /// Ends the connection; the cookies stay.
    pub fn hangs_up(&mut self) {
        self.connection = None;
    }

    /// Carries the device to another network: the address that the front proxy forwards.
    pub fn goes_to(&mut self, from: &'static str) {
        self.from = from;
    }

    /// The value of a cookie, if there is one.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Takes a cookie that was kept elsewhere.
    pub fn takes(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Talks to another node from now on, with the cookies that it has.
    pub fn moves_to(&mut self, site: &Arc<Site>) {
        self.connection = None;
        self.site = Arc::clone(site);
    }

    /// The whole way: page, name and password, code, token.
    ///
    /// # Errors
    /// If a request is not answered, or otherwise than a sign-in with a password is.
    pub async fn sign_in(&mut self, who: &str, password: &str) -> Result<Entered, Trouble> {
        let (asked, ticket) = self.ask().await?;
        let began = Instant::now();
        let answer = self.enter(&ticket, who, password).await?;
        match answer.status {
            303 => {}
            422 => return Ok(Entered::No),
            429 => return Ok(Entered::Throttled),
            503 if answer.headers("retry-after").next().is_some() => {
                return Ok(Entered::Later(began.elapsed()));
            }
            _ => return Err(answer.unexpected("a way back to the application")),
        }
        let code = self.code_in(&answer)?;
        let answer = self.redeem(&asked, &code).await?;
        asked.is_answered(&answer, who)?;
        Ok(Entered::Yes)
    }

    /// Opens the sign-in page of the application; the request, and the ticket on the page.
    ///
    /// # Errors
    /// If the answer is no sign-in page.
    pub async fn ask(&mut self) -> Result<(Asked, String), Trouble> {
        let asked = Asked::draw(&self.site.application)?;
        let page = self.get(asked.path()).await?;
        Ok((asked, ticket_in(&page)?))
    }

    /// Types name and password; what comes, redirects not followed.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn enter(
        &mut self,
        ticket: &str,
        who: &str,
        password: &str,
    ) -> Result<Answer, Trouble> {
        let fields = [
            ("ticket", ticket),
            ("username", who),
            ("password", password),
        ];
        self.post("/login", &fields).await
    }

    /// Asks for the application with the session that is there: a code at once.
    ///
    /// # Errors
    /// If the answer is no code.
    pub async fn sign_in_again(&mut self) -> Result<(Asked, String), Trouble> {
        let asked = Asked::draw(&self.site.application)?;
        let answer = self.get(&asked.path).await?;
        match answer.status {
            303 => self.code_in(&answer).map(|code| (asked, code)),
            _ => Err(answer.unexpected("a code at once")),
        }
    }

    /// The sign-in page of the application.
    ///
    /// # Errors
    /// If the answer is another one.
    pub async fn sign_in_page(&mut self) -> Result<Answer, Trouble> {
        let page = self.get(&Asked::draw(&self.site.application)?.path).await?;
        match page.status {
            200 => Ok(page),
            _ => Err(page.unexpected("the sign-in page")),
        }
    }

    /// Fetches a page.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn get(&mut self, path: &str) -> Result<Answer, Trouble> {
        let request = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.usual());
        self.call(&request).await
    }

    /// Sends a form of the provider's own pages.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, Trouble> {
        let headers = format!("{}Origin: {}\r\n", self.usual(), self.site.origin);
        self.send(path, fields, &headers).await
    }

    /// Redeems a code as the application's own server does, which has no cookies and no origin.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn redeem(&mut self, asked: &Asked, code: &str) -> Result<Answer, Trouble> {
        let Application {
            id,
            redirect,
            secret,
        } = self.site.application;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", &asked.verifier),
        ];
        let basic = BASE64.encode(format!("{id}:{secret}").as_bytes());
        let host = self.site.host();
        let headers = format!("Host: {host}\r\nAuthorization: Basic {basic}\r\n");
        self.send("/token", &fields, &headers).await
    }

    /// Renews its tokens as the application's own server does.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn renew(&mut self, refresh_token: &str) -> Result<Answer, Trouble> {
        let Application { id, secret, .. } = self.site.application;
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        let basic = BASE64.encode(format!("{id}:{secret}").as_bytes());
        let host = self.site.host();
        let headers = format!("Host: {host}\r\nAuthorization: Basic {basic}\r\n");
        self.send("/token", &fields, &headers).await
    }

    /// Asks who somebody is, as an application does with the access token it was given.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn userinfo(&mut self, access_token: &str) -> Result<Answer, Trouble> {
        let host = self.site.host();
        let request = format!(
            "GET /userinfo HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {access_token}\r\n\r\n"
        );
        self.call(&request).await
    }

    /// The code in a redirect to the application.
    ///
    /// # Errors
    /// If it leads elsewhere, or has no code.
    pub fn code_in(&self, answer: &Answer) -> Result<String, Trouble> {
        let query = answer
            .location()
            .strip_prefix(self.site.application.redirect)
            .and_then(|rest| rest.strip_prefix('?'));
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        match pairs.find(|(name, _)| name == "code") {
            Some((_, code)) => Ok(code.into_owned()),
            None => Err(answer.unexpected("a redirect with a code")),
        }
    }

    async fn send(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &str,
    ) -> Result<Answer, Trouble> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
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
            match pair {
                Some((name, _)) if line.contains("Max-Age=0") => drop(self.cookies.remove(name)),
                Some((name, value)) => self.takes(name, value),
                None => {}
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
    /// Draws what makes it different from every other request.
    ///
    /// # Errors
    /// If the system has no chance left.
    pub fn draw(application: &Application) -> Result<Self, Trouble> {
        let mut drawn = [[0; 32]; 3];
        for bytes in &mut drawn {
            let filled = SystemRandom::new().fill(bytes);
            filled.map_err(|_| "the system has no chance left")?;
        }
        let [state, nonce, verifier] = drawn.map(|bytes| BASE64URL_NOPAD.encode(&bytes));
        let challenge = BASE64URL_NOPAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref());
        let query = Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", application.id),
                ("redirect_uri", application.redirect),
                ("scope", "openid profile email"),
                ("state", &state),
                ("nonce", &nonce),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        Ok(Self {
            nonce,
            path: format!("/authorize?{query}"),
            verifier,
        })
    }

    /// Where it begins, on the provider.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The answer is a token for this request and this person.
    ///
    /// # Errors
    /// If it is none, or one for another request or person.
    pub fn is_answered(&self, answer: &Answer, who: &str) -> Result<(), Trouble> {
        if answer.status != 200 {
            return Err(answer.unexpected("a token"));
        }
        let unreadable = |_| Trouble::from("the token cannot be read");
        let token: serde_json::Value =
            serde_json::from_str(&answer.body).map_err(|_| "the token cannot be read")?;
        let claims = token
            .get("id_token")
            .and_then(|token| token.as_str()?.split('.').nth(1));
        let claims = BASE64URL_NOPAD.decode(claims.unwrap_or_default().as_bytes());
        let claims: serde_json::Value =
            serde_json::from_slice(&claims.map_err(|_| "the token cannot be read")?)
                .map_err(unreadable)?;
        let says = |claim: &str| claims.get(claim).and_then(|value| value.as_str());
        if says("nonce") != Some(&self.nonce) {
            return Err("an ID token carries the nonce of another request".into());
        }
        match says("preferred_username") {
            Some(name) if name != who => {
                let sentence = format!("{who} was signed in as {name}");
                Err(Trouble::Unexpected(sentence))
            }
            _ => Ok(()),
        }
    }
}

/// The name of the key that signed the ID token of an answer.
///
/// # Errors
/// If there is none that can be read.
pub fn signed_by(answer: &Answer) -> Result<String, Trouble> {
    let token = answer.between("\"id_token\":\"", ".");
    let head = token.and_then(|head| BASE64URL_NOPAD.decode(head.as_bytes()).ok());
    let head = head.and_then(|head| serde_json::from_slice::<serde_json::Value>(&head).ok());
    let name = head.and_then(|head| Some(head.get("kid")?.as_str()?.to_owned()));
    name.ok_or_else(|| answer.unexpected("an ID token that names its key"))
}

/// The ticket on a sign-in page.
///
/// # Errors
/// If the answer is another page.
pub fn ticket_in(page: &Answer) -> Result<String, Trouble> {
    if page.status != 200 {
        return Err(page.unexpected("the sign-in page"));
    }
    match page.between("name=\"ticket\" value=\"", "\"") {
        Some(ticket) => Ok(ticket.to_owned()),
        None => Err(page.unexpected("a page with a ticket")),
    }
}
