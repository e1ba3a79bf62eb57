//! Into AWS: the runtime, the connection, and accounts that stay closed.

use std::future::Future;
use std::io::{self, Write};
use std::sync::Arc;

use anyhow::{Context, Result};
use everseal_aws::{Aws, ConnectOptions};
use everseal_controller::Unwatched;
use everseal_planner::PolicySet;

use crate::scopes::{self, Closed};

/// Runs a command's async part.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("can't start the async runtime")?;
    runtime.block_on(work)
}

/// Connects for a command: nobody scrapes its calls.
pub async fn connect(policies: Option<&PolicySet>) -> Result<Aws> {
    let options = ConnectOptions { fallback_region: policies.and_then(scopes::fallback_region), ..ConnectOptions::default() };
    Ok(Aws::connect(options, Arc::new(Unwatched)).await?)
}

/// One line for each account that could not be entered.
pub fn complain(closed: &[Closed]) {
    for Closed { account, error } in closed {
        let _ = writeln!(io::stderr(), "account {account} left out: {error}");
    }
}
