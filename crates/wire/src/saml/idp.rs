//! The provider's own names and addresses.

use crate::oidc::Issuer;

/// The identity provider: its entity ID and its endpoints, all below the public URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Idp {
    /// The entity ID, which is also where the metadata is: `…/saml/metadata`.
    pub entity_id: String,
    /// Where authentication requests go: `…/saml/sso`.
    pub sso: String,
    /// Where logout messages go: `…/saml/slo`.
    pub slo: String,
    /// Where applications fetch messages: `…/saml/artifact`.
    pub artifacts: String,
}

impl Idp {
    /// The names below a public URL.
    #[must_use]
    pub fn of(issuer: &Issuer) -> Self {
        let below = |path: &str| format!("{}{path}", issuer.as_str());
        Self {
            entity_id: below("/saml/metadata"),
            sso: below("/saml/sso"),
            slo: below("/saml/slo"),
            artifacts: below("/saml/artifact"),
        }
    }
}
