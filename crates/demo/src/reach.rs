//! How the demo reaches the identity provider: over a socket, or in memory.

use std::net::SocketAddr;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The way to the provider's HTTP listener.
///
/// Requests carry a path-only URI, the public `Host`, exactly one `X-Forwarded-For` and
/// `X-Forwarded-Proto`. Whoever answers in memory adds the peer address the provider expects of a
/// trusted proxy.
#[async_trait]
pub trait Reach: Send + Sync {
    /// The provider's answer; `502 Bad Gateway` where it cannot be reached.
    async fn call(&self, request: Request<Body>) -> Response<Body>;
}

/// Reaches the provider at a TCP address, one connection a request.
#[derive(Clone, Copy, Debug)]
pub struct OverSocket {
    address: SocketAddr,
}

impl OverSocket {
    /// Where the provider listens, behind the demo's front proxy.
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Response<Body>, Unreachable> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the provider ended early");
            }
        });
        Ok(sender.send_request(request).await?.map(Body::new))
    }
}

#[async_trait]
impl Reach for OverSocket {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        match self.exchange(request).await {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(%error, address = %self.address, "the provider was not reached");
                let mut response = Response::new(Body::from("the provider was not reached\n"));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Unreachable {
    #[error("connecting to the provider failed")]
    Connect(#[from] std::io::Error),
    #[error("speaking HTTP with the provider failed")]
    Speak(#[from] hyper::Error),
}
