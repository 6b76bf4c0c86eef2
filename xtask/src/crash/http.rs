//! One connection to the provider, and a browser on it: what came back was read to its last byte.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const CHUNK: usize = 16 * 1024;

/// Where the provider is, and what it calls itself.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) address: SocketAddr,
    /// Its public origin, without a path.
    pub(super) origin: String,
}

impl Site {
    fn host(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, host)| host)
    }
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) body: String,
    head: String,
    pub(super) status: u16,
}

impl Answer {
    /// Every value of a header.
    fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.lines().skip(1);
        lines
            .filter_map(|line| line.split_once(':'))
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// Where a redirect leads; empty where it leads nowhere.
    pub(super) fn location(&self) -> &str {
        self.headers("location").next().unwrap_or_default()
    }

    /// What stands in the body between two texts.
    pub(super) fn between(&self, before: &str, after: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(before)?;
        rest.split_once(after).map(|(found, _)| found)
    }

    /// What it is, in a few words.
    pub(super) fn sentence(&self) -> String {
        let title = self.between("<title>", "</title>").unwrap_or(&self.body);
        let title: String = title.chars().take(120).collect();
        format!("{} {}{title}", self.status, self.location())
    }
}

/// A browser: its cookies and its one connection.
#[derive(Debug)]
pub(super) struct Browser {
    connection: Option<TcpStream>,
    cookies: BTreeMap<String, String>,
    /// The address that the front proxy forwards.
    from: &'static str,
    site: Site,
}

impl Browser {
    /// A browser that was never here.
    pub(super) fn new(site: &Site, from: &'static str) -> Self {
        Self {
            connection: None,
            cookies: BTreeMap::new(),
            from,
            site: site.clone(),
        }
    }

    /// Ends the connection; the cookies stay.
    pub(super) fn hangs_up(&mut self) {
        self.connection = None;
    }

    /// Carries the device to another network.
    pub(super) fn goes_to(&mut self, from: &'static str) {
        self.from = from;
    }

    /// Forgets all cookies.
    pub(super) fn forgets(&mut self) {
        self.cookies.clear();
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Takes a cookie that was kept elsewhere.
    pub(super) fn takes(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn get(&mut self, path: &str) -> io::Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.usual());
        self.call(&request)
    }

    /// Reads something as the bearer of an access token.
    pub(super) fn get_as(&mut self, path: &str, token: &str) -> io::Result<Answer> {
        let host = self.site.host();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
        self.call(&request)
    }

    pub(super) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> io::Result<Answer> {
        let body = form(fields);
        let request = format!(
            "POST {path} HTTP/1.1\r\n{}Origin: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.usual(),
            self.site.origin,
            body.len()
        );
        self.call(&request)
    }

    /// The headers that a browser always sends, as far as anybody reads them.
    fn usual(&self) -> String {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!(
            "Host: {}\r\nX-Forwarded-For: {}\r\nAccept-Language: en\r\nCookie: {}\r\n",
            self.site.host(),
            self.from,
            pairs.join("; ")
        )
    }

    fn call(&mut self, request: &str) -> io::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connection = TcpStream::connect(self.site.address)?;
                connection.set_nodelay(true)?;
                connection.set_read_timeout(Some(PATIENCE))?;
                connection
            }
        };
        connection.write_all(request.as_bytes())?;
        let answer = read(&mut connection)?;
        if answer.headers("connection").all(|value| value != "close") {
            self.connection = Some(connection);
        }
        for line in answer.headers("set-cookie") {
            let pair = line.split(';').next().and_then(|pair| pair.split_once('='));
            match pair {
                Some((name, _)) if line.contains("Max-Age=0") => drop(self.cookies.remove(name)),
                Some((name, value)) => self.takes(name, value),
                None => {}
            }
        }
        Ok(answer)
    }
}

fn read(connection: &mut TcpStream) -> io::Result<Answer> {
    let mut received = Vec::with_capacity(CHUNK);
    let mut chunk = vec![0; CHUNK];
    let mut more = |received: &mut Vec<u8>| match connection.read(&mut chunk)? {
        0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        bytes => {
            received.extend(chunk.get(..bytes).unwrap_or_default());
            Ok(())
        }
    };
    let head = loop {
        let found = received.windows(4).position(|four| four == b"\r\n\r\n");
        match found {
            Some(at) => break at + 4,
            None => more(&mut received)?,
        }
    };
    let strange = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    let text = String::from_utf8_lossy(received.get(..head).unwrap_or_default()).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
    let mut answer = Answer {
        body: String::new(),
        head: text,
        status: status.ok_or_else(|| strange("an answer without a status"))?,
    };
    let length = match answer.headers("content-length").next() {
        Some(length) => length.parse().map_err(|_| strange("no length"))?,
        None if answer.headers("transfer-encoding").next().is_some() => {
            return Err(strange("the answer comes in chunks"));
        }
        None => 0,
    };
    let end = head.saturating_add(length);
    while received.len() < end {
        more(&mut received)?;
    }
    let body = received.get(head..end).unwrap_or_default();
    answer.body = String::from_utf8_lossy(body).into_owned();
    Ok(answer)
}

/// Fields as a form writes them.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn what_is_not_plain_is_escaped() {
        assert_eq!(
            form(&[("a", "x y"), ("b", "é&=")]),
            "a=x%20y&b=%C3%A9%26%3D"
        );
    }
}
