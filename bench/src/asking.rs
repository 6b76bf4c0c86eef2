//! Applications in numbers: their servers, each with a connection of its own, ask the same thing again and again.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use data_encoding::BASE64;
use driver::{Answer, Asked, Browser, Connection, Site};
use form_urlencoded::Serializer;
use server::{RealWorld, World};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    Trouble,
    canton::{PASSWORD, SCHOOL, draw},
    load::{Closed, UnderWay},
    process::Process,
    registered::ENTITY,
};

/// Who asks again and again.
pub(crate) enum Asker {
    /// The same each time.
    Same(Same),
    /// With the refresh token of the last answer.
    Renews(Renews),
    /// A person with a session who opens a SAML application.
    Enters(Box<Enters>),
}

/// The same request each time.
pub(crate) struct Same {
    connection: Connection,
    request: String,
    /// Stands in each right answer.
    wants: &'static str,
}

/// An application that renews its tokens.
pub(crate) struct Renews {
    connection: Connection,
    site: Arc<Site>,
    token: String,
}

/// A browser in which a SAML application is opened.
pub(crate) struct Enters(Browser);

impl Asker {
    /// The same request, as it is to stand on the wire, each time.
    pub(crate) async fn same(
        to: SocketAddr,
        request: String,
        wants: &'static str,
    ) -> Result<Self, Trouble> {
        let connection = Connection::open(to).await?;
        Ok(Self::Same(Same {
            connection,
            request,
            wants,
        }))
    }

    /// Somebody signs in, and the application keeps them signed in.
    pub(crate) async fn renews(site: Arc<Site>, who: &str) -> Result<Self, Trouble> {
        let tokens = signs_in(&mut Browser::new(&site, SCHOOL), who).await?;
        let token = text(&tokens, "refresh_token")?;
        let connection = Connection::open(site.address).await?;
        Ok(Self::Renews(Renews {
            connection,
            site,
            token,
        }))
    }

    /// Somebody signs in, and opens a SAML application again and again.
    pub(crate) async fn enters(site: &Arc<Site>, who: &str) -> Result<Self, Trouble> {
        let mut browser = Browser::new(site, SCHOOL);
        signs_in(&mut browser, who).await?;
        Ok(Self::Enters(Box::new(Enters(browser))))
    }

    async fn once(&mut self) -> Result<(), Trouble> {
        match self {
            Self::Same(same) => same.once().await,
            Self::Renews(renews) => renews.once().await,
            Self::Enters(enters) => enters.once().await,
        }
    }
}

impl Same {
    async fn once(&mut self) -> Result<(), Trouble> {
        let answer = self.connection.call(&self.request).await?;
        match answer.status == 200 && answer.body.contains(self.wants) {
            true => Ok(()),
            false => Err(answer.unexpected(self.wants).into()),
        }
    }
}

impl Renews {
    async fn once(&mut self) -> Result<(), Trouble> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &self.token),
        ];
        let request = post(&self.site, "/token", &fields);
        let answer = self.connection.call(&request).await?;
        let token = text(&answer, "refresh_token")?;
        if token == self.token || answer.between("\"id_token\":\"", "\"").is_none() {
            return Err(answer.unexpected("another refresh token").into());
        }
        self.token = token;
        Ok(())
    }
}

impl Enters {
    /// [SAML Bindings §3.5] A request by POST, and the page that carries the response to the application.
    async fn once(&mut self) -> Result<(), Trouble> {
        let request = BASE64.encode(authn_request()?.as_bytes());
        let fields = [("SAMLRequest", request.as_str()), ("RelayState", "/")];
        let way = self.0.post("/saml/sso", &fields).await?;
        if way.status != 303 {
            return Err(way.unexpected("a way on to the application").into());
        }
        let page = self.0.get(way.location()).await?;
        let response = page.between("name=\"SAMLResponse\" value=\"", "\"");
        let response = response.and_then(|field| BASE64.decode(field.as_bytes()).ok());
        let response = String::from_utf8(response.unwrap_or_default())?;
        match response.matches("<ds:SignatureValue").count() {
            2 => Ok(()),
            _ => Err(page.unexpected("a response with two signatures").into()),
        }
    }
}

/// [SAML Core §3.4.1] As short as one may be.
fn authn_request() -> Result<String, Trouble> {
    let id = data_encoding::HEXLOWER.encode(&draw::<16>());
    let now = jiff::Timestamp::from_second(RealWorld.now().0)?;
    Ok(format!(
        r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_{id}" Version="2.0" IssueInstant="{now}"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{ENTITY}</saml:Issuer></samlp:AuthnRequest>"#
    ))
}

/// Somebody signs in at school; what the application is answered for the code.
pub(crate) async fn signs_in(browser: &mut Browser, who: &str) -> Result<Answer, Trouble> {
    let (asked, ticket): (Asked, String) = browser.ask().await?;
    let answer = browser.enter(&ticket, who, PASSWORD).await?;
    let code = browser.code_in(&answer)?;
    let tokens = browser.redeem(&asked, &code).await?;
    asked.is_answered(&tokens, who)?;
    Ok(tokens)
}

/// A text in an answer of JSON.
pub(crate) fn text(answer: &Answer, name: &str) -> Result<String, Trouble> {
    let found = answer.between(&format!("\"{name}\":\""), "\"");
    match found {
        Some(found) => Ok(found.to_owned()),
        None => Err(answer.unexpected(name).into()),
    }
}

/// A request that changes nothing, with one header more if there is one.
pub(crate) fn get(site: &Site, path: &str, header: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\n{header}\r\n",
        host(site)
    )
}

/// A form of an application, which authenticates by its secret.
pub(crate) fn post(site: &Site, path: &str, fields: &[(&str, &str)]) -> String {
    let (id, secret) = (site.application.id, site.application.secret);
    let basic = BASE64.encode(format!("{id}:{secret}").as_bytes());
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {basic}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        host(site),
        body.len()
    )
}

fn host(site: &Site) -> &str {
    site.origin.split_once("://").map_or("", |(_, host)| host)
}

/// All of them ask for so long.
pub(crate) async fn asked(
    process: Process,
    askers: Vec<Asker>,
    window: Duration,
) -> Result<Closed, Trouble> {
    let under_way = UnderWay::default();
    let mut all = begun(askers, &under_way);
    let none = || Ok(Duration::ZERO);
    let measured = under_way.measured(&[process], none, window).await?;
    while let Some(ended) = all.join_next().await {
        ended??;
    }
    Ok(measured)
}

/// All of them ask until so many are answered; how long that took.
pub(crate) async fn answered(askers: Vec<Asker>, times: u64) -> Result<Duration, Trouble> {
    let (under_way, began) = (UnderWay::default(), Instant::now());
    let mut all = begun(askers, &under_way);
    while under_way.done() < times && !all.is_empty() {
        sleep(Duration::from_millis(20)).await;
        while let Some(ended) = all.try_join_next() {
            ended??;
        }
    }
    under_way.stop();
    while let Some(ended) = all.join_next().await {
        ended??;
    }
    Ok(began.elapsed())
}

fn begun(askers: Vec<Asker>, under_way: &UnderWay) -> JoinSet<Result<(), Trouble>> {
    let mut all = JoinSet::new();
    for mut asker in askers {
        let under_way = under_way.clone();
        all.spawn(async move {
            while !under_way.is_over() {
                asker.once().await?;
                under_way.count();
            }
            Ok(())
        });
    }
    all
}
