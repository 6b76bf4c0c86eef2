//! Posted forms, bounded before they are decoded; nothing may be there twice. And what we wrote into an address.

use journey::Typed;
use wire::form::{Bounds, Fields, FormError};

/// A sign-in ticket is the longest value; a form of ours has a handful of fields.
const BOUNDS: Bounds = Bounds {
    total_bytes_max: 16 * 1024,
    value_bytes_max: 14 * 1024,
    fields_max: 16,
};

/// A parameter of ours in a query, empty if it is not there. What we write there needs no decoding: it is sealed, or a
/// word.
pub(super) fn own<'q>(query: &'q str, name: &str) -> &'q str {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.find_map(|(known, value)| (known == name).then_some(value));
    found.unwrap_or_default()
}

/// A posted form.
pub(crate) struct Form(Fields);

impl Form {
    /// Reads a form; none if it is too long, no text, or says something twice.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let fields = match Fields::read(body, BOUNDS) {
            Ok(fields) => fields,
            Err(FormError::TooLong | FormError::Malformed) => return None,
        };
        fields.each_once().ok()?;
        Some(Self(fields))
    }

    /// A field's text; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.one(name).ok().flatten().unwrap_or_default()
    }

    /// A one-time code, normalised.
    pub(crate) fn code(&self, name: &str) -> Option<Typed> {
        Typed::parse(self.text(name)).ok()
    }
}
