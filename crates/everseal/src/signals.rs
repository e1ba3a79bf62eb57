//! SIGTERM and Ctrl-C: the first asks for a graceful stop.

use std::future::pending;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` at the first SIGTERM or SIGINT; a second one ends the process at once.
pub fn cancel_on_signal(stop: CancellationToken) {
    // Listened for from here on: a second signal that follows at once is not lost.
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate()), listen(SignalKind::interrupt()));
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        tracing::info!("stopping: finishing the writes in hand; a second signal stops at once");
        stop.cancel();
        either(&mut terminate, &mut interrupt).await;
        tracing::warn!("stopped at once; the ledger shows what was in hand as interrupted");
        std::process::exit(3);
    });
}

/// Returns at the first SIGTERM or SIGINT.
pub async fn asked_to_stop() {
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate()), listen(SignalKind::interrupt()));
    either(&mut terminate, &mut interrupt).await;
}

fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind).inspect_err(|error| tracing::warn!(%error, signal = kind.as_raw_value(), "a signal can't be listened for")).ok()
}

async fn either(terminate: &mut Option<Signal>, interrupt: &mut Option<Signal>) {
    tokio::select! {
        () = received(terminate) => {}
        () = received(interrupt) => {}
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}
