//! The seeded estate of `tests/moto/estate.py`, with the counting proxy before it.

use std::path::PathBuf;
use std::time::Duration;

use everseal_tests::binary::repository;
use everseal_tests::program::{Ended, command_at, fresh_folder, run};
use everseal_tests::proxy::Proxy;
use everseal_tests::server::{Emulator, Server};
use serde_json::{Value, json};

/// moto with the estate, a proxy and a ledger of its own.
pub struct Estate {
    pub moto: Server,
    pub proxy: Proxy,
    pub manifest: Value,
    pub folder: PathBuf,
    policy: &'static str,
}

/// The policy that the judge judges by: two accounts, two regions, keys in all states.
pub const WHOLE: &str = "policy.yaml";
/// A policy without keys.
pub const PLAIN: &str = "plain.yaml";

impl Estate {
    pub fn seeded(name: &str, policy: &'static str) -> Self {
        let moto = Server::start(Emulator::Moto);
        let manifest = moto.python("seed.py", &[], &Value::Null);
        let proxy = Proxy::start(moto.address());
        Self { moto, proxy, manifest, folder: fresh_folder(name), policy }
    }

    /// The policy of the estate.
    pub fn policy(&self) -> String {
        policy(self.policy)
    }

    /// Runs a command through the proxy, with the estate's policy.
    pub fn everseal(&self, arguments: &[&str]) -> Ended {
        let policy = self.policy();
        let mut all = vec![arguments[0], "--policy", &policy];
        all.extend(&arguments[1..]);
        let mut command = command_at(&self.proxy.url(), &all);
        command.env("EVERSEAL_LEDGER", self.ledger());
        run(command, Duration::from_mins(2))
    }

    pub fn plan(&self) -> Value {
        self.everseal(&["plan", "--output", "json"]).json()
    }

    pub fn ledger(&self) -> PathBuf {
        self.folder.join("ledger")
    }

    /// What the independent judge says of the estate now.
    pub fn judge(&self, plan: &Value) -> Vec<String> {
        let verdict = self.moto.python("judge.py", &[], &json!({"resources": self.manifest["resources"], "plan": plan}));
        serde_json::from_value(verdict).unwrap()
    }
}

/// A policy of `tests/moto`.
pub fn policy(name: &str) -> String {
    repository().join("tests/moto").join(name).display().to_string()
}

/// The findings' states by `check resource`, of one service.
pub fn states(plan: &Value, service: &str) -> std::collections::BTreeMap<String, String> {
    let findings = plan["findings"].as_array().unwrap().iter().filter(|finding| finding["service"] == service);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings.map(|finding| (format!("{} {}", text(&finding["check"]), text(&finding["resource"])), text(&finding["state"]))).collect()
}

/// Ids of the steps that no gate stops.
pub fn open_steps(plan: &Value) -> Vec<String> {
    let steps = plan["steps"].as_array().unwrap().iter().filter(|step| step["gate"].is_null());
    steps.map(|step| step["id"].as_str().unwrap().to_owned()).collect()
}
