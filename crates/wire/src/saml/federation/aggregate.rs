//! A federation's document: verified as a whole, and then only what was chosen of it.

use std::collections::BTreeMap;

use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec_with_limit};

use super::{Federation, Member};
use crate::saml::metadata::{ServiceProvider, earlier, until};
use crate::saml::moment;
use crate::saml::xml::{
    Bounds, Element, MD, MDATTR, MDRPI, SAML, Signed, Tree, Writer, XmlError, canonical,
};

/// The largest document of a federation, in bytes.
pub const BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest packed selection that is kept, in bytes.
const PACKED_MAX: usize = 16 * 1024 * 1024;
/// The largest description of one member, in bytes, as for one that is registered by hand.
const MEMBER_BYTES_MAX: usize = Bounds::METADATA.bytes_max;
/// How hard is packed.
const EFFORT: u8 = 6;
/// How long a day is, in seconds.
const DAY_S: i64 = 86_400;
/// The name of the attribute whose values are entity categories [RFC 8409 §3.1].
const CATEGORY: &str = "http://macedir.org/entity-category";

/// Only for documents that are fetched from a federation, never for what strangers send.
const BOUNDS: Bounds = Bounds {
    bytes_max: BYTES_MAX,
    elements_max: 2_000_000,
    depth_max: 32,
    attributes_max: 64,
    namespaces_max: 1_000_000,
};

/// What is kept is longer than what was chosen of the document: members repeat what was declared around them.
const KEPT: Bounds = Bounds {
    bytes_max: 2 * BYTES_MAX,
    elements_max: 2 * BOUNDS.elements_max,
    depth_max: BOUNDS.depth_max + 2,
    attributes_max: BOUNDS.attributes_max,
    namespaces_max: 2 * BOUNDS.namespaces_max,
};

/// Why a federation's document is not believed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FederationError {
    /// Not text.
    #[error("reading the federation's metadata: it is not in UTF-8")]
    Text,
    /// Not the XML it should be.
    #[error("reading the federation's metadata: {0}")]
    Xml(#[from] XmlError),
    /// Not signed by a pinned key.
    #[error(
        "verifying the federation's metadata: {0}; if the federation has a new key, compare its \
         fingerprint and add its certificate"
    )]
    Signature(String),
    /// It says nothing of its end.
    #[error(
        "the federation's metadata has no `validUntil`, so nothing in it could ever be taken back"
    )]
    Endless,
    /// Its time is over.
    #[error("the federation's metadata was valid until a moment that is over")]
    Expired,
    /// Its end is too far away.
    #[error("the federation's metadata is valid for more than `days_max` = {0} days")]
    TooLong(u16),
    /// More was chosen than can be kept.
    #[error("too much of the federation's metadata is chosen; choose fewer of its members")]
    TooMany,
}

/// What was chosen of a verified document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chosen {
    /// How many members were chosen that can be used.
    pub members: usize,
    /// The chosen part, packed, as [`Federation::members`] reads it.
    pub packed: Vec<u8>,
    /// Until when it counts, in unix seconds.
    pub valid_until: i64,
}

impl Federation {
    /// Verifies a document and keeps what is chosen of it.
    ///
    /// # Errors
    /// [`FederationError`]: one doubt, and nothing of it is believed.
    pub fn choose(&self, document: &[u8], now: i64) -> Result<Chosen, FederationError> {
        let text = std::str::from_utf8(document).map_err(|_| FederationError::Text)?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let tree = Tree::read(text, &BOUNDS)?;
        let keys = self.keys().unwrap_or_default();
        let verified = Signed::enveloped(tree.root(), &keys)
            .map_err(|error| FederationError::Signature(error.to_string()))?;
        let root = verified.element();
        let valid_until = self.end(root, now)?;
        let mut found = Vec::new();
        gather(root, Some(valid_until), &mut found)?;
        let chosen: Vec<_> = found
            .into_iter()
            .filter(|(entity, _)| self.takes(*entity))
            .collect();
        let packed = compress_to_vec(written(&chosen)?.as_bytes(), EFFORT);
        if packed.len() > PACKED_MAX {
            return Err(FederationError::TooMany);
        }
        // What could not be read again must not take the place of what can.
        let members = self.members(&packed)?.len();
        Ok(Chosen {
            members,
            packed,
            valid_until,
        })
    }

    /// The members in a part that was chosen before, as the registration says now. Members that cannot be
    /// used are left out: they keep nobody else from anything. Nobody is two members.
    ///
    /// # Errors
    /// [`FederationError`] when it is not what [`Federation::choose`] makes.
    pub fn members(&self, packed: &[u8]) -> Result<Vec<Member>, FederationError> {
        let text = decompress_to_vec_with_limit(packed, KEPT.bytes_max)
            .map_err(|_| FederationError::TooMany)?;
        let text = std::str::from_utf8(&text).map_err(|_| FederationError::Text)?;
        let tree = Tree::read(text, &KEPT)?;
        let mut found = Vec::new();
        gather(tree.root(), None, &mut found)?;
        let mut members: BTreeMap<String, Option<ServiceProvider>> = BTreeMap::new();
        for (entity, outer) in found.into_iter().filter(|(entity, _)| self.takes(*entity)) {
            let Ok(provider) = ServiceProvider::of(entity, outer, i64::MIN) else {
                continue;
            };
            members
                .entry(provider.entity_id.clone())
                .and_modify(|known| *known = None)
                .or_insert(Some(provider));
        }
        let usable = members.into_values().flatten();
        Ok(usable
            .map(|provider| self.member(provider))
            .filter(|member| member.provider.can_sign() || !must_sign(member))
            .collect())
    }

    /// Until when the whole counts.
    fn end(&self, root: Element<'_, '_>, now: i64) -> Result<i64, FederationError> {
        let until = until(root)?.ok_or(FederationError::Endless)?;
        let latest = now.saturating_add(i64::from(self.days_max) * DAY_S);
        match until {
            over if over <= now => Err(FederationError::Expired),
            late if late > latest => Err(FederationError::TooLong(self.days_max)),
            until => Ok(until),
        }
    }

    /// Whether an entity is one of those that were chosen.
    fn takes(&self, entity: Element<'_, '_>) -> bool {
        let id = entity.attribute("entityID").unwrap_or_default();
        if self.entities.iter().any(|one| one == id) {
            return true;
        }
        let (authorities, categories) = (&self.authorities, &self.categories);
        if authorities.is_empty() && categories.is_empty() {
            return false;
        }
        let by_authority = authorities.is_empty()
            || authority(entity).is_some_and(|one| authorities.iter().any(|known| known == one));
        let by_category = categories.is_empty()
            || self::categories(entity)
                .iter()
                .any(|one| categories.contains(one));
        by_authority && by_category
    }
}

fn must_sign(member: &Member) -> bool {
    member.application.signed_requests || member.provider.signs_requests
}

type Found<'a, 'i> = (Element<'a, 'i>, Option<i64>);

/// All entities in a document, in groups or not, and until when what is around them counts. The depth is
/// bounded.
fn gather<'a, 'i>(
    element: Element<'a, 'i>,
    outer: Option<i64>,
    found: &mut Vec<Found<'a, 'i>>,
) -> Result<(), XmlError> {
    if element.is(&MD, "EntityDescriptor") {
        found.push((element, outer));
        return Ok(());
    }
    if !element.is(&MD, "EntitiesDescriptor") {
        return Err(XmlError::Wrong("EntitiesDescriptor"));
    }
    let outer = earlier(outer, until(element)?);
    for inside in element.elements() {
        if inside.is(&MD, "EntityDescriptor") || inside.is(&MD, "EntitiesDescriptor") {
            gather(inside, outer, found)?;
        }
    }
    Ok(())
}

/// Each entity in a group of its own that says until when it counts: what stood around it is gone.
fn written(chosen: &[Found<'_, '_>]) -> Result<String, XmlError> {
    let mut writer = Writer::new();
    writer.open(&MD, "EntitiesDescriptor", &[]);
    let mut text = writer.finish();
    let close = text.split_off(text.len().saturating_sub("</md:EntitiesDescriptor>".len()));
    for (entity, outer) in chosen {
        let form = canonical(entity.node(), None, &[])?;
        if form.len() > MEMBER_BYTES_MAX {
            continue;
        }
        let until = outer.map(moment::written).unwrap_or_default();
        let mut group = Writer::new();
        group
            .open(&MD, "EntitiesDescriptor", &[("validUntil", &until)])
            .raw(&form);
        text.push_str(&group.finish());
    }
    text.push_str(&close);
    Ok(text)
}

/// Who registered it [SAML V2.0 Metadata Extensions for Registration and Publication Information §2.1].
fn authority<'a>(entity: Element<'a, '_>) -> Option<&'a str> {
    let extensions = entity.one(&MD, "Extensions").ok()??;
    let info = extensions.one(&MDRPI, "RegistrationInfo").ok()??;
    info.attribute("registrationAuthority")
}

/// Its entity categories [RFC 8409 §3.1].
fn categories(entity: Element<'_, '_>) -> Vec<String> {
    let extensions = entity.all(&MD, "Extensions");
    let attributes = extensions.flat_map(|one| one.all(&MDATTR, "EntityAttributes"));
    attributes
        .flat_map(|one| one.all(&SAML, "Attribute"))
        .filter(|one| one.attribute("Name") == Some(CATEGORY))
        .flat_map(|one| one.all(&SAML, "AttributeValue"))
        .filter_map(|value| value.text().ok())
        .collect()
}
