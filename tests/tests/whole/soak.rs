//! Sixty seconds of somebody undoing settings at random: everything is healed at the end.

use std::time::{Duration, Instant};

use everseal_tests::program::{Daemon, command_at};
use everseal_tests::server::free_address;
use serde_json::json;

use crate::estate::{Estate, WHOLE, open_steps};

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

    // A setting that was put back counts as a stale reading for a minute (AWS-FACTS §1.7), and is healed then. The command
    // remembers nothing of what the daemon wrote, so it shows what is.
    let deadline = Instant::now() + Duration::from_mins(2);
    let left = loop {
        let left = open_steps(&estate.plan());
        if left.is_empty() || Instant::now() > deadline {
            break left;
        }
        std::thread::sleep(Duration::from_secs(3));
    };
    assert!(left.is_empty(), "seed {seed}: {} of {undone} undone settings were not healed within two minutes: {left:?}", left.len());
    let peak = daemon.resident_bytes();
    assert!(peak < 150 * MIB, "resident {} MiB at the end, {} MiB when ready", peak / MIB, settled / MIB);
    let (code, took, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(took < Duration::from_secs(10), "it took {took:?} to stop");
    assert!(!log.contains("panicked"), "{log}");

    let wrong = estate.judge(&estate.plan());
    assert!(wrong.is_empty(), "seed {seed}: {} wrong after {undone} undone settings:\n{}", wrong.len(), wrong.join("\n"));
}
