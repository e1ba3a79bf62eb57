//! `everseal observe`: what AWS says, saved for planning offline.

use std::fs;
use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use everseal_controller::Account;
use everseal_planner::Inventory;
use everseal_planner::plan::{Reads, Target};
use everseal_planner::policy::PolicySet;
use futures::future::join_all;

use crate::args::ObserveArgs;
use crate::exit::Outcome;
use crate::scopes::{Closed, Entered};
use crate::{inventories, live, scopes, sources};

/// Observes and saves.
pub fn run(args: &ObserveArgs) -> Result<Outcome> {
    let policies = match args.policies.as_slice() {
        [] => None,
        paths => Some(sources::load_policies(paths)?.set),
    };
    live::block_on(async {
        let aws = live::connect(policies.as_ref()).await?;
        let (accounts, closed) = if let Some(policies) = &policies {
            scopes::open(&aws, policies, None).await
        } else {
            let accounts = aws.account(None, &[aws.region().to_owned()]).await?;
            (scopes::with_sessions(accounts, &PolicySet::default(), None), Vec::new())
        };
        if accounts.is_empty() {
            let reasons: Vec<String> = closed.iter().map(Closed::line).collect();
            bail!("no account could be entered\n{}", reasons.join("\n"));
        }
        let inventories = join_all(accounts.iter().map(|account| observe(account, policies.as_ref()))).await;
        let unread_of = |seen: &Inventory| seen.unread().into_iter().chain(seen.unread_path_facts());
        let mut unread: Vec<String> = inventories.iter().flat_map(unread_of).collect();
        unread.extend(closed.iter().map(Closed::line));
        let text = inventories::text(inventories)?;
        match &args.output {
            Some(file) => fs::write(file, text + "\n").with_context(|| format!("can't write the inventory to {}", file.display()))?,
            None => writeln!(io::stdout(), "{text}")?,
        }
        live::complain(&unread);
        Ok(if unread.is_empty() { Outcome::InSync } else { Outcome::Incomplete })
    })
}

/// Everything that rules, gates and paths may need, so that a plan from the saved inventory is complete.
async fn observe(account: &Entered, policies: Option<&PolicySet>) -> Inventory {
    let mut reads = policies.map_or_else(Reads::everything, |policies| Reads::for_policies(policies, account.scope()));
    (reads.gate_facts, reads.path_facts) = (true, true);
    account.observe(&Target::Everything, &reads).await
}
