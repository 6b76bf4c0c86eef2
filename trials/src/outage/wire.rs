//! The network between one node and the database, which can be lost: nothing arrives any more, nobody is
//! told, and what was on the way arrives when it is back, as TCP sends again what was not acknowledged.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::Trouble;

/// A network that carries, until it is cut.
#[derive(Debug)]
pub(super) struct Wire {
    carries: watch::Sender<bool>,
    /// Where the node finds the database.
    pub(super) port: u16,
}

impl Wire {
    /// Leads to a database, until the runtime ends.
    pub(super) async fn to(database: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (carries, carried) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                tokio::spawn(connect(node, database, carried.clone()));
            }
        });
        Ok(Self { carries, port })
    }

    pub(super) fn cut(&self) {
        self.carries.send_replace(false);
    }

    pub(super) fn mend(&self) {
        self.carries.send_replace(true);
    }
}

async fn connect(
    mut node: TcpStream,
    database: SocketAddr,
    carried: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut database = TcpStream::connect(database).await?;
    node.set_nodelay(true)?;
    database.set_nodelay(true)?;
    let (from_node, to_node) = node.split();
    let (from_database, to_database) = database.split();
    // Where one side hangs up, the other hears it when the network is back.
    tokio::select! {
        ended = carry(from_node, to_database, carried.clone()) => ended,
        ended = carry(from_database, to_node, carried) => ended,
    }
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut carried: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes).await?;
        if carried.wait_for(|carries| *carries).await.is_err() || read == 0 {
            return Ok(());
        }
        to.write_all(bytes.get(..read).unwrap_or_default()).await?;
    }
}

/// Where the database of an address is, and the same address behind another port.
pub(super) fn behind(url: &str, port: u16) -> Result<(SocketAddr, String), Trouble> {
    let parts = url
        .rsplit_once('@')
        .and_then(|(user, rest)| Some((user, rest.split_once('/')?)));
    let (user, (place, database)) = parts.ok_or("the address of the database names no place")?;
    let other = format!("{user}@127.0.0.1:{port}/{database}");
    Ok((place.parse()?, other))
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn an_address_keeps_all_but_its_port() {
        let (place, other) = behind("postgres://u:p@127.0.0.1:5432/db", 99).unwrap();
        assert_eq!(place.port(), 5432);
        assert_eq!(other, "postgres://u:p@127.0.0.1:99/db");
        assert!(behind("sqlite:x", 99).is_err());
    }
}
