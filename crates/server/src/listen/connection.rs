//! One connection, from the socket to its end.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode, Version, header},
};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tower::Service;

use super::{
    Door, Limits, proxy_header,
    watched::{Doing, UnderWay, Watched},
};
use crate::{
    held_certificate::HeldCertificate,
    visitor::{Forwarding, Peer},
};

/// Streams of one HTTP/2 connection at once: a browser needs a handful.
const STREAMS_MAX: u32 = 64;
/// How long a connection without a request may still begin one after the end: its first bytes may lie in the socket
/// and only want to be looked at.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// Serves one connection to its end. What goes wrong with it is of interest to nobody else.
pub(super) async fn attend(
    mut stream: TcpStream,
    socket: SocketAddr,
    door: Arc<Door>,
    closing: watch::Receiver<bool>,
) {
    let socket = socket.ip().to_canonical();
    let is_proxy = door
        .how
        .trusted_proxies
        .iter()
        .any(|net| net.contains(&socket));
    let deadline = Instant::now() + door.how.limits.handshake;
    let said = async {
        if is_proxy && door.how.forwarding == Forwarding::ProxyProtocol {
            proxy_header::read(&mut stream).await
        } else {
            Ok(socket)
        }
    };
    let peer = match tokio::time::timeout_at(deadline, said).await {
        Ok(Ok(peer)) => peer,
        Ok(Err(error)) => {
            return tracing::warn!(%error, proxy = %socket, "a connection of a proxy is closed");
        }
        Err(_) => return tracing::warn!(proxy = %socket, "a proxy said nothing in time"),
    };
    // Behind a proxy that speaks in headers, all people have the proxy's address here.
    let counted = !is_proxy || peer != socket;
    let place = door.crowd.place(peer);
    if counted && place.is_none() {
        return tracing::warn!(%peer, "too many connections from one address");
    }
    // Answers are written whole; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &door.tls else {
        return converse(stream, false, (peer, None), &door, closing).await;
    };
    match tokio::time::timeout_at(deadline, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let held = HeldCertificate::of_handshake(stream.get_ref().1);
            converse(stream, http2, (peer, held), &door, closing).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, %peer, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
}

/// Takes requests and answers them, until the client has no more or the time is over.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    http2: bool,
    (peer, held): (IpAddr, Option<HeldCertificate>),
    door: &Door,
    mut closing: watch::Receiver<bool>,
) {
    let limits = door.how.limits;
    let doing = Arc::new(watch::Sender::new(Doing::default()));
    let mut phases = doing.subscribe();
    let service = hyper::service::service_fn(|mut request: Request<Incoming>| {
        let under_way = UnderWay::begin(&doing);
        request.extensions_mut().insert(Peer(peer));
        if let Some(held) = &held {
            request.extensions_mut().insert(held.clone());
        }
        let http1 = request.version() < Version::HTTP_2;
        let answer = door.router.clone().call(request);
        async move {
            let answer = timeout(limits.request, answer).await;
            drop(under_way);
            Ok::<_, Infallible>(match answer {
                Ok(Ok(answer)) => answer,
                Ok(Err(never)) => match never {},
                Err(_) => too_slow(http1),
            })
        }
    });
    let builder = builder(http2, &limits);
    // Frames of HTTP/2 come and go without a request, so its bytes say nothing.
    let told = if http2 {
        Arc::new(watch::Sender::new(Doing::default()))
    } else {
        doing.clone()
    };
    let io = TokioIo::new(Watched {
        doing: told,
        stream,
    });
    let mut connection = pin!(builder.serve_connection(io, service));
    let (mut closed_at, mut leaving) = (None, None);
    loop {
        let now = *phases.borrow_and_update();
        // Without a request begun, the library would close at once, whatever lies in the socket.
        if closed_at.is_some() && now.begun && leaving.is_none() {
            connection.as_mut().graceful_shutdown();
            leaving = Some(Instant::now() + limits.drain);
        }
        let limit = match (now, closed_at) {
            _ if leaving.is_some() => leaving,
            (Doing { answering: 1.., .. }, _) => None,
            (Doing { reading: true, .. }, _) => Some(Instant::now() + limits.header),
            (_, Some(closed_at)) => Some(closed_at + LAST_WORDS),
            _ => Some(Instant::now() + limits.idle),
        };
        let too_late = async {
            match limit {
                Some(limit) => sleep_until(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = connection.as_mut() => return said(peer, ended),
            changed = phases.changed() => if changed.is_err() { return },
            () = too_late => {
                if leaving.is_some() || closed_at.is_some() || now.reading {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                leaving = Some(Instant::now() + limits.drain);
            }
            () = closed(&mut closing), if closed_at.is_none() => closed_at = Some(Instant::now()),
        }
    }
}

async fn closed(closing: &mut watch::Receiver<bool>) {
    // A sender that is gone has nothing more to wait for, either.
    let _ = closing.wait_for(|closing| *closing).await;
}

fn said(peer: IpAddr, ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection ended early");
    }
}

/// The version is agreed on in TLS; without TLS it is HTTP/1.1, so that nobody has to guess it from
/// the first bytes and wait for them.
fn builder(http2: bool, limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes_max.max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.idle / 4)
        .keep_alive_timeout(limits.header);
    if http2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    }
}

/// The body did not come, or the answer did not.
fn too_slow(http1: bool) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    if http1 {
        // What is left of the body must not be taken for the next request.
        answer
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}
