//! The only tree: elements whose accessors refuse what is ambiguous.

use std::collections::BTreeSet;

use roxmltree::{Document, Node, ParsingOptions};

use super::{Bounds, Space, XmlError, gate};

/// A parsed document. Its identifiers are unique.
pub(crate) struct Tree<'i>(Document<'i>);

/// An element of a [`Tree`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Element<'a, 'i>(Node<'a, 'i>);

impl<'i> Tree<'i> {
    /// Parses a text that passes the gate.
    ///
    /// # Errors
    /// [`XmlError`].
    pub(crate) fn read(text: &'i str, bounds: &Bounds) -> Result<Self, XmlError> {
        gate::check(text, bounds)?;
        let options = ParsingOptions {
            allow_dtd: false,
            ..ParsingOptions::default()
        };
        let document =
            Document::parse_with_options(text, options).map_err(|_| XmlError::Malformed)?;
        let mut ids: Vec<&str> = document
            .descendants()
            .flat_map(|node| node.attributes())
            .filter(|attribute| attribute.name().eq_ignore_ascii_case("id"))
            .map(|attribute| attribute.value())
            .collect();
        // [C14N §2.1] a relative namespace name means another thing in every document that it stands in.
        // Every element repeats what its surroundings declare; each declaration is looked at once.
        let mut seen = BTreeSet::new();
        let mut names = document
            .descendants()
            .flat_map(|node| node.namespaces())
            .map(|one| one.uri())
            .filter(|uri| seen.insert((uri.as_ptr() as usize, uri.len())));
        if names.any(|uri| !is_absolute(uri)) {
            return Err(XmlError::Malformed);
        }
        ids.sort_unstable();
        if ids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(XmlError::IdTwice);
        }
        Ok(Self(document))
    }

    /// The outermost element.
    pub(crate) fn root(&self) -> Element<'_, 'i> {
        Element(self.0.root_element())
    }

    /// The element with an identifier. Only tests look elements up.
    #[cfg(test)]
    pub(crate) fn with_id(&self, id: &str) -> Element<'_, 'i> {
        let mut all = self.0.descendants();
        Element(all.find(|node| node.attribute("ID") == Some(id)).unwrap())
    }
}

/// No name of a namespace is longer, in bytes.
const NAMESPACE_BYTES_MAX: usize = 256;

/// Whether a namespace name is an absolute URI, or none at all.
fn is_absolute(name: &str) -> bool {
    if name.len() > NAMESPACE_BYTES_MAX {
        return false;
    }
    let (scheme, rest) = name.split_once(':').unwrap_or_default();
    let is_scheme = scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&byte);
    let starts_well = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    name.is_empty() || (starts_well && is_scheme && rest.bytes().all(plain))
}

impl<'a, 'i> Element<'a, 'i> {
    /// The node, for canonicalisation.
    pub(crate) const fn node(self) -> Node<'a, 'i> {
        self.0
    }

    /// Whether it has this name. The prefix does not matter.
    pub(crate) fn is(self, space: &Space, name: &str) -> bool {
        self.0.has_tag_name((space.uri, name))
    }

    /// An attribute without namespace.
    pub(crate) fn attribute(self, name: &str) -> Option<&'a str> {
        self.0.attribute(name)
    }

    /// An attribute that must be there.
    pub(crate) fn needs(self, name: &'static str) -> Result<&'a str, XmlError> {
        self.attribute(name).ok_or(XmlError::Wrong(name))
    }

    /// An attribute of type `xs:boolean`.
    pub(crate) fn flag(self, name: &'static str) -> Result<bool, XmlError> {
        match self.attribute(name).map(str::trim) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(XmlError::Wrong(name)),
        }
    }

    /// The value of `xml:lang`.
    pub(crate) fn language(self) -> Option<&'a str> {
        self.0
            .attribute(("http://www.w3.org/XML/1998/namespace", "lang"))
    }

    /// The elements directly inside.
    pub(crate) fn elements(self) -> impl Iterator<Item = Self> {
        self.0.children().filter(Node::is_element).map(Self)
    }

    /// The elements of a name directly inside.
    pub(crate) fn all(
        self,
        space: &'static Space,
        name: &'static str,
    ) -> impl Iterator<Item = Self> {
        self.elements()
            .filter(move |element| element.is(space, name))
    }

    /// The element of a name directly inside, if there is one; an error if there are several.
    pub(crate) fn one(
        self,
        space: &'static Space,
        name: &'static str,
    ) -> Result<Option<Self>, XmlError> {
        let mut found = self.all(space, name);
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(XmlError::Wrong(name)),
        }
    }

    /// The element of a name directly inside: exactly one.
    pub(crate) fn the(self, space: &'static Space, name: &'static str) -> Result<Self, XmlError> {
        self.one(space, name)?.ok_or(XmlError::Wrong(name))
    }

    /// All of its text, without the white space around it. Comments inside change nothing: the text
    /// around them is one, as it is in the canonical form. An element inside is an error.
    pub(crate) fn text(self) -> Result<String, XmlError> {
        let mut text = String::new();
        for child in self.0.children() {
            if child.is_element() {
                return Err(XmlError::Wrong("text"));
            }
            if child.is_text() {
                text.push_str(child.text().unwrap_or_default());
            }
        }
        Ok(text.trim().to_owned())
    }

    /// Its text as base64, which may have white space anywhere.
    pub(crate) fn base64(self) -> Result<Vec<u8>, XmlError> {
        let mut text = self.text()?;
        text.retain(|letter| !letter.is_ascii_whitespace());
        data_encoding::BASE64
            .decode(text.as_bytes())
            .map_err(|_| XmlError::Wrong("base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::SAML;
    use super::*;

    fn with_tree<T>(text: &str, read: impl FnOnce(Element<'_, '_>) -> T) -> Result<T, XmlError> {
        Tree::read(text, &Bounds::MESSAGE).map(|tree| read(tree.root()))
    }

    /// [X03] A comment, a CDATA section or a character reference inside a name does not cut it.
    #[test]
    fn text_is_read_whole_around_comments_and_cdata() {
        for text in [
            "<a>anna@edu.example<!-- -->.evil.example</a>",
            "<a>anna@edu.example<![CDATA[.evil]]>.example</a>",
            "<a>anna@edu.example&#x2e;evil.<!--x--><!--y-->example</a>",
        ] {
            let read = with_tree(text, |root| root.text()).unwrap();
            assert_eq!(read.unwrap(), "anna@edu.example.evil.example", "{text}");
        }
        assert!(
            with_tree("<a>x<b/>y</a>", |root| root.text())
                .unwrap()
                .is_err()
        );
    }

    /// [X02] Two elements with one identifier leave it open which is meant.
    #[test]
    fn an_identifier_used_twice_is_refused() {
        for text in [
            "<a ID='x'><b ID='x'/></a>",
            "<a ID='x'><b Id='x'/></a>",
            "<a><b xml:id='x'/><b id='x'/></a>",
        ] {
            assert_eq!(with_tree(text, |_| ()), Err(XmlError::IdTwice), "{text}");
        }
        assert_eq!(with_tree("<a ID='x'><b ID='y'/></a>", |_| ()), Ok(()));
    }

    #[test]
    fn an_element_that_is_there_twice_is_not_one_of_them() {
        let two = "<a xmlns='urn:oasis:names:tc:SAML:2.0:assertion'><Issuer/><Issuer/></a>";
        let read = with_tree(two, |root| root.one(&SAML, "Issuer").is_err());
        assert_eq!(read, Ok(true));
    }

    /// [X06] Long declarations around many elements: the work would be their product.
    #[test]
    fn many_declarations_around_many_elements_are_refused() {
        let long = "u".repeat(60);
        let declared = |level: usize| -> String {
            let names = (level * 22..499.min(level * 22 + 22))
                .map(|n| format!(" xmlns:n{n}='urn:{n}:{long}'"));
            format!("<a{}>", names.collect::<String>())
        };
        let open: String = (0..23).map(declared).collect();
        let text = format!("{open}{}{}", "<b/>".repeat(970), "</a>".repeat(23));
        assert_eq!(text.matches(" xmlns:").count(), 499);
        assert_eq!(with_tree(&text, |_| ()), Err(XmlError::TooMuch));
    }

    /// [X03] An entity that nobody defined is no text.
    #[test]
    fn an_unknown_entity_or_prefix_is_not_well_formed() {
        for text in [
            "<a xmlns='relative'/>",
            &format!("<a xmlns='urn:{}'/>", "a".repeat(NAMESPACE_BYTES_MAX)),
            "<a xmlns:b='ur\u{e9}:x'/>",
            "<a>&evil;</a>",
            "<b:a/>",
            "<a><b></a>",
            "<a/><a/>",
            "<a b='' b=''/>",
            "",
        ] {
            assert_eq!(with_tree(text, |_| ()), Err(XmlError::Malformed), "{text}");
        }
    }
}
