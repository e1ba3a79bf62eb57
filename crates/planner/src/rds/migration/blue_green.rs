//! The way by a blue/green deployment whose green side is encrypted: AWS replicates, switches, and rolls back by itself.
//!
//! Under `auto` the database goes by snapshot where AWS refuses: a call that is refused leaves nothing behind that could be
//! recognised, so the step says what is to be noted on the database then ([`TAG_BLUE_GREEN_REFUSED`]); a deployment of ours that
//! AWS could not bring up is recognised by itself, and removed. Under `blueGreen` the step fails in each pass with AWS's words.

use std::collections::{BTreeMap, BTreeSet};

use super::build::{failed, unfinished, unread_settings, with_key};
use super::case::{Case, Next, Slot, block, change, held, unread, waiting};
use super::change::MigrationChange;
use super::compare::{self, Difference};
use super::family::Db;
use super::names;
use super::observed::{BlueGreenDeployment, TAG_BLUE_GREEN_REFUSED};
use super::report::Stage;
use super::status::Condition;
use super::switch::unread_surroundings;
use crate::plan::draft::Draft;
use crate::plan::step::Risk;
use crate::plan::{Block, Gate};
use crate::policy::model::{MigrationAction, MigrationMethod};

/// Seconds that a switch-over may take before AWS rolls it back: its own default. [rds:SwitchoverBlueGreenDeployment]
const SWITCHOVER_TIMEOUT: u32 = 300;

/// Why AWS would refuse a deployment of this database; `None`: nothing that can be seen.
/// [Supported Regions and DB engines for blue/green deployments; Limitations and considerations]
pub(super) fn refusal(db: &Db<'_>) -> Option<String> {
    let (engine, version) = (db.engine, db.engine_version);
    let supported = match engine {
        "mysql" => db.instance.is_some() && at_least(version, &[5, 7]),
        "mariadb" => at_least(version, &[10, 2]),
        "postgres" => db.instance.is_some() && at_least(version, &[11, 1]),
        "aurora-mysql" => true,
        "aurora-postgresql" => aurora_postgresql(version),
        _ => false,
    };
    if !supported {
        let multi_az = if db.cluster.is_some() && !db.is_aurora() { " (Multi-AZ cluster)" } else { "" };
        return Some(format!("{engine} {version}{multi_az} has no blue/green deployments"));
    }
    let (secret, backups, replica, global) = match (db.instance_settings(), db.cluster_settings()) {
        (Some(settings), _) => {
            (settings.manage_master_user_password, settings.backup_retention_period > 0, settings.replica_of.is_some(), false)
        }
        (None, Some(settings)) => {
            (settings.manage_master_user_password, true, settings.replica_of.is_some(), settings.global_cluster.is_some())
        }
        (None, None) => return None,
    };
    if secret {
        return Some("its master password is managed in Secrets Manager, which blue/green deployments do not support".to_owned());
    }
    if !backups {
        return Some("it has no automated backups, which a blue/green deployment needs".to_owned());
    }
    if replica || global {
        return Some("it is a replica or part of a global cluster".to_owned());
    }
    None
}

/// The first minor version of each major one.
fn aurora_postgresql(version: &str) -> bool {
    let (major, minor) = (number(version, 0), number(version, 1));
    let first = match major {
        11 => 21,
        12 => 16,
        13 => 12,
        14 => 9,
        15 | 17 => 4,
        16 => 1,
        _ => return major > 17,
    };
    minor >= first
}

fn number(version: &str, index: usize) -> u32 {
    version.split('.').nth(index).and_then(|part| part.parse().ok()).unwrap_or(0)
}

fn at_least(version: &str, wanted: &[u32]) -> bool {
    let found: Vec<u32> = (0..wanted.len()).map(|index| number(version, index)).collect();
    found.as_slice() >= wanted
}

/// Where the deployment stands and what comes next.
pub(super) fn next(case: &Case<'_>, old: &Db<'_>, slot: &mut Slot, draft: &mut Draft) -> Next {
    let Some(deployment) = case.family.blue_green else { return create(case, old, draft) };
    let (since, name) = (deployment.created_at, &deployment.name);
    match deployment.status.as_str() {
        "PROVISIONING" => {
            case.in_progress(Stage::Restoring, since, format!("The green side of {name} is built.")).percent(percent(deployment))
        }
        "AVAILABLE" => prepared(case, old, deployment, slot, draft),
        "SWITCHOVER_IN_PROGRESS" => {
            Next::waiting(Stage::Switching, format!("{name} is being switched over; AWS rolls back by itself if that fails."))
        }
        "SWITCHOVER_COMPLETED" => {
            Next::waiting(Stage::Finishing, format!("{name} is switched over; AWS does not show the new database yet."))
        }
        "DELETING" => Next::waiting(Stage::Planned, format!("Deployment {name} is being deleted.")),
        "INVALID_CONFIGURATION" | "PROVISIONING_FAILED" => refused(case, old, deployment),
        status => {
            let details = deployment.status_details.as_deref().unwrap_or("AWS gives no details");
            failed(case, &format!("Deployment {name} is {status}: {details}.")).since(since)
        }
    }
}

fn percent(deployment: &BlueGreenDeployment) -> u8 {
    let done = deployment.tasks.values().filter(|status| status.as_str() == "COMPLETED").count();
    u8::try_from(done * 100 / deployment.tasks.len().max(1)).unwrap_or(100)
}

fn create(case: &Case<'_>, old: &Db<'_>, draft: &mut Draft) -> Next {
    let message = "A blue/green deployment builds an encrypted green side beside the database; nobody is cut off for that.";
    if let Some(foreign) = case.family.foreign_blue_green {
        let reason = format!("somebody else's blue/green deployment {} of {} exists: finish or delete it first", foreign.name, old.words());
        return Next::new(Stage::Planned, reason.clone()).step(held(block(Gate::NotReady, reason), "create a blue/green deployment"));
    }
    if old.condition() != Condition::Ready {
        return Next::waiting(Stage::Planned, format!("{} is {}: a deployment is created once it is available.", old.words(), old.status));
    }
    let replicas = old.instance_settings().map(|settings| settings.read_replicas.clone()).unwrap_or_default();
    let scope = &case.inventory().scope;
    let encrypt: Vec<String> = std::iter::once(old.arn.to_string())
        .chain(
            replicas
                .iter()
                .map(|name| if name.starts_with("arn:") { name.clone() } else { scope.arn("rds", &format!("db:{name}")).to_string() }),
        )
        .collect();
    // Under `auto` the database goes by snapshot where AWS refuses: the next pass must be able to tell.
    let refused = || BTreeMap::from([(TAG_BLUE_GREEN_REFUSED.to_owned(), case.cx.now.to_string())]);
    let note_refusal = if case.wanted.method == MigrationMethod::Auto { refused() } else { BTreeMap::new() };
    let step = with_key(case, draft, |key| {
        let (name, source) = (names::blue_green(case.name()), old.arn.to_string());
        let create = MigrationChange::CreateBlueGreen {
            name: name.clone(),
            source,
            encrypt: encrypt.clone(),
            key: key.to_owned(),
            tags: case.tags(),
            note_refusal: note_refusal.clone(),
        };
        change(
            create,
            format!("create blue/green deployment {name} of {}, its green side encrypted with {key}", old.words()),
            format!("delete the deployment {name} and its green side"),
        )
    });
    Next::new(Stage::Planned, message).step(step)
}

/// Green is there: compared, and switched to when the policy, the time and a person allow it.
fn prepared(case: &Case<'_>, old: &Db<'_>, deployment: &BlueGreenDeployment, slot: &mut Slot, draft: &mut Draft) -> Next {
    let Some(green) = case.family.copy else {
        return case.in_progress(
            Stage::Restoring,
            deployment.created_at,
            format!("The green side of {} does not show yet.", deployment.name),
        );
    };
    if let Some(next) = unfinished(case, &green) {
        return next;
    }
    if green.is_open_storage() {
        return failed(case, &format!("The green side {} is not encrypted.", green.identifier));
    }
    // AWS builds green with the settings of blue; what differs is a person's to judge before the switch.
    let Some(different) = compare::differences(old, &green) else { return unread_settings(&green) };
    let differences: Vec<String> = different.iter().map(Difference::words).collect();
    let message = format!("The green side {} is encrypted and follows the database.", green.identifier);
    let prepared =
        |message: String| Next { differences: differences.clone(), ..Next::new(Stage::Prepared, message).since(deployment.created_at) };
    if case.wanted.action != MigrationAction::Cutover {
        let message = format!("{message} The policy asks for no switch (`action: prepare`).");
        return prepared(message.clone()).step(waiting_for_word(message));
    }
    let approver = case.approver().unwrap_or_default();
    let step = MigrationChange::SwitchoverBlueGreen { identifier: deployment.identifier.clone(), timeout: SWITCHOVER_TIMEOUT };
    let step = change(
        step,
        format!("switch {} over to its encrypted green side (approved by {approver}); writes stop for seconds to minutes", case.name()),
        format!("the old database stays as {}-old1: rename both", case.name()),
    )
    .risking(Risk::Disruptive);
    let mut stops = case.approval_block().or_else(|| case.window_block());
    if old.condition() != Condition::Ready {
        stops.get_or_insert(block(Gate::NotReady, format!("{} is {}", old.words(), old.status)));
    }
    stops = stops.or_else(|| different_block(&differences)).or_else(|| unread_surroundings(case, old, draft));
    if stops.is_none() {
        stops = slot.take(case);
    }
    match stops {
        Some(Block { name, reason }) => prepared(format!("{message} It waits: {reason}.")).step(step.blocked(name, reason)),
        None => Next { stage: Stage::Switching, ..prepared(message) }.step(step),
    }
}

fn different_block(differences: &[String]) -> Option<Block> {
    let reason = format!("the green side is not like the database: {}. Make them alike, or delete the deployment", differences.join("; "));
    (!differences.is_empty()).then(|| block(Gate::Manual, reason))
}

/// The policy goes no further.
pub(super) fn waiting_for_word(reason: String) -> crate::plan::draft::Remedy {
    let mut remedy = waiting(reason);
    "switch to the encrypted copy".clone_into(&mut remedy.summary);
    if let Some(block) = &mut remedy.block {
        block.name = Gate::Manual;
    }
    remedy
}

/// AWS could not bring the deployment up.
fn refused(case: &Case<'_>, old: &Db<'_>, deployment: &BlueGreenDeployment) -> Next {
    let details = deployment.status_details.as_deref().unwrap_or("AWS gives no details");
    let message = format!("AWS could not bring up the blue/green deployment {} ({}): {details}.", deployment.name, deployment.status);
    if case.wanted.method != MigrationMethod::Auto {
        return failed(case, &message).since(deployment.created_at);
    }
    let set = BTreeMap::from([(TAG_BLUE_GREEN_REFUSED.to_owned(), case.cx.now.to_string())]);
    let note = MigrationChange::Tags { arn: old.arn.to_string(), set, remove: BTreeSet::new() };
    let note =
        change(note, format!("note on {} that AWS refused a blue/green deployment: it goes by snapshot", old.words()), "remove the tag");
    Next::new(Stage::Planned, format!("{message} The database goes by snapshot instead.")).step(note)
}

/// A deployment of ours that never switched, beside the snapshot way: it goes. `None`: there is none.
pub(super) fn remove(case: &Case<'_>, deployment: &BlueGreenDeployment) -> Option<crate::plan::draft::Remedy> {
    match deployment.status.as_str() {
        "DELETING" => Some(waiting(format!("Deployment {} is being deleted.", deployment.name))),
        "AVAILABLE" | "PROVISIONING" | "INVALID_CONFIGURATION" | "PROVISIONING_FAILED" | "SWITCHOVER_FAILED" => {
            let gone = MigrationChange::DeleteBlueGreen { identifier: deployment.identifier.clone(), delete_target: true };
            let summary = format!(
                "delete the blue/green deployment {} of {} and its green side, which the migration made",
                deployment.name,
                case.name()
            );
            Some(change(gone, summary, "none is needed: the migration makes a new one"))
        }
        _ => None,
    }
}

/// Whether deployments could be listed at all.
pub(super) fn unread_deployments(case: &Case<'_>) -> Option<Block> {
    unread(&case.inventory().migrations.blue_green_deployments, "blue/green deployments")
}
