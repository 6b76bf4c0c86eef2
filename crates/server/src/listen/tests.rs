//! Over real sockets: what a client, a proxy and a stranger get.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream as Socket},
    path::Path,
};

use axum::{Extension, body::Bytes, routing::get};
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned,
    client::WantsClientCert,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use tempfile::TempDir;
use tokio::{
    sync::{Notify, oneshot},
    task::{JoinHandle, spawn_blocking},
};

use super::*;
use crate::{held_certificate::HeldCertificate, visitor::Peer};

const ASK: &str = "GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

struct Running {
    address: SocketAddr,
    ended: JoinHandle<io::Result<()>>,
    /// Told when a request to `/wait` has arrived; answered when it is told.
    arrived: Arc<Notify>,
    go_on: Arc<Notify>,
    stop: oneshot::Sender<()>,
}

/// Plain HTTP, nobody listed, bounds that a test does not have to wait for.
fn plain() -> Listen {
    Listen {
        forwarding: Forwarding::None,
        asks_for_certificates: false,
        limits: Limits {
            drain: Duration::from_millis(300),
            ..Limits::default()
        },
        tls: None,
        trusted_proxies: Vec::new(),
    }
}

fn behind_a_proxy(listed: &str) -> Listen {
    Listen {
        forwarding: Forwarding::ProxyProtocol,
        trusted_proxies: vec![listed.parse().unwrap()],
        ..plain()
    }
}

async fn run(how: Listen) -> Running {
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let waits = (arrived.clone(), go_on.clone());
    let router = Router::new()
        .route(
            "/peer",
            get(|Extension(Peer(peer)): Extension<Peer>| async move { peer.to_string() }),
        )
        .route(
            "/certificate",
            get(|held: Option<Extension<HeldCertificate>>| async move {
                held.map_or("none".to_owned(), |held| held.0.chain().thumbprint())
            }),
        )
        .route(
            "/body",
            axum::routing::post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route(
            "/wait",
            get(move || async move {
                waits.0.notify_one();
                waits.1.notified().await;
                "done"
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async { stopped.await.unwrap_or_default() };
    let ended = tokio::spawn(serve(listener, router, how, shutdown));
    Running {
        address,
        ended,
        arrived,
        go_on,
        stop,
    }
}

fn connect(address: SocketAddr) -> Socket {
    let socket = Socket::connect(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    socket
}

/// Sends bytes and reads until the server closes.
async fn answer(address: SocketAddr, bytes: impl AsRef<[u8]> + Send + 'static) -> String {
    let exchange = move || {
        let mut socket = connect(address);
        // A server may refuse before it has read everything.
        let _ = socket.write_all(bytes.as_ref());
        rest_of(&mut socket)
    };
    spawn_blocking(exchange).await.unwrap()
}

/// What comes until the end; a reset is an end, too.
fn rest_of(stream: &mut impl Read) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A fresh certificate in two files; the certificate for a client to trust.
fn write_pair(dir: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(dir.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

fn read_pair(dir: &Path) -> Arc<Certificates> {
    Arc::new(Certificates::read(&dir.join("cert.pem"), &dir.join("key.pem")).unwrap())
}

/// A client that trusts one certificate.
fn over_tls(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    alpn: &[&str],
) -> StreamOwned<ClientConnection, Socket> {
    let mut config = trusting(trusted).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    to(address, config)
}

/// One that shows a certificate, if it is asked for one.
fn showing(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    own: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
) -> StreamOwned<ClientConnection, Socket> {
    let config = trusting(trusted);
    let config = match own {
        None => config.with_no_client_auth(),
        Some((shown, key)) => config.with_client_auth_cert(vec![shown], key).unwrap(),
    };
    to(address, config)
}

fn trusting(trusted: &CertificateDer<'static>) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

fn to(address: SocketAddr, config: ClientConfig) -> StreamOwned<ClientConnection, Socket> {
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(client, connect(address))
}

#[tokio::test]
async fn a_request_carries_the_address_of_its_socket() {
    let server = run(plain()).await;
    let answer = answer(server.address, ASK).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"),
        "{answer}"
    );
}

/// [N01] What a listed proxy says replaces the address, in both versions of the protocol.
#[tokio::test]
async fn a_listed_proxy_says_whom_it_speaks_for() {
    let server = run(behind_a_proxy("127.0.0.0/24")).await;
    let line = format!("PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n{ASK}");
    assert!(
        answer(server.address, line)
            .await
            .ends_with("\r\n203.0.113.7")
    );
    let mut binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24".to_vec();
    binary.extend(
        "2001:db8::7"
            .parse::<std::net::Ipv6Addr>()
            .unwrap()
            .octets(),
    );
    binary.extend([0; 20]);
    binary.extend(ASK.as_bytes());
    assert!(
        answer(server.address, binary)
            .await
            .ends_with("\r\n2001:db8::7")
    );
}

/// [N01] A stranger who speaks like a proxy is not understood, and one who does not is a client.
#[tokio::test]
async fn an_unlisted_peer_cannot_say_anything_about_its_address() {
    let server = run(behind_a_proxy("192.0.2.1/32")).await;
    let line = format!("PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n{ASK}");
    let refused = answer(server.address, line).await;
    assert!(
        refused.starts_with("HTTP/1.1 400") && !refused.contains("203.0.113.7"),
        "{refused}"
    );
    assert!(answer(server.address, ASK).await.ends_with("\r\n127.0.0.1"));
}

/// [N01] A listed proxy that says nothing gets nothing: its own address may be inside a zone.
#[tokio::test]
async fn a_listed_proxy_without_a_header_is_closed() {
    let server = run(behind_a_proxy("127.0.0.1/32")).await;
    assert_eq!(answer(server.address, ASK).await, "");
}

/// [N02] For whom a proxy speaks without knowing has an address that is public everywhere.
#[tokio::test]
async fn somebody_a_proxy_does_not_know_is_nowhere() {
    let server = run(behind_a_proxy("127.0.0.1/32")).await;
    let unknown = answer(server.address, format!("PROXY UNKNOWN\r\n{ASK}")).await;
    assert!(unknown.ends_with("\r\n::"), "{unknown}");
}

/// [P07] Who sends headers slowly is closed, whatever else comes.
#[tokio::test]
async fn headers_that_never_end_are_cut_off() {
    let mut how = plain();
    how.limits.header = Duration::from_millis(100);
    let server = run(how).await;
    let slow = "GET /peer HTTP/1.1\r\nHost: a\r\nX: ";
    assert_eq!(answer(server.address, slow).await, "");
    let after_one = format!("{}{slow}", ASK.replace("close", "keep-alive"));
    let mut how = plain();
    how.limits.idle = Duration::from_millis(100);
    let server = run(how).await;
    assert!(
        answer(server.address, after_one)
            .await
            .ends_with("127.0.0.1")
    );
}

#[tokio::test]
async fn a_connection_without_requests_is_closed_after_a_while() {
    let mut how = plain();
    how.limits.idle = Duration::from_millis(100);
    let server = run(how).await;
    assert_eq!(answer(server.address, "").await, "");
    let kept = ASK.replace("close", "keep-alive");
    assert!(answer(server.address, kept).await.ends_with("127.0.0.1"));
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let mut how = plain();
    how.limits.request = Duration::from_millis(100);
    let server = run(how).await;
    let start = "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab";
    let refused = answer(server.address, start).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("connection: close"), "{refused}");
}

/// [P07] Headers are bounded.
#[tokio::test]
async fn headers_beyond_the_bound_are_refused() {
    let server = run(plain()).await;
    let long = ASK.replace("Host: a", &format!("Host: a\r\nX: {}", "a".repeat(200_000)));
    let refused = answer(server.address, long).await;
    assert!(!refused.contains("127.0.0.1"), "{refused}");
}

#[tokio::test]
async fn one_address_cannot_take_every_connection_and_a_proxy_may() {
    let mut how = plain();
    how.limits.connections_per_peer_max = 1;
    let server = run(how.clone()).await;
    let waiting = tokio::spawn(answer(server.address, ASK.replace("peer", "wait")));
    server.arrived.notified().await;
    assert_eq!(answer(server.address, ASK).await, "");
    server.go_on.notify_one();
    assert!(waiting.await.unwrap().ends_with("done"));

    how.forwarding = Forwarding::XForwardedFor;
    how.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let server = run(how).await;
    let _waiting = tokio::spawn(answer(server.address, ASK.replace("peer", "wait")));
    server.arrived.notified().await;
    assert!(answer(server.address, ASK).await.ends_with("127.0.0.1"));
    server.go_on.notify_one();
}

#[tokio::test]
async fn at_the_end_a_request_under_way_is_answered_and_nobody_else_is_waited_for() {
    let mut how = plain();
    how.limits.drain = Duration::from_secs(60);
    let server = run(how).await;
    let silent = tokio::spawn(answer(server.address, ""));
    let kept = tokio::spawn(answer(server.address, ASK.replace("close", "keep-alive")));
    let waiting = tokio::spawn(answer(server.address, ASK.replace("peer", "wait")));
    server.arrived.notified().await;
    server.stop.send(()).unwrap();
    assert_eq!(silent.await.unwrap(), "");
    assert!(kept.await.unwrap().ends_with("127.0.0.1"));
    server.go_on.notify_one();
    assert!(waiting.await.unwrap().ends_with("done"));
    server.ended.await.unwrap().unwrap();
}

/// The end comes between the client's bytes and our looking at them: both the connections the system has taken and
/// those that only lack their first look count as under way.
#[tokio::test]
async fn what_was_sent_before_the_end_is_answered() {
    let mut how = plain();
    how.limits.drain = Duration::from_secs(20);
    for looks in 0..4 {
        let server = run(how.clone()).await;
        let mut halves: Vec<_> = (0..8).map(|_| connect(server.address)).collect();
        for half in &mut halves {
            let first = b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab";
            half.write_all(first).unwrap();
        }
        for _ in 0..looks {
            tokio::task::yield_now().await;
        }
        server.stop.send(()).unwrap();
        let rest = |mut half: Socket| {
            let read = move || {
                half.write_all(b"cd")?;
                let mut answer = String::new();
                half.read_to_string(&mut answer).map(|_| answer)
            };
            spawn_blocking(read)
        };
        for half in halves.into_iter().map(rest) {
            let answer = half.await.unwrap();
            let answer = answer.unwrap_or_else(|error| format!("after {looks} looks: {error}"));
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        server.ended.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_after_the_drain() {
    let server = run(plain()).await;
    let waiting = tokio::spawn(answer(server.address, ASK.replace("peer", "wait")));
    server.arrived.notified().await;
    server.stop.send(()).unwrap();
    server.ended.await.unwrap().unwrap();
    assert_eq!(waiting.await.unwrap(), "");
}

/// [P11] TLS, with the protocol the client prefers.
#[tokio::test]
async fn over_tls_both_versions_of_http_are_spoken() {
    let dir = TempDir::new().unwrap();
    let trusted = write_pair(dir.path());
    let server = run(Listen {
        tls: Some(read_pair(dir.path())),
        ..plain()
    })
    .await;
    let address = server.address;
    let exchange = move || {
        let mut http1 = over_tls(address, &trusted, &["http/1.1"]);
        http1.write_all(ASK.as_bytes()).unwrap();
        let text = rest_of(&mut http1);
        let mut http2 = over_tls(address, &trusted, &["h2", "http/1.1"]);
        http2
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
            .unwrap();
        let mut frame = [0; 9];
        http2.read_exact(&mut frame).unwrap();
        (
            text,
            http2.conn.alpn_protocol().map(<[u8]>::to_vec),
            frame[3],
        )
    };
    let (text, alpn, frame) = spawn_blocking(exchange).await.unwrap();
    assert!(
        text.starts_with("HTTP/1.1 200") && text.ends_with("127.0.0.1"),
        "{text}"
    );
    assert_eq!(alpn.as_deref(), Some(b"h2".as_slice()));
    assert_eq!(frame, 4, "a SETTINGS frame");
}

/// [P11] A client of TLS 1.1 is refused with the alert `protocol_version` (70).
#[tokio::test]
async fn tls_below_1_2_is_refused() {
    let dir = TempDir::new().unwrap();
    write_pair(dir.path());
    let server = run(Listen {
        tls: Some(read_pair(dir.path())),
        ..plain()
    })
    .await;
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    let suite_and_nothing = [0, 0, 2, 0xc0, 0x2b, 1, 0];
    let signature_algorithms = [0, 8, 0, 13, 0, 4, 0, 2, 4, 3];
    hello.extend([suite_and_nothing.as_slice(), &signature_algorithms].concat());
    let len = u8::try_from(hello.len()).unwrap();
    let record = [&[22, 3, 1, 0, len + 4, 1, 0, 0, len], hello.as_slice()].concat();
    let address = server.address;
    let alert = spawn_blocking(move || {
        let mut socket = connect(address);
        socket.write_all(&record).unwrap();
        let mut alert = [0; 7];
        socket.read_exact(&mut alert).unwrap();
        alert
    });
    let alert = alert.await.unwrap();
    assert_eq!((alert[0], alert[6]), (21, 70), "{alert:?}");
}

/// [P11] A new certificate is used at once, a broken one never.
#[tokio::test]
async fn a_changed_certificate_is_taken_and_a_broken_one_is_not() {
    let dir = TempDir::new().unwrap();
    let first = write_pair(dir.path());
    let certificates = read_pair(dir.path());
    assert!(!certificates.reload().unwrap());

    std::fs::write(dir.path().join("cert.pem"), "half a certif").unwrap();
    assert!(matches!(
        certificates.reload(),
        Err(CertificateError::Pem { .. })
    ));
    assert_eq!(certificates.chain(), [first]);
    assert!(
        !certificates.reload().unwrap(),
        "the same broken file is not tried again"
    );

    let key = std::fs::read(dir.path().join("key.pem")).unwrap();
    let second = write_pair(dir.path());
    std::fs::write(dir.path().join("key.pem"), &key).unwrap();
    assert!(matches!(
        certificates.reload(),
        Err(CertificateError::Pair { .. })
    ));

    let third = write_pair(dir.path());
    assert!(certificates.reload().unwrap());
    assert_ne!(certificates.chain(), [second]);
    assert_eq!(certificates.chain(), std::slice::from_ref(&third));

    let server = run(Listen {
        tls: Some(certificates),
        ..plain()
    })
    .await;
    let address = server.address;
    let exchange = move || {
        let mut stream = over_tls(address, &third, &[]);
        stream.write_all(ASK.as_bytes()).unwrap();
        rest_of(&mut stream)
    };
    assert!(
        spawn_blocking(exchange)
            .await
            .unwrap()
            .ends_with("127.0.0.1")
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_there_says_which_file() {
    let dir = TempDir::new().unwrap();
    let error = Certificates::read(&dir.path().join("no.pem"), &dir.path().join("key.pem"));
    assert!(error.unwrap_err().to_string().contains("no.pem"));
}

/// At the door for people, nobody is asked for a certificate; at the other one, it is only asked for.
#[tokio::test]
async fn a_certificate_is_asked_for_at_its_own_door_only() {
    let dir = TempDir::new().unwrap();
    let trusted = write_pair(dir.path());
    let mine = rcgen::generate_simple_self_signed(vec!["sync.example".to_owned()]).unwrap();
    let shown = mine.cert.der().clone();
    let thumbprint = wire::certificate::Chain::of(std::slice::from_ref(&shown));
    let thumbprint = thumbprint.unwrap().thumbprint();
    for (asks, shows, seen) in [
        (false, true, "none"),
        (true, false, "none"),
        (true, true, thumbprint.as_str()),
    ] {
        let server = run(Listen {
            asks_for_certificates: asks,
            tls: Some(read_pair(dir.path())),
            ..plain()
        })
        .await;
        let (address, trusted) = (server.address, trusted.clone());
        let key = PrivateKeyDer::try_from(mine.signing_key.serialize_der());
        let own = shows.then(|| (shown.clone(), key.unwrap()));
        let exchange = move || {
            let mut stream = showing(address, &trusted, own);
            let ask = ASK.replace("peer", "certificate");
            stream.write_all(ask.as_bytes()).unwrap();
            rest_of(&mut stream)
        };
        let text = spawn_blocking(exchange).await.unwrap();
        assert!(text.ends_with(seen), "{asks} {shows}: {text}");
    }
}
