//! A stream that tells when a request begins to arrive.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
};

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Doing {
    /// Requests whose headers are complete and whose answer has not begun.
    pub(super) answering: usize,
    /// A request was taken at some time.
    pub(super) begun: bool,
    /// Bytes have come since the last answer.
    pub(super) reading: bool,
}

/// A request under way, until this is dropped.
pub(super) struct UnderWay(Arc<watch::Sender<Doing>>);

impl UnderWay {
    pub(super) fn begin(doing: &Arc<watch::Sender<Doing>>) -> Self {
        doing.send_modify(|doing| {
            doing.answering += 1;
            doing.begun = true;
            doing.reading = false;
        });
        Self(doing.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0
            .send_modify(|doing| doing.answering = doing.answering.saturating_sub(1));
    }
}

/// The stream of a connection that takes one request after the other.
pub(super) struct Watched<S> {
    pub(super) doing: Arc<watch::Sender<Doing>>,
    pub(super) stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        if into.filled().len() > before {
            // Bytes of a body come while its request is answered.
            self.doing.send_if_modified(|doing| {
                let first = doing.answering == 0 && !doing.reading;
                doing.reading |= first;
                first
            });
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
