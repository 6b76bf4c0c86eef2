//! The front proxy on port N: it alone says from which address somebody comes.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, HOST};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::response::Response;
use axum::routing::get;

use crate::place::{PLACE_HEADER, Place, Places};
use crate::reach::Reach;
use crate::web;

/// What forwarding needs to know.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) places: Places,
    pub(crate) reach: Arc<dyn Reach>,
}

/// `own` pages of the demo first, everything else goes to the provider.
pub(crate) fn router(proxy: Proxy, own: Router) -> Router {
    Router::new()
        .route("/", get(async || web::see_other("/demo")))
        .fallback(forward)
        .with_state(proxy)
        .merge(own)
}

async fn forward(State(proxy): State<Proxy>, request: Request) -> Response {
    let place = Place::of(request.headers());
    let mut response = proxy
        .reach
        .call(stamped(request, proxy.places.address(place)))
        .await;
    drop_hop_by_hop(response.headers_mut());
    response
}

/// The request as the provider gets it: a path, no header by which a client could name its own
/// address, and exactly one forwarded address.
fn stamped(request: Request, address: IpAddr) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    let host = parts
        .uri
        .authority()
        .and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let (Some(host), false) = (host, parts.headers.contains_key(HOST)) {
        parts.headers.insert(HOST, host);
    }
    let path = parts.uri.path_and_query().cloned();
    parts.uri = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
    parts.version = axum::http::Version::HTTP_11;
    parts.extensions.clear();
    drop_hop_by_hop(&mut parts.headers);
    drop_claimed_addresses(&mut parts.headers);
    forwarded_from(&mut parts.headers, address);
    Request::from_parts(parts, body)
}

/// Says that the request came from `address` over plain HTTP.
pub(crate) fn forwarded_from(headers: &mut HeaderMap, address: IpAddr) {
    if let Ok(address) = HeaderValue::from_str(&address.to_string()) {
        headers.insert("x-forwarded-for", address);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
}

/// [RFC 9110 §7.6.1] "Intermediaries MUST parse a received Connection header field before a message
/// is forwarded and, for each connection-option in this field, remove any header or trailer
/// field(s) from the message with the same name as the connection-option".
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let fixed = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
    ];
    let framing = [
        "transfer-encoding",
        "upgrade",
        "proxy-authenticate",
        "proxy-authorization",
    ];
    for name in fixed.into_iter().chain(framing) {
        headers.remove(name);
    }
    for name in named {
        headers.remove(name);
    }
}

fn drop_claimed_addresses(headers: &mut HeaderMap) {
    let claims: Vec<HeaderName> = headers
        .keys()
        .filter(|name| claims_an_address(name))
        .cloned()
        .collect();
    for name in claims {
        headers.remove(name);
    }
}

/// Whether some server somewhere reads an address, host or scheme out of a header of this name;
/// underscores count as dashes, as they do behind CGI-like gateways.
fn claims_an_address(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    name.starts_with("x-forwarded")
        || name.starts_with("x-original-")
        || matches!(
            name.as_str(),
            "forwarded"
                | "forwarded-for"
                | "x-real-ip"
                | "x-client-ip"
                | "client-ip"
                | "true-client-ip"
                | "cf-connecting-ip"
                | "x-cluster-client-ip"
                | "via"
        )
        || name == PLACE_HEADER
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use tower::ServiceExt;

    use super::*;
    use crate::toys::Echo;

    fn proxy() -> Router {
        let proxy = Proxy {
            places: Places::default(),
            reach: Arc::new(Echo),
        };
        router(proxy, Router::new())
    }

    async fn echoed(headers: &[(&str, &str)]) -> Vec<String> {
        let mut request = Request::builder()
            .uri("/authorize?a=b")
            .header("host", "localhost:8400");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = proxy()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let body = axum::body::to_bytes(response.into_body(), 65536)
            .await
            .unwrap();
        String::from_utf8(body.to_vec())
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    const PLAIN: [&str; 4] = [
        "/authorize?a=b",
        "host: localhost:8400",
        "x-forwarded-for: 203.0.113.20",
        "x-forwarded-proto: http",
    ];

    /// [N01] A client that names its own address is at home all the same.
    #[tokio::test]
    async fn addresses_claimed_by_the_client_do_not_pass() {
        let claims = [
            ("X-Forwarded-For", "192.0.2.20"),
            ("X-Forwarded-For", "198.51.100.20"),
            ("Forwarded", "for=192.0.2.20"),
            ("X-Real-IP", "192.0.2.20"),
            ("True-Client-IP", "192.0.2.20"),
            ("X-Forwarded-Host", "evil.example"),
            ("X-Forwarded-Proto", "https"),
        ];
        assert_eq!(echoed(&claims).await, PLAIN);
    }

    /// [N08] Underscores, and a `Connection` header that names what the proxy sets, change nothing.
    #[tokio::test]
    async fn smuggled_names_and_connection_tricks_have_no_effect() {
        let claims = [
            ("X_Forwarded_For", "192.0.2.20"),
            ("x-forwarded_for", "192.0.2.20"),
            ("Connection", "X-Forwarded-For, x-forwarded-proto, close"),
            ("Connection", "X-Demo"),
            ("X-Demo", "gone"),
            ("TE", "trailers"),
        ];
        assert_eq!(echoed(&claims).await, PLAIN);
    }

    #[tokio::test]
    async fn the_place_becomes_the_forwarded_address() {
        for (place, address) in [
            ("home", "203.0.113.20"),
            ("school", "192.0.2.20"),
            ("state", "198.51.100.20"),
        ] {
            let seen = echoed(&[("X-Demo-Place", place)]).await;
            assert!(
                seen.contains(&format!("x-forwarded-for: {address}")),
                "{place}: {seen:?}"
            );
            assert!(!seen.iter().any(|line| line.starts_with("x-demo-place")));
            let cookie = format!("demo_place={place}");
            let seen = echoed(&[("Cookie", &cookie)]).await;
            assert!(
                seen.contains(&format!("x-forwarded-for: {address}")),
                "{place}: {seen:?}"
            );
        }
    }

    #[tokio::test]
    async fn the_root_leads_to_the_start_page() {
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        let response = proxy().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()["location"], "/demo");
    }
}
