//! One connection to the provider, and what comes back on it, byte by byte.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Trouble;

/// A keep-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) body: String,
    /// Everything that came over the wire for it.
    pub(crate) bytes: usize,
    head: String,
    pub(crate) status: u16,
}

impl Answer {
    /// Every value of a header; its name in lower case.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        lines
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// What stands in the body between two texts.
    pub(crate) fn between(&self, before: &str, after: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(before)?;
        rest.split_once(after).map(|(found, _)| found)
    }

    /// A sentence that says what came instead of what was wanted.
    pub(crate) fn unexpected(&self, wanted: &str) -> Trouble {
        let title = self.between("<title>", "</title>").unwrap_or(&self.body);
        let title: String = title.chars().take(120).collect();
        format!(
            "{wanted} was expected, and the answer was {}: {title}",
            self.status
        )
        .into()
    }
}

impl Connection {
    pub(crate) async fn open(to: SocketAddr) -> Result<Self, Trouble> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(32 * 1024),
        })
    }

    /// Sends a request as it is to stand on the wire, and waits for its answer.
    pub(crate) async fn call(&mut self, request: &str) -> Result<Answer, Trouble> {
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
            Some(length) => length.parse()?,
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
            0 => Err("the provider closed the connection in the middle of an answer".into()),
            _ => Ok(()),
        }
    }
}
