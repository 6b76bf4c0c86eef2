//! Whom one talks with: an application as the provider knows it, or the provider as an application does.

use crate::saml::binding::Binding;
use crate::saml::key::VerifyingKey;
use crate::saml::metadata::SingleLogout;

/// On which side of the conversation somebody is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// A service provider.
    Application,
    /// An identity provider.
    Provider,
}

/// What metadata says of somebody that logout needs, whichever side they are on.
#[derive(Clone, Copy, Debug)]
pub struct Party<'p> {
    pub(crate) side: Side,
    pub(crate) entity_id: &'p str,
    pub(crate) logouts: &'p [SingleLogout],
    pub(crate) signing: &'p [VerifyingKey],
    pub(crate) valid_until: Option<i64>,
}

impl<'p> Party<'p> {
    /// Whether their metadata still counts.
    pub(crate) fn is_valid(&self, now: i64) -> bool {
        self.valid_until.is_none_or(|until| now < until)
    }

    /// Where logout messages go, Redirect first: it needs no page in between.
    pub(crate) fn logout(&self) -> Option<&'p SingleLogout> {
        let redirect = self.logout_by(Binding::Redirect);
        redirect.or_else(|| self.logout_by(Binding::Post))
    }

    /// Where logout messages of this binding go.
    pub(crate) fn logout_by(&self, binding: Binding) -> Option<&'p SingleLogout> {
        self.logouts.iter().find(|one| one.binding == binding)
    }
}
