//! SIGTERM and Ctrl-C: the first asks for a graceful stop.

use tokio_util::sync::CancellationToken;

/// Cancels `stop` at the first SIGTERM or SIGINT; a second one ends the process at once.
pub fn cancel_on_signal(stop: CancellationToken) {
    tokio::spawn(async move {
        wait().await;
        tracing::info!("stopping: finishing the writes in hand; a second signal stops at once");
        stop.cancel();
        wait().await;
        tracing::warn!("stopped at once; the ledger shows what was in hand as interrupted");
        std::process::exit(3);
    });
}

async fn wait() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM can't be listened for; Ctrl-C still works");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
