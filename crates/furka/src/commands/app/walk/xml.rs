//! Documents of the provider's own making, taken apart to be shown. What strangers send is read by `wire`
//! and by nothing else.

use super::page::{attribute, unescaped};

/// An element that holds text and no further element.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Leaf<'x> {
    /// Its name without prefix.
    pub(super) name: &'x str,
    /// What stands in its tag.
    pub(super) tag: &'x str,
    pub(super) text: String,
}

/// All of them, in their order.
pub(super) fn leaves(xml: &str) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        let Some((tag, inside)) = after.split_once('>') else {
            break;
        };
        let Some((text, next)) = inside.split_once('<') else {
            break;
        };
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        let closes = next
            .strip_prefix('/')
            .and_then(|next| next.strip_prefix(name));
        if !name.is_empty() && closes.is_some_and(|next| next.starts_with('>')) {
            found.push(Leaf {
                name: local(name),
                tag,
                text: unescaped(text.trim()),
            });
        }
    }
    found
}

/// The value of an attribute of the first element of this name.
pub(super) fn said(xml: &str, element: &str, name: &str) -> Option<String> {
    let tags = xml.split('<').skip(1);
    let mut named = tags.filter(|tag| {
        let end = tag.find([' ', '>', '/']).unwrap_or(tag.len());
        local(tag.get(..end).unwrap_or_default()) == element
    });
    let tag = named.next()?.split('>').next()?;
    let (_, attributes) = tag.split_once(' ')?;
    let opening = format!("{name}=\"");
    let mut pairs = attributes.match_indices(&opening).map(|(at, _)| at);
    let at = pairs.find(|at| {
        let before = attributes.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(' ')
    })?;
    attribute(attributes.get(at..)?, name)
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<a:x A=\"1\"><b:user>anna &amp; co</b:user><b:y N=\"2\" FN=\"3\"><v>m</v><v>n</v></b:y><b:e></b:e></a:x>";

    #[test]
    fn elements_with_text_are_found_in_their_order() {
        let found = leaves(XML);
        let found: Vec<_> = found.iter().map(|leaf| (leaf.name, &*leaf.text)).collect();
        let expected = [("user", "anna & co"), ("v", "m"), ("v", "n"), ("e", "")];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_attribute_is_not_the_end_of_another_one() {
        assert_eq!(said(XML, "y", "N").as_deref(), Some("2"));
        assert_eq!(said(XML, "y", "FN").as_deref(), Some("3"));
        assert_eq!(said(XML, "y", "M"), None);
        assert_eq!(said(XML, "z", "N"), None);
    }
}
