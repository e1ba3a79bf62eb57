//! Sixty seconds of somebody undoing settings at random: everything is healed at the end.

use std::time::Duration;

use everseal_tests::program::{Daemon, command_at};
use everseal_tests::server::free_address;
use serde_json::json;

use crate::estate::{Estate, WHOLE};

const MIB: u64 = 1024 * 1024;

#[test]
fn settings_undone_at_random_are_healed_for_a_minute() {
    let seconds = std::env::var("EVERSEAL_SOAK_SECONDS").unwrap_or_else(|_| "60".to_owned());
    let seed = std::env::var("EVERSEAL_SOAK_SEED").unwrap_or_else(|_| std::process::id().to_string());
    println!("seed {seed}");
    let estate = Estate::seeded("soak", WHOLE);
    let address = free_address();
    let (policy, listen) = (estate.policy(), address.to_string());
    let mut command = command_at(&estate.proxy.url(), &["run", "--policy", &policy, "--interval", "2s", "--listen", &listen]);
    command.env("EVERSEAL_LEDGER", estate.ledger());
    let mut daemon = Daemon::start(command, address);
    daemon.wait_until("ready", Duration::from_mins(1), |daemon| daemon.get("/readyz").0 == 200);
    let settled = daemon.resident_bytes();

    let undone = estate.moto.python("disturb.py", &["undo", &seconds, &seed], &json!({"resources": estate.manifest["resources"]}));
    assert!(undone.as_u64().unwrap() > 20, "only {undone} settings were undone");

    // What gates stop stays drift; what is open must go.
    daemon.wait_until("no open step is left", Duration::from_mins(1), |daemon| {
        let plan = daemon.json("/api/v1/plan");
        let steps = plan["steps"].as_array().or_else(|| plan.as_array()).cloned().unwrap_or_default();
        !steps.is_empty() && steps.iter().all(|step| !step["gate"].is_null())
    });
    let peak = daemon.resident_bytes();
    assert!(peak < 150 * MIB, "resident {} MiB at the end, {} MiB when ready", peak / MIB, settled / MIB);
    let (code, took, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(took < Duration::from_secs(10), "it took {took:?} to stop");
    assert!(!log.contains("panicked"), "{log}");

    let wrong = estate.judge(&estate.plan());
    assert!(wrong.is_empty(), "seed {seed}: {} wrong after {undone} undone settings:\n{}", wrong.len(), wrong.join("\n"));
}
