//! An application asks in its own name: no person is involved [RFC 6749 §4.4], [RFC 8707].

use super::client::Client;
use super::token::{Fault, Posted};

/// What an application wants an access token for.
#[derive(Debug)]
pub struct ApplicationRequest {
    scope: Option<String>,
}

impl ApplicationRequest {
    pub(super) fn read(posted: &Posted) -> Self {
        Self {
            scope: posted.value("scope").map(str::to_owned),
        }
    }

    /// What the token may be used for: what was asked for, if the application is registered for all of
    /// it; all of that if nothing was asked for.
    ///
    /// # Errors
    /// [`Fault::ScopeTooLarge`].
    pub fn scope(&self, client: &Client) -> Result<String, Fault> {
        let Some(wanted) = &self.scope else {
            return Ok(client.api_scopes.join(" "));
        };
        let mut words = wanted.split(' ').filter(|word| !word.is_empty());
        match words.all(|word| client.api_scopes.iter().any(|one| one == word)) {
            true => Ok(wanted.clone()),
            false => Err(Fault::ScopeTooLarge),
        }
    }
}

/// The interfaces that are asked for, if the application is registered for all of them.
///
/// # Errors
/// [`Fault::ResourceUnknown`].
pub fn resources(posted: &Posted, client: &Client) -> Result<Vec<String>, Fault> {
    // [RFC 8707 §2] "If the authorization server fails to parse the provided value(s) or does not consider the resource(s) acceptable, it should reject the request with an error response using the error code"
    let wanted = posted.resources();
    let known = |wanted: &&str| client.resources.iter().any(|one| one == wanted);
    match wanted.iter().all(known) {
        true => Ok(wanted.into_iter().map(str::to_owned).collect()),
        false => Err(Fault::ResourceUnknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::Incoming;
    use crate::testing::{ENT_SECRET, ent};

    fn posted(more: &str) -> Posted {
        let body = format!("client_id=ent&client_secret={ENT_SECRET}{more}");
        let incoming = Incoming {
            content_type: Some("application/x-www-form-urlencoded"),
            authorization: None,
            body: body.as_bytes(),
            certificate: None,
        };
        Posted::read(&incoming).unwrap_or_else(|fault| panic!("{fault}"))
    }

    fn client() -> Client {
        Client {
            api_scopes: vec!["read".to_owned(), "write".to_owned()],
            resources: vec![
                "https://a.example/".to_owned(),
                "https://b.example/".to_owned(),
            ],
            ..ent()
        }
    }

    /// [C05] An application gets the scopes it is registered for, or fewer.
    #[test]
    fn an_application_gets_the_scopes_it_is_registered_for() {
        let scope = |more: &str| ApplicationRequest::read(&posted(more)).scope(&client());
        assert_eq!(scope(""), Ok("read write".to_owned()));
        assert_eq!(scope("&scope=write"), Ok("write".to_owned()));
        assert_eq!(scope("&scope=write+admin"), Err(Fault::ScopeTooLarge));
    }

    /// [RFC 8707 §2] "If the authorization server fails to parse the provided value(s) or does not consider the resource(s) acceptable, it should reject the request with an error response using the error code"
    /// [C05] A token for one interface opens no other, and not every application gets one for every
    /// interface.
    #[test]
    fn an_application_gets_tokens_for_the_interfaces_it_is_registered_for() {
        let asked = |more: &str| resources(&posted(more), &client());
        assert_eq!(asked(""), Ok(vec![]));
        let both = "&resource=https%3A%2F%2Fa.example%2F&resource=https%3A%2F%2Fb.example%2F";
        assert_eq!(asked(both), Ok(client().resources));
        for other in ["https://c.example/", "https://a.example", "x"] {
            let asked = asked(&format!("&resource={other}"));
            assert_eq!(asked, Err(Fault::ResourceUnknown), "{other}");
        }
    }
}
