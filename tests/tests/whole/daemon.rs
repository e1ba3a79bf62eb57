//! The daemon: health, metrics, API, reload, and a stop within ten seconds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use everseal_tests::program::{Daemon, command_at, fresh_folder};
use everseal_tests::proxy::Proxy;
use everseal_tests::server::{Emulator, Server, free_address};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);

fn policy(mode: &str, names: &str) -> String {
    format!(
        "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: {{ name: daemon }}\nspec:\n  mode: {mode}\n  sqs:\n    - name: queues\n      match: {{ names: [\"{names}\"] }}\n      atRest: {{ encryption: SSE-SQS }}\n      inTransit: {{ denyInsecureTransport: true }}\n"
    )
}

fn start(endpoint: &str, folder: &Path, policy: &Path) -> Daemon {
    let address = free_address();
    let listen = address.to_string();
    let mut command = command_at(endpoint, &["run", "--policy", policy.to_str().unwrap(), "--interval", "1s", "--listen", &listen]);
    command.env("EVERSEAL_LEDGER", folder.join("ledger"));
    Daemon::start(command, address)
}

fn world(name: &str) -> (Server, PathBuf, PathBuf) {
    let moto = Server::start(Emulator::Moto);
    moto.python("disturb.py", &["queues", "3"], &Value::Null);
    let folder = fresh_folder(name);
    let file = folder.join("policy.yaml");
    (moto, folder, file)
}

#[test]
fn it_heals_reports_reloads_and_stops() {
    let (moto, folder, file) = world("daemon");
    let proxy = Proxy::start(moto.address());
    std::fs::write(&file, policy("audit", "*")).unwrap();
    let mut daemon = start(&proxy.url(), &folder, &file);

    daemon.wait_until("ready", SOON, |daemon| daemon.get("/readyz").0 == 200);
    assert_eq!(daemon.get("/livez").0, 200);
    let (status, body) = daemon.get("/healthz");
    assert_eq!(status, 200, "{body}");
    assert!(serde_json::from_str::<Value>(&body).is_ok(), "/healthz is JSON: {body}");
    daemon.wait_until("drift is counted", SOON, |daemon| daemon.metric("everseal_drift", &[]) >= 6.0);
    assert!(proxy.take().iter().all(|call| !call.writes), "audit writes nothing");
    assert!(daemon.metric("everseal_resources", &["service=\"sqs\""]) >= 3.0);
    for path in ["findings", "plan", "paths", "keys", "changes", "status"] {
        daemon.json(&format!("/api/v1/{path}"));
    }
    assert_eq!(daemon.get("/api/v1/nothing").0, 404);

    std::fs::write(&file, policy("audit", "*").replace("sqs:", "sqss:")).unwrap();
    daemon.wait_until("the bad policy is counted", SOON, |daemon| daemon.metric("everseal_policy_load_errors_total", &[]) >= 1.0);
    assert!(daemon.metric("everseal_policy_last_load_success", &[]) < 0.5);
    assert!(daemon.metric("everseal_drift", &[]) >= 6.0, "the old policy stays in force");

    std::fs::write(&file, policy("enforce", "*")).unwrap();
    daemon.wait_until("everything is healed", SOON, |daemon| daemon.metric("everseal_drift", &[]) < 0.5);
    assert!(daemon.metric("everseal_steps_total", &["outcome=\"applied\""]) >= 6.0);
    let changes = daemon.json("/api/v1/changes").to_string();
    assert!(changes.contains("SetQueueAttributes"), "{changes}");

    assert_eq!(undocumented(&daemon.get("/metrics").1), Vec::<String>::new(), "metrics that the README does not name");

    proxy.take();
    let passes = daemon.metric("everseal_aws_requests_total", &[]);
    daemon.wait_until("another pass", SOON, |daemon| daemon.metric("everseal_aws_requests_total", &[]) > passes + 5.0);
    assert!(proxy.take().iter().all(|call| !call.writes), "a world in order is only read");

    let (code, took, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(took < Duration::from_secs(10), "it took {took:?} to stop:\n{log}");
    assert!(!log.contains("panicked"), "{log}");
}

/// Metrics of ours that the README's table does not name; `_…` there stands for a name's end.
fn undocumented(metrics: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(everseal_tests::binary::repository().join("README.md")).unwrap();
    let named = |name: &str| {
        let end = name.strip_prefix("everseal_workqueue").unwrap_or("everseal");
        readme.contains(&format!("`{name}`")) || readme.contains(&format!("`{end}`"))
    };
    let served = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    served.filter(|name| name.starts_with("everseal_") && !named(name)).map(str::to_owned).collect()
}

#[test]
fn without_aws_it_lives_is_not_ready_and_says_why() {
    let folder = fresh_folder("daemon-without-aws");
    let file = folder.join("policy.yaml");
    std::fs::write(&file, policy("enforce", "*")).unwrap();
    let address = free_address();
    let mut daemon = start(&format!("http://{address}"), &folder, &file);
    daemon.wait_until("/readyz says why", SOON, |daemon| {
        let (status, body) = daemon.get("/readyz");
        status == 503 && body.contains(&address.to_string())
    });
    assert_eq!(daemon.get("/livez").0, 200);

    // What was missing comes back: no restart is needed.
    let moto = Server::start_at(Emulator::Moto, address);
    moto.python("disturb.py", &["queues", "3"], &Value::Null);
    daemon.wait_until("ready once AWS answers", Duration::from_mins(1), |daemon| daemon.get("/readyz").0 == 200);
    daemon.wait_until("healed", SOON, |daemon| daemon.metric("everseal_steps_total", &["outcome=\"applied\""]) >= 6.0);
    let (code, took, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(took < Duration::from_secs(10), "it took {took:?} to stop:\n{log}");
}
