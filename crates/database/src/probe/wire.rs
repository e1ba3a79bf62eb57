//! One connection, with a bound on everything: time to connect, time for all, and bytes read.

use std::io;
use std::time::Duration;

use everseal_planner::rds::observed::DbEndpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Malformed, ProbeError};

/// How long the other side may take to close after we have.
const FAREWELL: Duration = Duration::from_millis(250);

/// What limits a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) connect_timeout: Duration,
    pub(super) deadline: Instant,
    pub(super) max_bytes: usize,
}

/// Why a conversation ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("it closed the connection")]
    Closed,
    #[error("no answer in time")]
    TimedOut,
    #[error("it sent more than {0} bytes")]
    TooMuch(usize),
    #[error("{0}")]
    Io(io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// A connection, and what was read from it and not used yet.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    bounds: Bounds,
    left: usize,
    pub(super) unused: Vec<u8>,
}

pub(crate) fn address(endpoint: &DbEndpoint) -> String {
    let DbEndpoint { address, port } = endpoint;
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

impl Wire {
    pub(super) async fn connect(endpoint: &DbEndpoint, bounds: Bounds) -> Result<Self, ProbeError> {
        let unreachable = |reason: String| ProbeError::Unreachable { address: address(endpoint), reason };
        let by = bounds.deadline.min(Instant::now() + bounds.connect_timeout);
        match timeout_at(by, TcpStream::connect((endpoint.address.as_str(), endpoint.port))).await {
            Ok(Ok(stream)) => Ok(Self { stream, bounds, left: bounds.max_bytes, unused: Vec::new() }),
            Ok(Err(error)) => Err(unreachable(error.to_string())),
            Err(_) => Err(unreachable("no connection in time".to_owned())),
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        match timeout_at(self.bounds.deadline, self.stream.write_all(bytes)).await {
            Ok(sent) => sent.map_err(closed_or_else),
            Err(_) => Err(WireError::TimedOut),
        }
    }

    /// Adds what comes next to [`Self::unused`].
    pub(super) async fn read(&mut self) -> Result<(), WireError> {
        if self.left == 0 {
            return Err(WireError::TooMuch(self.bounds.max_bytes));
        }
        let mut piece = [0; 4096];
        let most = piece.len().min(self.left);
        match timeout_at(self.bounds.deadline, self.stream.read(&mut piece[..most])).await {
            Ok(Ok(0)) => Err(WireError::Closed),
            Ok(Ok(count)) => {
                self.left -= count;
                self.unused.extend_from_slice(&piece[..count]);
                Ok(())
            }
            Ok(Err(error)) => Err(closed_or_else(error)),
            Err(_) => Err(WireError::TimedOut),
        }
    }

    /// Reads until `parse` has a whole answer, and takes that for all that was said.
    pub(super) async fn answer<T>(&mut self, parse: impl Fn(&[u8]) -> Result<Option<T>, Malformed>) -> Result<T, WireError> {
        loop {
            if let Some(answer) = parse(&self.unused)? {
                self.unused.clear();
                return Ok(answer);
            }
            self.read().await?;
        }
    }

    /// Says good-bye and lets the other side do so: data that nobody read would make it a reset.
    pub(super) async fn close(mut self) {
        let farewell = async {
            let _ = self.stream.shutdown().await;
            while self.left > 0 && self.read().await.is_ok() {}
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
}

fn closed_or_else(error: io::Error) -> WireError {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => WireError::Closed,
        _ => WireError::Io(error),
    }
}
