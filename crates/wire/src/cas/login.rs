//! What `/cas/login` and `/cas/logout` are asked.

use super::{BOUNDS, Named};
use crate::form::{Fields, FormError};

/// A request to sign somebody in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Login {
    /// Where the person is to go with a ticket; none if they came for themselves.
    pub service: Option<Named>,
    /// The session does not count: the password is asked for.
    pub renew: bool,
    /// Nobody is asked anything: whoever has no session goes on without a ticket.
    pub gateway: bool,
}

/// Why a request cannot be answered. Nobody is sent anywhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LoginFault {
    /// Too long, no text, or something twice.
    #[error("the parameters cannot be read, or one is there twice")]
    Malformed,
    /// The address could be read in two ways, or is none.
    #[error("the service is no plain http or https address without fragment, user name and ticket")]
    Service,
}

impl Login {
    /// Reads the query of `/cas/login`.
    ///
    /// # Errors
    /// [`LoginFault`].
    pub fn parse(raw: &[u8]) -> Result<Self, LoginFault> {
        let fields = fields(raw)?;
        let renew = is_set(&fields, "renew");
        let service = service(&fields)?;
        // [CAS §2.1.1] "It is RECOMMENDED that CAS implementations ignore the `gateway` parameter if `renew` is set."
        let gateway = is_set(&fields, "gateway") && !renew && service.is_some();
        Ok(Self {
            service,
            renew,
            gateway,
        })
    }
}

/// A request to sign somebody out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Logout {
    /// Where the person wants to go afterwards; whether it is registered is not known here.
    pub service: Option<Named>,
}

impl Logout {
    /// Reads the query of `/cas/logout`. An address that cannot be read is no reason to stay signed in.
    #[must_use]
    pub fn parse(raw: &[u8]) -> Self {
        // [CAS §2.3.2] "CAS Servers MUST ignore given `url` parameters."
        let service = fields(raw).and_then(|fields| service(&fields));
        Self {
            service: service.ok().flatten(),
        }
    }
}

fn fields(raw: &[u8]) -> Result<Fields, LoginFault> {
    let fields = Fields::read(raw, BOUNDS).map_err(|error| match error {
        FormError::TooLong | FormError::Malformed => LoginFault::Malformed,
    })?;
    fields.each_once().map_err(|_| LoginFault::Malformed)?;
    Ok(fields)
}

fn service(fields: &Fields) -> Result<Option<Named>, LoginFault> {
    let text = fields.one("service").ok().flatten();
    text.map(|text| Named::parse(text).ok_or(LoginFault::Service))
        .transpose()
}

/// Whether a switch is on: it is there, and does not say no.
pub(super) fn is_set(fields: &Fields, name: &str) -> bool {
    let value = fields.one(name).ok().flatten();
    value.is_some_and(|value| !value.eq_ignore_ascii_case("false"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Odd;

    const SERVICE: &str = "service=https%3A%2F%2Fmoodle.example.ch%2Fa%3Fb%3D%C3%A9";

    fn login(raw: &str) -> Result<Login, LoginFault> {
        Login::parse(raw.as_bytes())
    }

    /// [CAS §2.1.1] "It is RECOMMENDED that CAS implementations ignore the `gateway` parameter if `renew` is set."
    #[test]
    fn a_request_is_read() {
        assert_eq!(login(SERVICE), Err(LoginFault::Service));
        let service = "service=https%3A%2F%2Fmoodle.example.ch%2Fa%3Fb%3D1%26c";
        let plain = login(&format!("{service}&method=GET")).unwrap();
        let text = "https://moodle.example.ch/a?b=1&c";
        assert_eq!(plain.service.as_ref().map(Named::as_str), Some(text));
        assert!(!plain.renew && !plain.gateway);
        assert!(login(&format!("{service}&gateway=true")).unwrap().gateway);
        assert!(!login(&format!("{service}&gateway=false")).unwrap().gateway);
        let both = login(&format!("{service}&gateway=true&renew=true")).unwrap();
        assert!(both.renew && !both.gateway);
        assert!(!login("gateway=true").unwrap().gateway);
        assert_eq!(login("").unwrap().service, None);
    }

    /// [C13]
    #[test]
    fn what_is_there_twice_or_unreadable_is_refused() {
        let service = "service=https%3A%2F%2Fa.example%2F";
        for bad in [
            format!("{service}&{service}"),
            format!("{service}&x=1&x=1"),
            format!("{service}&x=%ff"),
            format!("{service}&x={}", "x".repeat(9000)),
        ] {
            assert_eq!(login(&bad), Err(LoginFault::Malformed), "{bad}");
        }
        for bad in [
            "javascript%3Aalert(1)",
            "https%3A%2F%2Fa%40b%2F",
            "x",
            "%2F%2Fevil.example",
        ] {
            let asked = format!("service={bad}");
            assert_eq!(login(&asked), Err(LoginFault::Service), "{bad}");
            assert_eq!(Logout::parse(asked.as_bytes()).service, None);
        }
    }

    /// [CAS §2.3.2] "CAS Servers MUST ignore given `url` parameters."
    #[test]
    fn the_url_of_a_sign_out_is_not_read() {
        assert_eq!(
            Logout::parse(b"url=https%3A%2F%2Fa.example%2F").service,
            None
        );
    }

    /// [P07] Whatever is sent, it is read or it is not.
    #[test]
    fn odd_requests_do_no_harm() {
        let mut odd = Odd(9);
        for _ in 0..20_000 {
            let raw = odd.bytes(120, b"service=https://%2F&?renew.\\@#:");
            if let Ok(Login {
                service: Some(named),
                ..
            }) = Login::parse(&raw)
            {
                assert!(named.as_str().starts_with("http"));
            }
            let _ = Logout::parse(&raw);
        }
    }
}
