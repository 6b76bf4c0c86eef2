//! News for applications: a form, posted to an address that a technician registered.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, LOCATION},
    redirect,
};
use url::Url;

use crate::{Cause, ConfigError, PeerError, Receipt, innermost, is_loopback, may_succeed_later};

/// Nobody is waited for longer, in seconds.
const TIMEOUT_S: u64 = 10;
/// For a large document, in seconds.
const FETCH_S: u64 = 120;
/// Nor is a connection, in seconds.
const CONNECT_S: u64 = 5;

/// Somebody who carries a form to an application.
#[async_trait]
pub trait PostForm: Send + Sync {
    /// Hands over one form. `Ok` means that the application answered that it is done.
    ///
    /// # Errors
    /// As [`crate::SendSms::send`].
    async fn post(&self, news: &News) -> Result<Receipt, PeerError>;

    /// Brings an application what it asked for, in the query of one of its addresses. `Ok` means that it
    /// answered 200 there, behind a certificate that is good.
    ///
    /// # Errors
    /// As [`crate::SendSms::send`].
    async fn call(&self, address: &Callback) -> Result<Receipt, PeerError>;

    /// Fetches a document of at most so many bytes from an address that a technician registered: over TLS, or
    /// on this machine.
    ///
    /// # Errors
    /// As [`crate::SendSms::send`].
    async fn fetch(&self, address: &str, bytes_max: usize) -> Result<Vec<u8>, PeerError>;
}

/// An address of an application with something secret in its query. Prints nothing of it.
#[derive(Clone)]
pub struct Callback(pub String);

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Callback")
    }
}

/// A form for an application. Prints its address only.
#[derive(Clone)]
pub struct News {
    /// Where it goes: an address that is registered. Over TLS, or on this machine.
    pub to: String,
    /// What: `application/x-www-form-urlencoded`.
    pub form: String,
}

impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "News({:?})", self.to)
    }
}

/// Posts to applications over HTTP. It goes where it is told and nowhere else: no redirect is followed,
/// no proxy asked, and of the answer only the head is read.
pub(crate) struct HttpPost {
    client: Client,
}

impl HttpPost {
    pub(crate) fn connect() -> Result<Self, ConfigError> {
        let client = Client::builder()
            .timeout(Duration::from_secs(TIMEOUT_S))
            .connect_timeout(Duration::from_secs(CONNECT_S))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .build();
        let client = client.map_err(|error| ConfigError::Client(innermost(&error)))?;
        Ok(Self { client })
    }
}

#[async_trait]
impl PostForm for HttpPost {
    async fn post(&self, news: &News) -> Result<Receipt, PeerError> {
        let (url, peer) = address(&news.to)?;
        let form = "application/x-www-form-urlencoded";
        let request = self.client.post(url).header(CONTENT_TYPE, form);
        let answer = request.body(news.form.clone()).send().await;
        let answer = answer.map_err(|error| PeerError::temporary(&peer, failure(&error)))?;
        let status = answer.status();
        let cause = Cause::Answered(status.as_u16());
        match status {
            // [Back-Channel Logout 1.0 §2.8] 200 is the answer; some frameworks make it a 204.
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(Receipt { peer }),
            StatusCode::FOUND | StatusCode::SEE_OTHER if is_answered(news, &answer) => {
                Ok(Receipt { peer })
            }
            later if may_succeed_later(later) => Err(PeerError::temporary(&peer, cause)),
            _ => Err(PeerError::permanent(&peer, cause)),
        }
    }

    async fn call(&self, Callback(to): &Callback) -> Result<Receipt, PeerError> {
        let (url, peer) = address(to)?;
        let answer = self.client.get(url).send().await;
        let answer = answer.map_err(|error| PeerError::temporary(&peer, failure(&error)))?;
        match answer.status() {
            // [CAS §2.5.4] "If the HTTP GET returns an HTTP status code of 200 (OK), CAS MUST respond"
            StatusCode::OK => Ok(Receipt { peer }),
            other => Err(PeerError::permanent(&peer, Cause::Answered(other.as_u16()))),
        }
    }

    async fn fetch(&self, to: &str, bytes_max: usize) -> Result<Vec<u8>, PeerError> {
        let (url, peer) = address(to)?;
        let failed = |error: &reqwest::Error| {
            let cause = match error.is_timeout() {
                true => Cause::TimedOut(FETCH_S),
                false => Cause::Unreachable(innermost(error)),
            };
            PeerError::temporary(&peer, cause)
        };
        let request = self.client.get(url).timeout(Duration::from_secs(FETCH_S));
        let mut answer = request.send().await.map_err(|error| failed(&error))?;
        if answer.status() != StatusCode::OK {
            let cause = Cause::Answered(answer.status().as_u16());
            return Err(PeerError::temporary(&peer, cause));
        }
        let mut document = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| failed(&error))? {
            // Whatever length was announced: what is kept has a bound.
            if document.len().saturating_add(part.len()) > bytes_max {
                return Err(PeerError::permanent(&peer, Cause::TooLong(bytes_max)));
            }
            document.extend_from_slice(&part);
        }
        Ok(document)
    }
}

/// Whether an application has heard, and sends its answer back through a browser that it believes to be there:
/// what goes to the address of a SAML application looks to many of them as if one brought it.
fn is_answered(news: &News, answer: &Response) -> bool {
    let location = answer.headers().get(LOCATION);
    let location = location.and_then(|location| location.to_str().ok());
    let Some(Ok(back)) = location.map(Url::parse) else {
        return false;
    };
    let mut said = back.query_pairs();
    news.form.starts_with("SAMLRequest=")
        && said.any(|(name, value)| name == "SAMLResponse" && !value.is_empty())
}

/// The address, and the host that stands for it in logs. Anything but TLS stays on this machine.
fn address(to: &str) -> Result<(Url, String), PeerError> {
    let refused = |peer: &str| PeerError::permanent(peer, Cause::Malformed("address"));
    let url = Url::parse(to).map_err(|_| refused("an application"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let may = match url.scheme() {
        "https" => !host.is_empty(),
        "http" => is_loopback(&host),
        _ => false,
    };
    match may && url.username().is_empty() && url.password().is_none() {
        true => Ok((url, host)),
        false => Err(refused(&host)),
    }
}

fn failure(error: &reqwest::Error) -> Cause {
    match error.is_timeout() {
        true => Cause::TimedOut(TIMEOUT_S),
        false => Cause::Unreachable(innermost(error)),
    }
}

#[cfg(test)]
mod tests;
