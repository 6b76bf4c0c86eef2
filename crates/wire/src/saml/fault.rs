//! Everything that can be wrong with a SAML message, and what is answered.

/// What stands in `samlp:Status`: a first code, and a second one that says more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Status {
    /// `Success`, `Requester`, `Responder` or `VersionMismatch`.
    pub first: &'static str,
    /// The second-level code, or empty.
    pub second: &'static str,
}

impl Status {
    /// All went well.
    pub const SUCCESS: Self = Self {
        first: "Success",
        second: "",
    };
    /// Logged out here, but not everywhere.
    pub const PARTIAL_LOGOUT: Self = Self {
        first: "Success",
        second: "PartialLogout",
    };
}

/// A line of the table of faults.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// What the application is told; none when nobody but the person's page can be told.
    pub status: Option<Status>,
    /// The section that asks for it.
    pub section: &'static str,
    /// One sentence for the application's developer. ASCII, nothing of ours.
    pub description: &'static str,
}

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident => $first:literal, $second:literal, $section:literal, $description:literal;)*) => {
        /// A fault of a message, or the reason why a request is not granted.
        ///
        /// Without a status, only the person's page is told: there is no verified address to tell.
        #[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
        pub enum Fault {
            $($(#[$doc])* #[error($description)] $variant,)*
        }

        impl Fault {
            /// Every fault, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The line of the table that belongs to this fault.
            #[must_use]
            pub const fn row(self) -> Row {
                let (first, second, section, description) = match self {
                    $(Self::$variant => ($first, $second, $section, $description),)*
                };
                let status = if first.is_empty() { None } else { Some(Status { first, second }) };
                Row { status, section, description }
            }
        }
    };
}

faults! {
    /// More than 64 KiB, or it unpacks to more.
    TooLong => "", "", "Bindings 3.4", "the message is too long";
    /// No message, two, or not in the encoding of the binding.
    Encoding => "", "", "Bindings 3.4.4", "the query or form does not hold one SAML message in the encoding of the binding";
    /// Not XML of the bounded kind.
    NotXml => "", "", "Core 1", "the message is not well-formed XML without a document type";
    /// Another message than the address takes.
    NotForHere => "", "", "Core 3.2", "the message is not one that this address takes";
    /// Something of the schema is missing.
    Schema => "Requester", "", "Core 3.2.1", "the message lacks something that the schema demands";
    /// The sender is not registered, or switched off.
    IssuerUnknown => "", "", "Core 3.2.1", "the issuer is not the entity ID of a registered application";
    /// It must be signed and is not.
    Unsigned => "", "", "Profiles 4.1.4.1", "the message must be signed";
    /// The signature proves nothing.
    SignatureNotGood => "", "", "Core 5.4", "the signature was not made by a key in the metadata of the application, or has a form or an algorithm that is not allowed";
    /// It was meant for another address.
    Destination => "", "", "Core 3.2.1", "Destination is not this address";
    /// The answer would go to an unregistered address.
    ConsumerUnknown => "", "", "Profiles 4.1.4.1", "the assertion consumer service is not one of those in the metadata of the application";
    /// It was here before.
    Replayed => "", "", "Core 1.3.4", "the message was used before";
    /// A message for a session that is not this person's.
    SessionUnknown => "Requester", "UnknownPrincipal", "Profiles 4.4.4.1", "there is no session for this name identifier";
    /// It names more sessions than are looked at.
    TooManySessions => "Requester", "RequestUnsupported", "Core 3.7.1", "the request names more than sixteen sessions; name none to end all of them";
    /// Another version than 2.0.
    Version => "VersionMismatch", "RequestVersionTooHigh", "Core 3.2.2.2", "Version must be 2.0";
    /// Made too long ago, or in the future.
    Stale => "Requester", "RequestDenied", "Core 3.2.1", "IssueInstant is more than five minutes away from the time here";
    /// It names the person who is to sign in.
    Subject => "Requester", "RequestUnsupported", "Core 3.4.1", "a request that names its subject is not supported";
    /// It wants another binding for the answer.
    Binding => "Responder", "UnsupportedBinding", "Core 3.4.1", "the consumer service does not take answers by the binding that is asked for";
    /// It wants a name identifier that it does not get.
    NameIdPolicy => "Requester", "InvalidNameIDPolicy", "Core 3.4.1.1", "the requested name identifier is not released to this application";
    /// It wants an authentication context that is not reached here.
    Context => "Responder", "NoAuthnContext", "Core 3.3.2.2.1", "none of the requested authentication contexts can be reached";
    /// Nobody is signed in well enough, and nobody may be asked.
    Passive => "Responder", "NoPassive", "Core 3.4.1", "the person would have to be asked something";
    /// The person did not sign in.
    AuthnFailed => "Responder", "AuthnFailed", "Core 3.2.2.2", "the person did not sign in";
    /// The person may not enter.
    Denied => "Responder", "RequestDenied", "Core 3.2.2.2", "the person may not use this application";
    /// Something of ours failed.
    Failed => "Responder", "", "Core 3.2.2.2", "something failed here, try again later";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_section_and_a_plain_description() {
        for fault in Fault::ALL {
            let row = fault.row();
            assert!(
                !row.section.is_empty() && row.description.is_ascii(),
                "{row:?}"
            );
            assert!(
                !row.description.ends_with('.') && !row.description.is_empty(),
                "{row:?}"
            );
            if let Some(status) = row.status {
                let first = ["Requester", "Responder", "VersionMismatch"];
                assert!(first.contains(&status.first), "{row:?}");
            }
        }
    }
}
