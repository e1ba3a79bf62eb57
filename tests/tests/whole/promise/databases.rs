//! Databases whose clients must be on TLS: nobody is cut off, and nothing is rebooted but in its window.

use std::sync::Arc;
use std::time::Duration;

use everseal_controller::ledger::Ledger;
use everseal_controller::{Clock as LoopClock, DaemonOptions, Status};
use everseal_sim::{Clock, Moment, Settings, Sim, User};
use object_store::memory::InMemory;
use tokio::sync::watch;

use super::estate::{HOME, REGION};
use super::policy;
use crate::simulated::{Process, daemon};

/// Sunday, 29 November 2026, 00:00 UTC, in seconds since the Unix epoch.
const BEGINS: u64 = 1_795_910_400;
const WINDOW: std::ops::Range<u64> = BEGINS + 6 * 3600..BEGINS + 8 * 3600;
const POLICY: &str = "\
apiVersion: everseal.io/v1
kind: EncryptionPolicy
metadata: { name: databases }
spec:
  mode: enforce
  rds:
    - name: databases
      inTransit: { requireTls: true, reboot: inWindow, window: \"Sun 06:00-08:00 UTC\" }
";

struct Account(Sim);

impl Account {
    /// A database with its own parameter group, or the default one.
    fn raise(&self, name: &str, group: Option<&str>) {
        let administrator = User::administrator(HOME, REGION);
        let mut database = vec![
            ("DBInstanceIdentifier", name),
            ("DBInstanceClass", "db.t3.medium"),
            ("Engine", "postgres"),
            ("EngineVersion", "14.19"),
            ("AllocatedStorage", "20"),
            ("MasterUsername", "root"),
            ("MasterUserPassword", "not-a-secret"),
        ];
        self.0.with(|world| {
            if let Some(group) = group {
                let made = [("DBParameterGroupName", group), ("DBParameterGroupFamily", "postgres14"), ("Description", "ours")];
                administrator.query(world, "rds", "CreateDBParameterGroup", &made).unwrap();
                database.push(("DBParameterGroupName", group));
            }
            administrator.query(world, "rds", "CreateDBInstance", &database).unwrap();
        });
    }

    fn in_force(&self, name: &str) -> Option<String> {
        self.0.with(|world| world.db_parameter(&format!("arn:aws:rds:{REGION}:{HOME}:db:{name}"), "rds.force_ssl"))
    }

    /// Seconds at which the operation was called, for good or ill.
    fn calls(&self, operation: &str) -> Vec<u64> {
        self.0.with(|world| {
            let journal = world.journal.iter().flatten();
            journal.filter(|entry| entry.operation == operation).map(|entry| entry.at.seconds()).collect()
        })
    }
}

#[test]
fn tls_is_required_once_nobody_is_connected_and_a_reboot_waits_for_its_window() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let sim = Sim::new(Settings::default(), Clock::starting_at(Moment(BEGINS * 1000)));
        let account = Account(sim.clone());
        account.raise("orders", Some("ours"));
        account.raise("ledger", None);
        let driving = sim.clone();
        tokio::spawn(async move { driving.drive().await });
        tokio::time::sleep(Duration::from_mins(30)).await;
        let client = sim.with(|world| {
            world.journal = Some(Vec::new());
            world.connect("orders").unwrap()
        });
        let begins = i64::try_from(BEGINS).unwrap();
        let options = DaemonOptions { interval: Duration::from_mins(10), seed: Some(1), ..DaemonOptions::default() };
        let ledger = Ledger::new(Arc::new(InMemory::new()), object_store::path::Path::default());
        let policies = watch::Sender::new(Arc::new(policy::load_text(POLICY, begins)));
        let clock = LoopClock::starting_at(begins + 1800);
        tokio::spawn(daemon(sim.clone(), policies.subscribe(), Process { ledger, clock, options, status: Status::new(clock) }));

        // Somebody is connected to one of them, and nobody can tell whether with TLS.
        tokio::time::sleep(Duration::from_hours(2)).await;
        assert_eq!(account.in_force("orders").as_deref(), Some("0"));
        assert_eq!(account.calls("ModifyDBParameterGroup").len(), 1, "the copy of the default group alone");
        // Nobody is connected to the other: its group is copied and attached, and waits.
        assert_eq!((account.calls("CreateDBParameterGroup").len(), account.calls("ModifyDBInstance").len()), (1, 1));
        assert_eq!(account.in_force("ledger").as_deref(), Some("0"));

        // An hour after the last client has left, nobody is cut off any more.
        sim.with(|world| world.disconnect(&client));
        tokio::time::sleep(Duration::from_mins(30)).await;
        assert_eq!(account.in_force("orders").as_deref(), Some("0"));
        tokio::time::sleep(Duration::from_hours(3)).await;
        assert_eq!(account.in_force("orders").as_deref(), Some("1"));
        assert_eq!(account.calls("RebootDBInstance"), [0; 0], "the window is not open yet");

        tokio::time::sleep(Duration::from_hours(18)).await;
        assert_eq!(account.in_force("ledger").as_deref(), Some("1"));
        let reboots = account.calls("RebootDBInstance");
        assert!(matches!(reboots.as_slice(), [at] if WINDOW.contains(at)), "{reboots:?}");
    });
}
