//! What the terminal shows: where to look, what was found, and the counter that never stops.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::time::Duration;

use everseal_controller::Status;
use everseal_controller::status::ScopeStatus;
use everseal_planner::{Check, State};
use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;

use super::traffic::{Counted, Counts};
use crate::args::DemoArgs;

/// The counter moves this often on a terminal, and is printed as a line this often elsewhere.
const TERMINAL: Duration = Duration::from_millis(500);
const ELSEWHERE: Duration = Duration::from_secs(5);

/// The display. Clones share it.
#[derive(Debug, Clone)]
pub struct Show {
    counter: Option<ProgressBar>,
    page: SocketAddr,
}

impl Show {
    /// Says what this is and where to look.
    pub fn begin(args: &DemoArgs, (page, endpoint): (SocketAddr, SocketAddr)) -> Self {
        let counter = io::stdout().is_terminal().then(ProgressBar::new_spinner);
        let show = Self { counter, page };
        let mode = if args.enforce {
            "enforce: it puts in order what it finds, and no message is lost meanwhile"
        } else {
            "audit: it only looks; start it with --enforce to see it heal"
        };
        show.line(&format!(
            "\
Everseal on a simulated AWS: the finance pipeline of config/finance.yaml, in use
  mode      {mode}
  metrics   http://{page}/metrics
  findings  http://{page}/api/v1/findings   (also plan, paths, keys, changes, status)
  health    http://{page}/healthz
  the AWS   AWS_ENDPOINT_URL=http://{endpoint} AWS_ACCESS_KEY_ID=111122223333 AWS_SECRET_ACCESS_KEY=any AWS_REGION=us-east-1
Ctrl-C ends it.
"
        ));
        show
    }

    /// Prints a line above the counter.
    pub fn line(&self, text: &str) {
        match &self.counter {
            Some(counter) => counter.println(text),
            // Whoever closed the pipe does not read any more.
            None => drop(writeln!(io::stdout(), "{text}")),
        }
    }

    /// Tells what happens until `stop`.
    pub async fn tell(self, status: Status, counted: Counted, stop: CancellationToken) {
        let mut every = tokio::time::interval(if self.counter.is_some() { TERMINAL } else { ELSEWHERE });
        let mut told: Option<BTreeMap<Check, u64>> = None;
        let mut changes: BTreeSet<(i64, String)> = BTreeSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = every.tick() => {}
            }
            let scopes = status.scopes();
            let looked: Vec<&ScopeStatus> = scopes.iter().map(AsRef::as_ref).filter(|scope| scope.first_pass_done).collect();
            if !looked.is_empty() {
                let drift = drift_of(&looked);
                if told.is_none() {
                    self.line(&first_look(&looked, self.page));
                }
                if told.as_ref().is_some_and(|before| *before != drift) {
                    self.line(&format!("drift now: {}", in_words(&drift)));
                }
                told = Some(drift);
            }
            self.tell_changes(&status, &mut changes);
            self.count(&counted.now());
        }
        if let Some(counter) = &self.counter {
            counter.finish_and_clear();
        }
        let Counts { sent, refused, lost, .. } = counted.now();
        self.line(&format!("ended: {sent} sent, {} delivered, {refused} refused, {lost} lost", counted.now().delivered()));
    }

    /// Steps that were made since the last look, oldest first.
    fn tell_changes(&self, status: &Status, told: &mut BTreeSet<(i64, String)>) {
        let mut made = status.recent_changes();
        made.sort_by_key(|entry| entry.intent.at_millis);
        for intent in made.iter().map(|entry| &entry.intent) {
            if told.insert((intent.at_millis, intent.step.to_string())) {
                self.line(&format!("changed: {} {}", intent.action, intent.resource));
            }
        }
    }

    fn count(&self, counts: &Counts) {
        let by_queue: Vec<String> = counts.received.iter().map(|(queue, count)| format!("{queue} {count}")).collect();
        let text = format!("delivered {} ({})  sent {}  lost {}", counts.delivered(), by_queue.join(", "), counts.sent, counts.lost);
        match &self.counter {
            Some(counter) => {
                counter.set_message(text);
                counter.tick();
            }
            None => self.line(&text),
        }
    }
}

fn drift_of(scopes: &[&ScopeStatus]) -> BTreeMap<Check, u64> {
    let mut drift = BTreeMap::new();
    for ((_, check), count) in scopes.iter().flat_map(|scope| &scope.tally.drift) {
        *drift.entry(*check).or_default() += *count;
    }
    drift
}

fn in_words(drift: &BTreeMap<Check, u64>) -> String {
    let parts: Vec<String> = drift.iter().filter(|(_, count)| **count > 0).map(|(check, count)| format!("{check} {count}")).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// What the first pass found.
fn first_look(scopes: &[&ScopeStatus], page: SocketAddr) -> String {
    let findings =
        scopes.iter().flat_map(|scope| &scope.findings).filter(|finding| matches!(finding.state, State::Drifted | State::Unknown));
    let lines = findings.map(|finding| format!("  {:<8} {:<31} {}", finding.state, finding.check, finding.resource));
    let lines: Vec<String> = lines.collect();
    format!(
        "found at the first look:\n{}\nwhat would be done, and what is blocked for which reason: http://{page}/api/v1/plan",
        lines.join("\n")
    )
}
