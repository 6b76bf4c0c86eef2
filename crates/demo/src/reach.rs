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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::to_bytes;
    use tokio::net::TcpListener;
    use tower::ServiceExt;

    use super::*;
    use crate::place::Places;
    use crate::proxy::{self, Proxy};

    async fn asks(address: SocketAddr, body: &str) -> (StatusCode, String) {
        let reach = Arc::new(OverSocket::new(address));
        let proxy = proxy::router(
            Proxy {
                places: Places::default(),
                reach,
            },
            Router::new(),
        );
        let request = Request::post("http://localhost:8400/login?a=b")
            .header("content-length", body.len())
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = proxy.oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// [N01] Over a real socket, too, exactly one address arrives, and the whole body.
    #[tokio::test]
    async fn a_request_reaches_a_provider_over_a_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let provider = Router::new().fallback(async |request: Request<Body>| {
            let (parts, body) = request.into_parts();
            let addresses: Vec<_> = parts.headers.get_all("x-forwarded-for").iter().collect();
            let body = to_bytes(body, 1 << 20).await.unwrap();
            format!(
                "{} {:?} {:?} {}",
                parts.uri,
                parts.headers["host"],
                addresses,
                body.len()
            )
        });
        tokio::spawn(async move { axum::serve(listener, provider).await });
        let (status, seen) = asks(address, &"x".repeat(100_000)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            seen,
            r#"/login?a=b "localhost:8400" ["203.0.113.20"] 100000"#
        );
    }

    #[tokio::test]
    async fn a_provider_that_does_not_listen_is_a_bad_gateway() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(asks(address, "").await.0, StatusCode::BAD_GATEWAY);
    }
}
