//! `everseal changes`: the ledger, latest last.

use std::io::{self, Write};

use anyhow::Result;
use everseal_controller::Clock;
use everseal_controller::ledger::{Entry, Filter, LedgerOutcome, Outcome as Recorded};
use everseal_planner::Arn;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::args::{ChangesArgs, Output};
use crate::exit::Outcome;
use crate::{ledgers, live};

/// Lists what was changed.
pub fn run(args: &ChangesArgs) -> Result<Outcome> {
    let ledger = ledgers::open(&args.ledger.ledger)?;
    let resource = args.resource.as_deref().map(Arn::parse).transpose()?;
    let since = args.since.map(|span| Clock::default().now() - i64::try_from(span.as_secs()).unwrap_or(i64::MAX));
    let filter = Filter { since, resource, ..Filter::default() };
    let entries = live::block_on(async { Ok(ledger.latest(filter, args.limit).await?) })?;
    let mut out = io::stdout().lock();
    match args.output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&entries)?)?,
        Output::Text => {
            for entry in &entries {
                write_entry(&mut out, entry)?;
            }
            writeln!(out, "{} change(s) in {}", entries.len(), args.ledger.ledger)?;
        }
    }
    Ok(Outcome::InSync)
}

fn write_entry(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    let Entry { intent, result } = entry;
    let at = OffsetDateTime::from_unix_timestamp(intent.at_millis / 1000).ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default();
    let (word, error) = match result {
        Recorded::Interrupted => ("interrupted", None),
        Recorded::Recorded(outcome) => (word(outcome.outcome), outcome.error.as_deref()),
    };
    writeln!(out, "{at}  {word:<11} {}  {}", intent.action, intent.resource)?;
    writeln!(out, "    {}", intent.summary)?;
    writeln!(out, "    before  {}", short(&intent.before()))?;
    writeln!(out, "    after   {}", short(&intent.after()))?;
    if let Some(error) = error {
        writeln!(out, "    error   {error}")?;
    }
    writeln!(out, "    policy {} ({}), rule {}; undo: {}", intent.policy, intent.revision, intent.rule, intent.undo)
}

/// Text as it is, everything else as compact JSON.
fn short(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "nothing".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

const fn word(outcome: LedgerOutcome) -> &'static str {
    match outcome {
        LedgerOutcome::Applied => "applied",
        LedgerOutcome::Settling => "settling",
        LedgerOutcome::Failed => "failed",
    }
}
