//! The back door: an application has a ticket explained.

use serde_json::{Map, Value, json};

use super::{BOUNDS, Fault, Named, ProxyFault, login::is_set, proxy::PREFIX, time::utc};
use crate::form::Fields;

/// What an application wants explained.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Validate {
    /// The address it says it has the ticket from.
    pub service: Named,
    /// The ticket's text.
    pub ticket: String,
    /// Only a ticket for which a password was typed will do.
    pub renew: bool,
    /// Where it wants a proxy-granting ticket, if it wants one.
    pub callback: Option<String>,
    /// How it wants the answer.
    pub format: Format,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// As XML.
    #[default]
    Xml,
    /// As JSON.
    Json,
}

impl Format {
    /// The media type of such an answer.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/xml; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

impl Validate {
    /// Reads the query of a validation. In which form the answer is wanted is known even if there is a
    /// fault.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn parse(raw: &[u8]) -> Result<Self, (Fault, Format)> {
        // [CAS §2.5] "`/serviceValidate` MUST NOT return a successful authentication if it receives a proxy ticket."
        let asked = Self::parse_proxied(raw)?;
        match asked.ticket.starts_with("ST-") {
            true => Ok(asked),
            false => Err((Fault::TicketSpec, asked.format)),
        }
    }

    /// The same where proxy tickets are explained as well.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn parse_proxied(raw: &[u8]) -> Result<Self, (Fault, Format)> {
        let wrong = |fault| (fault, Format::Xml);
        let fields = Fields::read(raw, BOUNDS).map_err(|_| wrong(Fault::InvalidRequest))?;
        let once = fields.each_once();
        once.map_err(|_| wrong(Fault::InvalidRequest))?;
        let text = |name| fields.one(name).ok().flatten();
        // [CAS §2.5.1] "If the parameter value is not supported by the CAS server, an error code MUST be returned as is described in section 2.5.3."
        let format = match text("format") {
            None => Format::Xml,
            Some(format) if format.eq_ignore_ascii_case("xml") => Format::Xml,
            Some(format) if format.eq_ignore_ascii_case("json") => Format::Json,
            Some(_) => return Err(wrong(Fault::UnknownFormat)),
        };
        let (Some(service), Some(ticket)) = (text("service"), text("ticket")) else {
            return Err((Fault::InvalidRequest, format));
        };
        // [CAS §2.6] "`/proxyValidate` MUST be capable of validating both service tickets and proxy tickets."
        if !ticket.starts_with("ST-") && !ticket.starts_with(PREFIX) {
            return Err((Fault::TicketSpec, format));
        }
        let service = Named::parse(service).ok_or((Fault::InvalidService, format))?;
        Ok(Self {
            service,
            ticket: ticket.to_owned(),
            renew: is_set(&fields, "renew"),
            callback: text("pgtUrl").map(str::to_owned),
            format,
        })
    }
}

/// Who a ticket is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Success {
    /// The name by which the application knows the person.
    pub user: String,
    /// When they last proved something, in unix seconds.
    pub authenticated_at: i64,
    /// Whether they typed their password for this very ticket.
    pub is_from_new_login: bool,
    /// What was proven, by its URI.
    pub authn_context: &'static str,
    /// What else is released, each with its values.
    pub released: Vec<(&'static str, Vec<String>)>,
    /// The note about the proxy-granting ticket that the application got.
    pub granting: Option<String>,
    /// The callback addresses of the applications that act for the person, the most recent first.
    // [CAS §2.6.2] "The most recently-visited proxy MUST be the first proxy listed, and all the other proxies MUST be shifted down as new proxies are added."
    pub proxies: Vec<String>,
}

impl Success {
    /// The answer of CAS 3.0, with attributes.
    #[must_use]
    pub fn with_attributes(&self, format: Format) -> String {
        match format {
            Format::Xml => self.xml(&self.attributes()),
            Format::Json => self.json(true),
        }
    }

    /// The answer of CAS 2.0: the name and nothing else.
    #[must_use]
    pub fn without_attributes(&self, format: Format) -> String {
        match format {
            Format::Xml => self.xml(&[]),
            Format::Json => self.json(false),
        }
    }

    /// All attributes in the order of the schema.
    pub(super) fn attributes(&self) -> Vec<(&'static str, Vec<String>)> {
        let mut all = vec![
            ("authenticationDate", vec![utc(self.authenticated_at)]),
            // [CAS §4.1.3] "In serviceValidate XML responses, a Remember-Me login MUST be indicated": there is none.
            (
                "longTermAuthenticationRequestTokenUsed",
                vec![false.to_string()],
            ),
            ("isFromNewLogin", vec![self.is_from_new_login.to_string()]),
            ("authnContextClass", vec![self.authn_context.to_owned()]),
        ];
        all.extend(self.released.iter().cloned());
        all
    }

    /// In the order of the schema.
    fn xml(&self, attributes: &[(&str, Vec<String>)]) -> String {
        let element =
            |name: &str, text: &str| format!("<cas:{name}>{}</cas:{name}>", escaped(text));
        let mut inside = element("user", &self.user);
        if !attributes.is_empty() {
            inside.push_str("<cas:attributes>");
            for (name, values) in attributes {
                inside.extend(values.iter().map(|value| element(name, value)));
            }
            inside.push_str("</cas:attributes>");
        }
        if let Some(granting) = &self.granting {
            inside.push_str(&element("proxyGrantingTicket", granting));
        }
        if !self.proxies.is_empty() {
            inside.push_str("<cas:proxies>");
            inside.extend(self.proxies.iter().map(|proxy| element("proxy", proxy)));
            inside.push_str("</cas:proxies>");
        }
        envelope(&format!(
            "<cas:authenticationSuccess>{inside}</cas:authenticationSuccess>"
        ))
    }

    fn json(&self, with_attributes: bool) -> String {
        let mut success = Map::new();
        success.insert("user".to_owned(), self.user.as_str().into());
        if with_attributes {
            let value = |values: Vec<String>| match values.as_slice() {
                [one] if one == "true" || one == "false" => Value::Bool(one == "true"),
                _ => Value::from(values),
            };
            let all = self.attributes().into_iter();
            let all: Map<_, _> = all
                .map(|(name, values)| (name.to_owned(), value(values)))
                .collect();
            success.insert("attributes".to_owned(), all.into());
        }
        if let Some(granting) = &self.granting {
            success.insert("proxyGrantingTicket".to_owned(), granting.as_str().into());
        }
        if !self.proxies.is_empty() {
            success.insert("proxies".to_owned(), self.proxies.clone().into());
        }
        json!({"serviceResponse": {"authenticationSuccess": success}}).to_string()
    }
}

/// The answer of CAS 1.0 to a good ticket. The name is on the second line, where its clients read it.
#[must_use]
pub fn yes(success: &Success) -> String {
    let name: String = success.user.chars().filter(|c| !c.is_control()).collect();
    format!("yes\n{name}\n")
}

/// The answer of CAS 1.0 to any other.
#[must_use]
pub const fn no() -> &'static str {
    "no\n"
}

/// The answer to a ticket that is not explained.
#[must_use]
pub fn refused(fault: Fault, format: Format) -> String {
    let row = fault.row();
    match format {
        Format::Xml => envelope(&format!(
            "<cas:authenticationFailure code=\"{}\">{}</cas:authenticationFailure>",
            row.code, row.description
        )),
        Format::Json => failure_json(row.code, row.description),
    }
}

/// The answer to a service that gets a proxy ticket.
#[must_use]
pub fn proxied(ticket: &str) -> String {
    let ticket = escaped(ticket);
    envelope(&format!(
        "<cas:proxySuccess><cas:proxyTicket>{ticket}</cas:proxyTicket></cas:proxySuccess>"
    ))
}

/// The answer to a service that gets none.
#[must_use]
pub fn proxy_refused(fault: ProxyFault) -> String {
    let row = fault.row();
    envelope(&format!(
        "<cas:proxyFailure code=\"{}\">{}</cas:proxyFailure>",
        row.code, row.description
    ))
}

fn failure_json(code: &str, description: &str) -> String {
    let failure = json!({"code": code, "description": description});
    json!({"serviceResponse": {"authenticationFailure": failure}}).to_string()
}

fn envelope(inside: &str) -> String {
    format!(
        "<cas:serviceResponse xmlns:cas=\"http://www.yale.edu/tp/cas\">{inside}</cas:serviceResponse>\n"
    )
}

/// Text as XML may have it, in an element or an attribute. Characters that XML cannot have are left out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOODLE: &str = "service=https%3A%2F%2Fmoodle.example.ch%2F";

    fn parsed(rest: &str) -> Result<Validate, (Fault, Format)> {
        Validate::parse(format!("{MOODLE}&{rest}").as_bytes())
    }

    fn chloe() -> Success {
        Success {
            user: "chloé<&>".to_owned(),
            authenticated_at: 1_786_946_100,
            is_from_new_login: true,
            authn_context: "https://refeds.org/profile/sfa",
            released: vec![
                ("displayName", vec!["Chloé \"Z\" O'Neil \u{1}".to_owned()]),
                ("groups", vec!["a".to_owned(), "b".to_owned()]),
            ],
            granting: None,
            proxies: Vec::new(),
        }
    }

    #[test]
    fn a_validation_is_read() {
        let asked = parsed("ticket=ST-1&renew=true&format=JSON").unwrap();
        assert_eq!(asked.service.as_str(), "https://moodle.example.ch/");
        assert!(asked.renew && asked.format == Format::Json && asked.ticket == "ST-1");
    }

    /// [CAS §2.5.1] "If the parameter value is not supported by the CAS server, an error code MUST be returned as is described in section 2.5.3."
    /// [CAS §2.5] "`/serviceValidate` MUST NOT return a successful authentication if it receives a proxy ticket."
    #[test]
    fn what_cannot_be_answered_has_the_code_of_the_protocol() {
        for (rest, code) in [
            ("", "INVALID_REQUEST"),
            ("ticket=ST-1&ticket=ST-1", "INVALID_REQUEST"),
            ("ticket=ST-1&format=yaml", "INVALID_REQUEST"),
            ("ticket=PT-1", "INVALID_TICKET_SPEC"),
            ("ticket=PGT-1", "INVALID_TICKET_SPEC"),
        ] {
            assert_eq!(
                parsed(rest).map_err(|(fault, _)| fault.row().code),
                Err(code),
                "{rest}"
            );
        }
        let odd = Validate::parse(b"service=x&ticket=ST-1&format=json");
        assert_eq!(odd, Err((Fault::InvalidService, Format::Json)));
        for fault in Fault::ALL {
            let xml = refused(*fault, Format::Xml);
            let document = roxmltree::Document::parse(&xml).unwrap();
            let failure = document.root_element().first_element_child().unwrap();
            assert_eq!(failure.attribute("code"), Some(fault.row().code));
            let json: Value = serde_json::from_str(&refused(*fault, Format::Json)).unwrap();
            let failure = &json["serviceResponse"]["authenticationFailure"];
            assert_eq!(failure["code"], fault.row().code);
        }
        for fault in ProxyFault::ALL {
            assert!(proxy_refused(*fault).contains(fault.row().code));
        }
    }

    /// [CAS §2.6] "`/proxyValidate` MUST be capable of validating both service tickets and proxy tickets."
    #[test]
    fn a_proxy_ticket_is_read_where_proxy_tickets_are_explained() {
        let read = |rest: &str| Validate::parse_proxied(format!("{MOODLE}&{rest}").as_bytes());
        let callback = "pgtUrl=https%3A%2F%2Fmoodle.example.ch%2Fcb";
        let asked = read(&format!("ticket=PT-1&{callback}")).unwrap();
        let expected = Some("https://moodle.example.ch/cb");
        assert_eq!(asked.callback.as_deref(), expected);
        assert!(read("ticket=ST-1").is_ok());
        assert_eq!(read("ticket=PGT-1"), Err((Fault::TicketSpec, Format::Xml)));
    }

    /// [CAS §2.6.2] "The most recently-visited proxy MUST be the first proxy listed, and all the other proxies MUST be shifted down as new proxies are added."
    #[test]
    fn who_acts_stands_in_the_answer_the_last_one_first() {
        let acted = Success {
            granting: Some("PGTIOU-A".to_owned()),
            proxies: vec![
                "https://b.example/cb?x&y".to_owned(),
                "https://a.example/".to_owned(),
            ],
            ..chloe()
        };
        for xml in [
            acted.with_attributes(Format::Xml),
            acted.without_attributes(Format::Xml),
        ] {
            let document = roxmltree::Document::parse(&xml).unwrap();
            let texts = |name: &str| -> Vec<String> {
                let all = document.descendants();
                let named = all.filter(|node| node.tag_name().name() == name);
                named
                    .filter_map(|node| node.text().map(str::to_owned))
                    .collect()
            };
            assert_eq!(texts("proxy"), acted.proxies);
            assert_eq!(texts("proxyGrantingTicket"), ["PGTIOU-A"]);
        }
        let json: Value = serde_json::from_str(&acted.with_attributes(Format::Json)).unwrap();
        let success = &json["serviceResponse"]["authenticationSuccess"];
        assert_eq!(success["proxyGrantingTicket"], "PGTIOU-A");
        assert_eq!(success["proxies"], json!(acted.proxies));
        let ticket = proxied("PT-1");
        let document = roxmltree::Document::parse(&ticket).unwrap();
        let found = document.descendants().find_map(|node| node.text());
        assert_eq!(found, Some("PT-1"));
    }

    /// [P08] [CAS §2.8] "additionally return user attributes in the CAS response."
    #[test]
    fn an_answer_is_xml_whatever_people_are_called() {
        let xml = chloe().with_attributes(Format::Xml);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let all = |name: &str| -> Vec<&str> {
            let elements = document
                .descendants()
                .filter(|node| node.tag_name().name() == name);
            elements.filter_map(|node| node.text()).collect()
        };
        assert_eq!(all("user"), ["chloé<&>"]);
        assert_eq!(all("displayName"), ["Chloé \"Z\" O'Neil "]);
        assert_eq!(all("groups"), ["a", "b"]);
        assert_eq!(all("authenticationDate"), ["2026-08-17T05:55:00Z"]);
        assert_eq!(all("isFromNewLogin"), ["true"]);
        assert_eq!(all("longTermAuthenticationRequestTokenUsed"), ["false"]);
        let space = document.root_element().tag_name().namespace();
        assert_eq!(space, Some("http://www.yale.edu/tp/cas"));
        assert!(
            !chloe()
                .without_attributes(Format::Xml)
                .contains("displayName")
        );
    }

    #[test]
    fn the_same_in_json() {
        let json: Value = serde_json::from_str(&chloe().with_attributes(Format::Json)).unwrap();
        let success = &json["serviceResponse"]["authenticationSuccess"];
        assert_eq!(success["user"], "chloé<&>");
        assert_eq!(success["attributes"]["groups"], json!(["a", "b"]));
        assert_eq!(success["attributes"]["isFromNewLogin"], true);
        let bare: Value = serde_json::from_str(&chloe().without_attributes(Format::Json)).unwrap();
        assert_eq!(
            bare["serviceResponse"]["authenticationSuccess"],
            json!({"user": "chloé<&>"})
        );
    }

    /// [P08] A name cannot make a second line.
    #[test]
    fn the_first_protocol_says_yes_or_no() {
        let evil = Success {
            user: "a\nyes\nb".to_owned(),
            ..chloe()
        };
        assert_eq!(yes(&evil), "yes\nayesb\n");
        assert_eq!(no(), "no\n");
    }
}
