//! Reboots: what a pending-reboot needs, and the policy rarely allows.
//!
//! A database is rebooted only where one of our checks waits for it, the policy says `reboot: inWindow`, and the window is
//! open; one at a time in a cluster, never twice within a day, and never with a failover: parameters apply in a reboot
//! without one. [rds:CreateDBParameterGroup; rds:RebootDBInstance; Aurora: Rebooting a DB cluster]

use super::clients::Clients;
use super::observed::{ClusterMember, DbCluster, DbInstance};
use super::plan::Database;
use crate::plan::change::{Change, ParameterGroupKind};
use crate::plan::context::Context;
use crate::plan::draft::Remedy;
use crate::plan::step::{Gate, Risk};
use crate::policy::model::{DatabaseInTransit, Reboot};
use crate::policy::window::{Window, moment_words};

/// A reboot that did not help is not tried again for so long, in seconds.
const AGAIN_AFTER: i64 = 24 * 60 * 60;
/// A reboot makes a new parameter group apply: it comes so many seconds after the group was created at the earliest. AWS asks
/// to wait 5 minutes before a group is first used, so that RDS has fully completed its creation. [rds:CreateDBParameterGroup]
const GROUP_SETTLES_AFTER: i64 = 5 * 60;
const PENDING: &str = "pending-reboot";

/// What a person does where Everseal may not.
pub(super) struct ByHand {
    pub(super) what: String,
    pub(super) how: String,
}

/// One reboot: of an instance, or of a whole Multi-AZ cluster.
struct Planned<'a> {
    kind: ParameterGroupKind,
    /// What is rebooted.
    identifier: &'a str,
    /// Its status; `None`: it was not read.
    status: Option<&'a str>,
    note: Option<String>,
}

/// The remedy for a database whose parameter group waits for a reboot.
pub(super) fn of_database(cx: &Context<'_>, database: &Database<'_>, clients: &Clients, by_hand: ByHand) -> Remedy {
    let wanted = database.rule(cx).and_then(|rule| rule.rule.in_transit.as_ref());
    let next = match database.parts() {
        (Some(instance), _) => Some(of_instance(instance)),
        (None, Some(cluster)) => next_of_cluster(cx, cluster),
        (None, None) => None,
    };
    match (wanted, next) {
        (Some(wanted), Some(next)) => settled(cx, database, clients.hold(remedy(cx, wanted, &next, by_hand))),
        _ => Remedy::manual(by_hand.what, by_hand.how),
    }
}

/// Holds a reboot while the database's parameter group is too young, where we remember having created it: AWS does not show
/// when it was.
fn settled(cx: &Context<'_>, database: &Database<'_>, remedy: Remedy) -> Remedy {
    let Some(group) = database.parameter_group() else { return remedy };
    match cx.past.parameter_groups_created.get(&database.kind.group(&cx.inventory.scope, group)) {
        Some(at) if cx.now - at < GROUP_SETTLES_AFTER => {
            let until = moment_words(at + GROUP_SETTLES_AFTER);
            remedy
                .blocked(Gate::NotReady, format!("parameter group {group} was just created: RDS may need 5 minutes for it, until {until}"))
        }
        Some(_) | None => remedy,
    }
}

/// The remedy for an instance whose new certificate waits for a restart.
pub(super) fn of_certificate(cx: &Context<'_>, instance: &DbInstance, wanted: &DatabaseInTransit, by_hand: ByHand) -> Remedy {
    remedy(cx, wanted, &of_instance(instance), by_hand)
}

fn of_instance(instance: &DbInstance) -> Planned<'_> {
    Planned { kind: ParameterGroupKind::Instance, identifier: &instance.identifier, status: Some(&instance.status), note: None }
}

/// The writer first, then reader after reader: older Aurora versions reboot their readers with the writer, younger ones
/// want them rebooted after it. A Multi-AZ cluster is rebooted as one.
fn next_of_cluster<'a>(cx: &'a Context<'_>, cluster: &'a DbCluster) -> Option<Planned<'a>> {
    if !cluster.engine.starts_with("aurora") {
        let kind = ParameterGroupKind::Cluster;
        return Some(Planned { kind, identifier: &cluster.identifier, status: Some(&cluster.status), note: None });
    }
    let mut waiting: Vec<&ClusterMember> = cluster.members.iter().filter(|member| member.parameter_group_status == PENDING).collect();
    waiting.sort_by_key(|member| (!member.writer, &member.instance));
    let next = waiting.first()?;
    let status = |name: &str| {
        let of_cluster = |instance: &&DbInstance| instance.identifier == name && instance.cluster.as_deref() == Some(&cluster.identifier);
        cx.inventory.db_instances.values().find(of_cluster).map(|instance| instance.status.as_str())
    };
    // While another member is away, nobody else goes.
    let away = cluster.members.iter().filter_map(|member| status(&member.instance)).find(|status| *status != "available");
    let others = waiting.len() - 1;
    let takes_readers = next.writer && !keeps_readers(&cluster.engine, &cluster.engine_version);
    let note = match (takes_readers, others) {
        (true, _) => Some("this version reboots its readers with the writer".to_owned()),
        (false, 0) => None,
        (false, others) => Some(format!("{others} more follow, one after the other")),
    };
    let status = away.or_else(|| status(&next.instance));
    Some(Planned { kind: ParameterGroupKind::Instance, identifier: &next.instance, status, note })
}

/// Readers stay available while the writer is rebooted. [Aurora: Rebooting a cluster with read availability]
fn keeps_readers(engine: &str, version: &str) -> bool {
    let numbers = |text: &str| {
        let mut parts = text.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    };
    match engine {
        "aurora-postgresql" => match numbers(version) {
            (12, minor) => minor >= 14,
            (13, minor) => minor >= 10,
            (14, minor) => minor >= 7,
            (15, minor) => minor >= 2,
            (major, _) => major > 15,
        },
        "aurora-mysql" => version.split_once("mysql_aurora.").is_some_and(|(_, own)| numbers(own) >= (2, 10)),
        _ => false,
    }
}

fn remedy(cx: &Context<'_>, wanted: &DatabaseInTransit, next: &Planned<'_>, by_hand: ByHand) -> Remedy {
    // The policy's reader refuses `inWindow` without a window, or one that can't be read.
    let window = match wanted.reboot {
        Reboot::Never => None,
        Reboot::InWindow => wanted.window.as_deref().and_then(|text| Some((text, Window::parse(text).ok()?))),
    };
    let Some((text, window)) = window else { return Remedy::manual(by_hand.what, by_hand.how) };
    let Planned { kind, identifier, status, note } = next;
    let change = Change::RebootDatabase { kind: *kind, database: (*identifier).to_owned() };
    let whole = if *kind == ParameterGroupKind::Cluster { "cluster " } else { "" };
    let note = note.as_ref().map_or_else(String::new, |note| format!("; {note}"));
    let summary = format!("reboot {whole}{identifier} without a failover: its clients are disconnected{note}");
    let remedy = Remedy::change(change, summary, "a reboot can't be taken back").risking(Risk::Disruptive).of_part(*identifier);
    let remedy = match cx.past.reboots.get(&kind.database(&cx.inventory.scope, identifier)) {
        Some(at) if cx.now - at < AGAIN_AFTER => remedy.blocked(
            Gate::CallBudget,
            format!("{identifier} was rebooted at {} and may still be on its way; if it stays pending, look at its events: Everseal reboots a database at most once a day", moment_words(*at)),
        ),
        Some(_) | None => remedy,
    };
    let remedy = if window.is_open(cx.now) {
        remedy
    } else {
        remedy.blocked(Gate::Window, format!("pending reboot: the window `{text}` opens at {}", moment_words(window.opens_at(cx.now))))
    };
    match status {
        Some("available") => remedy,
        Some(other) => {
            remedy.blocked(Gate::NotReady, format!("a database is rebooted while it and its cluster are available; it is {other}"))
        }
        None => remedy.blocked(Gate::Unread, format!("{identifier} was not read, so nobody knows whether it is available")),
    }
}
