//! The metadata of an identity provider, as an application reads it: ours, or another one's.

use super::party::{Party, Side};
use super::provider::{address, earlier, entity, keys, logouts, role, until};
use super::{MetadataError, SingleLogout};
use crate::saml::binding::Binding;
use crate::saml::key::VerifyingKey;
use crate::saml::xml::{Bounds, Element, MD, SHIBMD, Tree, XmlError};

/// An identity provider, as its metadata describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityProvider {
    /// Its entity ID.
    pub entity_id: String,
    /// Where authentication requests go by HTTP-Redirect.
    pub sso: String,
    /// The domains that its scoped attributes may end in.
    pub scopes: Vec<String>,
    logouts: Vec<SingleLogout>,
    pub(crate) signing: Vec<VerifyingKey>,
    valid_until: Option<i64>,
}

impl IdentityProvider {
    /// Reads the metadata of one identity provider. Whether it is theirs is for the caller to know: by the
    /// connection that it came over.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn read(xml: &str, entity_id: &str, now: i64) -> Result<Self, MetadataError> {
        let tree = Tree::read(xml, &Bounds::METADATA)?;
        let (entity, outer) = entity(tree.root(), Some(entity_id))?;
        let role = role(entity, "IDPSSODescriptor").ok_or(MetadataError::NoIdentityProvider)?;
        let valid_until = earlier(earlier(outer, until(entity)?), until(role)?);
        if valid_until.is_some_and(|until| until <= now) {
            return Err(MetadataError::Expired);
        }
        let (signing, ..) = keys(role)?;
        if signing.is_empty() {
            return Err(MetadataError::NoKey);
        }
        Ok(Self {
            entity_id: entity_id.to_owned(),
            sso: sign_on(role)?,
            scopes: scopes(role)?,
            logouts: logouts(role)?,
            signing,
            valid_until,
        })
    }

    /// As the other side of a logout.
    #[must_use]
    pub fn party(&self) -> Party<'_> {
        Party {
            side: Side::Provider,
            entity_id: &self.entity_id,
            logouts: &self.logouts,
            signing: &self.signing,
            valid_until: self.valid_until,
        }
    }
}

fn sign_on(role: Element<'_, '_>) -> Result<String, MetadataError> {
    let by_redirect =
        |one: &Element<'_, '_>| one.attribute("Binding") == Some(Binding::Redirect.uri());
    let mut found = role.all(&MD, "SingleSignOnService").filter(by_redirect);
    let endpoint = found.next().ok_or(MetadataError::NoSignOn)?;
    address(endpoint.needs("Location")?)
}

/// Scopes by pattern are not believed: nobody here could say what they match.
fn scopes(role: Element<'_, '_>) -> Result<Vec<String>, XmlError> {
    let Some(extensions) = role.one(&MD, "Extensions")? else {
        return Ok(Vec::new());
    };
    let mut scopes = Vec::new();
    for scope in extensions.all(&SHIBMD, "Scope") {
        if !scope.flag("regexp")? {
            scopes.push(scope.text()?);
        }
    }
    Ok(scopes)
}
