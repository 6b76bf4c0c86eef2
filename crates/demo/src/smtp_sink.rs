//! A mail server that keeps everything and delivers nothing: the demo's mailbox.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::messages::{Channel, Message, Messages};
use crate::mime::Letter;
use crate::world::{World, rfc3339};

/// [RFC 5321 §4.5.3.1.6] "The maximum total length of a text line including the <CRLF> is 1000
/// octets"; twice that is taken.
const LINE_MAX: usize = 2000;
const MAIL_MAX: usize = 1024 * 1024;
const RECIPIENTS_MAX: usize = 100;
const CONNECTIONS_MAX: usize = 16;
/// How long one connection may last, idle or not.
const CONNECTION_S: u64 = 300;

/// Receives mail on `listener` into `messages` until the task is dropped.
///
/// # Errors
/// Ends where the listener itself fails.
pub async fn serve(
    listener: TcpListener,
    messages: Messages,
    world: Arc<dyn World>,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return Ok(());
        };
        let (stream, _) = listener.accept().await?;
        let (messages, world) = (messages.clone(), Arc::clone(&world));
        tokio::spawn(async move {
            let talk = converse(stream, &messages, &*world);
            if let Ok(Err(error)) =
                tokio::time::timeout(Duration::from_secs(CONNECTION_S), talk).await
            {
                tracing::debug!(%error, "a mail conversation ended early");
            }
            drop(place);
        });
    }
}

async fn converse(mut stream: TcpStream, messages: &Messages, world: &dyn World) -> io::Result<()> {
    let (reading, mut writing) = stream.split();
    let mut reading = BufReader::new(reading);
    say(&mut writing, "220 localhost the demo's mailbox").await?;
    let mut envelope = Envelope::default();
    while let Some(line) = read_line(&mut reading).await? {
        match Command::parse(&line) {
            Command::Hello { extended: false } => {
                envelope = Envelope::default();
                say(&mut writing, "250 localhost").await?;
            }
            Command::Hello { extended: true } => {
                envelope = Envelope::default();
                let size =
                    format!("250-localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {MAIL_MAX}");
                say(&mut writing, &size).await?;
            }
            Command::Data if envelope.is_complete() => {
                say(&mut writing, "354 end with a line of one dot").await?;
                let mail = read_mail(&mut reading).await?;
                deliver(
                    std::mem::take(&mut envelope),
                    &mail,
                    messages,
                    world.now_unix(),
                );
                say(&mut writing, "250 kept").await?;
            }
            Command::Quit => return say(&mut writing, "221 bye").await,
            other => say(&mut writing, envelope.answer(other)).await?,
        }
    }
    Ok(())
}

/// From whom and to whom the next mail goes.
#[derive(Default)]
struct Envelope {
    sender_named: bool,
    recipients: Vec<String>,
}

impl Envelope {
    fn is_complete(&self) -> bool {
        self.sender_named && !self.recipients.is_empty()
    }

    fn answer(&mut self, command: Command) -> &'static str {
        match command {
            Command::Mail if !self.sender_named => {
                self.sender_named = true;
                "250 ok"
            }
            Command::Recipient(_) if self.recipients.len() >= RECIPIENTS_MAX => {
                "452 too many recipients"
            }
            Command::Recipient(to) if self.sender_named => {
                self.recipients.push(to);
                "250 ok"
            }
            Command::Reset => {
                *self = Self::default();
                "250 ok"
            }
            Command::Noop => "250 ok",
            Command::Mail | Command::Recipient(_) | Command::Data => "503 out of turn",
            Command::Malformed => "501 the address is not understood",
            Command::Hello { .. } | Command::Quit | Command::Unknown => "500 not understood",
        }
    }
}

enum Command {
    Hello { extended: bool },
    Mail,
    Recipient(String),
    Data,
    Reset,
    Noop,
    Quit,
    Malformed,
    Unknown,
}

impl Command {
    fn parse(line: &[u8]) -> Self {
        let line = String::from_utf8_lossy(line);
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => Self::Hello { extended: true },
            "HELO" => Self::Hello { extended: false },
            "MAIL" => path(rest, "FROM:").map_or(Self::Malformed, |_| Self::Mail),
            "RCPT" => match path(rest, "TO:") {
                Some(to) if !to.is_empty() => Self::Recipient(to),
                _ => Self::Malformed,
            },
            "DATA" => Self::Data,
            "RSET" => Self::Reset,
            "NOOP" => Self::Noop,
            "QUIT" => Self::Quit,
            _ => Self::Unknown,
        }
    }
}

fn path(rest: &str, keyword: &str) -> Option<String> {
    let (word, path) = rest.split_at_checked(keyword.len())?;
    let path = path.trim_start().strip_prefix('<')?;
    let (address, _parameters) = path.split_once('>')?;
    word.eq_ignore_ascii_case(keyword)
        .then(|| address.to_owned())
}

fn deliver(envelope: Envelope, mail: &[u8], messages: &Messages, now: i64) {
    let letter = Letter::read(mail);
    for to in envelope.recipients {
        messages.arrive(Message {
            at: rfc3339(now),
            channel: Channel::Mail,
            to,
            subject: Some(letter.subject.clone()),
            text: letter.text.clone(),
            at_unix: now,
        });
    }
}

/// [RFC 5321 §4.5.2] "If the first character is a period and there are other characters on the
/// line, the first character is deleted."
async fn read_mail(reading: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut mail = Vec::new();
    while let Some(line) = read_line(reading).await? {
        match line.as_slice() {
            b"." => return Ok(mail),
            [b'.', rest @ ..] => mail.extend_from_slice(rest),
            whole => mail.extend_from_slice(whole),
        }
        mail.extend_from_slice(b"\r\n");
        if mail.len() > MAIL_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the mail is too large",
            ));
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// The next line without its ending; `None` at the end of the stream.
async fn read_line(reading: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let chunk = reading.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(None);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |end| end + 1);
        line.extend(chunk.iter().take(taken));
        reading.consume(taken);
        if line.len() > LINE_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a line is too long",
            ));
        }
        if end.is_some() {
            while line
                .last()
                .is_some_and(|last| matches!(last, b'\r' | b'\n'))
            {
                line.pop();
            }
            return Ok(Some(line));
        }
    }
}

async fn say(writing: &mut (impl AsyncWrite + Unpin), words: &str) -> io::Result<()> {
    writing.write_all(words.as_bytes()).await?;
    writing.write_all(b"\r\n").await?;
    writing.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toys::Clockwork;

    async fn connected() -> (BufReader<TcpStream>, Messages) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let messages = Messages::default();
        tokio::spawn(serve(
            listener,
            messages.clone(),
            Arc::new(Clockwork::at(0)),
        ));
        let mut client = BufReader::new(TcpStream::connect(address).await.unwrap());
        assert!(answer(&mut client).await.starts_with("220 "));
        (client, messages)
    }

    async fn answer(client: &mut BufReader<TcpStream>) -> String {
        loop {
            let mut line = String::new();
            client.read_line(&mut line).await.unwrap();
            if line.is_empty() || line.as_bytes().get(3) == Some(&b' ') {
                return line;
            }
        }
    }

    async fn asks(client: &mut BufReader<TcpStream>, words: &str) -> String {
        client.get_mut().write_all(words.as_bytes()).await.unwrap();
        answer(client).await
    }

    #[tokio::test]
    async fn a_mail_lands_in_the_mailbox_of_each_recipient() {
        let (mut client, messages) = connected().await;
        for (words, code) in [
            ("EHLO furka\r\n", "250 "),
            ("MAIL FROM:<noreply@example.ch> BODY=8BITMIME\r\n", "250 "),
            ("RCPT TO:<anna@example.ch>\r\n", "250 "),
            ("rcpt to:<bruno@example.ch>\r\n", "250 "),
            ("DATA\r\n", "354 "),
            (
                "Subject: Bonjour\r\n\r\n..deux points\r\n.un point\r\n.\r\n",
                "250 ",
            ),
            ("QUIT\r\n", "221 "),
        ] {
            assert!(asks(&mut client, words).await.starts_with(code), "{words}");
        }
        let all = messages.all();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].to, "anna@example.ch");
        assert_eq!(all[0].at, "1970-01-01T00:00:00Z");
        assert_eq!(all[0].subject.as_deref(), Some("Bonjour"));
        assert_eq!(all[1].text, ".deux points\nun point");
    }

    #[tokio::test]
    async fn a_command_out_of_turn_is_refused_and_leaves_no_mail() {
        let (mut client, messages) = connected().await;
        for (words, code) in [
            ("DATA\r\n", "503 "),
            ("RCPT TO:<a@b.ch>\r\n", "503 "),
            ("MAIL FROM: nobody\r\n", "501 "),
            ("MAIL FROM:<>\r\n", "250 "),
            ("RCPT TO:<a@b.ch>\r\n", "250 "),
            ("NOOP\r\n", "250 "),
            ("RSET\r\n", "250 "),
            ("DATA\r\n", "503 "),
            ("STARTTLS\r\n", "500 "),
        ] {
            assert!(asks(&mut client, words).await.starts_with(code), "{words}");
        }
        assert!(messages.all().is_empty());
    }

    #[tokio::test]
    async fn an_endless_line_ends_the_conversation() {
        let (mut client, messages) = connected().await;
        let line = "x".repeat(LINE_MAX + 1);
        assert_eq!(asks(&mut client, &line).await, "");
        assert!(messages.all().is_empty());
    }
}
