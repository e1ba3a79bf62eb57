//! `rds-require-tls`: the database refuses connections without TLS.
//!
//! Compliant is a right value that is in force. A right value that waits for a reboot is not: the database still
//! takes plain connections. Whether it may be rebooted is the policy's to say. [Working with parameter groups]

use super::desired::{Default, TlsSwitch, is_on, tls_switch};
use super::observed::DbParameterGroup;
use super::plan::Database;
use super::proxy_tls::in_front;
use super::reboot::{self, ByHand};
use super::{clients, groups};
use crate::inventory::Reading;
use crate::kms::why;
use crate::plan::change::ParameterGroupKind;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::policy::model::Reboot;
use crate::{Check, Inventory};

pub(super) const CHECK: Check = Check::RdsRequireTls;
const PENDING_REBOOT: &str = "pending-reboot";

/// The parameter that decides, and the value that requires TLS.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) name: &'static str,
    pub(super) on: &'static str,
    pub(super) needs_reboot: bool,
}

/// Judges a database on its own or a cluster.
pub(super) fn judge(cx: &Context<'_>, subject: &Subject, database: &Database<'_>, draft: &mut Draft) {
    let mut words = Words { expected: "connections without TLS are refused".to_owned(), ..Words::default() };
    let (name, on, default, needs_reboot) = match tls_switch(database.engine, database.engine_version, database.is_cluster()) {
        TlsSwitch::Parameter { kind: _, name, on, default, needs_reboot } => (name, on, default, needs_reboot),
        TlsSwitch::ByHand(how) => {
            words.actual = format!("not settled by a parameter of {} {}", database.engine, database.engine_version);
            words.message = "Everseal can't see or set whether connections without TLS are refused.".into();
            return draft.drifted(subject, CHECK, words, vec![Remedy::manual(format!("require TLS of {}", database.name()), how)]);
        }
        TlsSwitch::UnknownEngine => {
            words.actual = format!("engine {}", database.engine);
            words.message = format!("Everseal does not know how {} requires TLS.", database.engine);
            return draft.unknown(subject, CHECK, words);
        }
    };
    let group = match group(cx.inventory, database) {
        Ok(group) => group,
        Err(message) => {
            words.actual = "not known".into();
            words.message = message;
            return draft.unknown(subject, CHECK, words);
        }
    };
    let value = group.parameters.get(name).and_then(|parameter| parameter.value.as_deref());
    let required = match (value, default) {
        (Some(value), _) => is_on(value),
        (None, Default::On) => true,
        (None, Default::Off) => false,
        (None, Default::NotDocumented) => {
            words.actual = format!("{name} not set in {}", group.name);
            words.message = format!(
                "What {} {} does without {name} is not documented. Set it in a group of your own.",
                database.engine, database.engine_version
            );
            return draft.unknown(subject, CHECK, words);
        }
    };
    words.actual = format!("{name}={} in {}", value.unwrap_or(if required { "default (on)" } else { "default (off)" }), group.name);
    if required {
        return in_force(cx, (subject, database), words, draft);
    }
    words.message = "Whoever connects without TLS sends passwords and data in the clear.".into();
    let remedies = groups::remedies(cx, (database, group), Wanted { name, on, needs_reboot }, &mut words.notes, draft);
    words.notes.extend(groups::sharers_note(cx, database, group));
    draft.drifted(subject, CHECK, words, remedies);
}

/// What the parameter in force says of connections without TLS: refused or taken; `None` where it can't be told, or where
/// another value than this one may be in force.
pub(super) fn refuses_plain(inventory: &Inventory, database: &Database<'_>) -> Option<bool> {
    let TlsSwitch::Parameter { kind: _, name, on: _, default, needs_reboot: _ } =
        tls_switch(database.engine, database.engine_version, database.is_cluster())
    else {
        return None;
    };
    let value = group(inventory, database).ok()?.parameters.get(name).and_then(|parameter| parameter.value.as_deref());
    let required = match (value, default) {
        (Some(value), _) => is_on(value),
        (None, Default::On) => true,
        (None, Default::Off) => false,
        (None, Default::NotDocumented) => return None,
    };
    let statuses = database.apply_statuses();
    (!statuses.is_empty() && statuses.iter().all(|status| *status == "in-sync")).then_some(required)
}

fn in_force(cx: &Context<'_>, (subject, database): (&Subject, &Database<'_>), mut words: Words, draft: &mut Draft) {
    let statuses = database.apply_statuses();
    // What waits for a reboot is ours to end; what AWS is at comes first.
    let open = statuses.iter().copied().filter(|status| *status != "in-sync");
    let Some(open) = open.min_by_key(|status| *status == PENDING_REBOOT) else {
        return draft.compliant(subject, CHECK, words);
    };
    words.actual = format!("{}, {open}", words.actual);
    if open == "applying" {
        words.message = "The parameters are being applied; they are judged again in the next pass.".into();
        return draft.unknown(subject, CHECK, words);
    }
    words.message = "The value is right and not in force: connections without TLS are still taken.".into();
    let name = database.name();
    let (what, how) = match open {
        PENDING_REBOOT => {
            words.message.push_str(" A reboot is pending.");
            let remedy = rebooted(cx, database, &mut words.notes, draft);
            return draft.drifted(subject, CHECK, words, vec![remedy]);
        }
        "pending-database-upgrade" => {
            (format!("upgrade {name}"), "The parameter group applies with the pending upgrade of the database: let it happen.".to_owned())
        }
        other => (
            format!("apply the parameter group of {name}"),
            format!(
                "The parameter group is {other}. Look at the database's events for the parameter that was refused, correct it and reboot."
            ),
        ),
    };
    draft.drifted(subject, CHECK, words, vec![Remedy::manual(what, how)]);
}

fn rebooted(cx: &Context<'_>, database: &Database<'_>, notes: &mut Vec<String>, draft: &mut Draft) -> Remedy {
    let name = database.name();
    let by_hand = ByHand {
        what: format!("reboot {name}"),
        how: "A reboot is needed before the parameter group applies. The policy does not let Everseal reboot a database (inTransit.reboot: inWindow): do so when it suits, and it is compliant.".to_owned(),
    };
    if may_reboot(cx, database) {
        let clients = clients::of(cx, database, draft);
        notes.extend(clients.notes.iter().cloned());
        in_front(cx, database).before(reboot::of_database(cx, database, &clients, by_hand))
    } else {
        Remedy::manual(by_hand.what, by_hand.how)
    }
}

/// The rule lets Everseal reboot the database, in a window.
pub(super) fn may_reboot(cx: &Context<'_>, database: &Database<'_>) -> bool {
    let wanted = database.rule(cx).and_then(|selected| selected.rule.in_transit.as_ref());
    wanted.is_some_and(|wanted| wanted.reboot == Reboot::InWindow)
}

fn group<'a>(inventory: &'a Inventory, database: &Database<'_>) -> Result<&'a DbParameterGroup, String> {
    let Some(name) = database.parameter_group() else { return Err("AWS named no parameter group for this database.".to_owned()) };
    let groups = match database.kind {
        ParameterGroupKind::Instance => &inventory.db_parameter_groups,
        ParameterGroupKind::Cluster => &inventory.db_cluster_parameter_groups,
    };
    match groups.get(name) {
        Some(Reading::Known(group)) => Ok(group),
        Some(Reading::Unreadable { unreadable }) => Err(format!("Parameter group {name} could not be read: {}.", why(unreadable))),
        Some(Reading::NotRead) | None => Err(format!("Parameter group {name} was not read.")),
    }
}
