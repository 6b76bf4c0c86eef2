//! The cookies: session, browser, device, language, and the one of hosts behind the gate.
//!
//! Over https all of them carry the `__Host-` prefix: no other host, no other path, no plain http
//! can set them. Over plain http, which is for loopback only, the prefix is not possible.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, HeaderValue, header::COOKIE};

/// Which cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Name {
    /// Binds journeys to this browser. Gone when the browser closes.
    Browser,
    /// Tells a device on which somebody has signed in before. Carries no authority; see
    /// `docs/decisions/0004-a-known-device-has-its-own-budget.md`.
    Device,
    /// The session, as an application behind the gate has it: set on that application's host.
    Gate,
    /// The chosen language.
    Language,
    /// The SAML applications that this browser was let into, sealed. Gone when the browser closes.
    Saml,
    /// The session. Gone when the browser closes.
    Session,
    /// Tells pages of applications that the session has changed. A script reads it, also in a frame at an
    /// application's; it opens nothing.
    State,
}

/// How long a device is remembered, in seconds: half a year.
const DEVICE_S: u32 = 15_552_000;

/// Reads and writes cookies for one public URL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jar {
    /// Whether the public URL is https.
    pub(crate) secure: bool,
}

impl Jar {
    fn name(self, name: Name) -> &'static str {
        match (self.secure, name) {
            (true, Name::Browser) => "__Host-furka-browser",
            (true, Name::Device) => "__Host-furka-device",
            (true, Name::Gate) => "__Host-furka-gate",
            (true, Name::Language) => "__Host-furka-language",
            (true, Name::Saml) => "__Host-furka-saml",
            (true, Name::Session) => "__Host-furka-session",
            (true, Name::State) => "__Host-furka-state",
            (false, Name::Browser) => "furka-browser",
            (false, Name::Device) => "furka-device",
            (false, Name::Gate) => "furka-gate",
            (false, Name::Language) => "furka-language",
            (false, Name::Saml) => "furka-saml",
            (false, Name::Session) => "furka-session",
            (false, Name::State) => "furka-state",
        }
    }

    /// The value a browser sent. A cookie that is there twice is not there.
    #[must_use]
    pub(crate) fn read(self, headers: &HeaderMap, name: Name) -> Option<String> {
        let wanted = self.name(name);
        let values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let pairs = values
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs
            .filter(|(key, _)| *key == wanted)
            .map(|(_, value)| value);
        let most = match name {
            Name::Saml => 3800,
            _ => 128,
        };
        match (found.next(), found.next()) {
            (Some(value), None) if value.len() <= most => Some(value.to_owned()),
            _ => None,
        }
    }

    /// The 256 random bits of a cookie, hashed: what is stored and compared.
    #[must_use]
    pub(crate) fn hash(self, headers: &HeaderMap, name: Name) -> Option<[u8; 32]> {
        self.bytes(headers, name).map(|bytes| sha256(&bytes))
    }

    /// The key of the session whose id the browser sent.
    #[must_use]
    pub(crate) fn session(self, headers: &HeaderMap) -> Option<[u8; 32]> {
        let id = self.bytes(headers, Name::Session)?;
        Some(store::key::of_secret(&id))
    }

    fn bytes(self, headers: &HeaderMap, name: Name) -> Option<Vec<u8>> {
        let value = self.read(headers, name)?;
        let bytes = BASE64URL_NOPAD.decode(value.as_bytes()).ok()?;
        (bytes.len() == 32).then_some(bytes)
    }

    /// A `Set-Cookie` that sets it.
    #[must_use]
    pub(crate) fn set(self, name: Name, value: &str) -> Option<HeaderValue> {
        // [CAS §3.6.1] "A ticket-granting cookie SHALL be set to expire at the end of the client's browser session if Long-Term support is not active"
        let age = match name {
            Name::Browser | Name::Gate | Name::Saml | Name::Session | Name::State => String::new(),
            Name::Device | Name::Language => format!("; Max-Age={DEVICE_S}"),
        };
        self.line(name, value, &age)
    }

    /// A `Set-Cookie` that sets random bytes.
    #[must_use]
    pub(crate) fn set_bytes(self, name: Name, bytes: &[u8]) -> Option<HeaderValue> {
        self.set(name, &BASE64URL_NOPAD.encode(bytes))
    }

    /// A `Set-Cookie` that deletes it.
    #[must_use]
    pub(crate) fn delete(self, name: Name) -> Option<HeaderValue> {
        self.line(name, "", "; Max-Age=0")
    }

    fn line(self, name: Name, value: &str, age: &str) -> Option<HeaderValue> {
        let kept = match (name, self.secure) {
            // Browsers take a cookie for frames at other sites only over https.
            (Name::State, true) => "; SameSite=None; Secure",
            (Name::State, false) => "; SameSite=Lax",
            (_, true) => "; HttpOnly; SameSite=Lax; Secure",
            (_, false) => "; HttpOnly; SameSite=Lax",
        };
        let line = format!("{}={value}; Path=/{kept}{age}", self.name(name));
        HeaderValue::from_str(&line).ok()
    }
}

/// SHA-256, for what has enough chance in itself to need no salt.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [S02] `__Host-`, Secure, HttpOnly, SameSite; the session ends with the browser.
    /// [CAS §3.6.1] "A ticket-granting cookie SHALL be set to expire at the end of the client's browser session if Long-Term support is not active"
    #[test]
    fn a_session_cookie_is_for_this_host_and_this_browser_run_only() {
        let line = Jar { secure: true }
            .set_bytes(Name::Session, &[0; 32])
            .unwrap();
        let line = line.to_str().unwrap();
        assert!(line.starts_with("__Host-furka-session="));
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(line.contains(part), "{line}");
        }
        assert!(!line.contains("Max-Age") && !line.contains("Domain") && !line.contains("Expires"));
    }

    /// The one cookie that a script reads is not the one that opens something.
    #[test]
    fn a_script_reads_the_cookie_of_the_state_and_no_other() {
        let line = |name| {
            let line = Jar { secure: true }.set(name, "x").unwrap();
            line.to_str().unwrap().to_owned()
        };
        let state = line(Name::State);
        assert_eq!(state, "__Host-furka-state=x; Path=/; SameSite=None; Secure");
        for name in [
            Name::Browser,
            Name::Device,
            Name::Gate,
            Name::Language,
            Name::Saml,
            Name::Session,
        ] {
            assert!(line(name).contains("; HttpOnly; SameSite=Lax; Secure"));
        }
    }

    #[test]
    fn a_cookie_that_is_there_twice_or_odd_is_not_there() {
        let jar = Jar { secure: true };
        let value = BASE64URL_NOPAD.encode(&[7; 32]);
        let hash = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_str(text).unwrap());
            jar.hash(&headers, Name::Session)
        };
        assert_eq!(
            hash(&format!("a=b; __Host-furka-session={value}")),
            Some(sha256(&[7; 32]))
        );
        assert_eq!(
            hash(&format!(
                "__Host-furka-session={value}; __Host-furka-session={value}"
            )),
            None
        );
        assert_eq!(hash(&format!("furka-session={value}")), None);
        assert_eq!(hash("__Host-furka-session=YQ"), None);
        assert_eq!(hash("__Host-furka-session"), None);
    }
}
