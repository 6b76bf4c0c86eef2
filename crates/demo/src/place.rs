//! The place somebody browses from: at home, at school, in an office of the State.

use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use axum::routing::post;

use crate::web::{self, Fields, Refused};

/// The request header by which scripts choose the place; the front proxy never forwards it.
pub const PLACE_HEADER: &str = "x-demo-place";

/// The cookie by which people choose the place. Cookies do not know ports, so that all rooms of
/// the demo on one host name see the same place.
pub(crate) const PLACE_COOKIE: &str = "demo_place";

/// Where a browser stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Place {
    /// A public network; also everything that names no known place.
    #[default]
    Home,
    /// The network of a cantonal school.
    School,
    /// The network of the State.
    State,
}

impl Place {
    /// All places, in the order of the banner.
    pub const ALL: [Self; 3] = [Self::Home, Self::School, Self::State];

    /// The word for header and cookie.
    pub fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::School => "school",
            Self::State => "state",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.name() == name)
    }

    /// The header decides, else the cookie; whatever is unknown or said twice is [`Place::Home`].
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut named = headers.get_all(PLACE_HEADER).iter();
        match (named.next(), named.next()) {
            (None, _) => web::cookie(headers, PLACE_COOKIE).and_then(Self::from_name),
            (Some(one), None) => one.to_str().ok().and_then(Self::from_name),
            (Some(_), Some(_)) => None,
        }
        .unwrap_or_default()
    }
}

/// The address each place has on the provider's side of the front proxy.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Somebody's provider at home.
    pub home: IpAddr,
    /// A school, inside a zone where the second factor is not asked.
    pub school: IpAddr,
    /// An office of the State; ENT and ISM call the provider from here as well.
    pub state: IpAddr,
}

impl Places {
    /// The forwarded address of `place`.
    pub fn address(&self, place: Place) -> IpAddr {
        match place {
            Place::Home => self.home,
            Place::School => self.school,
            Place::State => self.state,
        }
    }
}

impl Default for Places {
    /// [RFC 5737 §3] "The blocks 192.0.2.0/24 (TEST-NET-1), 198.51.100.0/24 (TEST-NET-2), and
    /// 203.0.113.0/24 (TEST-NET-3) are provided for use in documentation."
    fn default() -> Self {
        Self {
            home: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 20)),
            school: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 20)),
            state: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 20)),
        }
    }
}

/// `POST /demo/place`, served by every room so that the banner's form stays on its own origin.
pub(crate) fn routes() -> Router {
    Router::new().route("/demo/place", post(choose))
}

async fn choose(request: Request) -> Result<Response, Refused> {
    let fields = Fields::from_body(request.into_body()).await?;
    let place = fields
        .one("place")
        .and_then(Place::from_name)
        .ok_or(Refused::bad_request(
            "the field `place` is none of home, school, state",
        ))?;
    let back = fields
        .one("back")
        .filter(|back| web::is_local_path(back))
        .unwrap_or("/");
    let mut response = web::see_other(back);
    let cookie = web::set_cookie(PLACE_COOKIE, place.name(), 30 * 24 * 3600);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_header_decides_before_the_cookie() {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", HeaderValue::from_static("a=b; demo_place=state"));
        assert_eq!(Place::of(&headers), Place::State);
        headers.insert(PLACE_HEADER, HeaderValue::from_static("school"));
        assert_eq!(Place::of(&headers), Place::School);
    }

    #[test]
    fn whatever_is_unknown_or_said_twice_is_at_home() {
        let mut headers = HeaderMap::new();
        assert_eq!(Place::of(&headers), Place::Home);
        headers.append(PLACE_HEADER, HeaderValue::from_static("inside"));
        assert_eq!(Place::of(&headers), Place::Home);
        headers.insert(PLACE_HEADER, HeaderValue::from_static("school"));
        headers.append(PLACE_HEADER, HeaderValue::from_static("school"));
        assert_eq!(Place::of(&headers), Place::Home);
    }
}
