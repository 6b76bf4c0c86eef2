//! Exclusive XML Canonicalization 1.0 without comments, of a subtree of the one tree.

use roxmltree::{Attribute, Node};

use super::XmlError;

/// The canonical form of an element: what is digested and signed.
///
/// `without` is left out with all that is in it: the enveloped signature. `inclusive` are the
/// prefixes of an `InclusiveNamespaces` list; the default namespace is the empty prefix.
///
/// # Errors
/// [`XmlError`] when the result would be empty or a name cannot be found in the text.
pub(crate) fn canonical(
    apex: Node<'_, '_>,
    without: Option<Node<'_, '_>>,
    inclusive: &[&str],
) -> Result<String, XmlError> {
    let mut form = Form {
        out: String::new(),
        without,
        inclusive,
        rendered: Vec::new(),
    };
    form.element(apex)?;
    // A digest of nothing would be the same for every document.
    if form.out.is_empty() {
        return Err(XmlError::Malformed);
    }
    Ok(form.out)
}

struct Form<'f, 'a, 'i> {
    out: String,
    without: Option<Node<'a, 'i>>,
    inclusive: &'f [&'f str],
    /// The declarations that stand on the elements around, innermost last.
    rendered: Vec<(&'a str, &'a str)>,
}

impl<'a, 'i: 'a> Form<'_, 'a, 'i> {
    /// The gate has bounded the depth.
    fn element(&mut self, node: Node<'a, 'i>) -> Result<(), XmlError> {
        let name = written_name(node)?;
        let before = self.rendered.len();
        self.out.push('<');
        self.out.push_str(name);
        self.namespaces(node, name)?;
        self.attributes(node)?;
        self.out.push('>');
        for child in node.children() {
            if Some(child) == self.without {
                continue;
            }
            if child.is_element() {
                self.element(child)?;
            } else if child.is_text() {
                escape(&mut self.out, child.text().unwrap_or_default(), false);
            }
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self.rendered.truncate(before);
        Ok(())
    }

    /// The declarations that this element needs and no element around it has.
    fn namespaces(&mut self, node: Node<'a, 'i>, name: &'a str) -> Result<(), XmlError> {
        let mut prefixes = vec![prefix(name)];
        for attribute in node.attributes() {
            // An attribute without a prefix has no namespace, whatever the default is.
            match prefix(written(node, &attribute)?) {
                "" => {}
                used => prefixes.push(used),
            }
        }
        let inherited = self.inclusive.iter().filter_map(|listed| {
            let mut declared = node.namespaces();
            match *listed {
                "" => Some(""),
                _ => declared.find_map(|one| one.name().filter(|name| name == listed)),
            }
        });
        prefixes.extend(inherited);
        prefixes.sort_unstable();
        prefixes.dedup();
        for prefix in prefixes.into_iter().filter(|prefix| *prefix != "xml") {
            let wanted = Some(prefix).filter(|prefix| !prefix.is_empty());
            let uri = node.lookup_namespace_uri(wanted).unwrap_or_default();
            let around = self
                .rendered
                .iter()
                .rev()
                .find(|(known, _)| *known == prefix);
            if around.map_or("", |(_, uri)| uri) == uri {
                continue;
            }
            self.out.push_str(" xmlns");
            if !prefix.is_empty() {
                self.out.push(':');
                self.out.push_str(prefix);
            }
            self.out.push_str("=\"");
            escape(&mut self.out, uri, true);
            self.out.push('"');
            self.rendered.push((prefix, uri));
        }
        Ok(())
    }

    fn attributes(&mut self, node: Node<'a, 'i>) -> Result<(), XmlError> {
        let mut attributes: Vec<Attribute<'a, 'i>> = node.attributes().collect();
        attributes.sort_by_key(|one| (one.namespace().unwrap_or_default(), one.name()));
        for attribute in attributes {
            self.out.push(' ');
            self.out.push_str(written(node, &attribute)?);
            self.out.push_str("=\"");
            escape(&mut self.out, attribute.value(), true);
            self.out.push('"');
        }
        Ok(())
    }
}

/// The name of an element as it is written, with its prefix: the tree knows namespaces only.
fn written_name<'a>(node: Node<'a, '_>) -> Result<&'a str, XmlError> {
    let text = node.document().input_text();
    let tag = text.get(node.range().start + 1..).unwrap_or_default();
    let name = tag
        .split(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '>' | '/'))
        .next()
        .unwrap_or_default();
    if name.ends_with(node.tag_name().name()) {
        Ok(name)
    } else {
        Err(XmlError::Malformed)
    }
}

fn written<'a>(node: Node<'a, '_>, attribute: &Attribute<'_, '_>) -> Result<&'a str, XmlError> {
    let text = node.document().input_text();
    let name = text.get(attribute.range_qname()).unwrap_or_default();
    if name.ends_with(attribute.name()) {
        Ok(name)
    } else {
        Err(XmlError::Malformed)
    }
}

fn prefix(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

/// Writes text as the canonical form does; a quote and white space matter in attributes only.
pub(super) fn escape(out: &mut String, text: &str, in_attribute: bool) {
    for letter in text.chars() {
        match (letter, in_attribute) {
            ('&', _) => out.push_str("&amp;"),
            ('<', _) => out.push_str("&lt;"),
            ('>', false) => out.push_str("&gt;"),
            ('\r', _) => out.push_str("&#xD;"),
            ('"', true) => out.push_str("&quot;"),
            ('\t', true) => out.push_str("&#x9;"),
            ('\n', true) => out.push_str("&#xA;"),
            _ => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Tree};
    use super::*;

    fn form(text: &str, inclusive: &[&str]) -> String {
        let tree = Tree::read(text, &Bounds::MESSAGE).unwrap();
        canonical(tree.root().node(), None, inclusive).unwrap()
    }

    fn form_of_child(text: &str, inclusive: &[&str]) -> String {
        let tree = Tree::read(text, &Bounds::MESSAGE).unwrap();
        let child = tree.root().elements().next().unwrap();
        canonical(child.node(), None, inclusive).unwrap()
    }

    #[test]
    fn attributes_and_namespaces_are_sorted_and_only_those_needed_stay() {
        let text = "<n:a  z='1' b:y='2' a:x=\"3\" c='4' xmlns:n='urn:n' xmlns:unused='urn:u' xmlns:a='urn:z' xmlns:b='urn:b'/>";
        assert_eq!(
            form(text, &[]),
            "<n:a xmlns:a=\"urn:z\" xmlns:b=\"urn:b\" xmlns:n=\"urn:n\" c=\"4\" z=\"1\" b:y=\"2\" a:x=\"3\"></n:a>"
        );
    }

    #[test]
    fn text_is_escaped_comments_go_and_cdata_becomes_text() {
        let text =
            "<a b='\"&lt;&gt;&#9;&#10;&#13;&amp;'>x&gt;<!-- c --><![CDATA[<&>]]>&#13;\r\n</a>";
        assert_eq!(
            form(text, &[]),
            "<a b=\"&quot;&lt;>&#x9;&#xA;&#xD;&amp;\">x&gt;&lt;&amp;&gt;&#xD;\n</a>"
        );
    }

    #[test]
    fn a_subtree_declares_what_it_uses_and_undeclares_the_default() {
        let text =
            "<a xmlns='urn:a' xmlns:b='urn:b' xmlns:c='urn:c'><b:x><y xmlns=''/><z/></b:x></a>";
        assert_eq!(
            form_of_child(text, &[]),
            "<b:x xmlns:b=\"urn:b\"><y></y><z xmlns=\"urn:a\"></z></b:x>"
        );
        assert_eq!(
            form_of_child(text, &["c", "", "nowhere"]),
            "<b:x xmlns=\"urn:a\" xmlns:b=\"urn:b\" xmlns:c=\"urn:c\"><y xmlns=\"\"></y><z></z></b:x>"
        );
    }
}
