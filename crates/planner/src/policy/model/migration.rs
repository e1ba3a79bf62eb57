//! How an unencrypted database gets to an encrypted copy.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an unencrypted database gets encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Migration {
    /// How far to go.
    pub action: MigrationAction,
    /// Which way; default `auto`: blue/green where engine and version allow it, else by snapshot.
    #[serde(default)]
    pub method: MigrationMethod,
    /// When clients may be cut off, in UTC: `Sun 02:00-04:00 UTC`, `Mon-Fri 22:00-02:00 UTC`, `daily 03:00-04:00 UTC`.
    /// `cutover` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// Who approved the switch of which database: its name → a person. A database that is not named is prepared only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub approved_by: BTreeMap<String, String>,
    /// How writes are stopped before the snapshot that clients are switched to: whatever is written after it is lost.
    /// A switch by snapshot needs it; blue/green does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<StoppedWrites>,
    /// With `writes: stopped-by-operator`: since when nobody writes, for each database by name, as `2026-11-29T02:05:00Z`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub writes_stopped_at: BTreeMap<String, String>,
    /// With `writes: isolate`: a security group without inbound rules (`sg-…`) that the old database gets instead of its own
    /// while it is copied. It gets its own back if anything fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation_security_group: Option<String>,
    /// How long the old database is kept after the switch: `12h`, `7d` (default), `4w`.
    #[serde(default = "default_keep_old_for")]
    pub keep_old_for: String,
    /// What happens to it then; default `keep`.
    #[serde(default)]
    pub old_afterwards: OldAfterwards,
}

fn default_keep_old_for() -> String {
    "7d".to_owned()
}

/// How far a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MigrationAction {
    /// Only say so.
    Report,
    /// Build and verify the encrypted copy, and stop there.
    Prepare,
    /// And switch to it, in the window, once it is approved.
    Cutover,
}

/// The way to the encrypted copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MigrationMethod {
    /// Blue/green where engine and version allow it, else by snapshot.
    #[default]
    Auto,
    /// A blue/green deployment whose green side is encrypted: seconds to minutes without writes.
    BlueGreen,
    /// Snapshot, copy, restore, swap of names: writes must stop for all of it.
    Snapshot,
}

/// Who stops the writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StoppedWrites {
    /// A person has: `writesStoppedAt` says since when, and CloudWatch must show no connection since.
    StoppedByOperator,
    /// Everseal does, in the window: `isolationSecurityGroup`.
    Isolate,
}

/// What happens to the old database after `keepOldFor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OldAfterwards {
    /// It stays; its storage, snapshots and backups stay unencrypted until a person deletes them.
    #[default]
    Keep,
    /// It is deleted, with a final snapshot.
    Delete,
}
