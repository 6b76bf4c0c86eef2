//! A fault is an application speaking wrongly: one enum a protocol, one table fault → answer.

/// What a fault becomes on the wire, and where that is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// The protocol's error code, e.g. `invalid_request`. Empty where the protocol gives none.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The section that asks for it.
    pub section: &'static str,
    /// One sentence for the application's developer. ASCII, no quotes, nothing of ours.
    pub description: &'static str,
}

/// Declares a fault enum together with its table, so that neither can miss a line of the other.
macro_rules! faults {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$doc:meta])* $variant:ident => $code:literal, $status:literal, $section:literal, $description:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
        pub enum $name {
            $($(#[$doc])* #[error($description)] $variant,)*
        }

        impl $name {
            /// Every fault of this protocol, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The line of the table that belongs to this fault.
            #[must_use]
            pub const fn row(self) -> $crate::fault::Row {
                match self {
                    $(Self::$variant => $crate::fault::Row {
                        code: $code,
                        status: $status,
                        section: $section,
                        description: $description,
                    },)*
                }
            }
        }
    };
}
pub(crate) use faults;

#[cfg(test)]
mod tests {
    use crate::{oauth, oidc};

    /// [RFC 6749 §4.1.2.1] "Values for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E."
    #[test]
    fn every_fault_has_a_code_a_status_a_section_and_a_plain_description() {
        let rows = (oauth::authorize::Fault::ALL.iter().map(|fault| fault.row()))
            .chain(oauth::token::Fault::ALL.iter().map(|fault| fault.row()))
            .chain(oidc::userinfo::Fault::ALL.iter().map(|fault| fault.row()))
            .chain(oidc::logout::Fault::ALL.iter().map(|fault| fault.row()));
        for row in rows {
            let plain = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(row.description.bytes().all(plain), "{row:?}");
            assert!(
                row.code
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{row:?}"
            );
            assert!(
                matches!(row.status, 303 | 400 | 401 | 403 | 413 | 415 | 429),
                "{row:?}"
            );
            assert!(
                !row.section.is_empty() && !row.description.is_empty(),
                "{row:?}"
            );
            assert!(!row.description.ends_with('.'), "{row:?}");
        }
    }
}
