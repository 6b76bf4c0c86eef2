//! JSON as a stranger sends it: a name that is given twice is a fault, and what is too deep is not read.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value whose objects have each name once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Json>),
    /// In the order received.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text that nests no deeper than this: that is looked at before anything is parsed.
    pub(crate) fn read(text: &str, depth_max: usize) -> Option<Self> {
        if depth(text) > depth_max {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let members = match self {
            Self::Object(members) => members,
            _ => return None,
        };
        let mut named = members.iter().filter(|(own, _)| own == name);
        named.next().map(|(_, value)| value)
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }
}

/// How deep a text nests, brackets in strings not counted.
fn depth(text: &str) -> usize {
    let (mut deepest, mut now) = (0_usize, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match (byte, quoted) {
            _ if escaped => escaped = false,
            (b'\\', true) => escaped = true,
            (b'"', _) => quoted = !quoted,
            (b'{' | b'[', false) => {
                now += 1;
                deepest = deepest.max(now);
            }
            (b'}' | b']', false) => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        let number = serde_json::Number::from_f64(value);
        number
            .map(Json::Number)
            .ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Json::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut all: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = members.next_entry::<String, Json>()? {
            if all.len() >= MEMBERS_MAX || all.iter().any(|(own, _)| *own == name) {
                return Err(A::Error::custom(
                    "a name is given twice, or there are too many",
                ));
            }
            all.push((name, value));
        }
        Ok(Json::Object(all))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => value.serialize(serializer),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => value.serialize(serializer),
            Self::List(items) => items.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// So many members an object may have: each is compared with all before it.
const MEMBERS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same() {
        let text = r#"{"a":null,"b":[true,-1,2.5,"{[\"\\"],"c":{"d":"é"}}"#;
        let read = Json::read(text, 2).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert_eq!(read.get("c").and_then(|c| c.get("d")?.text()), Some("é"));
        assert_eq!(Json::read("7", 0).unwrap().integer(), Some(7));
        assert_eq!(read.get("x"), None);
    }

    /// [P07] [C13] Twice is a fault at every depth, and depth has a bound before anything is parsed.
    #[test]
    fn twice_and_too_deep_are_refused() {
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"[{"a":1,"\u0061":1}]"#,
            r#"{"a":[{"b":1},{"c":1,"c":1}]}"#,
        ] {
            assert_eq!(Json::read(twice, 9), None, "{twice}");
        }
        assert!(Json::read("[[[]]]", 3).is_some());
        assert_eq!(Json::read("[[[[]]]]", 3), None);
        assert_eq!(Json::read(&"[".repeat(4096), 3), None);
        let many: Vec<String> = (0..65).map(|n| format!("\"{n}\":0")).collect();
        assert_eq!(Json::read(&format!("{{{}}}", many.join(",")), 3), None);
        for bad in ["", "{", "{}x", "{'a':1}", "NaN", "1e999", "\u{feff}{}"] {
            assert_eq!(Json::read(bad, 3), None, "{bad}");
        }
    }
}
