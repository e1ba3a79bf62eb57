//! Our own recent writes, laid over what AWS still shows.
//!
//! AWS may show a setting's old value for a while after it was written (AWS-FACTS §1.7). Within that
//! window a reading that equals the write's `before` is taken for stale: it is neither new drift nor
//! written again. A reading that shows anything else is somebody's work and wins at once.

use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::plan::Change;
use everseal_planner::rds::migration::change::MigrationChange;
use everseal_planner::sim::{self, Standing};
use everseal_planner::{Arn, Inventory};

/// SQS: attribute changes take up to 60 seconds [sqs:SetQueueAttributes]; S3 configuration, SNS and
/// the rest have no published bound and are given the same.
const WINDOW_SECONDS: i64 = 60;
/// KMS: key state and document take "usually seconds, sometimes minutes", aliases up to five minutes
/// [KMS: Eventual consistency]; a key must never be created twice because its alias came late.
const KEY_WINDOW_SECONDS: i64 = 300;
/// RDS: a new or attached parameter group shows up after minutes [RDS: Working with parameter groups].
const DATABASE_WINDOW_SECONDS: i64 = 300;

/// How long a reading of the old value may follow a write, in seconds.
pub const fn consistency_window(change: &Change) -> i64 {
    match change {
        Change::BucketEncryption { .. }
        | Change::BucketDocument { .. }
        | Change::QueueEncryption { .. }
        | Change::QueueDocument { .. }
        | Change::TopicEncryption { .. }
        | Change::TopicDocument { .. }
        | Change::DeliveryStreamEncryption { .. }
        | Change::DeliveryDestinationEncryption { .. }
        | Change::DataStreamEncryption { .. } => WINDOW_SECONDS,
        Change::CreateParameterGroup { .. }
        | Change::ParameterGroup { .. }
        | Change::AttachParameterGroup { .. }
        | Change::CaCertificate { .. }
        | Change::RebootDatabase { .. }
        | Change::ProxyTls { .. }
        | Change::Migration(_) => DATABASE_WINDOW_SECONDS,
        Change::CreateKey { .. }
        | Change::CreateAlias { .. }
        | Change::ReplicateKey { .. }
        | Change::KeyDocument { .. }
        | Change::EnableKey {}
        | Change::CancelKeyDeletion {}
        | Change::KeyRotation { .. } => KEY_WINDOW_SECONDS,
    }
}

/// A key that AWS does not show yet has no ARN that we could make up, and how far AWS has got with a reboot or a step of a
/// migration nobody could: such writes are only remembered, so that they are not made twice, and what AWS shows stands as it is.
const fn can_be_laid_over(change: &Change) -> bool {
    !matches!(change, Change::CreateKey { .. } | Change::ReplicateKey { .. } | Change::RebootDatabase { .. } | Change::Migration(_))
}

/// A migration goes back and forth over the same ground: clients are shut out, let in, shut out again. What is written now
/// takes back the last write of its kind, which must not be taken for one that AWS has yet to show.
fn takes_back(earlier: &Change, now: &Change) -> bool {
    use MigrationChange::{
        CopySnapshot, CreateBlueGreen, CreateSnapshot, DeleteBlueGreen, DeleteDatabase, DeleteSnapshot, RestoreCluster, RestoreInstance,
        Tags,
    };
    let (Change::Migration(earlier), Change::Migration(now)) = (earlier, now) else { return false };
    let names = |change: &MigrationChange| change.other_databases().into_iter().map(|(_, name)| name.to_owned()).collect::<BTreeSet<_>>();
    match (&**earlier, &**now) {
        (Tags { arn: earlier, .. }, Tags { arn: now, .. }) => earlier == now,
        (CreateSnapshot { .. } | CopySnapshot { .. }, DeleteSnapshot { .. })
        | (DeleteSnapshot { .. }, CreateSnapshot { .. } | CopySnapshot { .. })
        | (RestoreInstance { .. } | RestoreCluster { .. }, DeleteDatabase { .. })
        | (DeleteDatabase { .. }, RestoreInstance { .. } | RestoreCluster { .. })
        | (CreateBlueGreen { .. }, DeleteBlueGreen { .. })
        | (DeleteBlueGreen { .. }, CreateBlueGreen { .. }) => true,
        (earlier, now) => std::mem::discriminant(earlier) == std::mem::discriminant(now) && names(earlier) == names(now),
    }
}

/// The same change, or the same step of a migration: its tags carry the moment at which it was planned.
fn is_same_work(earlier: &Change, now: &Change) -> bool {
    use MigrationChange::{CopySnapshot, CreateBlueGreen, CreateClusterMember, CreateSnapshot, RestoreCluster, RestoreInstance, Tags};
    let (Change::Migration(earlier), Change::Migration(now)) = (earlier, now) else { return earlier == now };
    match (&**earlier, &**now) {
        (Tags { arn, set, remove }, Tags { arn: other, set: others, remove: too }) => {
            arn == other && set.keys().eq(others.keys()) && remove == too
        }
        (CreateSnapshot { snapshot, .. }, CreateSnapshot { snapshot: other, .. }) => snapshot == other,
        (CopySnapshot { target, .. }, CopySnapshot { target: other, .. }) => target == other,
        (RestoreInstance { instance, .. }, RestoreInstance { instance: other, .. })
        | (CreateClusterMember { instance, .. }, CreateClusterMember { instance: other, .. }) => instance == other,
        (RestoreCluster { cluster, .. }, RestoreCluster { cluster: other, .. }) => cluster == other,
        (CreateBlueGreen { name, .. }, CreateBlueGreen { name: other, .. }) => name == other,
        (earlier, now) => earlier == now,
    }
}

#[derive(Debug, Clone)]
struct Write {
    change: Change,
    at: i64,
}

/// The writes of one scope that AWS may not show yet.
#[derive(Debug, Clone, Default)]
pub struct RecentWrites {
    by_resource: BTreeMap<Arn, Vec<Write>>,
}

impl RecentWrites {
    /// Remembers a write that AWS has accepted.
    pub fn remember(&mut self, resource: &Arn, change: &Change, now: i64) {
        let writes = self.by_resource.entry(resource.clone()).or_default();
        writes.retain(|earlier| !takes_back(&earlier.change, change));
        writes.push(Write { change: change.clone(), at: now });
    }

    /// True while AWS may still show the value from before this very change.
    pub fn is_settling(&self, resource: &Arn, change: &Change, now: i64) -> bool {
        self.by_resource.get(resource).is_some_and(|writes| writes.iter().any(|w| is_same_work(&w.change, change) && is_young(w, now)))
    }

    /// Lays the writes over a fresh observation; of `only` these resources where it is partial.
    pub fn overlay(&mut self, inventory: &mut Inventory, only: Option<&BTreeSet<Arn>>, now: i64) {
        self.by_resource.retain(|resource, writes| {
            writes.retain(|write| is_young(write, now));
            if only.is_none_or(|targets| targets.contains(resource)) {
                writes.retain(|write| lay_over(inventory, resource, write));
            }
            !writes.is_empty()
        });
    }
}

fn is_young(write: &Write, now: i64) -> bool {
    now - write.at < consistency_window(&write.change)
}

/// False where the reading shows that somebody wrote after us.
fn lay_over(inventory: &mut Inventory, resource: &Arn, write: &Write) -> bool {
    match sim::standing(inventory, resource, &write.change) {
        Standing::Before => {
            if can_be_laid_over(&write.change) {
                sim::make(inventory, resource, &write.change);
            }
            true
        }
        // A later reading may come from a replica that is behind: the write is kept for its window.
        Standing::After | Standing::CannotTell(_) => true,
        Standing::Changed(_) | Standing::Gone => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use everseal_planner::plan::change::{ParameterGroupKind, QueueEncryption};

    use super::*;
    use crate::testing::{NOON, inventory, queue_arn};

    fn seal() -> Change {
        let sealed = QueueEncryption { sqs_managed_sse: true, ..QueueEncryption::default() };
        Change::QueueEncryption { url: String::new(), before: QueueEncryption::default(), after: sealed, waits_for: None }
    }

    fn written() -> RecentWrites {
        let mut recent = RecentWrites::default();
        recent.remember(&queue_arn("a"), &seal(), NOON);
        recent
    }

    fn is_sealed(recent: &mut RecentWrites, mut shown: Inventory, only: Option<&BTreeSet<Arn>>, now: i64) -> bool {
        recent.overlay(&mut shown, only, now);
        shown.queues[&queue_arn("a")].attributes.known().unwrap().sqs_managed_sse
    }

    #[test]
    fn the_old_value_is_taken_for_stale_within_the_window_and_for_true_after_it() {
        let mut recent = written();
        assert!(is_sealed(&mut recent, inventory(&["a"]), None, NOON + 59));
        assert!(!is_sealed(&mut recent, inventory(&["a"]), None, NOON + 60));
        assert!(!recent.is_settling(&queue_arn("a"), &seal(), NOON + 60));
    }

    #[test]
    fn what_somebody_else_wrote_wins_and_ends_the_overlay() {
        let mut recent = written();
        let mut theirs = inventory(&["a"]);
        if let everseal_planner::Reading::Known(attributes) = &mut theirs.queues.get_mut(&queue_arn("a")).unwrap().attributes {
            attributes.kms_key = Some("alias/theirs".to_owned());
        }
        assert!(!is_sealed(&mut recent, theirs, None, NOON + 10));
        assert!(!is_sealed(&mut recent, inventory(&["a"]), None, NOON + 20), "they took it back to what it was: that is drift");
    }

    #[test]
    fn a_replica_that_is_behind_may_show_the_old_value_after_the_new_one() {
        let mut recent = written();
        let mut fresh = inventory(&["a"]);
        sim::make(&mut fresh, &queue_arn("a"), &seal());
        assert!(is_sealed(&mut recent, fresh, None, NOON + 10));
        assert!(is_sealed(&mut recent, inventory(&["a"]), None, NOON + 20));
    }

    #[test]
    fn a_partial_observation_says_nothing_of_what_it_did_not_look_at() {
        let mut recent = written();
        let other = BTreeSet::from([queue_arn("b")]);
        recent.overlay(&mut inventory(&["b"]), Some(&other), NOON + 10);
        assert!(is_sealed(&mut recent, inventory(&["a"]), None, NOON + 20), "the write is not taken for gone");
    }

    fn database() -> Arn {
        crate::testing::scope().arn("rds", "db:ledger")
    }

    fn shut(before: &str, after: &str) -> Change {
        Change::Migration(Box::new(MigrationChange::SecurityGroups {
            kind: ParameterGroupKind::Instance,
            database: "ledger".to_owned(),
            before: BTreeSet::from([before.to_owned()]),
            after: BTreeSet::from([after.to_owned()]),
        }))
    }

    fn snapshot(delete: bool) -> Change {
        let (kind, snapshot) = (ParameterGroupKind::Instance, "ledger-1".to_owned());
        Change::Migration(Box::new(if delete {
            MigrationChange::DeleteSnapshot { kind, snapshot }
        } else {
            MigrationChange::CreateSnapshot { kind, database: "ledger".to_owned(), snapshot, tags: BTreeMap::new() }
        }))
    }

    #[test]
    fn a_step_of_a_migration_is_not_made_twice_while_aws_does_not_show_it() {
        let mut recent = RecentWrites::default();
        recent.remember(&database(), &snapshot(false), NOON);
        assert!(recent.is_settling(&database(), &snapshot(false), NOON + 299));
        assert!(!recent.is_settling(&database(), &snapshot(false), NOON + 300));
        assert!(!can_be_laid_over(&snapshot(false)), "only AWS knows how far it is");
    }

    #[test]
    fn the_moment_at_which_a_step_was_planned_makes_it_no_other_step() {
        let isolated = |at: &str| {
            let set = BTreeMap::from([("everseal:isolated-at".to_owned(), at.to_owned())]);
            Change::Migration(Box::new(MigrationChange::Tags { arn: database().to_string(), set, remove: BTreeSet::new() }))
        };
        let mut recent = RecentWrites::default();
        recent.remember(&database(), &isolated("100"), NOON);
        assert!(recent.is_settling(&database(), &isolated("120"), NOON + 20));
        let other = MigrationChange::Tags { arn: database().to_string(), set: BTreeMap::new(), remove: BTreeSet::new() };
        assert!(!recent.is_settling(&database(), &Change::Migration(Box::new(other)), NOON + 20));
    }

    #[test]
    fn shutting_clients_out_again_after_letting_them_in_is_a_write_of_its_own() {
        let mut recent = RecentWrites::default();
        recent.remember(&database(), &shut("own", "closed"), NOON);
        recent.remember(&database(), &shut("closed", "own"), NOON + 20);
        assert!(!recent.is_settling(&database(), &shut("own", "closed"), NOON + 21), "it was taken back");
        assert!(recent.is_settling(&database(), &shut("closed", "own"), NOON + 21));
    }

    #[test]
    fn a_snapshot_that_was_deleted_is_made_again_at_once() {
        let mut recent = RecentWrites::default();
        recent.remember(&database(), &snapshot(false), NOON);
        recent.remember(&database(), &snapshot(true), NOON + 20);
        assert!(!recent.is_settling(&database(), &snapshot(false), NOON + 21));
        recent.remember(&database(), &shut("own", "closed"), NOON + 22);
        assert!(recent.is_settling(&database(), &snapshot(true), NOON + 23), "another kind of step takes nothing back");
    }
}
