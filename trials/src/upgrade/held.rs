//! What stands in the way of a change: a request that is half there, and a reader that holds the tables.

use std::{process::Stdio, time::Duration};

use driver::Site;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};

use crate::Trouble;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A form of which a node has read the first half.
#[derive(Debug)]
pub(super) struct Half {
    rest: Vec<u8>,
    site: Site,
    stream: TcpStream,
}

impl Half {
    pub(super) async fn send(site: &Site, fields: &[(&str, &str)]) -> Result<Self, Trouble> {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let body = pairs.join("&");
        let host = site.origin.trim_start_matches("http://");
        let request = format!(
            "POST /login HTTP/1.1\r\nHost: {host}\r\nOrigin: {}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            site.origin,
            body.len()
        );
        let (first, rest) = request.split_at(request.len() - body.len() / 2);
        let mut stream = TcpStream::connect(site.address).await?;
        stream.write_all(first.as_bytes()).await?;
        Ok(Self {
            rest: rest.as_bytes().to_vec(),
            site: site.clone(),
            stream,
        })
    }

    /// Waits until nobody new is let in, sends the other half, and reads an answer.
    pub(super) async fn ends(mut self) -> Result<(), Trouble> {
        let refuses = async {
            while TcpStream::connect(self.site.address).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let refuses = timeout(ANSWER_MAX, refuses).await;
        refuses.map_err(|_| "a node that was asked to leave takes new connections")?;
        self.stream.write_all(&self.rest).await?;
        let mut answer = Vec::new();
        let read = timeout(ANSWER_MAX, self.stream.read_to_end(&mut answer)).await;
        read.map_err(|_| "no answer")??;
        match answer.starts_with(b"HTTP/1.1 4") || answer.starts_with(b"HTTP/1.1 3") {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&answer)
                .chars()
                .take(80)
                .collect::<String>()
                .into()),
        }
    }
}

/// Somebody who reads people for as long as the value lives, as a backup does.
#[derive(Debug)]
pub(super) struct Tables(#[expect(dead_code, reason = "its end is the end of the reading")] Child);

impl Tables {
    pub(super) async fn in_use(url: &str) -> Result<Self, Trouble> {
        let mut child = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-d", url])
            .env("PGAPPNAME", "reader")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut to = child.stdin.take().ok_or("the reader has no input")?;
        to.write_all(b"begin; select count(*) from person;\n")
            .await?;
        let from = child.stdout.take().ok_or("the reader has no output")?;
        let mut lines = BufReader::new(from).lines();
        let read = timeout(ANSWER_MAX, lines.next_line()).await;
        read.map_err(|_| "the reader reads nothing")??;
        child.stdin = Some(to);
        Ok(Self(child))
    }
}
