//! A wire between a node and its server: it counts what the node asks for, and breaks when it is told to.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// The wire; it ends with the runtime.
#[derive(Clone, Default)]
pub(super) struct Wire {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    breaks_at_commit: AtomicBool,
    /// Whether the answer to a commit is on its way, which nobody will see.
    committing: AtomicBool,
    is_silent: AtomicBool,
    questions: AtomicU32,
}

impl Wire {
    /// Puts a wire before the server of this address; the address of its other end.
    pub(super) async fn before(url: &str) -> (Self, String) {
        let wire = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (start, rest) = url.split_once("127.0.0.1:").unwrap();
        let (port, rest) = rest.split_once('/').unwrap();
        let server = format!("127.0.0.1:{port}");
        let here = listener.local_addr().unwrap();
        let state = wire.state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(client, server, state.clone()));
            }
        });
        (wire, format!("{start}{here}/{rest}"))
    }

    /// The next commit reaches the server; its answer does not come back.
    pub(super) fn break_at_commit(&self) {
        self.state.breaks_at_commit.store(true, Ordering::SeqCst);
    }

    /// From here on nothing comes back, and nothing is closed.
    pub(super) fn fall_silent(&self) {
        self.state.is_silent.store(true, Ordering::SeqCst);
    }

    /// How many statements the node sent since this was asked last.
    pub(super) fn questions(&self) -> u32 {
        self.state.questions.swap(0, Ordering::SeqCst)
    }
}

async fn carry(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = server.into_split();
    // Whichever ends first takes the other along.
    tokio::select! {
        _ = ask(client_reads, server_writes, &state) => {}
        _ = answer(server_reads, client_writes, &state) => {}
    }
}

/// What the node says: first the startup, whose length begins it; then messages of a kind and a length.
async fn ask(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State) -> io::Result<()> {
    let mut kind = None;
    loop {
        let len = from.read_u32().await?;
        let mut body = vec![0; (len - 4) as usize];
        from.read_exact(&mut body).await?;
        // Each `Query` and each `Sync` is answered once it is done.
        if matches!(kind, Some(b'Q' | b'S')) {
            state.questions.fetch_add(1, Ordering::SeqCst);
        }
        let commits = kind == Some(b'Q') && body.starts_with(b"commit");
        if commits && state.breaks_at_commit.swap(false, Ordering::SeqCst) {
            state.committing.store(true, Ordering::SeqCst);
        }
        let mut message = Vec::from_iter(kind);
        message.extend_from_slice(&len.to_be_bytes());
        message.extend_from_slice(&body);
        to.write_all(&message).await?;
        kind = Some(from.read_u8().await?);
    }
}

/// What the server answers.
async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State) -> io::Result<()> {
    let mut bytes = vec![0; 65_536];
    loop {
        let len = from.read(&mut bytes).await?;
        let answer = &bytes[..len];
        if answer.is_empty() {
            return Ok(());
        }
        let says_committed = answer.windows(7).any(|window| window == b"COMMIT\0");
        if says_committed && state.committing.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        if !state.is_silent.load(Ordering::SeqCst) {
            to.write_all(answer).await?;
        }
    }
}
