//! A row, and the one way in which it is written down: what a backup holds, and what is summed up.

use super::Refused;

/// A value, whatever an engine calls its type.
#[derive(Clone, Eq, PartialEq)]
pub enum Value {
    /// Bytes.
    Bytes(Vec<u8>),
    /// A number, or yes (1) and no (0).
    Integer(i64),
    /// Nothing.
    Null,
    /// Text.
    Text(String),
}

/// The values of a row.
pub type Row = Vec<Value>;

impl std::fmt::Debug for Value {
    /// Rows hold what belongs to people: only the kind is said.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bytes(_) => "Bytes",
            Self::Integer(_) => "Integer",
            Self::Null => "Null",
            Self::Text(_) => "Text",
        })
    }
}

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const TEXT: u8 = 2;
const BYTES: u8 = 3;

/// Writes a row down: a byte for the kind before each value, a length before what has one.
pub(super) fn encode(row: &[Value], to: &mut Vec<u8>) {
    for value in row {
        match value {
            Value::Null => to.push(NULL),
            Value::Integer(number) => {
                to.push(INTEGER);
                to.extend_from_slice(&number.to_be_bytes());
            }
            Value::Text(text) => encode_long(TEXT, text.as_bytes(), to),
            Value::Bytes(bytes) => encode_long(BYTES, bytes, to),
        }
    }
}

fn encode_long(kind: u8, bytes: &[u8], to: &mut Vec<u8>) {
    to.push(kind);
    to.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    to.extend_from_slice(bytes);
}

/// Reads a value; `take` gives the next so many bytes, and refuses more than there are.
pub(super) fn decode<E: From<Refused>>(
    mut take: impl FnMut(usize) -> Result<Vec<u8>, E>,
) -> Result<Value, E> {
    let kind = take(1)?;
    match kind.as_slice() {
        [NULL] => Ok(Value::Null),
        [INTEGER] => Ok(Value::Integer(i64::from_be_bytes(array(&take(8)?)))),
        [TEXT] => {
            let text = String::from_utf8(long(take)?);
            text.map(Value::Text)
                .map_err(|_| Refused::Unreadable("a text that is none").into())
        }
        [BYTES] => long(take).map(Value::Bytes),
        _ => Err(Refused::Unreadable("a value of an unknown kind").into()),
    }
}

fn long<E: From<Refused>>(mut take: impl FnMut(usize) -> Result<Vec<u8>, E>) -> Result<Vec<u8>, E> {
    let len = u64::from_be_bytes(array(&take(8)?));
    match usize::try_from(len) {
        Ok(len) => take(len),
        Err(_) => Err(Refused::Unreadable("a value that is too long").into()),
    }
}

/// The bytes as an array; what is missing is zero.
pub(super) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Value, Refused> {
        let mut rest = bytes;
        decode(|len| {
            let (taken, behind) = rest.split_at_checked(len).ok_or(Refused::CutOff)?;
            rest = behind;
            Ok(taken.to_vec())
        })
    }

    #[test]
    fn every_value_comes_back_as_it_was() {
        for value in [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Text("Élodie\0".into()),
            Value::Text(String::new()),
            Value::Bytes(vec![0, 255]),
        ] {
            let mut bytes = vec![];
            encode(std::slice::from_ref(&value), &mut bytes);
            assert!(read(&bytes).unwrap() == value);
        }
    }

    #[test]
    fn no_two_rows_are_written_down_alike() {
        let text = |text: &str| Value::Text(text.into());
        let rows = [
            vec![text("ab"), text("")],
            vec![text("a"), text("b")],
            vec![text("ab")],
            vec![Value::Bytes(b"ab".to_vec()), text("")],
            vec![Value::Null, text("ab")],
            vec![Value::Integer(0)],
            vec![Value::Null],
        ];
        let written = rows.map(|row| {
            let mut bytes = vec![];
            encode(&row, &mut bytes);
            bytes
        });
        for (at, one) in written.iter().enumerate() {
            assert!(!written[..at].contains(one));
        }
    }

    #[test]
    fn what_is_too_long_or_of_no_kind_is_refused() {
        let long = [&[BYTES][..], &u64::MAX.to_be_bytes()].concat();
        let refused = |bytes: &[u8]| read(bytes).unwrap_err();
        assert_eq!(refused(&long), Refused::CutOff);
        assert_eq!(
            refused(&[9]),
            Refused::Unreadable("a value of an unknown kind")
        );
        let no_text = [&[TEXT][..], &1_u64.to_be_bytes(), &[0xff]].concat();
        assert_eq!(
            refused(&no_text),
            Refused::Unreadable("a text that is none")
        );
    }

    #[test]
    fn a_value_prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", Value::Text("secret".into())), "Text");
    }
}
