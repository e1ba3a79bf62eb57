//! Golden scenarios: a policy, an inventory, and what must come of them.
//!
//! The format is described in `tests/scenarios/README.md`. A scenario lists **all** findings and steps:
//! one too many fails as one too few does. What is expected is written by hand from AWS's documented
//! behaviour; nothing here can write an `expected.json`, on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use everseal_planner::plan::{Context, Past, Plan, plan};
use everseal_planner::policy::{Diagnostic, Loaded, PolicySet, Severity, Source, load};
use everseal_planner::{Inventory, sim};
use serde::Deserialize;
use serde_json::Value;

/// A folder under `tests/scenarios`.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// What must come of it.
    pub expected: Expected,
}

/// `expected.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expected {
    /// Why this scenario exists: the AWS fact or the peer's mistake behind it.
    pub why: String,
    /// Every finding: `check resource state`.
    #[serde(default)]
    pub findings: Vec<String>,
    /// Every step: `action resource gate`, the gate `-` where none stops it. A step may occur several times.
    #[serde(default)]
    pub steps: Vec<String>,
    /// Pairs of `action resource` of which the first must stand before the second.
    #[serde(default)]
    pub order: Vec<(String, String)>,
    /// `check resource` or `action resource` → fragments that its words or its change must hold.
    #[serde(default)]
    pub contains: BTreeMap<String, Vec<String>>,
    /// The same, fragments that must not be there.
    #[serde(default)]
    pub absent: BTreeMap<String, Vec<String>>,
    /// How many resources no rule matches.
    #[serde(default)]
    pub unmanaged: usize,
    /// Fragments of the policy's warnings.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Fragments of the policy's errors; given: the policy must be refused.
    #[serde(default)]
    pub errors: Vec<String>,
    /// Every way data takes, `origin → … → end` by names → how it stands, `exposed→sealed` where the plan changes that; given:
    /// `everseal paths` must show exactly these.
    pub paths: Option<BTreeMap<String, String>>,
    /// Exit code of `everseal plan`; absent: 2 where a finding is `drifted`, 1 with errors or where the
    /// inventory holds something unreadable, else 0.
    pub exit: Option<i32>,
}

impl Expected {
    /// The exit code of `everseal paths`: something bad now, else something unknown or unread, else all sealed.
    pub fn paths_exit(&self, unread: bool) -> i32 {
        let now: BTreeSet<&str> = self.paths.iter().flat_map(BTreeMap::values).filter_map(|states| states.split('→').next()).collect();
        if now.contains("exposed") || now.contains("broken") { 2 } else { i32::from(unread || now.contains("unknown")) }
    }

    /// The exit code that the command must end with; `unread`: the inventory holds something that could not be read.
    pub fn exit(&self, unread: bool) -> i32 {
        let drifted = self.findings.iter().any(|finding| finding.ends_with(" drifted"));
        self.exit.unwrap_or(if drifted { 2 } else { i32::from(unread || !self.errors.is_empty()) })
    }
}

/// What a plan says, however it was made: the part that scenarios speak of.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// `check resource state`.
    pub findings: Vec<String>,
    /// `action resource gate`, in the plan's order.
    pub steps: Vec<String>,
    /// `check resource` or `action resource` → everything said of it, one thing a line.
    pub words: BTreeMap<String, String>,
    /// Resources that no rule matches.
    pub unmanaged: usize,
}

/// The folder with all scenarios.
pub fn scenarios_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// All scenarios, by name; `EVERSEAL_SCENARIO` narrows them to those whose name contains it.
pub fn all() -> Vec<Scenario> {
    let only = std::env::var("EVERSEAL_SCENARIO").unwrap_or_default();
    let entries = std::fs::read_dir(scenarios_folder()).expect("tests/scenarios is part of the repository");
    let mut scenarios: Vec<Scenario> = entries
        .map(|entry| entry.expect("tests/scenarios can be read").path())
        .filter(|folder| folder.is_dir() && folder.to_string_lossy().contains(&only))
        .map(read)
        .collect();
    scenarios.sort_by(|one, other| one.name.cmp(&other.name));
    scenarios
}

fn read(folder: PathBuf) -> Scenario {
    let file = folder.join("expected.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let expected = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let name = folder.file_name().expect("an entry of a folder has a name").to_string_lossy().into_owned();
    Scenario { name, folder, expected }
}

/// `inventory.json` holds something that could not be read.
pub fn has_unread(scenario: &Scenario) -> bool {
    let text = std::fs::read_to_string(scenario.folder.join("inventory.json")).unwrap_or_default();
    serde_json::from_str::<Inventory>(&text).is_ok_and(|inventory| !inventory.unread().is_empty())
}

/// Plans the scenario in this process and returns everything that is not as expected.
pub fn judge_in_process(scenario: &Scenario) -> Vec<String> {
    let inventory: Inventory = match std::fs::read_to_string(scenario.folder.join("inventory.json")).map(|text| serde_json::from_str(&text))
    {
        Ok(Ok(inventory)) => inventory,
        Ok(Err(error)) => return vec![format!("inventory.json: {error}")],
        Err(error) => return vec![format!("inventory.json: {error}")],
    };
    let text = match std::fs::read_to_string(scenario.folder.join("policy.yaml")) {
        Ok(text) => text,
        Err(error) => return vec![format!("policy.yaml: {error}")],
    };
    let source = Source { file: "policy.yaml".to_owned(), text };
    match load(&[source], inventory.observed_at) {
        Ok(Loaded { set, warnings }) if scenario.expected.errors.is_empty() => {
            let said = render_diagnostics(&warnings);
            let mut wrong = missing_fragments("warnings", &scenario.expected.warnings, &said);
            wrong.extend(judge_plan(scenario, &set, &inventory));
            wrong
        }
        Ok(_) => vec!["the policy must be refused, and it was accepted".to_owned()],
        Err(diagnostics) if scenario.expected.errors.is_empty() => {
            vec![format!("the policy was refused:\n{}", render_diagnostics(&diagnostics))]
        }
        Err(diagnostics) => missing_fragments("errors", &scenario.expected.errors, &render_diagnostics(&diagnostics)),
    }
}

fn judge_plan(scenario: &Scenario, policies: &PolicySet, inventory: &Inventory) -> Vec<String> {
    let past = Past::default();
    let cx = Context { policies, inventory, now: inventory.observed_at, past: &past };
    let made = plan(&cx);
    let mut wrong = compare(&scenario.expected, &Outcome::of_plan(&made));
    wrong.extend(invariants(&made));
    if made != plan(&cx) {
        wrong.push("planning twice gave two plans".to_owned());
    }
    wrong.extend(made.wanted_facts.iter().map(|arn| format!("gate facts of {arn} are not in inventory.json, and a step needs them")));
    wrong.extend(not_converging(&made, &cx));
    if scenario.expected.paths.is_some() {
        let shown = everseal_planner::render::paths_json(&everseal_planner::paths::paths(policies, &[inventory]));
        wrong.extend(compare_paths(&scenario.expected, &shown));
    }
    wrong
}

/// Everything in which the JSON of `everseal paths` is not as expected.
pub fn compare_paths(expected: &Expected, json: &Value) -> Vec<String> {
    let name = |id: &Value| {
        let id = id.as_str().unwrap_or_default().to_owned();
        if id.starts_with("arn:") { id.rsplit([':', '/']).next().unwrap_or_default().to_owned() } else { id }
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for branch in list(&json["paths"]).iter().flat_map(|path| list(&path["branches"])) {
        let names: Vec<String> = list(&branch["nodes"]).iter().map(name).collect();
        let (now, after) = (branch["now"].as_str().unwrap_or_default(), branch["after"].as_str().unwrap_or_default());
        let stands = if now == after { now.to_owned() } else { format!("{now}→{after}") };
        found.push(format!("{}: {stands}", names.join(" → ")));
    }
    let wanted: Vec<String> = expected.paths.iter().flatten().map(|(way, stands)| format!("{way}: {stands}")).collect();
    difference("path", &wanted, &found)
}

/// Invariants 7 and 8 that hold for every plan, whatever the scenario expects.
fn invariants(plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for step in &plan.steps {
        wrong.extend(
            step.needs.iter().filter(|need| !seen.contains(*need)).map(|need| format!("{} stands before {need}, which it needs", step.id)),
        );
        if !seen.insert(step.id.clone()) {
            wrong.push(format!("the step id {} is not unique", step.id));
        }
    }
    for finding in plan.findings.iter().filter(|finding| finding.state == everseal_planner::State::Drifted) {
        if !plan.steps.iter().any(|step| step.resource == finding.resource && step.check == finding.check) {
            wrong.push(format!("{} {} is drift without a step or a reason why there is none", finding.check, finding.resource));
        }
    }
    wrong
}

/// Invariant 7: what a plan's open steps change needs no second change.
fn not_converging(first: &Plan, cx: &Context<'_>) -> Vec<String> {
    let mut after = cx.inventory.clone();
    let mut made = BTreeSet::new();
    for step in first.steps.iter().filter(|step| step.gate.is_none()) {
        if let Some(change) = step.change.as_ref().filter(|change| change.waits_for_key().is_none()) {
            sim::make(&mut after, &step.resource, change);
            made.insert(step.id.clone());
        }
    }
    let second = plan(&Context { inventory: &after, ..*cx });
    let again = second.steps.iter().filter(|step| step.gate.is_none() && made.contains(&step.id));
    again.map(|step| format!("{} is planned again after it was made", step.id)).collect()
}

impl Outcome {
    /// What a plan says.
    pub fn of_plan(plan: &Plan) -> Self {
        let mut outcome = Self { unmanaged: plan.unmanaged.len(), ..Self::default() };
        for finding in &plan.findings {
            outcome.findings.push(format!("{} {} {}", finding.check, finding.resource, finding.state));
            let key = format!("{} {}", finding.check, finding.resource);
            for words in [&finding.expected, &finding.actual, &finding.message].into_iter().chain(&finding.notes) {
                outcome.say(&key, words);
            }
        }
        for step in &plan.steps {
            let gate = step.gate.as_ref().map_or("-", |block| block.name.id());
            outcome.steps.push(format!("{} {} {gate}", step.action, step.resource));
            let key = format!("{} {}", step.action, step.resource);
            outcome.say(&key, &step.summary);
            outcome.say(&key, step.gate.as_ref().map_or("", |block| &block.reason));
            let change = serde_json::to_value(&step.change).expect("a change is plain data");
            outcome.say_change(&key, &change);
        }
        outcome
    }

    /// What `everseal plan --output json` says.
    pub fn of_json(json: &Value) -> Self {
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let unmanaged = json["summary"]["unmanaged"].as_u64().unwrap_or_default();
        let mut outcome = Self { unmanaged: usize::try_from(unmanaged).unwrap_or(usize::MAX), ..Self::default() };
        for finding in json["findings"].as_array().into_iter().flatten() {
            let key = format!("{} {}", text(finding, "check"), text(finding, "resource"));
            outcome.findings.push(format!("{key} {}", text(finding, "state")));
            for name in ["expected", "actual", "message"] {
                outcome.say(&key, &text(finding, name));
            }
            for note in finding["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                outcome.say(&key, note);
            }
        }
        for step in json["steps"].as_array().into_iter().flatten() {
            let key = format!("{} {}", text(step, "action"), text(step, "resource"));
            outcome.steps.push(format!("{key} {}", step["gate"]["name"].as_str().unwrap_or("-")));
            outcome.say(&key, &text(step, "summary"));
            outcome.say(&key, &text(&step["gate"], "reason"));
            outcome.say_change(&key, &step["change"]);
        }
        outcome
    }

    fn say(&mut self, key: &str, words: &str) {
        let entry = self.words.entry(key.to_owned()).or_default();
        if !words.is_empty() {
            let _ = writeln!(entry, "{words}");
        }
    }

    /// Lays a change out flat, `after.bucketKey=true`, so that a fragment can name one value; documents stay compact JSON.
    fn say_change(&mut self, key: &str, change: &Value) {
        for (_, body) in change.as_object().into_iter().flatten() {
            let mut lines = Vec::new();
            flatten("", body, &mut lines);
            self.say(key, &lines.join("\n"));
        }
    }
}

fn flatten(path: &str, value: &Value, lines: &mut Vec<String>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| flatten(&under(name), member, lines)),
        Value::Array(members) => members.iter().enumerate().for_each(|(index, member)| flatten(&under(&index.to_string()), member, lines)),
        Value::String(text) => lines.push(format!("{path}={text}")),
        Value::Null | Value::Bool(_) | Value::Number(_) => lines.push(format!("{path}={value}")),
    }
}

/// Everything in which an outcome is not as expected, in words.
pub fn compare(expected: &Expected, outcome: &Outcome) -> Vec<String> {
    let mut wrong = difference("finding", &expected.findings, &outcome.findings);
    wrong.extend(difference("step", &expected.steps, &outcome.steps));
    if expected.unmanaged != outcome.unmanaged {
        wrong.push(format!("expected {} unmanaged resources, there are {}", expected.unmanaged, outcome.unmanaged));
    }
    for (first, second) in &expected.order {
        let at = |wanted: &str| outcome.steps.iter().position(|step| step.starts_with(&format!("{wanted} ")));
        match (at(first), at(second)) {
            (Some(one), Some(other)) if one < other => {}
            (one, other) => wrong.push(format!("`{first}` (at {one:?}) must stand before `{second}` (at {other:?})")),
        }
    }
    for (key, fragments) in &expected.contains {
        match outcome.words.get(key) {
            Some(words) => wrong.extend(missing_fragments(key, fragments, words)),
            None => wrong.push(format!("`{key}` is neither a finding nor a step")),
        }
    }
    for (key, fragments) in &expected.absent {
        let Some(words) = outcome.words.get(key) else {
            wrong.push(format!("`{key}` is neither a finding nor a step"));
            continue;
        };
        let present = fragments.iter().filter(|fragment| words.contains(fragment.as_str()));
        wrong.extend(present.map(|fragment| format!("`{key}` must not hold `{fragment}`:\n{words}")));
    }
    wrong
}

/// Compares as multisets: what is expected and not there, what is there and not expected.
fn difference(what: &str, expected: &[String], actual: &[String]) -> Vec<String> {
    let mut open: Vec<&String> = actual.iter().collect();
    let mut wrong = Vec::new();
    for line in expected {
        match open.iter().position(|candidate| *candidate == line) {
            Some(index) => {
                open.swap_remove(index);
            }
            None => wrong.push(format!("expected {what} is not there: {line}")),
        }
    }
    wrong.extend(open.into_iter().map(|line| format!("{what} that nobody expected: {line}")));
    wrong
}

fn missing_fragments(key: &str, fragments: &[String], words: &str) -> Vec<String> {
    let missing = fragments.iter().filter(|fragment| !words.contains(fragment.as_str()));
    missing.map(|fragment| format!("`{key}` must hold `{fragment}`:\n{words}")).collect()
}

fn render_diagnostics(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for Diagnostic { severity, file, line, column, path, message, suggestion } in diagnostics {
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let _ = writeln!(text, "{file}:{line}:{column}: {severity}: {path}: {message} {}", suggestion.as_deref().unwrap_or_default());
    }
    text
}

/// Fails with everything that is wrong with every scenario at once.
pub fn assert_all(scenarios: &[Scenario], judge: impl Fn(&Scenario) -> Vec<String>) {
    assert!(!scenarios.is_empty(), "no scenario in {}", scenarios_folder().display());
    let mut report = String::new();
    let mut failed = 0;
    for scenario in scenarios {
        let wrong = judge(scenario);
        if !wrong.is_empty() {
            failed += 1;
            let _ = writeln!(report, "\n{}\n  {}", scenario.name, wrong.join("\n").replace('\n', "\n  "));
        }
    }
    assert!(failed == 0, "{failed} of {} scenarios fail{report}", scenarios.len());
}
