//! A limit to how long a client may take to read what it is sent.
//!
//! A timeout of single writes would not do: who reads a byte now and then
//! would hold a connection for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::seats::Place;

/// A connection whose answers must each be read in a time.
#[derive(Debug)]
pub(super) struct Deadline<T> {
    inner: T,
    patience: Duration,
    /// When what is being written must be gone.
    due: Pin<Box<Sleep>>,
    /// Whether anything was written since the last flush.
    writes: bool,
    /// Where it is told how the reading goes.
    place: Place,
}

impl<T> Deadline<T> {
    /// Gives the other side so long to read each answer.
    pub(super) fn new(inner: T, patience: Duration, place: Place) -> Self {
        Self {
            inner,
            patience,
            due: Box::pin(sleep_until(Instant::now() + patience)),
            writes: false,
            place,
        }
    }

    fn begin(&mut self) {
        if !self.writes {
            self.writes = true;
            self.due.as_mut().reset(Instant::now() + self.patience);
        }
    }

    fn wrote(&self, polled: &Poll<io::Result<usize>>) {
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.place.takes_some();
        }
    }

    /// What was pending, or an error once it is so for too long.
    fn bounded<R>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if polled.is_pending() && self.writes {
            ready!(self.due.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Deadline<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Deadline<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.begin();
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.wrote(&polled);
        self.bounded(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.begin();
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.wrote(&polled);
        self.bounded(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(context);
        if polled.is_ready() && self.writes {
            self.writes = false;
            self.place.has_all();
        }
        self.bounded(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.begin();
        let polled = Pin::new(&mut self.inner).poll_shutdown(context);
        self.bounded(context, polled)
    }
}
