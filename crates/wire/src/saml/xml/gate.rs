//! What a text must not be, found out before a parser sees it: large, deep, or with a document type.

use super::XmlError;

/// How much of a document is read at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The whole text, in bytes.
    pub(crate) bytes_max: usize,
    /// Elements in the document.
    pub(crate) elements_max: usize,
    /// Elements inside elements.
    pub(crate) depth_max: usize,
    /// Attributes of one element, namespace declarations included.
    pub(crate) attributes_max: usize,
    /// Namespace declarations in the document.
    pub(crate) namespaces_max: usize,
}

impl Bounds {
    /// A message that a browser carries.
    pub(crate) const MESSAGE: Self = Self {
        bytes_max: 64 * 1024,
        elements_max: 1000,
        depth_max: 24,
        attributes_max: 24,
        namespaces_max: 64,
    };
    /// The metadata of one application.
    pub(crate) const METADATA: Self = Self {
        bytes_max: 512 * 1024,
        elements_max: 8000,
        depth_max: 24,
        attributes_max: 24,
        namespaces_max: 4000,
    };
}

/// What was counted so far.
#[derive(Default)]
struct Count {
    elements: usize,
    depth: usize,
    namespaces: usize,
}

/// Passes a text that is small enough and has nothing but elements, text, CDATA and comments.
///
/// It does not say whether the text is well-formed: the parser does.
///
/// # Errors
/// [`XmlError`].
pub(crate) fn check(text: &str, bounds: &Bounds) -> Result<(), XmlError> {
    if text.len() > bounds.bytes_max {
        return Err(XmlError::TooMuch);
    }
    within(declaration(text)?, bounds)
}

/// The same for what comes after a declaration, whatever that says. The caller has looked at the length.
///
/// # Errors
/// [`XmlError`].
pub(crate) fn within(text: &str, bounds: &Bounds) -> Result<(), XmlError> {
    let mut count = Count::default();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = if let Some(comment) = after.strip_prefix("!--") {
            after_end(comment, "-->")?
        } else if let Some(data) = after.strip_prefix("![CDATA[") {
            after_end(data, "]]>")?
        } else if after.starts_with('!') {
            return Err(XmlError::DocumentType);
        } else if after.starts_with('?') {
            return Err(XmlError::Instruction);
        } else if let Some(end) = after.strip_prefix('/') {
            count.depth = count.depth.checked_sub(1).ok_or(XmlError::Malformed)?;
            after_end(end, ">")?
        } else {
            tag(after, &mut count, bounds)?
        };
    }
    Ok(())
}

/// What comes after the declaration `<?xml …?>`, if there is one: version 1.0, in UTF-8.
fn declaration(text: &str) -> Result<&str, XmlError> {
    let Some(after) = text.strip_prefix("<?xml") else {
        return Ok(text);
    };
    let (inside, rest) = after.split_once("?>").ok_or(XmlError::Malformed)?;
    let inside = said(inside, "version", |version| version == "1.0");
    let inside = inside.ok_or(XmlError::Instruction)?;
    let utf8 = |encoding: &str| encoding.eq_ignore_ascii_case("utf-8");
    let inside = said(inside, "encoding", utf8).unwrap_or(inside);
    let yes_or_no = |standalone: &str| matches!(standalone, "yes" | "no");
    let inside = said(inside, "standalone", yes_or_no).unwrap_or(inside);
    if inside.chars().all(is_space) {
        Ok(rest)
    } else {
        Err(XmlError::Instruction)
    }
}

/// What comes after ` name="value"`, if it is there and the value is fine.
fn said<'t>(text: &'t str, name: &str, is_fine: impl FnOnce(&str) -> bool) -> Option<&'t str> {
    let after = text.strip_prefix(is_space)?.trim_start_matches(is_space);
    let after = after.strip_prefix(name)?.trim_start_matches(is_space);
    let after = after.strip_prefix('=')?.trim_start_matches(is_space);
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, rest) = after.strip_prefix(quote)?.split_once(quote)?;
    is_fine(value).then_some(rest)
}

/// White space of XML, which is less than that of Unicode.
const fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

fn after_end<'t>(text: &'t str, end: &str) -> Result<&'t str, XmlError> {
    text.split_once(end)
        .map(|(_, rest)| rest)
        .ok_or(XmlError::Malformed)
}

/// Counts one start tag; gives what comes after it.
fn tag<'t>(text: &'t str, count: &mut Count, bounds: &Bounds) -> Result<&'t str, XmlError> {
    let (mut attributes, mut quote, mut slash) = (0_usize, None, false);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '=') => {
                attributes += 1;
                let before = text.get(..at).unwrap_or_default().trim_end();
                let name = before.rsplit(is_space).next();
                if name.is_some_and(|name| name == "xmlns" || name.starts_with("xmlns:")) {
                    count.namespaces += 1;
                }
                if attributes > bounds.attributes_max {
                    return Err(XmlError::TooMuch);
                }
            }
            (None, '>') => {
                count.elements += 1;
                count.depth += usize::from(!slash);
                let over = count.elements > bounds.elements_max
                    || count.depth > bounds.depth_max
                    || count.namespaces > bounds.namespaces_max;
                let rest = text.get(at + 1..).unwrap_or_default();
                return if over {
                    Err(XmlError::TooMuch)
                } else {
                    Ok(rest)
                };
            }
            (None, _) => {}
        }
        slash = letter == '/';
    }
    Err(XmlError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        bytes_max: 1000,
        elements_max: 5,
        depth_max: 3,
        attributes_max: 3,
        namespaces_max: 2,
    };

    fn gate(text: &str) -> Result<(), XmlError> {
        check(text, &BOUNDS)
    }

    #[test]
    fn ordinary_documents_pass() {
        for text in [
            "<a/>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b='>' c=\"/>\"><!-- <b><c><d><e> --></a>",
            "<?xml version='1.0' encoding='utf-8' standalone='yes'?><a><![CDATA[<!DOCTYPE <?x ]]></a>",
            "<a><b><c/></b><b/></a>",
            "<a xmlns='x' xmlns:b='y'/>",
        ] {
            assert_eq!(gate(text), Ok(()), "{text}");
        }
    }

    /// [X03] [X06] A document type is refused outright, wherever it stands and whatever is in it.
    #[test]
    fn a_document_type_or_an_instruction_is_refused() {
        for text in [
            "<!DOCTYPE a><a/>",
            "<!doctype a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<a><!ENTITY b 'c'></a>",
        ] {
            assert_eq!(gate(text), Err(XmlError::DocumentType), "{text}");
        }
        for text in [
            "<a><?php x?></a>",
            " <?xml version='1.0'?><a/>",
            "<?xml version='1.0' encoding='UTF-16'?><a/>",
            "<?xml version=\"1.'0\" encoding=\"UTF-8\"?><a/>",
            "<?xml encoding='UTF-8'?><a/>",
            "<?xml version='1.0'encoding='UTF-8'?><a/>",
            "<?xml version='1.0' x='UTF-8'?><a/>",
            "<?xml-stylesheet href='x'?><a/>",
        ] {
            assert_eq!(gate(text), Err(XmlError::Instruction), "{text}");
        }
    }

    /// [X06] Bytes, elements, depth, attributes and namespaces have bounds before anything parses.
    #[test]
    fn what_is_too_much_is_refused() {
        for text in [
            format!("<a>{}</a>", " ".repeat(1000)),
            "<a><b/><b/><b/><b/><b/></a>".to_owned(),
            "<a><a><a><a/></a></a></a>".replace("<a/>", "<a></a>"),
            "<a b='' c='' d='' e=''/>".to_owned(),
            "<a xmlns='x'><b xmlns:c='x'/><b xmlns:d = 'x'/></a>".to_owned(),
        ] {
            assert_eq!(gate(&text), Err(XmlError::TooMuch), "{text}");
        }
    }
}
