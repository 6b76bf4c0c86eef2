//! Applications that act for a person at others: proxy-granting tickets, proxy tickets, and `/cas/proxy`.
//!
//! Both tickets travel sealed. Who acts stands in them as the beginnings of hashes, so that the longest ticket
//! is as short as clients expect; who that is, the registrations say at the moment when it is asked.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE32_NOPAD;

use super::{BOUNDS, Named, ProxyFault, ticket::TEXT_BYTES_MAX};
use crate::form::{Fields, with_query};

/// With what a proxy-granting ticket begins.
const GRANTING_PREFIX: &str = "PGT-";
/// With what the note about one begins.
const IOU_PREFIX: &str = "PGTIOU-";
/// With what a proxy ticket begins.
pub(super) const PREFIX: &str = "PT-";

/// One application that acts, at one of its callback addresses: the beginning of a SHA-256.
pub type Link = [u8; 8];

/// The link of a registered application and one of its callback addresses.
#[must_use]
pub fn link(id: &str, callback: &str) -> Link {
    // An id has no space, so no two pairs are the same text.
    let hash = digest(&SHA256, format!("{id} {callback}").as_bytes());
    let mut link = Link::default();
    for (to, from) in link.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    link
}

/// For whom somebody acts, and who acts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acting {
    /// The key of the person's session.
    pub session: [u8; 32],
    /// The person.
    pub person: [u8; 16],
    /// Who acts, the most recent first; at most [`Acting::LINKS_MAX`].
    pub chain: Vec<Link>,
}

impl Acting {
    /// The longest chain of applications that act one for the other.
    pub const LINKS_MAX: usize = 3;

    /// The same with one more that acts; none if there are too many.
    #[must_use]
    pub fn through(mut self, link: Link) -> Option<Self> {
        self.chain.insert(0, link);
        (self.chain.len() <= Self::LINKS_MAX).then_some(self)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.session);
        bytes.extend(self.person);
        bytes.extend(self.chain.iter().flatten());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (session, rest) = bytes.split_first_chunk()?;
        let (person, rest) = rest.split_first_chunk()?;
        let (chain, rest) = rest.as_chunks::<8>();
        let fits = (1..=Self::LINKS_MAX).contains(&chain.len()) && rest.is_empty();
        fits.then(|| Self {
            session: *session,
            person: *person,
            chain: chain.to_vec(),
        })
    }
}

/// What a proxy-granting ticket stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granting {
    /// Drawn by chance.
    // [CAS §3.3.1] "Proxy-granting tickets MUST contain adequate secure random data so that a ticket is not guessable in a reasonable period of time through brute-force attacks."
    pub id: [u8; 16],
    /// Until when it is good, in unix seconds, if the session lives that long.
    pub until: i64,
    /// For whom, and who.
    pub acting: Acting,
}

impl Granting {
    /// How long one lives at most, in seconds: a school day.
    pub const LIFETIME_S: i64 = 8 * 3600;

    /// Its bytes, to be sealed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from(self.id);
        bytes.extend(self.until.to_be_bytes());
        self.acting.write(&mut bytes);
        bytes
    }

    /// Reads what [`Granting::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        Some(Self {
            id: *id,
            until: i64::from_be_bytes(*until),
            acting: Acting::read(rest)?,
        })
    }

    /// The text of a sealed one.
    #[must_use]
    pub fn text(sealed: &[u8]) -> String {
        // [CAS §3.3.1] "Proxy-granting tickets SHOULD begin with the characters `PGT-`."
        format!("{GRANTING_PREFIX}{}", BASE32_NOPAD.encode(sealed))
    }

    /// The sealed bytes in a text; none if it is no proxy-granting ticket.
    #[must_use]
    pub fn sealed(text: &str) -> Option<Vec<u8>> {
        unsealed_text(text, GRANTING_PREFIX)
    }

    /// The callback address with a ticket and the note by which the application finds it again.
    // [CAS §2.5.4] "If the proxy callback url specifies any parameters, those MUST be preserved."
    #[must_use]
    pub fn callback(address: &str, ticket: &str, iou: &str) -> String {
        with_query(address, &[("pgtId", Some(ticket)), ("pgtIou", Some(iou))])
    }
}

/// The note about a proxy-granting ticket that stands in an answer. It is chance and nothing else.
// [CAS §3.4.1] "Given a particular PGTIOU, it MUST NOT be possible to derive its corresponding PGT through algorithmic methods in a reasonable period of time."
#[must_use]
pub fn iou(chance: [u8; 32]) -> String {
    format!("{IOU_PREFIX}{}", BASE32_NOPAD.encode(&chance))
}

/// What a proxy ticket stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyTicket {
    /// By which it is used up; drawn by chance.
    // [CAS §3.2.1] "Proxy tickets MUST contain adequate secure random data so that a ticket is not guessable."
    pub id: [u8; 16],
    /// SHA-256 of the address it was made for.
    pub service: [u8; 32],
    /// Until when it is good, in unix seconds.
    pub until: i64,
    /// For whom, and who.
    pub acting: Acting,
}

impl ProxyTicket {
    /// How long a ticket lives, in seconds.
    pub const LIFETIME_S: i64 = 60;

    /// Its bytes, to be sealed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from(self.id);
        bytes.extend(self.service);
        bytes.extend(self.until.to_be_bytes());
        self.acting.write(&mut bytes);
        bytes
    }

    /// Reads what [`ProxyTicket::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (service, rest) = rest.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        Some(Self {
            id: *id,
            service: *service,
            until: i64::from_be_bytes(*until),
            acting: Acting::read(rest)?,
        })
    }

    /// The text of a sealed one.
    #[must_use]
    pub fn text(sealed: &[u8]) -> String {
        // [CAS §3.2.1] "Proxy tickets SHOULD begin with the characters, `PT-`."
        format!("{PREFIX}{}", BASE32_NOPAD.encode(sealed))
    }

    /// The sealed bytes in a text; none if it is no proxy ticket.
    #[must_use]
    pub fn sealed(text: &str) -> Option<Vec<u8>> {
        unsealed_text(text, PREFIX)
    }
}

fn unsealed_text(text: &str, prefix: &str) -> Option<Vec<u8>> {
    let letters = text.strip_prefix(prefix)?;
    let short = text.len() <= TEXT_BYTES_MAX;
    let sealed = BASE32_NOPAD.decode(letters.as_bytes()).ok();
    sealed.filter(|_| short)
}

/// What `/cas/proxy` is asked: a ticket for an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyRequest {
    /// The text of the proxy-granting ticket.
    pub granting: String,
    /// Where the application wants to act.
    pub target: Named,
}

impl ProxyRequest {
    /// Reads the query.
    ///
    /// # Errors
    /// [`ProxyFault`].
    pub fn parse(raw: &[u8]) -> Result<Self, ProxyFault> {
        let fields = Fields::read(raw, BOUNDS).map_err(|_| ProxyFault::InvalidRequest)?;
        fields.each_once().map_err(|_| ProxyFault::InvalidRequest)?;
        let text = |name| fields.one(name).ok().flatten();
        // [CAS §2.7.1] "The following HTTP request parameters MUST be specified to `/proxy`."
        let (Some(granting), Some(target)) = (text("pgt"), text("targetService")) else {
            return Err(ProxyFault::InvalidRequest);
        };
        let target = Named::parse(target).ok_or(ProxyFault::UnauthorizedService)?;
        Ok(Self {
            granting: granting.to_owned(),
            target,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Odd;

    fn acting(links: usize) -> Acting {
        Acting {
            session: [2; 32],
            person: [3; 16],
            chain: (0..links as u8).map(|number| [number; 8]).collect(),
        }
    }

    fn tickets(links: usize) -> (Granting, ProxyTicket) {
        let (id, until) = ([1; 16], 1_800_000_000);
        let granting = Granting {
            id,
            until,
            acting: acting(links),
        };
        let ticket = ProxyTicket {
            id,
            service: [4; 32],
            until,
            acting: acting(links),
        };
        (granting, ticket)
    }

    /// [CAS §3.2.1] "Proxy tickets SHOULD begin with the characters, `PT-`."
    /// [CAS §3.3.1] "Proxy-granting tickets SHOULD begin with the characters `PGT-`."
    /// [CAS §3.2.1] "Proxy tickets MUST contain adequate secure random data so that a ticket is not guessable."
    /// [CAS §3.3.1] "Proxy-granting tickets MUST contain adequate secure random data so that a ticket is not guessable in a reasonable period of time through brute-force attacks."
    #[test]
    fn tickets_are_letters_digits_and_a_hyphen_and_not_too_long() {
        for links in 1..=Acting::LINKS_MAX {
            let (granting, ticket) = tickets(links);
            assert_eq!(
                Granting::from_bytes(&granting.to_bytes()),
                Some(granting.clone())
            );
            assert_eq!(
                ProxyTicket::from_bytes(&ticket.to_bytes()),
                Some(ticket.clone())
            );
            // Sealing adds a key number, a nonce and a tag.
            let sealed = |bytes: Vec<u8>| [vec![0xa5; 29], bytes].concat();
            let (one, other) = (sealed(granting.to_bytes()), sealed(ticket.to_bytes()));
            let (pgt, pt) = (Granting::text(&one), ProxyTicket::text(&other));
            assert!(pgt.starts_with("PGT-") && pgt.len() <= 256, "{}", pgt.len());
            assert!(pt.starts_with("PT-") && pt.len() <= 256, "{}", pt.len());
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            assert!(pgt.bytes().chain(pt.bytes()).all(plain));
            assert_eq!(Granting::sealed(&pgt), Some(one));
            assert_eq!(ProxyTicket::sealed(&pt), Some(other));
            assert_eq!(Granting::sealed(&pt).or(ProxyTicket::sealed(&pgt)), None);
        }
    }

    #[test]
    fn a_chain_has_an_end_and_the_last_one_stands_first() {
        let one = acting(1).through([9; 8]).unwrap();
        assert_eq!(one.chain, [[9; 8], [0; 8]]);
        assert_eq!(acting(Acting::LINKS_MAX).through([9; 8]), None);
        for links in [0, Acting::LINKS_MAX + 1] {
            let (granting, ticket) = tickets(links);
            assert_eq!(Granting::from_bytes(&granting.to_bytes()), None);
            assert_eq!(ProxyTicket::from_bytes(&ticket.to_bytes()), None);
        }
        assert_ne!(
            link("a", "https://b.example/"),
            link("b", "https://b.example/")
        );
    }

    /// [CAS §3.4.1] "Given a particular PGTIOU, it MUST NOT be possible to derive its corresponding PGT through algorithmic methods in a reasonable period of time."
    /// [CAS §2.5.4] "If the proxy callback url specifies any parameters, those MUST be preserved."
    #[test]
    fn a_note_is_chance_and_travels_with_its_ticket() {
        let iou = iou([7; 32]);
        assert!(iou.starts_with("PGTIOU-") && iou.len() <= 64, "{iou}");
        let url = Granting::callback("https://portal.example/cb?a=1", "PGT-A", &iou);
        assert_eq!(
            url,
            format!("https://portal.example/cb?a=1&pgtId=PGT-A&pgtIou={iou}")
        );
    }

    /// [CAS §2.7.1] "The following HTTP request parameters MUST be specified to `/proxy`."
    #[test]
    fn a_request_for_a_proxy_ticket_is_read_or_refused() {
        let target = "targetService=https%3A%2F%2Fmail.example%2F";
        let read = |query: &str| ProxyRequest::parse(query.as_bytes());
        let asked = read(&format!("pgt=PGT-A&{target}")).unwrap();
        assert_eq!(asked.granting, "PGT-A");
        assert_eq!(asked.target.as_str(), "https://mail.example/");
        for (query, fault) in [
            (target.to_owned(), ProxyFault::InvalidRequest),
            ("pgt=PGT-A".to_owned(), ProxyFault::InvalidRequest),
            (format!("pgt=A&pgt=A&{target}"), ProxyFault::InvalidRequest),
            (
                format!("pgt={}&{target}", "A".repeat(9000)),
                ProxyFault::InvalidRequest,
            ),
            (
                "pgt=PGT-A&targetService=imap%3A%2F%2Fmail".to_owned(),
                ProxyFault::UnauthorizedService,
            ),
        ] {
            assert_eq!(read(&query), Err(fault), "{query}");
        }
    }

    /// [P07] Whatever is sent as a ticket, it is read or it is not.
    #[test]
    fn odd_tickets_are_no_tickets() {
        let mut odd = Odd(17);
        let (granting, ticket) = tickets(2);
        for _ in 0..20_000 {
            let bytes = odd.bytes(140, &granting.to_bytes());
            if let Some(read) = Granting::from_bytes(&bytes) {
                assert_eq!(read.to_bytes(), bytes);
            }
            let bytes = odd.bytes(140, &ticket.to_bytes());
            if let Some(read) = ProxyTicket::from_bytes(&bytes) {
                assert_eq!(read.to_bytes(), bytes);
            }
            let text = String::from_utf8_lossy(&odd.bytes(300, b"PGT-A7=")).into_owned();
            if let Some(sealed) = Granting::sealed(&text) {
                assert_eq!(Granting::text(&sealed), text);
            }
        }
    }
}
