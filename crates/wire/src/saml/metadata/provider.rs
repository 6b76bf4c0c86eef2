//! The metadata of an application: the only place that its addresses and keys come from.

use url::Url;

use crate::oauth::client::{Kind, flaw_of_registered};
use crate::saml::binding::{Binding, Delivery};
use crate::saml::key::{EncryptingKey, VerifyingKey};
use crate::saml::metadata::party::{Party, Side};
use crate::saml::moment;
use crate::saml::response::NameIdFormat;
use crate::saml::xml::{Bounds, DS, DataCipher, Element, MD, MDUI, Tree, XmlError};

/// An application that speaks SAML (a service provider), as its metadata describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceProvider {
    /// Its entity ID.
    pub entity_id: String,
    /// Where responses may be sent, in the order of the metadata; at least one.
    pub consumers: Vec<Consumer>,
    /// Where logout messages may be sent.
    pub logouts: Vec<SingleLogout>,
    /// It says that it signs its authentication requests.
    pub signs_requests: bool,
    /// It says that it wants assertions signed. They always are.
    pub wants_assertions_signed: bool,
    /// The name identifiers it can use, best liked first.
    pub name_ids: Vec<NameIdFormat>,
    /// The names of the attributes it asks for.
    pub requested_attributes: Vec<String>,
    /// Its name, by language.
    pub display_names: Vec<(String, String)>,
    /// Until when its metadata counts, in unix seconds.
    pub valid_until: Option<i64>,
    /// How it likes assertions encrypted.
    pub cipher: DataCipher,
    /// Keys that its signatures are verified with.
    pub(crate) signing: Vec<VerifyingKey>,
    /// The key that assertions are encrypted to.
    pub(crate) encryption: Option<EncryptingKey>,
}

/// An assertion consumer service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consumer {
    /// Its number in the metadata.
    pub index: u16,
    /// Its address.
    pub location: String,
    /// How responses reach it.
    pub delivery: Delivery,
    /// Whether it is marked as the one to use when a request names none.
    pub is_default: Option<bool>,
}

/// An address for logout messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SingleLogout {
    /// How messages go there.
    pub binding: Binding,
    /// Where requests go.
    pub location: String,
    /// Where responses go.
    pub response_location: String,
}

/// Why metadata is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MetadataError {
    /// Not the XML it should be.
    #[error("reading the metadata: {0}")]
    Xml(#[from] XmlError),
    /// No entity of that name, or several and none was named.
    #[error("the metadata describes no such application, or several: name its `entity_id`")]
    NoEntity,
    /// The entity is no service provider of SAML 2.0.
    #[error("the metadata describes no service provider of SAML 2.0")]
    NoServiceProvider,
    /// The entity is no identity provider of SAML 2.0.
    #[error("the metadata describes no identity provider of SAML 2.0")]
    NoIdentityProvider,
    /// It cannot take a request.
    #[error("the metadata names no single sign-on service for HTTP-Redirect")]
    NoSignOn,
    /// It cannot take a response.
    #[error(
        "the metadata names no assertion consumer service for HTTP-POST, nor one for HTTP-Artifact with a key for signatures"
    )]
    NoConsumer,
    /// An address that nothing is sent to.
    #[error("the metadata names the address `{0}`, which is not an `https` address")]
    Address(String),
    /// No key that can be used.
    #[error(
        "the metadata holds a certificate whose key is neither RSA nor an elliptic curve of NIST"
    )]
    Key,
    /// No key at all.
    #[error("the metadata names no key for signatures")]
    NoKey,
    /// Its time is over.
    #[error("the metadata was valid until a moment that is over; ask the application for newer")]
    Expired,
}

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";

impl ServiceProvider {
    /// Reads the metadata of one application: an `EntityDescriptor`, or one in an
    /// `EntitiesDescriptor` if `entity_id` names it.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn read(xml: &str, entity_id: Option<&str>, now: i64) -> Result<Self, MetadataError> {
        let xml = xml.trim_start_matches('\u{feff}').trim_start();
        let tree = Tree::read(xml, &Bounds::METADATA)?;
        let (entity, outer) = entity(tree.root(), entity_id)?;
        Self::of(entity, outer, now)
    }

    /// Reads one `EntityDescriptor`; what is around it counts until `outer`.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub(in crate::saml) fn of(
        entity: Element<'_, '_>,
        outer: Option<i64>,
        now: i64,
    ) -> Result<Self, MetadataError> {
        let mut valid_until = earlier(outer, until(entity)?);
        let role = role(entity, "SPSSODescriptor").ok_or(MetadataError::NoServiceProvider)?;
        valid_until = earlier(valid_until, until(role)?);
        // [Metadata §2.3.2] "validUntil [Optional] Optional attribute indicates the expiration time of the metadata contained in the element and any contained elements."
        if valid_until.is_some_and(|until| until <= now) {
            return Err(MetadataError::Expired);
        }
        let (signing, encryption, cipher) = keys(role)?;
        Ok(Self {
            entity_id: entity.needs("entityID")?.to_owned(),
            consumers: consumers(role, !signing.is_empty())?,
            logouts: logouts(role)?,
            signs_requests: role.flag("AuthnRequestsSigned")?,
            wants_assertions_signed: role.flag("WantAssertionsSigned")?,
            name_ids: role
                .all(&MD, "NameIDFormat")
                .filter_map(|format| NameIdFormat::of_uri(&format.text().ok()?))
                .collect(),
            requested_attributes: requested(role)?,
            display_names: display_names(role)?,
            valid_until,
            cipher,
            signing,
            encryption,
        })
    }

    /// Whether it has a key that assertions can be encrypted to.
    #[must_use]
    pub const fn can_decrypt(&self) -> bool {
        self.encryption.is_some()
    }

    /// Whether it has a key that its signatures can be verified with.
    #[must_use]
    pub const fn can_sign(&self) -> bool {
        !self.signing.is_empty()
    }

    /// Whether its metadata still counts.
    #[must_use]
    pub fn is_valid(&self, now: i64) -> bool {
        self.party().is_valid(now)
    }

    /// As the other side of a logout.
    #[must_use]
    pub fn party(&self) -> Party<'_> {
        Party {
            side: Side::Application,
            entity_id: &self.entity_id,
            logouts: &self.logouts,
            signing: &self.signing,
            valid_until: self.valid_until,
        }
    }

    /// Where a response goes when the request names no address.
    #[must_use]
    pub fn default_consumer(&self) -> Option<&Consumer> {
        self.consumer_by(None)
    }

    /// The same of those that take responses by this delivery.
    pub(in crate::saml) fn consumer_by(&self, delivery: Option<Delivery>) -> Option<&Consumer> {
        // [Metadata §2.2.3] "In any such sequence of indexed endpoints that share a common element name and namespace (i.e. all instances of <md:AssertionConsumerService> within a role), the default endpoint is the first such endpoint with the isDefault attribute set to true. If no such endpoints exist, the default endpoint is the first such endpoint without the isDefault attribute set to false. If no such endpoints exist, the default endpoint is the first element in the sequence."
        let mut all = (self.consumers.iter())
            .filter(|one| delivery.is_none_or(|wanted| one.delivery == wanted));
        all.clone()
            .find(|one| one.is_default == Some(true))
            .or_else(|| all.clone().find(|one| one.is_default != Some(false)))
            .or_else(|| all.next())
    }

    /// Where logout messages go, Redirect first: it needs no page in between.
    #[must_use]
    pub fn logout(&self) -> Option<&SingleLogout> {
        self.party().logout()
    }
}

/// The first description of somebody in this part that speaks SAML 2.0.
pub(super) fn role<'a, 'i>(entity: Element<'a, 'i>, part: &'static str) -> Option<Element<'a, 'i>> {
    entity.all(&MD, part).find(|role| {
        let protocols = role.attribute("protocolSupportEnumeration");
        protocols.is_some_and(|all| all.split_whitespace().any(|one| one == PROTOCOL))
    })
}

/// The entity, and until when what is around it counts.
pub(super) fn entity<'a, 'i>(
    root: Element<'a, 'i>,
    wanted: Option<&str>,
) -> Result<(Element<'a, 'i>, Option<i64>), MetadataError> {
    let fits = |entity: &Element<'_, '_>| {
        wanted.is_none_or(|wanted| entity.attribute("entityID") == Some(wanted))
    };
    if root.is(&MD, "EntityDescriptor") {
        return if fits(&root) {
            Ok((root, None))
        } else {
            Err(MetadataError::NoEntity)
        };
    }
    if !root.is(&MD, "EntitiesDescriptor") {
        return Err(MetadataError::NoEntity);
    }
    let mut found = root.all(&MD, "EntityDescriptor").filter(fits);
    match (found.next(), found.next()) {
        (Some(entity), None) => Ok((entity, until(root)?)),
        _ => Err(MetadataError::NoEntity),
    }
}

pub(in crate::saml) fn until(element: Element<'_, '_>) -> Result<Option<i64>, XmlError> {
    let Some(text) = element.attribute("validUntil") else {
        return Ok(None);
    };
    moment::read(text)
        .map(Some)
        .ok_or(XmlError::Wrong("validUntil"))
}

pub(in crate::saml) fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

type Keys = (Vec<VerifyingKey>, Option<EncryptingKey>, DataCipher);

/// A key without `use` is for both.
pub(super) fn keys(role: Element<'_, '_>) -> Result<Keys, MetadataError> {
    let (mut signing, mut encryption, mut cipher) = (Vec::new(), None, DataCipher::default());
    for descriptor in role.all(&MD, "KeyDescriptor") {
        let usage = descriptor.attribute("use");
        let info = descriptor.the(&DS, "KeyInfo")?;
        for certificate in info
            .all(&DS, "X509Data")
            .flat_map(|data| data.all(&DS, "X509Certificate"))
        {
            let der = certificate.base64()?;
            if usage != Some("encryption") {
                signing.push(VerifyingKey::of_certificate(&der).ok_or(MetadataError::Key)?);
            }
            if usage != Some("signing") && encryption.is_none() {
                encryption = EncryptingKey::of_certificate(&der);
                let liked = descriptor
                    .all(&MD, "EncryptionMethod")
                    .filter_map(|method| DataCipher::of_metadata(method.attribute("Algorithm")?));
                cipher = liked.into_iter().next().unwrap_or_default();
            }
        }
    }
    Ok((signing, encryption, cipher))
}

/// Who signs nothing could not fetch what an artifact stands for.
fn consumers(role: Element<'_, '_>, signs: bool) -> Result<Vec<Consumer>, MetadataError> {
    let mut found = Vec::new();
    for endpoint in role.all(&MD, "AssertionConsumerService") {
        let delivery = Delivery::of_uri(endpoint.needs("Binding")?);
        let Some(delivery) = delivery.filter(|one| signs || *one == Delivery::Post) else {
            continue;
        };
        let is_default = match endpoint.attribute("isDefault") {
            None => None,
            Some(_) => Some(endpoint.flag("isDefault")?),
        };
        found.push(Consumer {
            index: index(endpoint)?,
            location: address(endpoint.needs("Location")?)?,
            delivery,
            is_default,
        });
    }
    if found.is_empty() {
        return Err(MetadataError::NoConsumer);
    }
    Ok(found)
}

fn index(endpoint: Element<'_, '_>) -> Result<u16, XmlError> {
    let index = endpoint.needs("index")?.trim();
    index.parse().map_err(|_| XmlError::Wrong("index"))
}

pub(super) fn logouts(role: Element<'_, '_>) -> Result<Vec<SingleLogout>, MetadataError> {
    let mut found = Vec::new();
    for endpoint in role.all(&MD, "SingleLogoutService") {
        let Some(binding) = Binding::of_uri(endpoint.needs("Binding")?) else {
            continue;
        };
        let location = address(endpoint.needs("Location")?)?;
        let response_location = match endpoint.attribute("ResponseLocation") {
            Some(other) => address(other)?,
            None => location.clone(),
        };
        found.push(SingleLogout {
            binding,
            location,
            response_location,
        });
    }
    Ok(found)
}

/// An address that a browser may be sent to with a message about a person.
pub(in crate::saml) fn address(text: &str) -> Result<String, MetadataError> {
    let wrong = || MetadataError::Address(text.chars().take(200).collect());
    // The same rule as for redirect URIs, but for the way it is written: metadata is made by programs.
    let url = Url::parse(text).map_err(|_| wrong())?;
    if text.contains(['*', '#']) || flaw_of_registered(url.as_str(), Kind::Confidential).is_some() {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

fn requested(role: Element<'_, '_>) -> Result<Vec<String>, XmlError> {
    role.all(&MD, "AttributeConsumingService")
        .flat_map(|service| service.all(&MD, "RequestedAttribute"))
        .map(|attribute| attribute.needs("Name").map(str::to_owned))
        .collect()
}

fn display_names(role: Element<'_, '_>) -> Result<Vec<(String, String)>, XmlError> {
    let Some(extensions) = role.one(&MD, "Extensions")? else {
        return Ok(Vec::new());
    };
    let info = extensions.all(&MDUI, "UIInfo");
    info.flat_map(|info| info.all(&MDUI, "DisplayName"))
        .map(|name| {
            let language = name.language().ok_or(XmlError::Wrong("xml:lang"))?;
            Ok((language.to_owned(), name.text()?))
        })
        .collect()
}
