//! Service tickets: what is in one, and how it looks in an address.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE32_NOPAD;

use super::Named;

/// Longest text of a ticket that is looked at, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 256;
/// With what a service ticket begins.
const PREFIX: &str = "ST-";
/// Bytes of a ticket before it is sealed.
const BYTES: usize = 16 + 32 + 32 + 8 + 1;

/// What a service ticket stands for. It travels sealed: applications see letters and digits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ticket {
    /// By which it is used up; drawn by chance, and sealed with the rest.
    // [CAS §3.1.1] "Service tickets MUST contain adequate secure random data so that a ticket is not guessable."
    pub id: [u8; 16],
    /// The key of the session it comes from.
    pub session: [u8; 32],
    /// SHA-256 of the address it was made for.
    pub service: [u8; 32],
    /// Until when it is good, in unix seconds.
    pub until: i64,
    /// Somebody typed their password for it.
    pub fresh: bool,
}

impl Ticket {
    /// How long a ticket lives, in seconds.
    pub const LIFETIME_S: i64 = 60;

    /// Its bytes, to be sealed. Short, because clients need not take more than 256 characters.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(self.id);
        bytes.extend(self.session);
        bytes.extend(self.service);
        bytes.extend(self.until.to_be_bytes());
        bytes.push(u8::from(self.fresh));
        bytes
    }

    /// Reads what [`Ticket::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (session, rest) = rest.split_first_chunk()?;
        let (service, rest) = rest.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let fresh = match rest {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        Some(Self {
            id: *id,
            session: *session,
            service: *service,
            until: i64::from_be_bytes(*until),
            fresh,
        })
    }

    /// Whether it was made for this address, character by character.
    #[must_use]
    pub fn is_for(&self, service: &Named) -> bool {
        self.service == service.hash()
    }

    /// The text of a sealed ticket.
    #[must_use]
    pub fn text(sealed: &[u8]) -> String {
        // [CAS §3.1.1] "Service tickets MUST begin with the characters, `ST-`."
        // [CAS §3.7] "all CAS tickets and the value of the ticket-granting cookie MUST contain only characters from the set `{A-Z, a-z, 0-9}`, and the hyphen character `-`."
        format!("{PREFIX}{}", BASE32_NOPAD.encode(sealed))
    }

    /// The sealed bytes in a text; none if it is no service ticket.
    #[must_use]
    pub fn sealed(text: &str) -> Option<Vec<u8>> {
        let letters = text.strip_prefix(PREFIX)?;
        let short = text.len() <= TEXT_BYTES_MAX;
        let sealed = BASE32_NOPAD.decode(letters.as_bytes()).ok();
        sealed.filter(|_| short)
    }
}

impl Named {
    /// What a [`Ticket`] remembers of it: SHA-256 of the text.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        let digest = digest(&SHA256, self.as_str().as_bytes());
        for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Odd;

    fn ticket() -> Ticket {
        let service = Named::parse("https://moodle.example.ch/?a=1").unwrap();
        Ticket {
            id: [1; 16],
            session: [2; 32],
            service: service.hash(),
            until: 1_800_000_000,
            fresh: true,
        }
    }

    /// [CAS §3.1.1] "Service tickets MUST begin with the characters, `ST-`."
    /// [CAS §3.7] "all CAS tickets and the value of the ticket-granting cookie MUST contain only characters from the set `{A-Z, a-z, 0-9}`, and the hyphen character `-`."
    #[test]
    fn a_ticket_is_letters_digits_and_a_hyphen_and_not_too_long() {
        let bytes = ticket().to_bytes();
        assert_eq!(Ticket::from_bytes(&bytes), Some(ticket()));
        // Sealing adds a key number, a nonce and a tag.
        let sealed = [vec![0xa5; 29], bytes].concat();
        let text = Ticket::text(&sealed);
        assert!(
            text.starts_with("ST-") && text.len() <= 256,
            "{}",
            text.len()
        );
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert!(text.bytes().all(plain));
        assert_eq!(Ticket::sealed(&text), Some(sealed));
    }

    /// [P07] Whatever is sent as a ticket, it is read or it is not.
    #[test]
    fn odd_tickets_are_no_tickets() {
        let mut odd = Odd(7);
        for _ in 0..20_000 {
            let bytes = odd.bytes(100, &ticket().to_bytes());
            assert!(Ticket::from_bytes(&bytes).is_none() || bytes.len() == BYTES);
            let text = String::from_utf8_lossy(&odd.bytes(300, b"ST-A7=")).into_owned();
            if let Some(sealed) = Ticket::sealed(&text) {
                assert_eq!(Ticket::text(&sealed), text);
            }
        }
        assert_eq!(Ticket::sealed("PT-AAAA"), None);
    }

    #[test]
    fn a_ticket_is_for_one_address_to_the_letter() {
        let is_for = |text| ticket().is_for(&Named::parse(text).unwrap());
        assert!(is_for("https://moodle.example.ch/?a=1"));
        assert!(!is_for("https://moodle.example.ch/?a=2"));
        assert!(!is_for("https://moodle.example.ch/"));
    }
}
