//! SOAP 1.1 as far as SAML needs it: an envelope with headers and exactly one element in its body, read and
//! written. It knows no message; whoever reads one names the bounds.

use super::xml::{Element, Space, Writer, XmlError};

/// SOAP 1.1 envelopes.
pub(crate) const SOAP: Space = Space {
    prefix: "S",
    uri: "http://schemas.xmlsoap.org/soap/envelope/",
};
/// The name of the binding of SAML to it.
pub const BINDING: &str = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP";
/// What an envelope is sent as.
pub const MEDIA_TYPE: &str = "text/xml; charset=utf-8";
/// More headers than this are no conversation about a person.
const HEADERS_MAX: usize = 16;

/// An envelope as it came. Nothing in it is believed.
#[derive(Clone, Debug)]
pub(crate) struct Envelope<'a, 'i> {
    /// The elements directly inside `Header`, in their order; none without one.
    pub(crate) headers: Vec<Element<'a, 'i>>,
    /// The only element directly inside `Body`.
    pub(crate) body: Element<'a, 'i>,
}

impl<'a, 'i> Envelope<'a, 'i> {
    /// Takes an envelope apart. `root` is the root of a tree that was read within bounds.
    ///
    /// # Errors
    /// [`XmlError::Wrong`] with the name of what is not as SOAP and the binding want it.
    pub(crate) fn of(root: Element<'a, 'i>) -> Result<Self, XmlError> {
        if !root.is(&SOAP, "Envelope") {
            return Err(XmlError::Wrong("Envelope"));
        }
        let header = root.one(&SOAP, "Header")?;
        let body = root.the(&SOAP, "Body")?;
        // The header comes first, and nothing else hides beside the two (SOAP 1.1, 4).
        let mut inside = root.elements();
        if header.is_some() && inside.next() != header {
            return Err(XmlError::Wrong("Header"));
        }
        if inside.next() != Some(body) || inside.next().is_some() {
            return Err(XmlError::Wrong("Body"));
        }
        let headers: Vec<_> = header
            .into_iter()
            .flat_map(Element::elements)
            .take(HEADERS_MAX + 1)
            .collect();
        if headers.len() > HEADERS_MAX {
            return Err(XmlError::TooMuch);
        }
        // Bindings 3.2.2.1: one message, and nothing beside it.
        let mut inside = body.elements();
        match (inside.next(), inside.next()) {
            (Some(body), None) => Ok(Self { headers, body }),
            _ => Err(XmlError::Wrong("Body")),
        }
    }

    /// Whether a header must be understood by whoever gets this (SOAP 1.1, 4.2.3).
    pub(crate) fn must_be_understood(header: Element<'_, '_>) -> bool {
        let flag = header.node().attribute((SOAP.uri, "mustUnderstand"));
        // Whoever writes it in another way wants it understood, too.
        flag.is_some_and(|flag| flag.trim() != "0")
    }
}

/// An envelope around a body that a [`Writer`] wrote. `headers` writes the headers; where it writes none there is
/// no `Header`. Their attributes may be `S:mustUnderstand` and `S:actor`.
pub(crate) fn envelope(headers: impl FnOnce(&mut Writer), body: &str) -> String {
    let mut writer = Writer::new();
    writer
        .open(&SOAP, "Envelope", &[])
        .open(&SOAP, "Header", &[]);
    let empty = writer.here();
    headers(&mut writer);
    if writer.here() == empty {
        writer = Writer::new();
        writer.open(&SOAP, "Envelope", &[]);
    } else {
        writer.close();
    }
    writer.open(&SOAP, "Body", &[]).raw(body);
    writer.finish()
}

/// Whose fault it is that a message cannot be answered (SOAP 1.1, 4.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blame {
    /// The message is not what it must be.
    Client,
    /// A header that must be understood is not.
    MustUnderstand,
}

/// The envelope that says why there is no answer. `text` is one sentence for a developer.
#[must_use]
pub fn fault(blame: Blame, text: &str) -> String {
    let code = match blame {
        Blame::Client => "S:Client",
        Blame::MustUnderstand => "S:MustUnderstand",
    };
    let mut writer = Writer::new();
    writer
        .open(&SOAP, "Envelope", &[])
        .open(&SOAP, "Body", &[])
        .open(&SOAP, "Fault", &[]);
    // The parts of a fault have no namespace (SOAP 1.1, 4.4), which the writer does not write.
    writer.raw("<faultcode>").text(code).raw("</faultcode>");
    writer.raw("<faultstring>").text(text).raw("</faultstring>");
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::super::xml::{Bounds, SAML, SAMLP, Tree};
    use super::*;

    const S: &str = "xmlns:S='http://schemas.xmlsoap.org/soap/envelope/'";

    fn read(text: &str) -> Result<(usize, String), XmlError> {
        let tree = Tree::read(text, &Bounds::MESSAGE)?;
        let envelope = Envelope::of(tree.root())?;
        Ok((envelope.headers.len(), envelope.body.text()?))
    }

    #[test]
    fn what_is_written_is_read() {
        let mut body = Writer::new();
        body.leaf(&SAMLP, "Response", &[("ID", "_1")], "x<y");
        let written = envelope(
            |headers| {
                let attributes = [("S:mustUnderstand", "1"), ("S:actor", "a")];
                headers.leaf(&SAML, "Issuer", &attributes, "a");
                headers.leaf(&SAML, "Issuer", &[("S:mustUnderstand", "0")], "b");
                headers.leaf(&SAML, "Issuer", &[], "c");
            },
            &body.finish(),
        );
        let tree = Tree::read(&written, &Bounds::MESSAGE).unwrap();
        let read = Envelope::of(tree.root()).unwrap();
        let flags = read.headers.iter().copied();
        let flags: Vec<_> = flags.map(Envelope::must_be_understood).collect();
        assert_eq!(flags, [true, false, false]);
        assert!(read.body.is(&SAMLP, "Response"));
        let bare = envelope(|_| (), "<a/>");
        assert!(!bare.contains("Header"), "{bare}");
    }

    #[test]
    fn a_fault_is_an_envelope_with_a_code() {
        let text = fault(Blame::MustUnderstand, "a < b");
        let tree = Tree::read(&text, &Bounds::MESSAGE).unwrap();
        let envelope = Envelope::of(tree.root()).unwrap();
        assert!(envelope.body.is(&SOAP, "Fault"));
        let said = envelope.body.elements().map(|one| one.text().unwrap());
        assert_eq!(said.collect::<Vec<_>>(), ["S:MustUnderstand", "a < b"]);
    }

    #[test]
    fn an_envelope_holds_one_message() {
        let good = format!("<S:Envelope {S}><S:Header/><S:Body><a>x</a></S:Body></S:Envelope>");
        assert_eq!(read(&good), Ok((0, "x".to_owned())));
        for (from, to) in [
            ("<a>x</a>", ""),
            ("<a>x</a>", "<a>x</a><a>y</a>"),
            ("<S:Header/>", "<S:Header/><S:Header/>"),
            ("<S:Header/>", "<a/>"),
            ("<S:Header/>", "<S:Body><a>z</a></S:Body>"),
            ("</S:Body>", "</S:Body><a/>"),
            ("</S:Body>", "</S:Body><S:Header/>"),
            ("S:Body", "S:Leib"),
            ("S:Envelope", "S:Brief"),
            (S, "xmlns:S='http://www.w3.org/2003/05/soap-envelope'"),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert!(read(&bad).is_err(), "{bad}");
        }
        let headers = format!("<S:Header>{}</S:Header>", "<b/>".repeat(HEADERS_MAX + 1));
        let many = good.replace("<S:Header/>", &headers);
        assert_eq!(read(&many), Err(XmlError::TooMuch));
    }
}
