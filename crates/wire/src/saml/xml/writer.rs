//! A writer whose text is in exclusive canonical form as it is written.
//!
//! What is written by one writer may be put into another one, as long as no element around it uses a
//! namespace that it declares; the tests of the messages compare every text with its canonical form.

use super::Space;
use super::c14n::escape;

/// Writes one element and all that is in it.
#[derive(Default)]
pub(crate) struct Writer {
    out: String,
    open: Vec<(&'static Space, &'static str, usize)>,
    declared: Vec<&'static str>,
}

impl Writer {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Opens an element. Attributes have no namespace, or the prefix `xml`; their order is free.
    pub(crate) fn open(
        &mut self,
        space: &'static Space,
        name: &'static str,
        attributes: &[(&str, &str)],
    ) -> &mut Self {
        let before = self.declared.len();
        self.out.push('<');
        self.name(space, name);
        if !self.declared.contains(&space.prefix) {
            self.declared.push(space.prefix);
            self.out.push_str(" xmlns:");
            self.out.push_str(space.prefix);
            self.attribute_value(space.uri);
        }
        let mut sorted: Vec<_> = attributes.to_vec();
        // Attributes without namespace come before those with one.
        sorted.sort_unstable_by_key(|(name, _)| (name.contains(':'), *name));
        for (name, value) in sorted {
            self.out.push(' ');
            self.out.push_str(name);
            self.attribute_value(value);
        }
        self.out.push('>');
        self.open.push((space, name, before));
        self
    }

    /// Writes text into the innermost open element.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        escape(&mut self.out, &writable(text), false);
        self
    }

    /// Writes what another writer wrote.
    pub(crate) fn raw(&mut self, canonical: &str) -> &mut Self {
        self.out.push_str(canonical);
        self
    }

    /// Closes the innermost open element.
    pub(crate) fn close(&mut self) -> &mut Self {
        if let Some((space, name, before)) = self.open.pop() {
            self.out.push_str("</");
            self.name(space, name);
            self.out.push('>');
            self.declared.truncate(before);
        }
        self
    }

    /// An element with nothing but text in it.
    pub(crate) fn leaf(
        &mut self,
        space: &'static Space,
        name: &'static str,
        attributes: &[(&str, &str)],
        text: &str,
    ) -> &mut Self {
        self.open(space, name, attributes).text(text).close()
    }

    /// How much is written so far, in bytes: a place to cut at.
    pub(crate) fn here(&self) -> usize {
        self.out.len()
    }

    /// Closes what is open and gives the text.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    fn name(&mut self, space: &Space, name: &str) {
        self.out.push_str(space.prefix);
        self.out.push(':');
        self.out.push_str(name);
    }

    fn attribute_value(&mut self, value: &str) {
        self.out.push_str("=\"");
        escape(&mut self.out, &writable(value), true);
        self.out.push('"');
    }
}

/// A text with letters that XML cannot hold replaced, so that one odd name does not spoil a message.
fn writable(text: &str) -> String {
    let holds = |letter: char| {
        matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}') || letter >= '\u{10000}'
    };
    text.chars()
        .map(|letter| {
            if holds(letter) {
                letter
            } else {
                char::REPLACEMENT_CHARACTER
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::c14n::canonical;
    use super::super::{Bounds, DS, SAML, SAMLP, Tree};
    use super::*;

    /// A text is its own canonical form, whatever the names and values are.
    #[test]
    fn what_is_written_is_canonical() {
        let mut writer = Writer::new();
        writer.open(
            &SAMLP,
            "Response",
            &[("Version", "2.0"), ("ID", "a\"<>&\t\r\nb")],
        );
        writer.leaf(
            &SAML,
            "Issuer",
            &[("xml:lang", "fr"), ("z", "1")],
            "Zo\u{eb} & <L\u{e9}a>\r\u{0}",
        );
        writer
            .open(&DS, "Signature", &[])
            .leaf(&DS, "SignedInfo", &[], "");
        let text = writer.finish();
        let tree = Tree::read(&text, &Bounds::MESSAGE).unwrap();
        assert_eq!(canonical(tree.root().node(), None, &[]).unwrap(), text);
        let issuer = tree.root().the(&SAML, "Issuer").unwrap();
        assert_eq!(issuer.text().unwrap(), "Zo\u{eb} & <L\u{e9}a>\r\u{fffd}");
    }
}
