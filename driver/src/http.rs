//! One connection to the provider, and what comes back on it, byte by byte.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Why a request had no answer, or not the one that was expected.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The connection could not be made, or broke.
    #[error("the connection to the provider: {0}")]
    Connection(#[from] std::io::Error),
    /// The answer was there, and was another one.
    #[error("{0}")]
    Unexpected(String),
}

impl From<&str> for Trouble {
    fn from(sentence: &str) -> Self {
        Self::Unexpected(sentence.to_owned())
    }
}

/// A keep-alive connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    /// Its text; bytes that are no UTF-8 are replaced.
    pub body: String,
    /// Everything that came over the wire for it.
    pub bytes: usize,
    head: String,
    /// Its status.
    pub status: u16,
}

impl Answer {
    /// Every value of a header; its name in lower case.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        lines
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// Where a redirect leads; empty where it leads nowhere.
    #[must_use]
    pub fn location(&self) -> &str {
        self.headers("location").next().unwrap_or_default()
    }

    /// What stands in the body between two texts.
    #[must_use]
    pub fn between(&self, before: &str, after: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(before)?;
        rest.split_once(after).map(|(found, _)| found)
    }

    /// A sentence that says what came instead of what was wanted.
    #[must_use]
    pub fn unexpected(&self, wanted: &str) -> Trouble {
        let title = self.between("<title>", "</title>").unwrap_or(&self.body);
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let title: String = title.chars().take(120).collect();
        let status = self.status;
        Trouble::Unexpected(format!(
            "{wanted} was expected, and the answer was {status}: {title}"
        ))
    }
}

impl Connection {
    /// Opens one.
    ///
    /// # Errors
    /// If nobody listens.
    pub async fn open(to: SocketAddr) -> Result<Self, Trouble> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(32 * 1024),
        })
    }

    /// Sends a request as it is to stand on the wire, and waits for its answer.
    ///
    /// # Errors
    /// If the connection breaks, or what comes is no answer, or one in chunks.
    pub async fn call(&mut self, request: &str) -> Result<Answer, Trouble> {
        self.received.clear();
        self.stream.write_all(request.as_bytes()).await?;
        let head = loop {
            if let Some(at) = self
                .received
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
            {
                break at + 4;
            }
            self.more().await?;
        };
        let text =
            String::from_utf8_lossy(self.received.get(..head).unwrap_or_default()).into_owned();
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or("the answer has no status")?;
        let mut answer = Answer {
            body: String::new(),
            bytes: 0,
            head: text,
            status,
        };
        let length = match answer.headers("content-length").next() {
            Some(length) => length
                .parse()
                .map_err(|_| "the answer's length is no number")?,
            None if answer.headers("transfer-encoding").next().is_some() => {
                return Err("the answer comes in chunks, which this driver does not read".into());
            }
            None => 0,
        };
        answer.bytes = head.saturating_add(length);
        while self.received.len() < answer.bytes {
            self.more().await?;
        }
        let body = self.received.get(head..answer.bytes).unwrap_or_default();
        answer.body = String::from_utf8_lossy(body).into_owned();
        Ok(answer)
    }

    async fn more(&mut self) -> Result<(), Trouble> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => {
                let sentence = "closed in the middle of an answer";
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, sentence).into())
            }
            _ => Ok(()),
        }
    }
}
