//! What an application posts to an endpoint of ours, read as far as all of them have it in common.

use super::Fault;
use super::presented::Presented;
use crate::certificate::Chain;
use crate::form::{Bounds, Fields, FormError};

/// What the HTTP server received.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// The certificate of which the connection has proven the key.
    pub certificate: Option<&'a Chain>,
}

/// A well-formed request of an application that is not yet authenticated.
pub struct Posted {
    /// The application that it says it is: look this one up.
    pub client_id: String,
    pub(super) presented: Presented,
    certificate: Option<Chain>,
    fields: Fields,
}

impl Posted {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read(incoming: &Incoming<'_>) -> Result<Self, Fault> {
        let media = incoming
            .content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        if !media
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        {
            return Err(Fault::NotAForm);
        }
        let fields = Fields::read(incoming.body, BOUNDS).map_err(|error| match error {
            FormError::TooLong => Fault::TooLong,
            FormError::Malformed => Fault::Malformed,
        })?;
        fields
            .each_once_but("resource")
            .map_err(|_| Fault::Repeated)?;
        let (client_id, presented) = Presented::read(incoming.authorization, &fields)?;
        Ok(Self {
            client_id,
            presented,
            certificate: incoming.certificate.cloned(),
            fields,
        })
    }

    /// A parameter, if it is there.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.one(name).ok().flatten()
    }

    /// The certificate that came with it: its key was proven, nothing else.
    #[must_use]
    pub const fn certificate(&self) -> Option<&Chain> {
        self.certificate.as_ref()
    }

    /// All `resource` parameters, the only ones that may be repeated [RFC 8707 §2].
    #[must_use]
    pub fn resources(&self) -> Vec<&str> {
        self.fields.all("resource").collect()
    }
}

/// 16 KiB in all; one value holds a sealed code or an assertion.
const BOUNDS: Bounds = Bounds {
    total_bytes_max: 16 * 1024,
    value_bytes_max: 8 * 1024,
    fields_max: 20,
};
