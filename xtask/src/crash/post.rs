//! The post office of a canton that is made for crashes: it takes every mail and reads the activation codes.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::workshop::Trouble;

/// Takes mail as long as the process lives.
#[derive(Clone, Debug)]
pub(super) struct Post {
    port: u16,
    received: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Post {
    pub(super) fn open() -> Result<Self, Trouble> {
        let listen = || -> io::Result<(TcpListener, u16)> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            Ok((listener, port))
        };
        let (listener, port) =
            listen().map_err(|error| Trouble::new(format!("opening a post office: {error}")))?;
        let post = Self {
            port,
            received: Arc::default(),
        };
        let received = Arc::clone(&post.received);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let received = Arc::clone(&received);
                // A client that goes away in the middle sends again.
                thread::spawn(move || take(&client, &received));
            }
        });
        Ok(post)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The last mail to everybody, by address.
    pub(super) fn received(&self) -> BTreeMap<String, String> {
        let received = self.received.lock();
        received.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// [RFC 5321 §4.1.1] One session, as far as a client that sends mail needs it.
fn take(client: &TcpStream, received: &Mutex<BTreeMap<String, String>>) -> io::Result<()> {
    let mut lines = BufReader::new(client).lines();
    let mut out = client;
    let mut to = String::new();
    out.write_all(b"220 post\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1);
                to = address.unwrap_or_default().to_owned();
                b"250 ok\r\n"
            }
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                let mut text = String::new();
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    text.push_str(&line);
                    text.push('\n');
                }
                let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
                received.insert(to.clone(), text);
                b"250 taken\r\n"
            }
            "QUIT" => {
                out.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        out.write_all(answer)?;
    }
    Ok(())
}
