//! The carriers of messages: a mail server that keeps what it is given, and a gateway that takes all.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// Both, until the runtime ends.
#[derive(Debug)]
pub(crate) struct Post {
    mails: Mails,
    /// Where mail is taken.
    pub(crate) mail: u16,
    /// Where text messages are taken.
    pub(crate) sms: u16,
}

/// The last mail to each address.
type Mails = Arc<Mutex<BTreeMap<String, String>>>;

impl Post {
    pub(crate) async fn open() -> io::Result<Self> {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (mail, sms) = (
            TcpListener::bind(loopback).await?,
            TcpListener::bind(loopback).await?,
        );
        let post = Self {
            mails: Mails::default(),
            mail: mail.local_addr()?.port(),
            sms: sms.local_addr()?.port(),
        };
        let mails = Arc::clone(&post.mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = mail.accept().await {
                // A client that goes away in the middle sends again.
                tokio::spawn(take_mail(stream, Arc::clone(&mails)));
            }
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = sms.accept().await {
                tokio::spawn(take_sms(stream));
            }
        });
        Ok(post)
    }

    /// How many addresses have mail.
    pub(crate) fn addresses(&self) -> usize {
        self.mails().len()
    }

    /// The activation code in the last mail to an address: five signs, a dash, five signs.
    pub(crate) fn activation_code(&self, address: &str) -> Option<String> {
        let mails = self.mails();
        let mail = mails.get(address)?;
        let is_code = |word: &&str| {
            let sign = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            match word.split_once('-') {
                Some((one, other)) => [one, other]
                    .iter()
                    .all(|half| half.len() == 5 && half.as_bytes().iter().all(sign)),
                None => false,
            }
        };
        mail.split_whitespace().find(is_code).map(str::to_owned)
    }

    fn mails(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [RFC 5321 §4.1.1] One session, as far as a client that sends mail needs it.
async fn take_mail(mut stream: TcpStream, mails: Mails) -> io::Result<()> {
    let (reading, mut writing) = stream.split();
    let mut lines = BufReader::new(reading).lines();
    let mut to = String::new();
    writing.write_all(b"220 post\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1);
                address.unwrap_or_default().clone_into(&mut to);
                b"250 ok\r\n"
            }
            "DATA" => {
                writing.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    text.push_str(&line);
                    text.push('\n');
                }
                let mut mails = mails.lock().unwrap_or_else(PoisonError::into_inner);
                mails.insert(to.clone(), text);
                b"250 taken\r\n"
            }
            "QUIT" => return writing.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        writing.write_all(answer).await?;
    }
    Ok(())
}

/// Takes one text message, whatever it says.
async fn take_sms(mut stream: TcpStream) -> io::Result<()> {
    let mut received = Vec::new();
    let mut end = None;
    while end.is_none_or(|end| received.len() < end) {
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
        end = length(&received);
    }
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer).await
}

/// How long a request is, once its head is there.
fn length(received: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(received);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    let body = headers
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .find_map(|(_, value)| value.trim().parse::<usize>().ok());
    Some(head.len() + 4 + body.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn a_request_is_as_long_as_it_says() {
        assert_eq!(length(b"POST / HTTP/1.1\r\nContent-"), None);
        let request = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(length(request), Some(request.len()));
    }
}
