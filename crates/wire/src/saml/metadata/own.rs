//! The provider's own metadata, signed.

use crate::saml::binding::Binding;
use crate::saml::idp::Idp;
use crate::saml::key::Credential;
use crate::saml::moment;
use crate::saml::response::NameIdFormat;
use crate::saml::soap;
use crate::saml::xml::{DS, Halves, MD, MDUI, SHIBMD, Writer, sign};

/// The provider's name in the languages of the pages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Names {
    /// In French.
    pub fr: String,
    /// In German.
    pub de: String,
}

/// What the metadata says beside names and addresses.
#[derive(Debug)]
pub struct Described<'d> {
    /// The document's identifier: a letter or `_` first.
    pub id: &'d str,
    /// The domains that scoped attributes may end in.
    pub scopes: &'d [String],
    /// What people call the provider.
    pub names: &'d Names,
    /// Until when the document counts, in unix seconds.
    pub valid_until: i64,
}

/// The metadata document. `credentials` are all keys that an application should believe now: the
/// first one signs; while keys rotate, there are two.
///
/// None when there is no key or the cryptographic library fails.
#[must_use]
pub fn describe(idp: &Idp, what: &Described<'_>, credentials: &[Credential<'_>]) -> Option<String> {
    let signer = credentials.first()?;
    let mut writer = Writer::new();
    writer.open(
        &MD,
        "EntityDescriptor",
        &[
            ("ID", what.id),
            ("entityID", &idp.entity_id),
            ("validUntil", &moment::written(what.valid_until)),
            ("cacheDuration", "PT1H"),
        ],
    );
    let place = writer.here();
    writer.open(
        &MD,
        "IDPSSODescriptor",
        &[
            (
                "protocolSupportEnumeration",
                "urn:oasis:names:tc:SAML:2.0:protocol",
            ),
            ("WantAuthnRequestsSigned", "false"),
        ],
    );
    extensions(&mut writer, what);
    for credential in credentials {
        // Without `use`, a key serves for whatever the protocol needs.
        writer
            .open(&MD, "KeyDescriptor", &[("use", "signing")])
            .open(&DS, "KeyInfo", &[])
            .open(&DS, "X509Data", &[])
            .leaf(&DS, "X509Certificate", &[], credential.certificate())
            .close()
            .close()
            .close();
    }
    endpoints(&mut writer, idp);
    Halves::new(&writer.finish(), place).and_then(|halves| sign(&halves, what.id, signer))
}

fn extensions(writer: &mut Writer, what: &Described<'_>) {
    writer.open(&MD, "Extensions", &[]);
    for scope in what.scopes {
        writer.leaf(&SHIBMD, "Scope", &[("regexp", "false")], scope);
    }
    writer
        .open(&MDUI, "UIInfo", &[])
        .leaf(&MDUI, "DisplayName", &[("xml:lang", "fr")], &what.names.fr)
        .leaf(&MDUI, "DisplayName", &[("xml:lang", "de")], &what.names.de)
        .close()
        .close();
}

/// In the order of the schema: artifacts, logout, name identifiers, sign-on.
fn endpoints(writer: &mut Writer, idp: &Idp) {
    let attributes = [
        ("Binding", soap::BINDING),
        ("Location", idp.artifacts.as_str()),
        ("index", "0"),
        ("isDefault", "true"),
    ];
    writer.leaf(&MD, "ArtifactResolutionService", &attributes, "");
    for binding in [Binding::Redirect, Binding::Post] {
        let attributes = [("Binding", binding.uri()), ("Location", idp.slo.as_str())];
        writer.leaf(&MD, "SingleLogoutService", &attributes, "");
    }
    for format in NameIdFormat::ALL {
        writer.leaf(&MD, "NameIDFormat", &[], format.uri());
    }
    for binding in [Binding::Redirect, Binding::Post] {
        let attributes = [("Binding", binding.uri()), ("Location", idp.sso.as_str())];
        writer.leaf(&MD, "SingleSignOnService", &attributes, "");
    }
}
