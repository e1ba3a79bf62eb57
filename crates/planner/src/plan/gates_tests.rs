//! Exemptions, modes, order, dependencies and limits, on drafts made by hand.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::plan::context::Past;
use crate::plan::draft::{Remedy, Subject, Words};
use crate::plan::{Change, Context};
use crate::policy::model::{Limits, Metadata, Scopes, Spec};
use crate::{Check, Inventory, PolicySet, Scope, Service};

const NOW: i64 = 1_700_000_000; // 2023-11-14

fn scope() -> Scope {
    Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() }
}

fn policies(edit: impl FnOnce(&mut Spec)) -> PolicySet {
    let mut spec = Spec { mode: Mode::Enforce, scopes: Scopes::default(), ..Spec::default() };
    edit(&mut spec);
    let metadata = Metadata { name: "p".into(), labels: BTreeMap::new() };
    let policy = EncryptionPolicy { api_version: "everseal.io/v1".into(), kind: "EncryptionPolicy".into(), metadata, spec };
    PolicySet { policies: vec![policy], revision: "r".into() }
}

fn subject(resource: &Arn, service: Service, mode: Mode) -> Subject {
    let Scope { partition: _, account, region } = scope();
    Subject { resource: resource.clone(), service, account, region, policy: "p".into(), rule: "r".into(), mode }
}

fn queue(name: &str) -> Arn {
    scope().arn("sqs", name)
}

fn drift(draft: &mut Draft, name: &str, mode: Mode, needs: Vec<StepId>) {
    let resource = queue(name);
    draft.managed.insert(resource.clone());
    let remedy = Remedy::change(Change::EnableKey {}, "change it", "change it back").needing(needs);
    draft.drifted(&subject(&resource, Service::Sqs, mode), Check::SqsEncryption, Words::default(), vec![remedy]);
}

fn key_drift(draft: &mut Draft, mode: Mode) -> StepId {
    let key = scope().arn("kms", "key/1");
    draft.drifted(
        &subject(&key, Service::Kms, mode),
        Check::KmsKeyState,
        Words::default(),
        vec![Remedy::change(Change::EnableKey {}, "enable", "disable")],
    );
    Remedy::step_id(Check::KmsKeyState, "EnableKey", &key)
}

fn finish_with(policies: &PolicySet, past: &Past, draft: Draft) -> Plan {
    let inventory = Inventory::empty(scope(), NOW);
    finish(&Context { policies, inventory: &inventory, now: NOW, past }, draft)
}

fn gates(plan: &Plan) -> Vec<(String, Option<Gate>)> {
    plan.steps.iter().map(|step| (step.resource.name().to_owned(), step.gate.as_ref().map(|block| block.name))).collect()
}

fn exemption(expires: Option<&str>) -> Exemption {
    Exemption {
        resource: "arn:aws:sqs:*:legacy-*".into(),
        checks: vec!["sqs-encryption".into()],
        reason: "moves in May".into(),
        expires: expires.map(str::to_owned),
    }
}

#[test]
fn an_exemption_changes_the_finding_and_stops_the_step() {
    let mut draft = Draft::default();
    drift(&mut draft, "legacy-a", Mode::Enforce, vec![]);
    drift(&mut draft, "other", Mode::Enforce, vec![]);
    let plan = finish_with(&policies(|spec| spec.exemptions.push(exemption(None))), &Past::default(), draft);
    assert_eq!(plan.findings.iter().map(|finding| finding.state).collect::<Vec<_>>(), [State::Exempt, State::Drifted]);
    assert!(plan.findings[0].message.contains("moves in May"));
    assert_eq!(gates(&plan), [("legacy-a".into(), Some(Gate::Exemption)), ("other".into(), None)]);
}

#[test]
fn an_exemption_holds_through_its_last_day_and_not_longer() {
    let last = exemption(Some("2023-11-14"));
    assert!(last.holds(1_699_999_999));
    assert!(last.holds(1_700_006_399)); // 2023-11-14T23:59:59Z
    assert!(!last.holds(1_700_006_400)); // 2023-11-15T00:00:00Z
    assert!(!exemption(Some("soon")).holds(NOW));
}

#[test]
fn audit_mode_stops_a_step_and_everything_that_needs_it() {
    let mut draft = Draft::default();
    let key = key_drift(&mut draft, Mode::Audit);
    drift(&mut draft, "q", Mode::Enforce, vec![key]);
    let plan = finish_with(&policies(|_| {}), &Past::default(), draft);
    assert_eq!(gates(&plan), [("1".into(), Some(Gate::Mode)), ("q".into(), Some(Gate::Dependency))]);
    assert!(plan.steps[1].gate.as_ref().unwrap().reason.contains("audit mode"), "the reason names the cause behind the need");
}

#[test]
fn what_a_step_needs_stands_before_it_whatever_the_order_of_proposal() {
    let mut draft = Draft::default();
    drift(&mut draft, "a", Mode::Enforce, vec![Remedy::step_id(Check::SqsEncryption, "EnableKey", &queue("z"))]);
    drift(&mut draft, "z", Mode::Enforce, vec![]);
    let plan = finish_with(&policies(|_| {}), &Past::default(), draft);
    assert_eq!(gates(&plan), [("z".into(), None), ("a".into(), None)]);
}

#[test]
fn a_need_that_nothing_meets_blocks_and_so_do_steps_that_need_each_other() {
    let id = |name: &str| Remedy::step_id(Check::SqsEncryption, "EnableKey", &queue(name));
    let mut draft = Draft::default();
    drift(&mut draft, "a", Mode::Enforce, vec![StepId("elsewhere".into())]);
    drift(&mut draft, "b", Mode::Enforce, vec![id("c")]);
    drift(&mut draft, "c", Mode::Enforce, vec![id("b")]);
    let plan = finish_with(&policies(|_| {}), &Past::default(), draft);
    assert!(plan.steps.iter().all(|step| step.gate.as_ref().unwrap().name == Gate::Dependency));
    assert_eq!(plan.steps.len(), 3);
}

#[test]
fn the_limit_of_changes_counts_what_was_changed_earlier_in_the_cycle() {
    let mut draft = Draft::default();
    for name in ["a", "b", "c"] {
        drift(&mut draft, name, Mode::Enforce, vec![]);
    }
    let limits = Limits { max_changes_per_cycle: Some(2), max_changes_percent: None };
    let past = Past { changes_this_cycle: 1, ..Past::default() };
    let plan = finish_with(&policies(|spec| spec.limits = limits), &past, draft);
    assert_eq!(gates(&plan), [("a".into(), None), ("b".into(), Some(Gate::BlastRadius)), ("c".into(), Some(Gate::BlastRadius))]);
}

#[test]
fn the_share_of_changes_lets_one_resource_through_and_counts_resources_not_steps() {
    let mut draft = Draft::default();
    for name in ["a", "a", "b"] {
        drift(&mut draft, name, Mode::Enforce, vec![]);
    }
    let limits = Limits { max_changes_per_cycle: None, max_changes_percent: Some(10) };
    let plan = finish_with(&policies(|spec| spec.limits = limits), &Past::default(), draft);
    assert_eq!(gates(&plan), [("a".into(), None), ("a".into(), None), ("b".into(), Some(Gate::BlastRadius))]);
}

#[test]
fn a_step_behind_a_limit_stops_what_needs_it() {
    let mut draft = Draft::default();
    drift(&mut draft, "a", Mode::Enforce, vec![]);
    drift(&mut draft, "b", Mode::Enforce, vec![]);
    drift(&mut draft, "c", Mode::Audit, vec![Remedy::step_id(Check::SqsEncryption, "EnableKey", &queue("b"))]);
    let limits = Limits { max_changes_per_cycle: Some(1), max_changes_percent: None };
    let plan = finish_with(&policies(|spec| spec.limits = limits), &Past::default(), draft);
    assert_eq!(gates(&plan)[1].1, Some(Gate::BlastRadius));
    assert_eq!(gates(&plan)[2].1, Some(Gate::Mode), "a step keeps the first gate that stops it");
}
