//! How a parameter gets its value: in a group of the user's, or in a copy of a default group.
//!
//! Default groups can't be changed, so one named after it is made, carries its changed values, and is attached; it
//! applies with the next reboot, which Everseal never makes. A group that other databases share is changed only where
//! the policy asks the same of all of them: the others' clients would be cut off otherwise.
//! [Working with parameter groups; rds:ModifyDBParameterGroup]

use std::collections::BTreeMap;

use super::desired::{copy_of, is_on};
use super::observed::{DbParameter, DbParameterGroup};
use super::plan::Database;
use super::tls::{CHECK, Wanted};
use crate::inventory::Reading;
use crate::kms::why;
use crate::plan::change::{Change, ParameterGroupKind, ParameterValue};
use crate::plan::context::Context;
use crate::plan::draft::Remedy;
use crate::plan::select::glob;
use crate::plan::step::{Gate, Risk};
use crate::policy::model::Mode;

/// The remedies for a parameter that does not require TLS.
pub(super) fn remedies(cx: &Context<'_>, database: &Database<'_>, group: &DbParameterGroup, wanted: Wanted) -> Vec<Remedy> {
    if group.name.starts_with("default.") { copy_and_attach(cx, database, group, wanted) } else { vec![set(cx, database, group, wanted)] }
}

fn value(wanted: Wanted) -> ParameterValue {
    ParameterValue { value: wanted.on.to_owned(), pending_reboot: wanted.needs_reboot }
}

fn set(cx: &Context<'_>, database: &Database<'_>, group: &DbParameterGroup, wanted: Wanted) -> Remedy {
    let before = group.parameters.get(wanted.name).and_then(|parameter| parameter.value.clone());
    let undo = format!("set {}={} in parameter group {} again", wanted.name, before.as_deref().unwrap_or("its default"), group.name);
    let change = Change::ParameterGroup {
        kind: database.kind,
        name: group.name.clone(),
        before: BTreeMap::from([(wanted.name.to_owned(), before)]),
        after: BTreeMap::from([(wanted.name.to_owned(), value(wanted))]),
    };
    let reboot = if wanted.needs_reboot { "; it applies with the next reboot, which Everseal never makes" } else { "" };
    let summary = format!("set {}={} in parameter group {}{reboot}", wanted.name, wanted.on, group.name);
    let remedy = Remedy::change(change, summary, undo).risking(Risk::Brief);
    let unwilling: Vec<String> = sharers(cx, database, &group.name).filter(|other| !agrees(cx, other)).map(|other| other.name()).collect();
    if unwilling.is_empty() {
        return remedy;
    }
    remedy.blocked(
        Gate::Manual,
        format!(
            "Parameter group {} is also attached to {}, of which no enforcing rule asks for TLS: their clients without TLS would be cut off. Give {} a group of its own, or let a rule ask the same of them.",
            group.name,
            unwilling.join(", "),
            database.name()
        ),
    )
}

fn copy_and_attach(cx: &Context<'_>, database: &Database<'_>, group: &DbParameterGroup, wanted: Wanted) -> Vec<Remedy> {
    let name = copy_of(&group.name);
    let groups = match database.kind {
        ParameterGroupKind::Instance => &cx.inventory.db_parameter_groups,
        ParameterGroupKind::Cluster => &cx.inventory.db_cluster_parameter_groups,
    };
    let attach = attach(database, group, &name);
    match groups.get(&name) {
        None => {
            let create = create(database, group, &name, wanted);
            let step = create.change.as_ref().map(|change| Remedy::step_id(CHECK, change.action(), database.arn));
            vec![create, attach.needing(step)]
        }
        Some(Reading::Known(ours)) if requires(ours, wanted) => vec![attach],
        Some(Reading::Known(ours)) => {
            let set = set(cx, database, ours, wanted);
            let step = set.change.as_ref().map(|change| Remedy::step_id(CHECK, change.action(), database.arn));
            vec![set, attach.needing(step)]
        }
        Some(Reading::Unreadable { unreadable }) => {
            vec![attach.blocked(Gate::Unread, format!("parameter group {name} is there and could not be read: {}", why(unreadable)))]
        }
        Some(Reading::NotRead) => vec![attach.blocked(Gate::Unread, format!("parameter group {name} was not read"))],
    }
}

fn requires(group: &DbParameterGroup, wanted: Wanted) -> bool {
    group.parameters.get(wanted.name).and_then(|parameter| parameter.value.as_deref()).is_some_and(is_on)
}

fn create(database: &Database<'_>, group: &DbParameterGroup, name: &str, wanted: Wanted) -> Remedy {
    let changed = group.parameters.iter().filter(|(_, parameter)| parameter.source == "user");
    let mut parameters: BTreeMap<String, ParameterValue> =
        changed.filter_map(|(name, parameter)| Some((name.clone(), carried(parameter)?))).collect();
    parameters.insert(wanted.name.to_owned(), value(wanted));
    let change = Change::CreateParameterGroup {
        kind: database.kind,
        name: name.to_owned(),
        family: group.family.clone(),
        description: format!("{} with TLS required (Everseal)", group.name),
        parameters,
    };
    let summary = format!("create parameter group {name} after {}, which can't be changed, with {}={}", group.name, wanted.name, wanted.on);
    Remedy::change(change, summary, format!("delete parameter group {name} once nothing is attached to it"))
}

fn carried(parameter: &DbParameter) -> Option<ParameterValue> {
    let DbParameter { value, source: _, apply_type, is_modifiable: _ } = parameter;
    value.as_ref().map(|value| ParameterValue { value: value.clone(), pending_reboot: apply_type == "static" })
}

fn attach(database: &Database<'_>, group: &DbParameterGroup, name: &str) -> Remedy {
    let change = Change::AttachParameterGroup {
        kind: database.kind,
        database: database.identifier.to_owned(),
        before: group.name.clone(),
        after: name.to_owned(),
    };
    let summary = format!("attach {name} to {}; it applies with the next reboot, which Everseal never makes", database.name());
    let remedy = Remedy::change(change, summary, format!("attach {} to {} again", group.name, database.name())).risking(Risk::Brief);
    if database.status == "available" {
        return remedy;
    }
    remedy.blocked(
        Gate::NotReady,
        format!("{} is {}; its parameter group can be changed while it is available", database.name(), database.status),
    )
}

/// Other databases that the group is attached to.
fn sharers<'a>(cx: &'a Context<'_>, database: &'a Database<'_>, group: &'a str) -> impl Iterator<Item = Database<'a>> {
    Database::all(cx)
        .filter(move |other| other.kind == database.kind && other.arn != database.arn && other.parameter_group() == Some(group))
}

/// The policy asks the same of it, means to change it, and nobody has accepted that it stays as it is.
fn agrees(cx: &Context<'_>, other: &Database<'_>) -> bool {
    let Some(selected) = other.rule(cx) else { return false };
    let asks = selected.rule.in_transit.as_ref().is_some_and(|in_transit| in_transit.require_tls);
    let exempt = cx.policies_in_scope().flat_map(|policy| &policy.spec.exemptions).any(|exemption| {
        exemption.holds(cx.now) && exemption.checks.iter().any(|id| id == CHECK.id()) && glob(&exemption.resource, other.arn.as_str())
    });
    asks && selected.mode() == Mode::Enforce && !exempt
}

/// Who else is touched by a change of the group.
pub(super) fn sharers_note(cx: &Context<'_>, database: &Database<'_>, group: &DbParameterGroup) -> Option<String> {
    let names: Vec<String> = sharers(cx, database, &group.name).map(|other| other.name()).collect();
    let shared = !names.is_empty() && !group.name.starts_with("default.");
    shared.then(|| format!("Parameter group {} is shared: a change of it also reaches {}.", group.name, names.join(", ")))
}
