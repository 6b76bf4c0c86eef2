//! `/cas/samlValidate`: a ticket explained in SAML 1.1, as older clients ask for it.

use roxmltree::{Document, ParsingOptions};

use super::{Fault, Named, Success, Ticket, time::utc, validate::escaped};
use crate::form::Fields;

/// Longest envelope that is read, in bytes.
const BYTES_MAX: usize = 8 * 1024;
/// More nodes than this are no question.
const NODES_MAX: u32 = 256;
/// Longest `RequestID` that is repeated, in bytes.
const ID_BYTES_MAX: usize = 128;
/// The namespace of questions and answers.
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:1.0:protocol";
/// The namespace of what is said about somebody.
const ASSERTION: &str = "urn:oasis:names:tc:SAML:1.0:assertion";

/// A question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The address it says it has the ticket from.
    pub service: Named,
    /// The ticket's text.
    pub ticket: String,
    /// The number of the question, to be repeated.
    pub request_id: Option<String>,
}

impl Asked {
    /// Reads the query and the envelope.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn parse(query: &[u8], body: &[u8]) -> Result<Self, Fault> {
        let fields = Fields::read(query, super::BOUNDS).map_err(|_| Fault::InvalidRequest)?;
        fields.each_once().map_err(|_| Fault::InvalidRequest)?;
        let target = fields.one("TARGET").ok().flatten();
        let target = target.ok_or(Fault::InvalidRequest)?;
        let service = Named::parse(target).ok_or(Fault::InvalidService)?;
        let text = std::str::from_utf8(body).map_err(|_| Fault::InvalidRequest)?;
        if text.len() > BYTES_MAX {
            return Err(Fault::InvalidRequest);
        }
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: NODES_MAX,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(text.trim_start(), options);
        let document = document.map_err(|_| Fault::InvalidRequest)?;
        let named = |name| {
            let mut all = document
                .descendants()
                .filter(move |node| node.has_tag_name((PROTOCOL, name)));
            // One question, one ticket: two could be read differently by two programs.
            all.next().filter(|_| all.next().is_none())
        };
        let request = named("Request").ok_or(Fault::InvalidRequest)?;
        let artifact = named("AssertionArtifact").ok_or(Fault::InvalidRequest)?;
        let ticket = artifact.text().unwrap_or_default().trim();
        if artifact.parent() != Some(request) || artifact.children().count() != 1 {
            return Err(Fault::InvalidRequest);
        }
        if Ticket::sealed(ticket).is_none() {
            return Err(Fault::TicketSpec);
        }
        let request_id = request.attribute("RequestID").map(str::to_owned);
        Ok(Self {
            service,
            ticket: ticket.to_owned(),
            request_id: request_id.filter(|id| id.len() <= ID_BYTES_MAX),
        })
    }
}

/// What surrounds an answer.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Who answers.
    pub issuer: &'a str,
    /// When, in unix seconds.
    pub now: i64,
    /// Two fresh ids, as XML wants them: they begin with a letter or `_`.
    pub ids: [&'a str; 2],
}

/// Longest time an assertion counts, in seconds.
const VALID_S: i64 = 30;

/// The answer to a good ticket.
// [CAS §4.2] "A SAML (Secure Access Markup Language)7 1.1 response document MUST be returned."
#[must_use]
pub fn answer(asked: &Asked, success: &Success, around: &Around<'_>) -> String {
    let [_, assertion_id] = around.ids;
    let (now, until) = (utc(around.now), utc(around.now.saturating_add(VALID_S)));
    let subject = format!(
        "<saml:Subject><saml:NameIdentifier>{}</saml:NameIdentifier><saml:SubjectConfirmation>\
         <saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:artifact</saml:ConfirmationMethod>\
         </saml:SubjectConfirmation></saml:Subject>",
        escaped(&success.user)
    );
    let mut attributes = String::new();
    for (name, values) in success.attributes() {
        attributes.push_str(&format!(
            "<saml:Attribute AttributeName=\"{name}\" AttributeNamespace=\"http://www.ja-sig.org/products/cas/\">"
        ));
        for value in values {
            let value = escaped(&value);
            attributes.push_str(&format!(
                "<saml:AttributeValue>{value}</saml:AttributeValue>"
            ));
        }
        attributes.push_str("</saml:Attribute>");
    }
    let inside = format!(
        "<saml:Assertion xmlns:saml=\"{ASSERTION}\" AssertionID=\"{}\" IssueInstant=\"{now}\" Issuer=\"{}\" \
         MajorVersion=\"1\" MinorVersion=\"1\">\
         <saml:Conditions NotBefore=\"{now}\" NotOnOrAfter=\"{until}\"><saml:AudienceRestrictionCondition>\
         <saml:Audience>{}</saml:Audience></saml:AudienceRestrictionCondition></saml:Conditions>\
         <saml:AuthenticationStatement AuthenticationInstant=\"{}\" \
         AuthenticationMethod=\"urn:oasis:names:tc:SAML:1.0:am:unspecified\">{subject}\
         </saml:AuthenticationStatement>\
         <saml:AttributeStatement>{subject}{attributes}</saml:AttributeStatement></saml:Assertion>",
        escaped(assertion_id),
        escaped(around.issuer),
        escaped(asked.service.as_str()),
        utc(success.authenticated_at),
    );
    let mut attributes = format!(" Recipient=\"{}\"", escaped(asked.service.as_str()));
    if let Some(id) = &asked.request_id {
        attributes.push_str(&format!(" InResponseTo=\"{}\"", escaped(id)));
    }
    envelope(
        &attributes,
        around,
        "<samlp:StatusCode Value=\"samlp:Success\"/>",
        &inside,
    )
}

/// The answer to any other.
#[must_use]
pub fn refused(fault: Fault, around: &Around<'_>) -> String {
    let row = fault.row();
    let status = format!(
        "<samlp:StatusCode Value=\"samlp:Requester\"/>\
         <samlp:StatusMessage>{}: {}</samlp:StatusMessage>",
        row.code,
        escaped(row.description)
    );
    envelope("", around, &status, "")
}

fn envelope(attributes: &str, around: &Around<'_>, status: &str, inside: &str) -> String {
    let [id, _] = around.ids;
    format!(
        "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body>\
         <samlp:Response xmlns:samlp=\"{PROTOCOL}\" IssueInstant=\"{}\" MajorVersion=\"1\" MinorVersion=\"1\" \
         ResponseID=\"{}\"{attributes}><samlp:Status>{status}</samlp:Status>{inside}</samlp:Response>\
         </SOAP-ENV:Body></SOAP-ENV:Envelope>\n",
        utc(around.now),
        escaped(id),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, Odd};

    const TARGET: &[u8] = b"TARGET=https%3A%2F%2Fmoodle.example.ch%2F";
    const AROUND: Around<'_> = Around {
        issuer: "https://id.example",
        now: NOW,
        ids: ["_1", "_2"],
    };

    fn question(ticket: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\">\
             <SOAP-ENV:Header/><SOAP-ENV:Body><samlp:Request xmlns:samlp=\"{PROTOCOL}\" MajorVersion=\"1\" \
             MinorVersion=\"1\" RequestID=\"_7\" IssueInstant=\"2002-06-19T17:03:44.022Z\">\
             <samlp:AssertionArtifact>{ticket}</samlp:AssertionArtifact></samlp:Request></SOAP-ENV:Body>\
             </SOAP-ENV:Envelope>"
        )
    }

    fn asks(body: &str) -> Result<Asked, Fault> {
        Asked::parse(TARGET, body.as_bytes())
    }

    /// [CAS §4.2] "A SAML (Secure Access Markup Language)7 1.1 response document MUST be returned."
    #[test]
    fn a_question_in_an_envelope_is_answered_in_one() {
        let asked = asks(&question(" ST-AAAA ")).unwrap();
        assert_eq!(asked.ticket, "ST-AAAA");
        assert_eq!(asked.request_id.as_deref(), Some("_7"));
        let success = Success {
            granting: None,
            proxies: Vec::new(),
            user: "a<b".to_owned(),
            authenticated_at: NOW - 5,
            is_from_new_login: false,
            authn_context: "https://refeds.org/profile/mfa",
            released: vec![("displayName", vec!["Chloé & Zoé".to_owned()])],
        };
        let xml = answer(&asked, &success, &AROUND);
        let document = Document::parse(&xml).unwrap();
        let find = |name: &str| {
            let mut all = document
                .descendants()
                .filter(|node| node.tag_name().name() == name);
            all.next().unwrap()
        };
        assert_eq!(find("StatusCode").attribute("Value"), Some("samlp:Success"));
        assert_eq!(find("Response").attribute("InResponseTo"), Some("_7"));
        assert_eq!(find("NameIdentifier").text(), Some("a<b"));
        assert_eq!(find("Audience").text(), Some("https://moodle.example.ch/"));
        assert!(xml.contains("Chloé &amp; Zoé"), "{xml}");
        let refused = refused(Fault::InvalidTicket, &AROUND);
        assert!(Document::parse(&refused).is_ok() && refused.contains("INVALID_TICKET"));
    }

    /// [P07] No document type, no second ticket, no end of nodes.
    #[test]
    fn what_is_no_question_is_refused() {
        let good = question("ST-AAAA");
        let many = "<a/>".repeat(300);
        for bad in [
            String::new(),
            "<a/>".to_owned(),
            good.replace(
                "<?xml version=\"1.0\"?>",
                "<!DOCTYPE a [<!ENTITY b \"c\">]>",
            ),
            good.replace(
                "</samlp:Request>",
                "<samlp:AssertionArtifact>ST-B</samlp:AssertionArtifact></samlp:Request>",
            ),
            good.replace("ST-AAAA", "ST-AA<!---->AA"),
            good.replace("<SOAP-ENV:Header/>", &many),
            good.replace("ST-AAAA", &"A".repeat(9000)),
        ] {
            assert_eq!(asks(&bad), Err(Fault::InvalidRequest), "{bad}");
        }
        assert_eq!(asks(&question("PT-AAAA")), Err(Fault::TicketSpec));
        assert_eq!(
            Asked::parse(b"", good.as_bytes()),
            Err(Fault::InvalidRequest)
        );
        let mut odd = Odd(4);
        for _ in 0..5_000 {
            let _ = asks(&odd.mutated(&good));
        }
    }
}
