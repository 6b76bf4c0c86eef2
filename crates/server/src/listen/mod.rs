//! The accept loop: sockets become requests that know their peer.
//!
//! Ours, because no library has all of it: certificates that change without a restart, the PROXY
//! protocol from listed proxies, bounds on time, size and number that a school behind one address
//! does not feel, and an end that comes within seconds. Deliberately absent: routes, and what a proxy
//! says in headers (`visitor`).

mod any_client;
mod certificates;
mod connection;
mod crowd;
mod proxy_header;
mod watched;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use ipnet::IpNet;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

pub use self::certificates::{CertificateError, Certificates};
use self::crowd::Crowd;
use crate::visitor::Forwarding;

/// How often certificate files are looked at.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(5);
/// How long the loop rests when the system has no socket to give.
const REST: Duration = Duration::from_millis(200);

/// How to listen.
#[derive(Clone, Debug)]
pub struct Listen {
    /// With [`Forwarding::ProxyProtocol`], each connection from a listed proxy begins with a header of
    /// that protocol, and one from anybody else never does. The other mechanisms are headers of
    /// requests and are not looked at here.
    pub forwarding: Forwarding,
    /// Whether the other end is asked for a certificate. Browsers would show that to people, so it is done at a
    /// door of its own.
    pub asks_for_certificates: bool,
    /// What a connection may cost.
    pub limits: Limits,
    /// The certificate; none for plain HTTP.
    pub tls: Option<Arc<Certificates>>,
    /// The proxies that are believed. They speak for many people and may open as many connections as
    /// all together.
    pub trusted_proxies: Vec<IpNet>,
}

/// What a connection may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; further ones wait in the system's queue.
    pub connections_max: usize,
    /// Connections at once from one address (of IPv6: one /64); further ones are closed. A whole
    /// school shares an address, so this only keeps one address from taking everything.
    pub connections_per_peer_max: usize,
    /// How long requests under way may take to end after the shutdown.
    pub drain: Duration,
    /// From accepting until PROXY header and TLS handshake are done.
    pub handshake: Duration,
    /// From the first byte of a request until its headers are complete.
    pub header: Duration,
    /// Longest request line and headers together; a read that crosses the bound may be twice as long.
    pub header_bytes_max: usize,
    /// How long a connection without requests stays open: longer than proxies keep theirs, 60 s, so
    /// that no request meets a closing door.
    pub idle: Duration,
    /// From complete headers until the answer begins, the body included.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            connections_per_peer_max: 4_096,
            drain: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            header_bytes_max: 32 * 1024,
            idle: Duration::from_secs(75),
            request: Duration::from_secs(60),
        }
    }
}

/// What all connections share.
struct Door {
    crowd: Crowd,
    how: Listen,
    router: Router,
    tls: Option<TlsAcceptor>,
}

/// Serves until `shutdown` is ready and for at most [`Limits::drain`] longer: connections without a
/// request are closed, requests under way are answered; so are those of which nothing but the bytes has come, on
/// connections that the system took and nobody looked at.
///
/// Every request carries its [`Peer`](crate::visitor::Peer) in its extensions.
///
/// # Errors
/// When TLS cannot be set up. What goes wrong with one connection ends that connection only.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    how: Listen,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let asks = how.asks_for_certificates;
    let tls = how.tls.as_ref().map(|tls| tls.acceptor(asks)).transpose();
    let tls = tls.map_err(io::Error::other)?;
    let limits = how.limits;
    let crowd = Crowd::new(limits.connections_max, limits.connections_per_peer_max);
    let door = Arc::new(Door {
        crowd,
        how,
        router,
        tls,
    });
    let (close, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut look = interval(CERTIFICATES_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(shutdown);
    let attend = |(stream, peer, seat)| {
        let attended = connection::attend(stream, peer, door.clone(), closing.clone());
        async move {
            attended.await;
            drop::<OwnedSemaphorePermit>(seat);
        }
    };
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            came = next(&listener, &door.crowd) => drop(connections.spawn(attend(came))),
            Some(_) = connections.join_next() => {}
            _ = look.tick() => {
                if let Some(certificates) = door.how.tls.clone() {
                    connections.spawn_blocking(move || certificates.look());
                }
            }
        }
    }
    for came in waiting(listener, &door.crowd) {
        connections.spawn(attend(came));
    }
    close.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain, all).await.is_err() {
        tracing::warn!(
            left = connections.len(),
            "requests that did not end in time are cut off"
        );
        connections.shutdown().await;
    }
    Ok(())
}

/// A connection, where it comes from, and its seat.
type Came = (TcpStream, SocketAddr, OwnedSemaphorePermit);

/// Nobody new is let in. The system has taken connections that nobody has looked at; closed with their listener, they
/// would be reset with what they sent. Without a seat they are.
fn waiting(listener: TcpListener, crowd: &Crowd) -> Vec<Came> {
    let mut came = Vec::new();
    let Ok(listener) = listener.into_std() else {
        return came;
    };
    while let Some(seat) = crowd.free_seat()
        && let Ok((stream, peer)) = listener.accept()
    {
        let stream = stream.set_nonblocking(true).map(|()| stream);
        came.extend(
            stream
                .and_then(TcpStream::from_std)
                .map(|stream| (stream, peer, seat)),
        );
    }
    came
}

/// The next connection, once there is a seat for it.
async fn next(listener: &TcpListener, crowd: &Crowd) -> Came {
    loop {
        let seat = crowd.seat().await;
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, seat),
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "accepting a connection failed; is the limit on open files too low?");
                sleep(REST).await;
            }
        }
    }
}

/// The client was gone before it was accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests;
