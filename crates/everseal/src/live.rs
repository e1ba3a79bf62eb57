//! Into AWS: the runtime, the connection, and one pass over every scope of the policies.

use std::future::Future;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use everseal_aws::{Aws, ConnectOptions};
use everseal_controller::{Account, Clock, Memory, Pass, Surroundings, Unwatched, pass};
use everseal_planner::plan::Target;
use everseal_planner::{Inventory, PolicySet};
use futures::future::join_all;

use crate::scopes::{self, Closed, Entered};
use crate::world::World;

/// Runs a command's async part.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("can't start the async runtime")?;
    let result = runtime.block_on(work);
    // Whatever still runs has nothing to finish: writes are awaited by those who make them.
    runtime.shutdown_background();
    result
}

/// Connects for a command: nobody scrapes its calls.
pub async fn connect(policies: Option<&PolicySet>) -> Result<Aws> {
    let options = ConnectOptions { fallback_region: policies.and_then(scopes::fallback_region), ..ConnectOptions::default() };
    Ok(Aws::connect(options, Arc::new(Unwatched)).await?)
}

/// One scope of a command: the way in, what it remembers, and what its pass saw.
#[derive(Debug)]
pub struct Worked {
    /// The way in.
    pub account: Entered,
    /// What passes and steps of this scope share.
    pub memory: Mutex<Memory>,
    /// What was seen, and what follows from it.
    pub pass: Pass,
}

impl Worked {
    /// A fresh pass: another scope's changes may matter here.
    pub async fn look_again(&mut self, policies: &PolicySet, clock: Clock) {
        self.pass = pass::run(&self.account, &Surroundings { policies, memory: &self.memory, clock }).await;
    }
}

/// Every scope that could be entered, and the accounts that stay closed.
#[derive(Debug)]
pub struct Everywhere {
    /// Scopes with their pass.
    pub scopes: Vec<Worked>,
    /// Closed accounts.
    pub closed: Vec<Closed>,
}

impl Everywhere {
    /// All plans as one.
    pub fn world(&self) -> World {
        let mut world = World::default();
        for Worked { account: _, memory: _, pass: Pass { inventory, plan } } in &self.scopes {
            world.add(inventory, plan.clone());
        }
        world.unread.extend(self.closed.iter().map(Closed::line));
        world
    }
}

/// Observes and plans every scope of the policies.
pub async fn pass_everywhere(policies: &PolicySet, clock: Clock) -> Result<Everywhere> {
    let aws = connect(Some(policies)).await?;
    let (accounts, closed) = scopes::open(&aws, policies, None).await;
    if accounts.is_empty() {
        let reasons: Vec<String> = closed.iter().map(Closed::line).collect();
        bail!("no account of the policy could be entered\n{}", reasons.join("\n"));
    }
    let scopes = join_all(accounts.into_iter().map(|account| work(account, policies, clock))).await;
    Ok(Everywhere { scopes, closed })
}

async fn work(account: Entered, policies: &PolicySet, clock: Clock) -> Worked {
    let memory = Mutex::new(Memory::starting(clock.now()));
    let pass = pass::run(&account, &Surroundings { policies, memory: &memory, clock }).await;
    Worked { account, memory, pass }
}

/// Observes what paths need in every scope of the policies; accounts that stay closed come as one line each.
pub async fn paths_everywhere(policies: &PolicySet, clock: Clock) -> Result<(Vec<Inventory>, Vec<String>)> {
    let aws = connect(Some(policies)).await?;
    let (accounts, closed) = scopes::open(&aws, policies, None).await;
    let closed: Vec<String> = closed.iter().map(Closed::line).collect();
    if accounts.is_empty() {
        bail!("no account of the policy could be entered\n{}", closed.join("\n"));
    }
    let inventories = join_all(accounts.iter().map(|account| observe_paths(account, policies, clock))).await;
    Ok((inventories, closed))
}

/// One scope with everything that its paths hang on, and whatever gates want to know beside it.
async fn observe_paths(account: &Entered, policies: &PolicySet, clock: Clock) -> Inventory {
    let memory = Mutex::new(Memory::starting(clock.now()));
    let around = Surroundings { policies, memory: &memory, clock };
    let reads = around.reads(account.scope()).with_paths();
    let inventory = account.observe(&Target::Everything, &reads).await;
    pass::plan_with_facts(account, &around, inventory).await.inventory
}

/// Prints what could not be read, one line each, to standard error.
pub fn complain(unread: &[String]) {
    for line in unread {
        let _ = writeln!(io::stderr(), "not read: {line}");
    }
}
