//! From an address to a place: public, or inside a named network.
//!
//! Everything unlisted, unparsable or in transition space is public. There is no error path to
//! inside: [`Zones::locate`] cannot fail.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::language::Language;

/// The shortest prefixes a zone may list: a wider one is a mistake, not a school.
const PREFIX_MIN_V4: u8 = 8;
const PREFIX_MIN_V6: u8 = 32;

/// A name in the languages of the pages.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// German.
    pub de: String,
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
}

impl Name {
    /// The name in one language.
    #[must_use]
    pub fn say(&self, language: Language) -> &str {
        match language {
            Language::De => &self.de,
            Language::En => &self.en,
            Language::Fr => &self.fr,
        }
    }
}

/// Whose network it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ZoneKind {
    /// Another partner's.
    Other,
    /// A school's.
    School,
    /// The State's.
    State,
}

/// Whether a zone asks for the second factor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondFactor {
    /// As everywhere else.
    Asked,
    /// The policy may let people in with the password alone.
    NotAsked,
}

/// Whether an authenticator may be bound in a zone.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Enrolment {
    /// As everywhere else.
    Allowed,
    /// [Guide 1.2] only outside.
    Refused,
}

/// One named network, as it stands in `zones.toml`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Whether strong authentication may be set up from here.
    pub enrolment: Enrolment,
    /// A short stable word for audit and tokens, such as `school-brig`.
    pub id: String,
    /// Whose it is.
    pub kind: ZoneKind,
    /// What people are told it is.
    pub name: Name,
    /// Its addresses: IPv4 and IPv6 prefixes without host bits.
    pub networks: Vec<String>,
    /// Said when a site has no IPv6 at all; otherwise both families must be listed.
    #[serde(default)]
    pub no_ipv6: bool,
    /// Who answers for the list.
    pub owner: String,
    /// The day by which somebody looks at it again, such as `2027-08-01`.
    pub review_by: jiff::civil::Date,
    /// Whether the second factor is asked for from here.
    pub second_factor: SecondFactor,
}

/// Where a person browses from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Inside a listed network.
    Inside(Inside),
    /// Anywhere else.
    Public,
}

/// What a journey may know of a zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Inside {
    /// Binding an authenticator is refused here.
    pub refuses_enrolment: bool,
    /// The second factor is not asked for here.
    pub waives_second_factor: bool,
    /// [`Zone::id`].
    pub zone: String,
}

impl Place {
    /// Whether the second factor is waived here *and* at every place seen before.
    #[must_use]
    pub fn waives_with(&self, seen: &Self) -> bool {
        self.waives() && seen.waives()
    }

    /// Whether the second factor is waived here.
    #[must_use]
    pub fn waives(&self) -> bool {
        matches!(self, Self::Inside(inside) if inside.waives_second_factor)
    }

    /// Whether binding an authenticator is refused here.
    #[must_use]
    pub fn refuses_enrolment(&self) -> bool {
        matches!(self, Self::Inside(inside) if inside.refuses_enrolment)
    }

    /// [`Zone::id`], or `public`.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Inside(inside) => &inside.zone,
            Self::Public => "public",
        }
    }
}

/// Why a list of zones is refused at start.
#[derive(Debug, Error)]
pub enum ZoneError {
    /// Two zones with one id.
    #[error("zone `{id}` is listed twice: give each zone its own id")]
    DoubleId {
        /// The id.
        id: String,
    },
    /// `10.1.2.3/8`.
    #[error("zone `{id}`: `{network}` has bits set behind its prefix: write `{cure}`")]
    HostBits {
        /// The zone.
        id: String,
        /// As written.
        network: String,
        /// The network that is probably meant.
        cure: String,
    },
    /// IPv4 without IPv6, or the reverse, and nothing said about it.
    #[error(
        "zone `{id}` lists IPv4 but no IPv6 networks: people there may arrive by IPv6 and be \
         outside; add the site's IPv6 prefix, or say `no_ipv6 = true`"
    )]
    OneFamily {
        /// The zone.
        id: String,
    },
    /// No networks at all, or an empty id.
    #[error("zone `{id}` needs an id and at least one network")]
    Empty {
        /// The zone.
        id: String,
    },
    /// Two zones claim one address.
    #[error("zones `{id}` and `{other}` both list `{network}`")]
    Overlap {
        /// The later zone.
        id: String,
        /// The network they share.
        network: String,
        /// The earlier zone.
        other: String,
    },
    /// Not TOML, an unknown key, a missing key.
    #[error("the list of zones cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// IPv4-mapped, NAT64, 6to4, Teredo, IPv4-compatible.
    #[error(
        "zone `{id}`: `{network}` is transition space, which is always public: list the site's own addresses"
    )]
    Transition {
        /// The zone.
        id: String,
        /// As written.
        network: String,
    },
    /// Not an address with a prefix length.
    #[error("zone `{id}`: `{network}` is no network such as `198.51.100.0/24` or `2001:db8::/48`")]
    Unreadable {
        /// The zone.
        id: String,
        /// As written.
        network: String,
    },
    /// `/0`, or nearly.
    #[error(
        "zone `{id}`: `{network}` is too wide: at least /{PREFIX_MIN_V4} for IPv4 and /{PREFIX_MIN_V6} for IPv6"
    )]
    TooWide {
        /// The zone.
        id: String,
        /// As written.
        network: String,
    },
}

/// All zones, checked.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    zones: Vec<Zone>,
    networks: Vec<(IpNet, usize)>,
}

/// Why an address is where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Located<'a> {
    /// The address that was looked up, after canonicalisation.
    pub address: IpAddr,
    /// The prefix that matched.
    pub network: Option<IpNet>,
    /// The sentence that says why.
    pub why: &'static str,
    /// The zone, if inside.
    pub zone: Option<&'a Zone>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    zone: Vec<Zone>,
}

impl Zones {
    /// Reads `zones.toml`.
    ///
    /// # Errors
    /// Whatever makes the list untrustworthy: see [`ZoneError`]. Nothing is skipped.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let file: File = toml::from_str(text)?;
        let mut all = Self {
            zones: file.zone,
            networks: Vec::new(),
        };
        for (index, zone) in all.zones.iter().enumerate() {
            let id = || zone.id.clone();
            if zone.id.is_empty() || zone.id == "public" || zone.networks.is_empty() {
                return Err(ZoneError::Empty { id: id() });
            }
            if all
                .zones
                .iter()
                .take(index)
                .any(|earlier| earlier.id == zone.id)
            {
                return Err(ZoneError::DoubleId { id: id() });
            }
            let nets = zone.networks.iter().map(|net| parse_network(&zone.id, net));
            let nets = nets.collect::<Result<Vec<_>, _>>()?;
            let has_v6 = nets.iter().any(|net| matches!(net, IpNet::V6(_)));
            if !has_v6 && !zone.no_ipv6 {
                return Err(ZoneError::OneFamily { id: id() });
            }
            for net in nets {
                if let Some((_, other)) = all.networks.iter().find(|(known, _)| *known == net) {
                    let other = all.zones.get(*other).map(|zone| zone.id.clone());
                    return Err(ZoneError::Overlap {
                        id: id(),
                        network: net.to_string(),
                        other: other.unwrap_or_default(),
                    });
                }
                all.networks.push((net, index));
            }
        }
        // The longest prefix comes first, so the first that contains an address is the answer.
        all.networks
            .sort_by_key(|(net, _)| std::cmp::Reverse(net.prefix_len()));
        Ok(all)
    }

    /// The place of an address. `None`, for an address nobody could read, is public.
    #[must_use]
    pub fn locate(&self, address: Option<IpAddr>) -> Place {
        let Some(zone) = address.and_then(|address| self.explain(address).zone) else {
            return Place::Public;
        };
        Place::Inside(Inside {
            refuses_enrolment: zone.enrolment == Enrolment::Refused,
            waives_second_factor: zone.second_factor == SecondFactor::NotAsked,
            zone: zone.id.clone(),
        })
    }

    /// What [`Zones::locate`] believes, and why.
    #[must_use]
    pub fn explain(&self, address: IpAddr) -> Located<'_> {
        let address = address.to_canonical();
        let outside = |why| Located {
            address,
            network: None,
            why,
            zone: None,
        };
        if matches!(address, IpAddr::V6(v6) if is_transition(v6)) {
            return outside(
                "an address in transition space (NAT64, 6to4, Teredo …) is always public",
            );
        }
        let found = self.networks.iter().find(|(net, _)| net.contains(&address));
        let Some((network, zone)) = found.and_then(|(net, at)| Some((*net, self.zones.get(*at)?)))
        else {
            return outside("no zone lists this address");
        };
        let why = "the longest listed prefix that contains the address belongs to this zone";
        Located {
            address,
            network: Some(network),
            why,
            zone: Some(zone),
        }
    }

    /// The zone with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.id == id)
    }

    /// All zones, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Zone> {
        self.zones.iter()
    }
}

fn parse_network(id: &str, text: &str) -> Result<IpNet, ZoneError> {
    let (id, network) = (id.to_owned(), text.to_owned());
    let Ok(net) = text.parse::<IpNet>() else {
        return Err(ZoneError::Unreadable { id, network });
    };
    let (wide, transition) = match net {
        IpNet::V4(v4) => (v4.prefix_len() < PREFIX_MIN_V4, false),
        IpNet::V6(v6) => (v6.prefix_len() < PREFIX_MIN_V6, touches_transition(v6)),
    };
    if transition {
        return Err(ZoneError::Transition { id, network });
    }
    if wide {
        return Err(ZoneError::TooWide { id, network });
    }
    if net.trunc() != net {
        return Err(ZoneError::HostBits {
            id,
            network,
            cure: net.trunc().to_string(),
        });
    }
    Ok(net)
}

/// Prefixes in which an IPv6 address only wraps some IPv4 address: who is behind it cannot be known.
fn transition_space() -> [Ipv6Net; 6] {
    let net = |a, b, c, len| Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), len);
    [
        Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 96), // IPv4-compatible, RFC 4291 §2.5.5.1
        Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), // IPv4-mapped
        net(0x64, 0xff9b, 0, 96),                       // NAT64, RFC 6052
        net(0x64, 0xff9b, 1, 48),                       // local NAT64, RFC 8215
        net(0x2001, 0, 0, 32),                          // Teredo, RFC 4380
        net(0x2002, 0, 0, 16),                          // 6to4, RFC 3056
    ]
}

fn is_transition(address: Ipv6Addr) -> bool {
    transition_space().iter().any(|space| space.contains(&address))
        || address.segments().get(4..6) == Some(&[0, 0x5efe][..]) // ISATAP, RFC 5214
        || address.segments().get(4..6) == Some(&[0x200, 0x5efe][..])
}

fn touches_transition(net: Ipv6Net) -> bool {
    transition_space()
        .iter()
        .any(|space| space.contains(&net) || net.contains(space))
}

/// Whether a prefix is fit to name a proxy that is believed: one host, or a small network.
#[must_use]
pub fn is_small(net: &IpNet) -> bool {
    match net {
        IpNet::V4(v4) => *v4 == Ipv4Net::trunc(v4) && v4.prefix_len() >= 24,
        IpNet::V6(v6) => {
            // An IPv4-mapped prefix matches nobody: addresses are canonical when they are compared.
            *v6 == Ipv6Net::trunc(v6)
                && v6.prefix_len() >= 64
                && v6.addr().to_ipv4_mapped().is_none()
        }
    }
}

#[cfg(test)]
mod tests;
