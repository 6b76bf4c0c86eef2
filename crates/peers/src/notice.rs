//! News for applications: a form, posted to an address that a technician registered.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, StatusCode, header::CONTENT_TYPE, redirect};
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
/// no proxy asked, and of the answer only the status is read.
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
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    type Asked = Arc<Mutex<Vec<String>>>;

    /// An application that answers this to everything, and remembers what it was asked.
    async fn application(answer: &'static str) -> (String, Asked) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logged-out", listener.local_addr().unwrap());
        let asked = Asked::default();
        let remembers = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let mut length = 0;
                while !String::from_utf8_lossy(&request[..length]).contains("logout_token=") {
                    match stream.read(&mut request[length..]).await.unwrap() {
                        0 => break,
                        more => length += more,
                    }
                }
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                remembers.lock().unwrap().push(text);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (url, asked)
    }

    async fn posts(to: &str) -> Result<Receipt, PeerError> {
        let news = News {
            to: to.to_owned(),
            form: "logout_token=a.b.c".to_owned(),
        };
        HttpPost::connect().unwrap().post(&news).await
    }

    #[tokio::test]
    async fn an_application_that_is_done_has_the_news() {
        for answer in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ] {
            let (url, asked) = application(answer).await;
            let peer = "127.0.0.1".to_owned();
            assert_eq!(posts(&url).await, Ok(Receipt { peer }));
            let asked = asked.lock().unwrap();
            let [request] = asked.as_slice() else {
                panic!("asked {} times", asked.len())
            };
            assert!(request.starts_with("POST /logged-out HTTP/1.1\r\n"));
            assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"));
            assert!(request.ends_with("\r\n\r\nlogout_token=a.b.c"));
        }
    }

    #[tokio::test]
    async fn a_refusal_is_told_from_a_bad_moment() {
        for (answer, is_temporary) in [
            (
                "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
                false,
            ),
            (
                "HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n",
                true,
            ),
            ("HTTP/1.1 429 Too Many\r\ncontent-length: 0\r\n\r\n", true),
            ("no HTTP at all\r\n\r\n", true),
        ] {
            let (url, _) = application(answer).await;
            let failed = posts(&url).await.unwrap_err();
            assert_eq!(failed.is_temporary(), is_temporary, "{answer}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        assert!(posts(&nobody).await.unwrap_err().is_temporary());
    }

    /// [C17] Whoever is told where else to go is not believed.
    #[tokio::test]
    async fn no_redirect_is_followed() {
        let (inside, asked) = application("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        for status in ["302 Found", "307 Temporary", "308 Permanent"] {
            let answer =
                format!("HTTP/1.1 {status}\r\nlocation: {inside}\r\ncontent-length: 0\r\n\r\n");
            let (outside, _) = application(answer.leak()).await;
            assert!(!posts(&outside).await.unwrap_err().is_temporary());
        }
        assert_eq!(asked.lock().unwrap().len(), 0);
    }

    async fn fetches(from: &str, bytes_max: usize) -> Result<Vec<u8>, PeerError> {
        HttpPost::connect().unwrap().fetch(from, bytes_max).await
    }

    /// A place where a document is, behind a GET of one packet.
    async fn library(answer: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/all.xml", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                let _length = stream.read(&mut request).await.unwrap();
                // Whoever has heard enough hangs up.
                let _told = stream.write_all(answer.as_bytes()).await;
            }
        });
        url
    }

    /// [C17] A document is fetched as a whole or not at all, and nowhere else than where it was said to be.
    #[tokio::test]
    async fn a_document_is_fetched_within_its_bounds() {
        let sent =
            |head: &str, body: &str| format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n{body}");
        let good = library(sent("200 OK", "<a/>")).await;
        assert_eq!(fetches(&good, 4).await.unwrap(), b"<a/>");
        let PeerError::Permanent { cause, .. } = fetches(&good, 3).await.unwrap_err() else {
            panic!("tried again")
        };
        assert_eq!(cause, Cause::TooLong(3));
        let head = format!("302 Found\r\nlocation: {good}");
        let elsewhere = library(sent(&head, "")).await;
        assert!(fetches(&elsewhere, 4).await.unwrap_err().is_temporary());
        let cut =
            library("HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\n<a/>".into());
        assert!(fetches(&cut.await, 9).await.unwrap_err().is_temporary());
        for address in [
            "http://federation.example/",
            "http://10.0.0.1/",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!fetches(address, 4).await.unwrap_err().is_temporary());
        }
    }

    /// [C17] Without TLS nothing leaves this machine, whatever is registered.
    #[tokio::test]
    async fn what_is_not_over_tls_stays_on_this_machine() {
        for address in [
            "http://app.example/",
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.1/",
            "http://2852039166/",
            "http://0x7f000001.example/",
            "http://[::ffff:169.254.169.254]/",
            "http://localhost.example/",
            "https://a:b@app.example/",
            "ftp://app.example/",
            "file:///etc/passwd",
            "/logout",
            "",
        ] {
            let failed = posts(address).await.unwrap_err();
            let PeerError::Permanent { cause, .. } = failed else {
                panic!("{address} was tried")
            };
            assert_eq!(cause, Cause::Malformed("address"), "{address}");
        }
    }
}
