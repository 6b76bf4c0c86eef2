//! A register's file as text: UTF-8, or what spreadsheets on Windows write.

use std::fmt;

use super::people_file::LineError;

/// How the letters of a file are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Encoding {
    /// The usual.
    Utf8,
    /// Windows-1252, of which Latin-1 is most.
    Windows1252,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

/// Windows-1252 from 0x80 to 0x9f; five of them mean nothing.
const HIGH: [Option<char>; 32] = [
    Some('\u{20ac}'),
    None,
    Some('\u{201a}'),
    Some('\u{192}'),
    Some('\u{201e}'),
    Some('\u{2026}'),
    Some('\u{2020}'),
    Some('\u{2021}'),
    Some('\u{2c6}'),
    Some('\u{2030}'),
    Some('\u{160}'),
    Some('\u{2039}'),
    Some('\u{152}'),
    None,
    Some('\u{17d}'),
    None,
    None,
    Some('\u{2018}'),
    Some('\u{2019}'),
    Some('\u{201c}'),
    Some('\u{201d}'),
    Some('\u{2022}'),
    Some('\u{2013}'),
    Some('\u{2014}'),
    Some('\u{2dc}'),
    Some('\u{2122}'),
    Some('\u{161}'),
    Some('\u{203a}'),
    Some('\u{153}'),
    None,
    Some('\u{17e}'),
    Some('\u{178}'),
];

/// Decodes a file. Most of its lines decide how it is written; the others are wrong.
///
/// # Errors
/// The sentence and cure for a file that is no such text at all.
pub(crate) fn decode(
    bytes: &[u8],
) -> Result<(String, Encoding, Vec<LineError>), (&'static str, &'static str)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        let sentence = "the file is UTF-16, a workbook, or no text at all";
        return Err((sentence, "save it as CSV in UTF-8"));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.to_owned(), Encoding::Utf8, Vec::new()));
    }
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let accented = lines.iter().filter(|line| !line.is_ascii());
    let (utf8, other): (Vec<&&[u8]>, Vec<&&[u8]>) =
        accented.partition(|line| std::str::from_utf8(line).is_ok());
    let encoding = if utf8.len() > other.len() {
        Encoding::Utf8
    } else {
        Encoding::Windows1252
    };
    let mut wrong = Vec::new();
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for (number, line) in (1..).zip(&lines) {
        if number > 1 {
            text.push('\n');
        }
        match (encoding, std::str::from_utf8(line)) {
            (_, Ok(line)) if line.is_ascii() => text.push_str(line),
            (Encoding::Utf8, Ok(line)) => text.push_str(line),
            (Encoding::Utf8, Err(_)) => {
                text.push_str(&String::from_utf8_lossy(line));
                wrong.push(mixed(number, "is not UTF-8 as the other lines are"));
            }
            (Encoding::Windows1252, Ok(line)) => {
                text.push_str(line);
                wrong.push(mixed(number, "is UTF-8, and the other lines are not"));
            }
            (Encoding::Windows1252, Err(_)) => {
                let whole = line.iter().all(|byte| push(&mut text, *byte));
                if !whole {
                    wrong.push(mixed(number, "has bytes that are no letters"));
                }
            }
        }
    }
    Ok((text, encoding, wrong))
}

/// Adds a letter; false if the byte is none.
fn push(text: &mut String, byte: u8) -> bool {
    let letter = match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().flatten(),
        byte => Some(char::from(byte)),
    };
    text.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    letter.is_some()
}

fn mixed(line: u64, what: &str) -> LineError {
    LineError {
        column: "-".to_owned(),
        cure: "save the whole file as UTF-8 and look at this line's accents".to_owned(),
        line,
        reason: format!("the line {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_give_the_same_letters() {
        let text = "pr\u{e9}nom;\u{153}uvre;\u{20ac}";
        let (utf8, encoding, wrong) = decode(text.as_bytes()).unwrap();
        assert_eq!(
            (utf8.as_str(), encoding, wrong.len()),
            (text, Encoding::Utf8, 0)
        );
        let (latin, encoding, wrong) = decode(b"pr\xe9nom;\x9cuvre;\x80").unwrap();
        assert_eq!(
            (latin.as_str(), encoding, wrong.len()),
            (text, Encoding::Windows1252, 0)
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_letter() {
        assert_eq!(decode(b"\xef\xbb\xbfname").unwrap().0, "name");
    }

    #[test]
    fn a_line_in_another_encoding_is_named() {
        let (_, encoding, wrong) = decode(b"a\n\xc3\xa9\n\xc3\xa9\nR\xe9my\n").unwrap();
        assert_eq!(
            (encoding, wrong.len(), wrong[0].line),
            (Encoding::Utf8, 1, 4)
        );
        let (_, encoding, wrong) = decode(b"a\n\xe9\n\xe9\nR\xc3\xa9my\n").unwrap();
        assert_eq!(
            (encoding, wrong.len(), wrong[0].line),
            (Encoding::Windows1252, 1, 4)
        );
        let (_, _, wrong) = decode(b"\xe9\n\xe9\x81\n").unwrap();
        assert_eq!((wrong.len(), wrong[0].line), (1, 2));
    }

    #[test]
    fn a_workbook_or_utf_16_is_refused_with_what_to_do() {
        for bytes in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a", b"PK\x03\x04\0"] {
            assert!(decode(bytes).unwrap_err().1.contains("UTF-8"));
        }
    }
}
