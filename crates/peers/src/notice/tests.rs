//! What is told, how, and what an answer means.

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
            while !String::from_utf8_lossy(&request[..length]).ends_with("a.b.c") {
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
    posts_this(to, "logout_token=a.b.c").await
}

async fn posts_this(to: &str, form: &str) -> Result<Receipt, PeerError> {
    let news = News {
        to: to.to_owned(),
        form: form.to_owned(),
    };
    HttpPost::connect().unwrap().post(&news).await
}

/// A SAML application that answers by its other binding has heard; one that leads anywhere else has not.
#[tokio::test]
async fn an_answer_that_a_browser_should_bring_is_one() {
    let (inside, asked) = application("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let said = format!("{inside}?SAMLResponse=fZ&SigAlg=x&Signature=y");
    let (request, token) = ("SAMLRequest=PHNhbWw%2B&end=a.b.c", "logout_token=a.b.c");
    for (status, location, form, has_heard) in [
        ("302 Found", said.clone(), request, true),
        ("303 See Other", said.clone(), request, true),
        ("307 Temporary", said.clone(), request, false),
        ("302 Found", said.clone(), token, false),
        ("302 Found", inside.clone(), request, false),
        (
            "302 Found",
            format!("{inside}?SAMLResponse="),
            request,
            false,
        ),
        (
            "302 Found",
            format!("{inside}?x=SAMLResponse%3Da"),
            request,
            false,
        ),
        (
            "302 Found",
            "/login?SAMLResponse=a".to_owned(),
            request,
            false,
        ),
        ("302 Found", String::new(), request, false),
    ] {
        let head = format!("HTTP/1.1 {status}\r\nlocation: {location}\r\n");
        let answer = format!("{head}content-length: 0\r\n\r\n");
        let (outside, _) = application(answer.leak()).await;
        let heard = posts_this(&outside, form).await;
        assert_eq!(heard.is_ok(), has_heard, "{head}: {heard:?}");
    }
    assert_eq!(asked.lock().unwrap().len(), 0, "no redirect is followed");
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
