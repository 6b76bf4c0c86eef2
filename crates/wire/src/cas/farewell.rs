//! Single logout: what an application is told when the session ends from which it had a ticket.

use form_urlencoded::Serializer;

use super::{time::utc, validate::escaped};

/// The form that is posted to the address for which a ticket was made. `id` is fresh, and begins with a
/// letter or `_`; `now` is in unix seconds.
#[must_use]
pub fn farewell(ticket: &str, id: &str, now: i64) -> String {
    // [CAS §2.3.3] "If SLO is supported by the CAS Server, the CAS Server MUST send a HTTP POST request containing a logout XML document (see Appendix C) to all service URLs provided to CAS during this CAS session whenever a Ticket Granting Ticket is explicitly expired by the user (e.g. during logout)."
    let document = format!(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"{}\" Version=\"2.0\" \
         IssueInstant=\"{}\"><saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">@NOT_USED@</saml:NameID>\
         <samlp:SessionIndex>{}</samlp:SessionIndex></samlp:LogoutRequest>",
        escaped(id),
        utc(now),
        escaped(ticket),
    );
    let mut form = Serializer::new(String::new());
    form.append_pair("logoutRequest", &document);
    form.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [CAS §2.3.3] "If SLO is supported by the CAS Server, the CAS Server MUST send a HTTP POST request containing a logout XML document (see Appendix C) to all service URLs provided to CAS during this CAS session whenever a Ticket Granting Ticket is explicitly expired by the user (e.g. during logout)."
    #[test]
    fn an_application_is_told_which_ticket_is_over() {
        let form = farewell("ST-AAAA", "_1", 1_786_946_100);
        let mut pairs = form_urlencoded::parse(form.as_bytes());
        let (name, document) = pairs.next().unwrap();
        assert_eq!((name.as_ref(), pairs.next()), ("logoutRequest", None));
        let document = roxmltree::Document::parse(&document).unwrap();
        let root = document.root_element();
        assert_eq!(root.attribute("IssueInstant"), Some("2026-08-17T05:55:00Z"));
        let index = root.last_element_child().unwrap();
        assert_eq!(
            (index.tag_name().name(), index.text()),
            ("SessionIndex", Some("ST-AAAA"))
        );
    }
}
