//! How a parameter gets its value: in a group of the user's, or in a copy of a default group.
//!
//! Default groups can't be changed, so one named after it is made, carries its changed values, and is attached; it
//! applies with the next reboot ([`super::reboot`]). A group that other databases share is changed only where the policy
//! asks the same of all of them and no client of any of them connects without TLS: they would be cut off otherwise.
//! [Working with parameter groups; rds:ModifyDBParameterGroup]

use std::collections::BTreeMap;

use super::clients::{self, Clients};
use super::desired::{copy_of, is_on};
use super::observed::{DbParameter, DbParameterGroup};
use super::plan::Database;
use super::proxy_tls::in_front;
use super::tls::{CHECK, Wanted, may_reboot};
use crate::inventory::Reading;
use crate::kms::why;
use crate::plan::change::{Change, ParameterGroupKind, ParameterValue};
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy};
use crate::plan::select::glob;
use crate::plan::step::{Gate, Risk};
use crate::policy::model::Mode;

/// The remedies for a parameter that does not require TLS; notes on whom they concern are added to `notes`.
pub(super) fn remedies(
    cx: &Context<'_>,
    (database, group): (&Database<'_>, &DbParameterGroup),
    wanted: Wanted,
    notes: &mut Vec<String>,
    draft: &mut Draft,
) -> Vec<Remedy> {
    if group.name.starts_with("default.") {
        let clients = clients::of(cx, database, draft);
        notes.extend(clients.notes.iter().cloned());
        return copy_and_attach(cx, (database, group), wanted, &clients, draft);
    }
    let clients = clients_of(cx, database, &group.name, draft);
    notes.extend(clients.notes.iter().cloned());
    vec![set(cx, (database, group), wanted, &clients)]
}

/// The clients of every database that the group is attached to.
fn clients_of(cx: &Context<'_>, database: &Database<'_>, group: &str, draft: &mut Draft) -> Clients {
    let attached = Database::all(cx).filter(|other| other.kind == database.kind && other.parameter_group() == Some(group));
    attached.fold(Clients::default(), |clients, one| clients.and(clients::of(cx, &one, draft)))
}

fn value(wanted: Wanted) -> ParameterValue {
    ParameterValue { value: wanted.on.to_owned(), pending_reboot: wanted.needs_reboot }
}

/// What is said of the reboot that a change waits for.
fn with_reboot(cx: &Context<'_>, database: &Database<'_>) -> &'static str {
    if may_reboot(cx, database) {
        "; it applies with a reboot, in the window that the policy gives"
    } else {
        "; it applies with the next reboot, which Everseal does not make"
    }
}

fn set(cx: &Context<'_>, (database, group): (&Database<'_>, &DbParameterGroup), wanted: Wanted, clients: &Clients) -> Remedy {
    let before = group.parameters.get(wanted.name).and_then(|parameter| parameter.value.clone());
    let undo = format!("set {}={} in parameter group {} again", wanted.name, before.as_deref().unwrap_or("its default"), group.name);
    let change = Change::ParameterGroup {
        kind: database.kind,
        name: group.name.clone(),
        before: BTreeMap::from([(wanted.name.to_owned(), before)]),
        after: BTreeMap::from([(wanted.name.to_owned(), value(wanted))]),
    };
    let reboot = if wanted.needs_reboot { with_reboot(cx, database) } else { "" };
    let summary = format!("set {}={} in parameter group {}{reboot}", wanted.name, wanted.on, group.name);
    let remedy = Remedy::change(change, summary, undo).risking(Risk::Brief);
    let unwilling: Vec<String> = sharers(cx, database, &group.name).filter(|other| !agrees(cx, other)).map(|other| other.name()).collect();
    let remedy = if unwilling.is_empty() {
        remedy
    } else {
        remedy.blocked(
            Gate::Manual,
            format!(
                "Parameter group {} is also attached to {}, of which no enforcing rule asks for TLS: their clients without TLS would be cut off. Give {} a group of its own, or let a rule ask the same of them.",
                group.name,
                unwilling.join(", "),
                database.name()
            ),
        )
    };
    let attached = Database::all(cx).filter(|other| other.kind == database.kind && other.parameter_group() == Some(&group.name));
    attached.fold(clients.hold(remedy), |remedy, one| in_front(cx, &one).before(remedy))
}

fn copy_and_attach(
    cx: &Context<'_>,
    (database, group): (&Database<'_>, &DbParameterGroup),
    wanted: Wanted,
    clients: &Clients,
    draft: &mut Draft,
) -> Vec<Remedy> {
    let name = copy_of(&group.name);
    let groups = match database.kind {
        ParameterGroupKind::Instance => &cx.inventory.db_parameter_groups,
        ParameterGroupKind::Cluster => &cx.inventory.db_cluster_parameter_groups,
    };
    let attach = in_front(cx, database).before(clients.hold(attach(cx, (database, group), &name)));
    let step = |remedy: &Remedy| remedy.change.as_ref().map(|change| Remedy::step_id(CHECK, change.action(), database.arn));
    match groups.get(&name) {
        None => {
            let create = create((database, group), &name, wanted);
            let step = step(&create);
            vec![create, attach.needing(step)]
        }
        Some(Reading::Known(ours)) if requires(ours, wanted) => vec![attach],
        Some(Reading::Known(ours)) => {
            let others = clients_of(cx, database, &name, draft);
            let set = set(cx, (database, ours), wanted, &others);
            let step = step(&set);
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

fn create((database, group): (&Database<'_>, &DbParameterGroup), name: &str, wanted: Wanted) -> Remedy {
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

fn attach(cx: &Context<'_>, (database, group): (&Database<'_>, &DbParameterGroup), name: &str) -> Remedy {
    let change = Change::AttachParameterGroup {
        kind: database.kind,
        database: database.identifier.to_owned(),
        before: group.name.clone(),
        after: name.to_owned(),
    };
    let summary = format!("attach {name} to {}{}", database.name(), with_reboot(cx, database));
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
