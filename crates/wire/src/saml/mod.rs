//! SAML 2.0, as an identity provider speaks it: messages become typed requests or typed faults, and
//! typed answers become signed messages.
//!
//! | room | in | out |
//! |---|---|---|
//! | [`application`] | a registration | what the application gets of a person |
//! | [`binding`] | a query or a form | [`Received`]; and back |
//! | [`artifact`] | a question for a message, in [`soap`] | [`ArtifactResolve`]; and its answer |
//! | [`metadata`] | what an application says about itself | [`ServiceProvider`]; and our own |
//! | [`request`] | a received message | [`AuthnRequest`], or [`Refused`] |
//! | [`context`] | what a request asks for | the assurance to demand, and the class to answer |
//! | [`response`] | a statement about a person | a signed response |
//! | [`logout`] | a received message | [`LogoutRequest`], [`LogoutResponse`]; and back |
//! | [`federation`] | a federation's document | its members, as if each were registered |
//! | [`relying_party`] | a received answer, as an application gets it | who signed in, or a doubt |
//!
//! Deliberately absent: every signature algorithm with SHA-1, HMAC, keys from messages, document
//! types, transforms other than the two of SAML, and looking an element up by its identifier. The provider
//! takes no assertions; `relying_party` is there for the demo's application and for tests.

pub mod application;
pub mod artifact;
pub mod binding;
pub mod context;
mod fault;
pub mod federation;
pub mod idp;
mod key;
pub mod logout;
pub mod metadata;
mod moment;
pub mod relying_party;
pub mod request;
pub mod response;
pub mod soap;
pub(crate) mod x509;
mod xml;

pub use application::{Application, Whom};
pub use artifact::{Artifact, ArtifactResolve};
pub use binding::{Delivery, Outgoing, Received};
pub use context::Requested;
pub use fault::{Fault, Status};
pub use federation::Federation;
pub use idp::Idp;
pub use key::{Credential, certificate};
pub use logout::{LogoutRequest, LogoutResponse};
pub use metadata::{IdentityProvider, ServiceProvider};
pub use request::{AuthnRequest, Refused};
pub use response::{Attribute, NameId, NameIdFormat, Statement};
pub(crate) use xml::{Bounds, within};
pub use xml::{DataCipher, XmlError};

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod oracle;
#[cfg(test)]
pub(crate) mod samples;
