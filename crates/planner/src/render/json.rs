//! JSON of a plan (DESIGN.md §7).

use serde_json::{Value, json};

use super::Summary;
use crate::{Finding, Plan, PolicySet, Step};

/// The plan as `plan --output json` prints it.
pub fn json(plan: &Plan, policies: &PolicySet) -> Value {
    let names: Vec<&str> = policies.policies.iter().map(|policy| policy.metadata.name.as_str()).collect();
    json!({
        "policy": { "names": names, "revision": policies.revision },
        "summary": Summary::of(plan),
        "findings": plan.findings.iter().map(finding).collect::<Vec<_>>(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "unmanaged": plan.unmanaged,
    })
}

fn finding(finding: &Finding) -> Value {
    let Finding { resource, service, account, region, check, state, rule, expected, actual, message, notes } = finding;
    json!({
        "resource": resource, "service": service, "account": account, "region": region, "check": check, "state": state, "rule": rule,
        "expected": expected, "actual": actual, "message": message, "notes": notes,
    })
}

fn step(step: &Step) -> Value {
    let Step { id, resource, service, account, region, check, action, summary, needs, risk, gate, change, undo, rule, policy } = step;
    let gate = gate.as_ref().map(|block| json!({ "name": block.name, "reason": block.reason }));
    json!({
        "id": id, "resource": resource, "service": service, "account": account, "region": region, "check": check, "action": action,
        "summary": summary, "needs": needs, "risk": risk, "gate": gate, "undo": undo, "rule": rule, "policy": policy, "change": change,
    })
}
