//! The back door: an application has a ticket explained.

use serde_json::{Map, Value, json};

use super::{BOUNDS, Fault, Named, ProxyFault, login::is_set, time::utc};
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
        if text("pgtUrl").is_some() {
            return Err((Fault::UnauthorizedServiceProxy, format));
        }
        // [CAS §2.5] "`/serviceValidate` MUST NOT return a successful authentication if it receives a proxy ticket."
        if !ticket.starts_with("ST-") {
            return Err((Fault::TicketSpec, format));
        }
        let service = Named::parse(service).ok_or((Fault::InvalidService, format))?;
        Ok(Self {
            service,
            ticket: ticket.to_owned(),
            renew: is_set(&fields, "renew"),
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
}

impl Success {
    /// The answer of CAS 3.0, with attributes.
    #[must_use]
    pub fn with_attributes(&self, format: Format) -> String {
        match format {
            Format::Xml => success_xml(&self.user, Some(&self.attributes())),
            Format::Json => self.json(true),
        }
    }

    /// The answer of CAS 2.0: the name and nothing else.
    #[must_use]
    pub fn without_attributes(&self, format: Format) -> String {
        match format {
            Format::Xml => success_xml(&self.user, None),
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

/// The answer to a service that wants a proxy ticket.
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

fn success_xml(user: &str, attributes: Option<&[(&str, Vec<String>)]>) -> String {
    let mut inside = format!("<cas:user>{}</cas:user>", escaped(user));
    if let Some(attributes) = attributes {
        inside.push_str("<cas:attributes>");
        for (name, values) in attributes {
            for value in values {
                inside.push_str(&format!("<cas:{name}>{}</cas:{name}>", escaped(value)));
            }
        }
        inside.push_str("</cas:attributes>");
    }
    envelope(&format!(
        "<cas:authenticationSuccess>{inside}</cas:authenticationSuccess>"
    ))
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
            (
                "ticket=ST-1&pgtUrl=https%3A%2F%2Fa.example%2F",
                "UNAUTHORIZED_SERVICE_PROXY",
            ),
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
