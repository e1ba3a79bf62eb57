//! One migration under decision: what may be looked at, and what the answer is made of.

use std::collections::BTreeMap;

use super::change::MigrationChange;
use super::family::{Db, Family, Seen};
use super::names::Mark;
use super::observed::{DatabaseSurroundings, TAG_NAME, TAG_OF, TAG_STARTED_AT};
use super::report::{Stage, Way};
use crate::Inventory;
use crate::inventory::Reading;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy};
use crate::plan::{Block, Change, Gate};
use crate::policy::model::Migration;
use crate::policy::window::{Window, duration, duration_words, moment_words};

const HOUR: i64 = 3_600;

/// After how long a stage counts as stuck, in seconds. Generous: the largest volumes (64 TiB) take a day and more to copy.
pub(super) const fn time_limit(stage: Stage, way: Way) -> Option<i64> {
    match (stage, way) {
        // Sessions that outlive the change of security groups end only when their clients end them.
        (Stage::Isolating, _) => Some(HOUR),
        (Stage::Restoring, Way::BlueGreen) => Some(72 * HOUR),
        (Stage::Snapshotting | Stage::Copying | Stage::Restoring, _) => Some(36 * HOUR),
        (Stage::Configuring, _) => Some(40 * HOUR),
        (
            Stage::Planned
            | Stage::Prepared
            | Stage::Switching
            | Stage::Finishing
            | Stage::KeepingOld
            | Stage::Done
            | Stage::Stuck
            | Stage::Aborted,
            _,
        ) => None,
    }
}

/// What a migration is decided from.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) cx: &'a Context<'a>,
    pub(super) seen: &'a Seen<'a>,
    pub(super) family: &'a Family<'a>,
    pub(super) wanted: &'a Migration,
    /// The key that the rule names.
    pub(super) key: Option<&'a str>,
    pub(super) way: Way,
    /// Steps are made, not only shown.
    pub(super) enforced: bool,
}

/// Where the migration stands and what comes next.
pub(super) struct Next {
    pub(super) stage: Stage,
    pub(super) since: Option<i64>,
    pub(super) times_out_at: Option<i64>,
    pub(super) percent: Option<u8>,
    pub(super) message: String,
    pub(super) steps: Vec<Remedy>,
    pub(super) differences: Vec<String>,
}

impl Next {
    pub(super) fn new(stage: Stage, message: impl Into<String>) -> Self {
        Self { stage, since: None, times_out_at: None, percent: None, message: message.into(), steps: Vec::new(), differences: Vec::new() }
    }

    /// AWS is at work: nothing to do but to look again.
    pub(super) fn waiting(stage: Stage, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut next = Self::new(stage, message.clone());
        next.steps.push(waiting(message));
        next
    }

    /// A person must look: what is wrong and the ways on.
    pub(super) fn stuck(message: impl Into<String>) -> Self {
        let message = message.into();
        let mut next = Self::new(Stage::Stuck, message.clone());
        next.steps.push(Remedy::manual("look at the migration", message));
        next
    }

    pub(super) fn since(mut self, since: Option<i64>) -> Self {
        self.since = since;
        self
    }

    pub(super) fn percent(mut self, percent: u8) -> Self {
        self.percent = Some(percent);
        self
    }

    pub(super) fn step(mut self, step: Remedy) -> Self {
        self.steps.push(step);
        self
    }

    pub(super) fn steps(mut self, steps: impl IntoIterator<Item = Remedy>) -> Self {
        self.steps.extend(steps);
        self
    }
}

/// Work that AWS does now.
pub(super) fn waiting(reason: impl Into<String>) -> Remedy {
    let mut remedy = Remedy::manual("wait for AWS", "");
    remedy.block = Some(Block { name: Gate::NotReady, reason: reason.into() });
    remedy
}

/// A step that a person or a time must allow, where the change itself can't be told yet.
pub(super) fn held(block: Block, summary: impl Into<String>) -> Remedy {
    let mut remedy = Remedy::manual(summary, "");
    remedy.block = Some(block);
    remedy
}

pub(super) fn block(name: Gate, reason: impl Into<String>) -> Block {
    Block { name, reason: reason.into() }
}

/// A change of the migration, told apart by what it is made to.
pub(super) fn change(change: MigrationChange, summary: impl Into<String>, undo: impl Into<String>) -> Remedy {
    let part = part_of(&change);
    let remedy = Remedy::change(Change::Migration(Box::new(change)), summary, undo);
    match part {
        Some(part) => remedy.of_part(part),
        None => remedy,
    }
}

/// Changes of one plan that make the same call are told apart by this.
fn part_of(change: &MigrationChange) -> Option<String> {
    match change {
        MigrationChange::Tags { arn, .. } => Some(arn.rsplit(':').next().unwrap_or_default().to_owned()),
        MigrationChange::SecurityGroups { database, .. }
        | MigrationChange::DeletionProtection { database, .. }
        | MigrationChange::DeleteDatabase { database, .. } => Some(database.clone()),
        MigrationChange::ConfigureInstance { instance, .. } | MigrationChange::CreateClusterMember { instance, .. } => {
            Some(instance.clone())
        }
        MigrationChange::AddRole { database, feature, role, .. } => Some(format!("{database} {feature} {role}")),
        MigrationChange::Rename { from, .. } => Some(from.clone()),
        MigrationChange::RetargetProxy { proxy, .. } => Some(proxy.clone()),
        MigrationChange::SubscribeEvents { subscription, .. } => Some(subscription.clone()),
        MigrationChange::DeleteSnapshot { snapshot, .. } => Some(snapshot.clone()),
        MigrationChange::CreateSnapshot { .. }
        | MigrationChange::CopySnapshot { .. }
        | MigrationChange::RestoreInstance { .. }
        | MigrationChange::RestoreCluster { .. }
        | MigrationChange::ConfigureCluster { .. }
        | MigrationChange::CreateBlueGreen { .. }
        | MigrationChange::SwitchoverBlueGreen { .. }
        | MigrationChange::DeleteBlueGreen { .. } => None,
    }
}

impl<'a> Case<'a> {
    pub(super) const fn inventory(&self) -> &'a Inventory {
        self.cx.inventory
    }

    pub(super) fn name(&self) -> &'a str {
        &self.family.name
    }

    pub(super) fn window(&self) -> Option<Window> {
        self.wanted.window.as_deref().and_then(|text| Window::parse(text).ok())
    }

    pub(super) fn approver(&self) -> Option<&'a str> {
        self.wanted.approved_by.get(self.name()).map(String::as_str).filter(|person| !person.trim().is_empty())
    }

    pub(super) fn keep_old_for(&self) -> i64 {
        // A length that can't be read is refused with the policy.
        duration(&self.wanted.keep_old_for).unwrap_or(i64::MAX / 2)
    }

    /// Tags of what the migration makes now.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        self.tags_for(self.name())
    }

    pub(super) fn tags_for(&self, name: &str) -> BTreeMap<String, String> {
        let now = self.cx.now.to_string();
        [(TAG_OF, self.family.id), (TAG_NAME, name), (TAG_STARTED_AT, &now)].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    /// The old database's own tags (AWS's and ours stay behind) and ours, with whose data the copy holds.
    pub(super) fn tags_of_copy(&self, old: &Db<'_>, name: &str, mark: Mark) -> BTreeMap<String, String> {
        let own = old.tags.iter().filter(|(key, _)| !key.starts_with("everseal:") && !key.starts_with("aws:"));
        let mut tags: BTreeMap<String, String> = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        tags.extend(self.tags_for(name));
        tags.insert(super::observed::TAG_DATA_OF.to_owned(), mark.text());
        tags
    }

    /// What was read around a database; whatever is missing is asked for.
    pub(super) fn surroundings(&self, db: &Db<'_>, draft: &mut Draft) -> Option<&'a DatabaseSurroundings> {
        let found = self.inventory().migrations.databases.get(db.arn);
        if found.is_none_or(|found| found.proxies.is_not_read() || found.event_subscriptions.is_not_read()) {
            draft.wanted_facts.insert(db.arn.clone());
        }
        found
    }

    /// Waits for AWS; after the stage's limit it is stuck.
    pub(super) fn in_progress(&self, stage: Stage, since: Option<i64>, message: impl Into<String>) -> Next {
        let message = message.into();
        let limit = time_limit(stage, self.way).zip(since).map(|(limit, since)| since + limit);
        match (limit, since) {
            (Some(limit), Some(since)) if self.cx.now >= limit => Next::stuck(format!(
                "{message} That has taken {} and counts as stuck. Look at the database's events; {}",
                duration_words(self.cx.now - since),
                self.way_back()
            ))
            .since(Some(since)),
            _ => Next { times_out_at: limit, ..Next::waiting(stage, message).since(since) },
        }
    }

    /// How a person gets out before the switch.
    pub(super) fn way_back(&self) -> String {
        format!(
            "`everseal migrations abort {}` removes what the migration made and leaves the database as it is; `resume` begins anew.",
            self.name()
        )
    }

    /// Outside the window: when it opens.
    pub(super) fn window_block(&self) -> Option<Block> {
        let text = self.wanted.window.as_deref().unwrap_or_default();
        let Some(window) = self.window() else {
            return Some(block(Gate::Window, "the policy gives no window in which clients may be cut off"));
        };
        if window.is_open(self.cx.now) {
            return None;
        }
        let opens = moment_words(window.opens_at(self.cx.now));
        Some(block(Gate::Window, format!("clients are cut off only in the window {text}; it opens at {opens}")))
    }

    /// Nobody has approved the switch of this database.
    pub(super) fn approval_block(&self) -> Option<Block> {
        if self.approver().is_some() {
            return None;
        }
        let reason =
            format!("nobody has approved the switch of {0}: name the person in the policy, `approvedBy: {{ {0}: … }}`", self.name());
        Some(block(Gate::Approval, reason))
    }
}

/// Why a reading that a step depends on says nothing; `None`: it is known.
pub(super) fn unread<T>(reading: &Reading<T>, what: &str) -> Option<Block> {
    match reading {
        Reading::Known(_) => None,
        Reading::NotRead => Some(block(Gate::Unread, format!("{what} were not read"))),
        Reading::Unreadable { unreadable } => {
            let allow = unreadable.missing_action.as_deref().map_or_else(String::new, |action| format!("; allow {action}"));
            Some(block(Gate::Unread, format!("{what} could not be read ({}: {}{allow})", unreadable.operation, unreadable.message)))
        }
    }
}

/// Who cuts clients off in a scope: one database at a time.
pub(super) struct Slot {
    holder: Option<String>,
}

impl Slot {
    pub(super) fn of<'a>(families: impl Iterator<Item = &'a Family<'a>>) -> Self {
        Self { holder: families.filter(|family| family.cuts_off()).map(|family| family.name.clone()).min() }
    }

    /// Takes the turn, or says whose it is.
    pub(super) fn take(&mut self, case: &Case<'_>) -> Option<Block> {
        match &self.holder {
            Some(holder) if holder != case.name() => Some(block(
                Gate::BlastRadius,
                format!("one database at a time is switched in {}: {holder} goes first", case.inventory().scope),
            )),
            Some(_) => None,
            None => {
                if case.enforced {
                    self.holder = Some(case.name().to_owned());
                }
                None
            }
        }
    }
}
