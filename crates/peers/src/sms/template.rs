//! Texts with gaps: `{to}`, `{text}`, `{id}`, `{from}`, `{coding}` of a message, `{env:…}` and `{file:…}`
//! of the configuration.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{ConfigError, SecretRef};

/// A part of a message that a template may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// `2` when the text needs UCS-2, otherwise `0`, as Kannel wants it.
    Coding,
    From,
    Id,
    Text,
    To,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        match name {
            "coding" => Some(Self::Coding),
            "from" => Some(Self::From),
            "id" => Some(Self::Id),
            "text" => Some(Self::Text),
            "to" => Some(Self::To),
            _ => None,
        }
    }
}

/// A template as it stands in the configuration.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone)]
enum Part {
    Field(Field),
    Literal(String),
    Secret(SecretRef),
}

impl Template {
    /// Whether a field occurs in it.
    pub(crate) fn asks_for(&self, wanted: Field) -> bool {
        self.0
            .iter()
            .any(|part| matches!(part, Part::Field(field) if *field == wanted))
    }

    /// Fetches its secrets.
    pub(crate) fn resolve(&self) -> Result<Resolved, ConfigError> {
        let resolve = |part: &Part| match part {
            Part::Field(field) => Ok(Piece::Field(*field)),
            Part::Literal(text) => Ok(Piece::Literal(text.clone())),
            Part::Secret(secret) => secret.read().map(Piece::Secret),
        };
        self.0
            .iter()
            .map(resolve)
            .collect::<Result<_, _>>()
            .map(Resolved)
    }

    /// The template filled with samples: to see whether what comes out has the right form.
    pub(crate) fn sample(&self, escape: fn(&str) -> String) -> String {
        let sample = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Field(_) | Part::Secret(_) => escape("1"),
        };
        self.0.iter().map(sample).collect()
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    /// A `{word}` must be known. Any other brace is a brace: JSON has many.
    fn try_from(text: String) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            literal.push_str(before);
            match after.split_once('}').filter(|(name, _)| is_word(name)) {
                Some((name, behind)) => {
                    let part = Field::named(name).map(Part::Field);
                    let part = part.or_else(|| SecretRef::named(name).map(Part::Secret));
                    let part = part.ok_or_else(|| TemplateError(name.to_owned()))?;
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                    parts.push(part);
                    rest = behind;
                }
                None => {
                    literal.push('{');
                    rest = after;
                }
            }
        }
        literal.push_str(rest);
        parts.push(Part::Literal(literal));
        parts.retain(|part| !matches!(part, Part::Literal(text) if text.is_empty()));
        Ok(Self(parts))
    }
}

/// `name`, or `kind:place`.
fn is_word(inside: &str) -> bool {
    let (kind, place) = inside.split_once(':').unwrap_or((inside, "-"));
    let is_name = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase());
    is_name && !place.contains(['"', '{', ' ', '\n'])
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template")
    }
}

/// A gap nobody can fill.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{{{0}}}` is not known; known are {{to}}, {{text}}, {{id}}, {{from}}, {{coding}}, {{env:NAME}} \
     and {{file:PATH}}"
)]
pub(crate) struct TemplateError(String);

/// A template with its secrets: never printed.
pub(crate) struct Resolved(Vec<Piece>);

enum Piece {
    Field(Field),
    Literal(String),
    Secret(Zeroizing<String>),
}

/// What a message puts into the gaps.
pub(crate) struct Values<'a> {
    pub(crate) coding: &'a str,
    pub(crate) from: &'a str,
    pub(crate) id: &'a str,
    pub(crate) text: &'a str,
    pub(crate) to: &'a str,
}

impl Resolved {
    /// Fills the gaps; what is put in is escaped, the template itself is not.
    pub(crate) fn fill(
        &self,
        values: &Values<'_>,
        escape: fn(&str) -> String,
    ) -> Zeroizing<String> {
        let mut filled = Zeroizing::new(String::new());
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => filled.push_str(text),
                Piece::Secret(secret) => filled.push_str(&Zeroizing::new(escape(secret))),
                Piece::Field(field) => {
                    let value = match field {
                        Field::Coding => values.coding,
                        Field::From => values.from,
                        Field::Id => values.id,
                        Field::Text => values.text,
                        Field::To => values.to,
                    };
                    filled.push_str(&Zeroizing::new(escape(value)));
                }
            }
        }
        filled
    }
}

/// For places where a value stands alone and is encoded as a whole.
pub(crate) fn as_is(value: &str) -> String {
    value.to_owned()
}

/// For the inside of a JSON string.
pub(crate) fn in_json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, text: &str, escape: fn(&str) -> String) -> String {
        let template = Template::try_from(template.to_owned()).unwrap();
        let values = Values {
            coding: "0",
            from: "VS",
            id: "m1",
            text,
            to: "+41",
        };
        template
            .resolve()
            .unwrap()
            .fill(&values, escape)
            .to_string()
    }

    #[test]
    fn gaps_are_filled_and_other_braces_stay() {
        let json = r#"{"to":["{to}"],"m":{"text":"{text}","id":"{id}"},"s":"{from}{coding}"}"#;
        assert_eq!(
            fill(json, "12", in_json),
            r#"{"to":["+41"],"m":{"text":"12","id":"m1"},"s":"VS0"}"#
        );
        assert_eq!(fill("{}{", "", as_is), "{}{");
    }

    /// [P08] A text cannot leave its JSON string, nor bring gaps of its own.
    #[test]
    fn a_text_stays_inside_its_string() {
        let text = "\"},{\"to\":\"{from}\\\n";
        let filled = fill(r#"{"text":"{text}"}"#, text, in_json);
        let read: serde_json::Value = serde_json::from_str(&filled).unwrap();
        assert_eq!(read, serde_json::json!({ "text": text }));
    }

    #[test]
    fn a_misspelt_gap_is_refused() {
        let error = Template::try_from("code={txt}".to_owned()).unwrap_err();
        assert!(
            error.to_string().starts_with("`{txt}` is not known"),
            "{error}"
        );
        assert!(Template::try_from("{vault:key}".to_owned()).is_err());
        assert!(Template::try_from("{env:}".to_owned()).is_err());
    }
}
