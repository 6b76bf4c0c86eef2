//! Reads a mail as a person would: its subject and its first plain text.
//!
//! Deliberately absent: attachments, HTML, other character sets than UTF-8 (read lossily).

use data_encoding::BASE64;

/// What a mailbox shows of a mail.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// How deep multipart bodies may nest before they are shown raw.
const DEPTH_MAX: u8 = 5;

impl Letter {
    /// Never fails: what cannot be decoded is shown as it came.
    pub(crate) fn read(raw: &[u8]) -> Self {
        let raw = String::from_utf8_lossy(raw).replace("\r\n", "\n");
        let part = Part::read(&raw);
        let subject = decode_words(part.header("subject").unwrap_or_default());
        let text = part
            .plain_text(DEPTH_MAX)
            .unwrap_or_else(|| part.body.to_owned());
        Self {
            subject,
            text: text.trim_end().to_owned(),
        }
    }
}

struct Part<'a> {
    headers: Vec<(String, String)>,
    body: &'a str,
}

impl<'a> Part<'a> {
    fn read(raw: &'a str) -> Self {
        let (head, body) = match raw.strip_prefix('\n') {
            Some(body) => ("", body),
            None => raw.split_once("\n\n").unwrap_or((raw, "")),
        };
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in head.lines() {
            match (line.starts_with([' ', '\t']), headers.last_mut()) {
                (true, Some((_, value))) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                _ => {
                    if let Some((name, value)) = line.split_once(':') {
                        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                    }
                }
            }
        }
        Self { headers, body }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn plain_text(&self, depth: u8) -> Option<String> {
        let kind = self.header("content-type").unwrap_or("text/plain");
        let main = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if let Some(boundary) = parameter(kind, "boundary").filter(|_| main.starts_with("multi")) {
            let depth = depth.checked_sub(1)?;
            return parts(self.body, &boundary)
                .into_iter()
                .find_map(|part| Part::read(part).plain_text(depth));
        }
        (main == "text/plain").then(|| self.decoded())
    }

    fn decoded(&self) -> String {
        let encoding = self.header("content-transfer-encoding").unwrap_or("7bit");
        let bytes = match encoding.to_ascii_lowercase().as_str() {
            "quoted-printable" => quoted_printable(self.body, false),
            "base64" => base64(self.body).unwrap_or_else(|| self.body.as_bytes().to_vec()),
            _ => self.body.as_bytes().to_vec(),
        };
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// [RFC 2046 §5.1.1] parts stand between lines `--boundary`, the last before `--boundary--`.
fn parts<'a>(body: &'a str, boundary: &str) -> Vec<&'a str> {
    let delimiter = format!("--{boundary}");
    let mut found = Vec::new();
    for piece in body.split(delimiter.as_str()).skip(1) {
        if piece.starts_with("--") {
            break;
        }
        if let Some((_, part)) = piece.split_once('\n') {
            found.push(part.strip_suffix('\n').unwrap_or(part));
        }
    }
    found
}

/// [RFC 2045 §6.7]; with `underscore` the variant of [RFC 2047 §4.2] where `_` is a space.
fn quoted_printable(text: &str, underscore: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [] => return bytes,
            [b'=', b'\n', tail @ ..] => rest = tail,
            [b'=', high, low, tail @ ..] => {
                match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => bytes.push((high << 4) | low),
                    _ => bytes.extend_from_slice(&[b'=', *high, *low]),
                }
                rest = tail;
            }
            [b'_', tail @ ..] if underscore => {
                bytes.push(b' ');
                rest = tail;
            }
            [byte, tail @ ..] => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let dense: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    BASE64.decode(&dense).ok()
}

/// Decodes `=?utf-8?b?…?=` and `=?utf-8?q?…?=`.
///
/// [RFC 2047 §6.2] "any 'linear-white-space' that separates a pair of adjacent 'encoded-word's is
/// ignored".
fn decode_words(value: &str) -> String {
    let mut shown = String::new();
    let mut pending: Vec<u8> = Vec::new();
    for word in value.split(' ') {
        match encoded_word(word) {
            Some(bytes) => {
                if pending.is_empty() && !shown.is_empty() {
                    shown.push(' ');
                }
                pending.extend(bytes);
            }
            None => {
                shown.push_str(&String::from_utf8_lossy(&std::mem::take(&mut pending)));
                if !shown.is_empty() {
                    shown.push(' ');
                }
                shown.push_str(word);
            }
        }
    }
    shown.push_str(&String::from_utf8_lossy(&pending));
    shown
}

fn encoded_word(word: &str) -> Option<Vec<u8>> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let mut pieces = inner.splitn(3, '?');
    let (_charset, encoding, text) = (pieces.next()?, pieces.next()?, pieces.next()?);
    match encoding {
        "b" | "B" => base64(text),
        "q" | "Q" => Some(quoted_printable(text, true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_printable_mail_is_read() {
        let letter = Letter::read(
            b"Subject: =?utf-8?b?QWN0aXZleiB2b3RyZSBpZGVudGl0w6k=?=\r\n\
              Content-Type: text/plain; charset=utf-8\r\n\
              Content-Transfer-Encoding: quoted-printable\r\n\r\n\
              Identit=C3=A9 num=C3=A9rique: http://localhost:8400/activate=\r\n?code=3Dabc\r\n",
        );
        assert_eq!(letter.subject, "Activez votre identit\u{e9}");
        let link = "http://localhost:8400/activate?code=abc";
        assert_eq!(letter.text, format!("Identit\u{e9} num\u{e9}rique: {link}"));
    }

    #[test]
    fn the_plain_text_of_a_multipart_mail_is_found() {
        let letter = Letter::read(
            b"Subject: =?utf-8?q?Votre_mot_de?=\r\n =?utf-8?q?_passe?= change\r\n\
              Content-Type: multipart/alternative;\r\n boundary=\"x\"\r\n\r\n\
              --x\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n\
              --x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n\
              Qm9uam91\r\ncg==\r\n--x--\r\n",
        );
        assert_eq!(letter.subject, "Votre mot de passe change");
        assert_eq!(letter.text, "Bonjour");
    }

    #[test]
    fn what_is_no_mail_is_shown_as_it_came() {
        for raw in [
            &b""[..],
            b"\n",
            b"=",
            b"Content-Type: multipart/a; boundary=\n\n----",
            b"\xff",
        ] {
            let _ = Letter::read(raw);
        }
        assert_eq!(quoted_printable("a=zz=", false), b"a=zz=");
    }
}
