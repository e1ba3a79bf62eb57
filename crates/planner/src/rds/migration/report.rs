//! Where a migration stands, for people, the API and metrics.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::check::closed_set;

closed_set! {
    /// Stages of a migration, in the order in which they are passed. A stage is what AWS shows, never what is remembered.
    Stage {
        /// Nothing was made yet.
        Planned = "planned",
        /// The old database is cut off from its clients.
        Isolating = "isolating",
        /// A snapshot is being taken.
        Snapshotting = "snapshotting",
        /// The snapshot is being copied under the key.
        Copying = "copying",
        /// The encrypted copy is being restored, or the green side provisioned.
        Restoring = "restoring",
        /// The copy gets what a restore can't carry.
        Configuring = "configuring",
        /// The copy is there, verified, and waits.
        Prepared = "prepared",
        /// Names are being swapped, or the blue/green switch-over runs.
        Switching = "switching",
        /// Clients reach the encrypted database; proxies, roles and tags are being brought after.
        Finishing = "finishing",
        /// Done; the old database is kept until `keepOldFor` is over.
        KeepingOld = "keeping-old",
        /// Done, and nothing is left of it but the encrypted database.
        Done = "done",
        /// Something AWS made has failed or a stage takes too long: a person must look.
        Stuck = "stuck",
        /// A person has aborted it: what was made is being removed, or is gone.
        Aborted = "aborted",
    }
}

/// How a database is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Way {
    /// A blue/green deployment whose green side is encrypted.
    BlueGreen,
    /// Snapshot, copy with a key, restore, swap of names.
    Snapshot,
    /// Cluster snapshot, restore with a key, swap of names.
    ClusterRestore,
}

/// One migration, as a pass saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationReport {
    /// The old database, by its ARN of now.
    pub database: Arn,
    /// The name by which clients know the database.
    pub name: String,
    /// How it is moved.
    pub way: Way,
    /// Where it stands.
    pub stage: Stage,
    /// When the stage began, where AWS shows it, in seconds since the Unix epoch.
    pub since: Option<i64>,
    /// When the stage counts as stuck, in seconds since the Unix epoch.
    pub times_out_at: Option<i64>,
    /// When time alone changes what happens next (the window opens or closes, the stage times out, `keepOldFor` is over), in
    /// seconds since the Unix epoch: the daemon looks again then.
    pub wakes_at: Option<i64>,
    /// Percent of the stage, where AWS tells it.
    pub percent: Option<u8>,
    /// The encrypted copy's identifier, once there is one.
    pub copy: Option<String>,
    /// What happens now or next, in words.
    pub message: String,
    /// What stops it, in words; empty while it moves by itself.
    pub blocked: Option<String>,
    /// How the copy differs from the old database; empty before there is a copy.
    pub differences: Vec<String>,
    /// What a person must carry over, or must know.
    pub by_hand: Vec<String>,
}
