//! What a browser asked for, as a proxy tells it. Whatever two programs could read differently is
//! refused: the proxy asks about one thing and the application behind it must be asked for the same.

use url::Url;

use super::IDENTITY;
use crate::fault::faults;
use crate::form::percent;

/// Longest target of a request, in bytes.
const URI_BYTES_MAX: usize = 2048;
/// Longest host, in bytes.
const HOST_BYTES_MAX: usize = 255;

/// What a browser asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Forwarded {
    /// `https://wiki.example.ch`
    pub origin: String,
    /// Path and query as sent.
    pub uri: String,
    /// The path, decoded: as rules see it.
    pub path: String,
    /// The method of the browser's request.
    pub method: String,
}

faults! {
    /// Why a question is not answered. Nobody passes.
    pub enum Fault {
        /// A header is missing.
        Missing => "missing", 403, "docs/applications/gate.md", "the proxy must send X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Uri";
        /// A header is there twice.
        Repeated => "repeated", 403, "docs/applications/gate.md", "a forwarding header is there twice";
        /// The client sent headers that only the gate may send.
        Smuggled => "smuggled", 403, "docs/applications/gate.md", "the proxy lets identity headers of clients through: clear them";
        /// The address could be read in two ways.
        Ambiguous => "ambiguous", 403, "docs/applications/gate.md", "the address could be read in two ways";
    }
}

impl Forwarded {
    /// Reads the headers of a question, in the order received.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Self, Fault> {
        let said = Said::read(headers)?;
        let uri = said.uri.ok_or(Fault::Missing)?;
        Ok(Self {
            origin: said.origin()?,
            uri: uri.to_owned(),
            path: path(uri).ok_or(Fault::Ambiguous)?,
            method: said.method.unwrap_or("GET").to_owned(),
        })
    }

    /// Reads where a browser is that was passed on to us, as if it asked for `/` there: what it asks for is
    /// our own address, which some proxies do not say once more.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read_origin<'a>(
        headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            origin: Said::read(headers)?.origin()?,
            uri: "/".to_owned(),
            path: "/".to_owned(),
            method: "GET".to_owned(),
        })
    }

    /// Another target of the same origin.
    ///
    /// # Errors
    /// [`Fault::Ambiguous`].
    pub fn at(&self, uri: &str) -> Result<Self, Fault> {
        Ok(Self {
            uri: uri.to_owned(),
            path: path(uri).ok_or(Fault::Ambiguous)?,
            ..self.clone()
        })
    }

    /// Whether the browser can be sent to another page instead.
    #[must_use]
    pub fn can_be_led(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

/// The forwarding headers, each once at most.
#[derive(Default)]
struct Said<'a> {
    proto: Option<&'a str>,
    host: Option<&'a str>,
    uri: Option<&'a str>,
    method: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn read(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Self, Fault> {
        let mut said = Self::default();
        for (name, value) in headers {
            let place = match name {
                "x-forwarded-proto" => &mut said.proto,
                "x-forwarded-host" => &mut said.host,
                "x-forwarded-uri" => &mut said.uri,
                "x-forwarded-method" => &mut said.method,
                name if is_imitation(name, value) => return Err(Fault::Smuggled),
                _ => continue,
            };
            let text = std::str::from_utf8(value).map_err(|_| Fault::Ambiguous)?;
            if place.replace(text).is_some() {
                return Err(Fault::Repeated);
            }
        }
        Ok(said)
    }

    fn origin(&self) -> Result<String, Fault> {
        let (proto, host) = self.proto.zip(self.host).ok_or(Fault::Missing)?;
        origin(proto, host).ok_or(Fault::Ambiguous)
    }
}

/// Whether a header is one that only the gate or the proxy makes, or reads like one to programs that
/// take `_`, `.` or another character for `-`. Empty ones are what a proxy leaves of a header that it clears.
fn is_imitation(name: &str, value: &[u8]) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric();
    let read = name.replace(|c| !is_plain(c), "-").to_ascii_lowercase();
    let ours = IDENTITY.contains(&read.as_str());
    let is_odd = name.contains(|c| c != '-' && !is_plain(c));
    let disguised = is_odd && read.starts_with("x-forwarded-");
    !value.is_empty() && (ours || disguised)
}

fn origin(proto: &str, host: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let fine = matches!(proto, "http" | "https")
        && (1..=HOST_BYTES_MAX).contains(&host.len())
        && host.bytes().all(plain);
    let url = Url::parse(&format!("{proto}://{host}/")).ok();
    url.filter(|_| fine)
        .map(|url| url.origin().ascii_serialization())
}

/// The path of a target, decoded; none if programs could take it for another one.
fn path(uri: &str) -> Option<String> {
    let readable = uri.len() <= URI_BYTES_MAX && uri.bytes().all(|byte| byte.is_ascii_graphic());
    if !readable || !uri.starts_with('/') || uri.contains('#') {
        return None;
    }
    let raw = uri.split('?').next()?;
    // An encoded separator separates for some programs and not for others.
    let small = raw.to_ascii_lowercase();
    if small.contains("%2f") || small.contains("%5c") {
        return None;
    }
    // A form's `+` is a blank; a path's is itself.
    let decoded = percent::decoded(raw.replace('+', "%2b").as_bytes()).ok()?;
    let odd = decoded.contains(['\\', ';']) || decoded.contains("//") || has_escape(&decoded);
    let climbs = decoded.split('/').any(|part| matches!(part, "." | ".."));
    (!odd && !climbs).then_some(decoded)
}

/// Whether what was decoded could be decoded again.
fn has_escape(text: &str) -> bool {
    let triples = text.as_bytes().windows(3);
    let mut escapes = triples.filter(
        |triple| matches!(triple, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()),
    );
    escapes.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Odd;

    const GOOD: [(&str, &str); 4] = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "wiki.example.ch"),
        ("x-forwarded-uri", "/a%20b/c+d?x=//..;%2f"),
        ("x-forwarded-method", "POST"),
    ];

    fn read(headers: &[(&str, &str)]) -> Result<Forwarded, Fault> {
        Forwarded::read(
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes())),
        )
    }

    fn with(extra: (&'static str, &'static str)) -> Result<Forwarded, Fault> {
        read(&[GOOD.as_slice(), &[extra]].concat())
    }

    fn of_uri(uri: &str) -> Result<String, Fault> {
        let [proto, host, ..] = GOOD;
        read(&[proto, host, ("x-forwarded-uri", uri)]).map(|read| read.path)
    }

    #[test]
    fn what_the_browser_asked_for_is_read() {
        let asked = read(&GOOD).unwrap();
        assert_eq!(asked.origin, "https://wiki.example.ch");
        assert_eq!(asked.path, "/a b/c+d");
        assert_eq!(asked.uri, "/a%20b/c+d?x=//..;%2f");
        assert!(!asked.can_be_led());
        let host = |host| {
            let [proto, _, uri, _] = GOOD;
            read(&[proto, ("x-forwarded-host", host), uri]).map(|read| read.origin)
        };
        assert_eq!(
            host("WIKI.example.ch:443").as_deref(),
            Ok("https://wiki.example.ch")
        );
        assert_eq!(host("[::1]:8443").as_deref(), Ok("https://[::1]:8443"));
        for odd in [
            "",
            "a@b",
            "a/b",
            "a b",
            "a,b",
            "wiki.example.ch:x",
            "a%2eb",
            "a\\b",
        ] {
            assert_eq!(host(odd), Err(Fault::Ambiguous), "{odd}");
        }
        assert_eq!(read(&GOOD[1..]), Err(Fault::Missing));
    }

    /// Traefik tells the target when it asks, and not when it passes a request on.
    #[test]
    fn where_a_browser_is_can_be_told_without_what_it_asks_for() {
        let read = |headers: &[(&'static str, &'static str)]| {
            let headers = headers.iter();
            Forwarded::read_origin(headers.map(|(name, value)| (*name, value.as_bytes())))
        };
        let here = read(&GOOD[..2]).map(|here| here.origin);
        assert_eq!(here.as_deref(), Ok("https://wiki.example.ch"));
        assert_eq!(read(&GOOD[1..]), Err(Fault::Missing));
        let twice = [GOOD[0], GOOD[1], GOOD[1]];
        assert_eq!(read(&twice), Err(Fault::Repeated));
        let smuggled = [GOOD[0], GOOD[1], ("remote_user", "admin")];
        assert_eq!(read(&smuggled), Err(Fault::Smuggled));
    }

    /// [N08] Underscores, doubles, and identities that a client made up.
    #[test]
    fn a_header_that_a_client_smuggled_stops_everything() {
        for name in [
            "remote-user",
            "remote_user",
            "REMOTE_USER",
            "remote-groups",
            "remote_acr",
            "remote.user",
            "remote~groups",
            "x.forwarded.uri",
            "x_forwarded_uri",
            "x-forwarded_host",
            "x_forwarded_for",
        ] {
            assert_eq!(with((name, "admin")), Err(Fault::Smuggled), "{name}");
        }
        for (name, _) in GOOD {
            assert_eq!(with((name, "/public")), Err(Fault::Repeated), "{name}");
        }
        assert!(with(("remote-user", "")).is_ok(), "a proxy cleared it");
        assert!(with(("x-forwarded-for", "192.0.2.1")).is_ok());
    }

    /// [N08] A path that an application could take for another one is nobody's.
    #[test]
    fn a_path_that_reads_in_two_ways_is_refused() {
        for (uri, path) in [
            ("/", "/"),
            ("/100%25", "/100%"),
            ("/%61dmin/x", "/admin/x"),
            ("/a..b/.well-known/x", "/a..b/.well-known/x"),
            ("/%C3%A9l%C3%A8ves?a", "/élèves"),
        ] {
            assert_eq!(of_uri(uri).as_deref(), Ok(path), "{uri}");
        }
        for uri in [
            "",
            "admin",
            "https://wiki.example.ch/admin",
            "//evil.example/admin",
            "/public//admin",
            "/public/../admin",
            "/public/%2e%2e/admin",
            "/public/%2E./admin",
            "/./admin",
            "/public/..",
            "/public%2fadmin",
            "/public%2Fadmin",
            "/public%5cadmin",
            "/public\\admin",
            "/admin;x=1/",
            "/admin%3bx/",
            "/%2561dmin",
            "/%252e%252e/admin",
            "/admin%00",
            "/admin%0a",
            "/admin%",
            "/admin%ff",
            "/admin#x",
            "/adm in",
            "/élèves",
        ] {
            assert_eq!(of_uri(uri), Err(Fault::Ambiguous), "{uri}");
        }
        assert_eq!(
            of_uri(&format!("/{}", "a".repeat(2048))),
            Err(Fault::Ambiguous)
        );
    }

    /// [P07] [N08] Whatever is sent: what passes has one reading.
    #[test]
    fn odd_targets_have_one_reading_or_none() {
        let mut odd = Odd(8);
        for _ in 0..100_000 {
            let uri = odd.mutated("/wiki/page%20one?x=1");
            if let Ok(path) = of_uri(&uri) {
                assert!(path.starts_with('/') && !path.contains("//"), "{uri}");
                assert!(path.split('/').all(|part| part != ".."), "{uri}");
            }
        }
    }
}
