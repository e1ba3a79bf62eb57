//! What the policy wants of a listed key in one region.
//!
//! A single-Region key is wanted in every region of its policy: rules name it by its alias, and an alias is looked
//! up in the resource's own region. A multi-Region key is wanted as the primary in the first region of
//! `scopes.regions` and as a replica in `replicaRegions`; in any other region of the policy nothing is created,
//! because a second, unrelated key under the same alias would look like a replica and not be one.

use crate::policy::model::{EncryptionPolicy, KeySpec};

/// What a listed key is in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Home {
    /// A key of its own.
    Own {
        /// It is the primary of a multi-Region key.
        multi_region: bool,
    },
    /// A replica; it is made in the pass over its primary's region, where the primary's ARN is known.
    Replica {
        /// Where the primary lives; empty where the policy does not name it.
        primary_region: String,
    },
    /// A multi-Region key that has neither primary nor replica here.
    NotHere {
        /// Where the primary lives.
        primary_region: String,
    },
}

impl Home {
    /// Where `key` of `policy` stands in `region`.
    pub(crate) fn of(policy: &EncryptionPolicy, key: &KeySpec, region: &str) -> Self {
        if !key.multi_region {
            return Self::Own { multi_region: false };
        }
        let primary = policy.spec.scopes.regions.first();
        let replica = key.replica_regions.iter().any(|wanted| wanted == region);
        match primary {
            Some(primary) if primary == region => Self::Own { multi_region: true },
            None if !replica => Self::Own { multi_region: true },
            _ if replica => Self::Replica { primary_region: primary.cloned().unwrap_or_default() },
            _ => Self::NotHere { primary_region: primary.cloned().unwrap_or_default() },
        }
    }

    /// The key must be a multi-Region key.
    pub(crate) const fn is_multi_region(&self) -> bool {
        match self {
            Self::Own { multi_region } => *multi_region,
            Self::Replica { .. } | Self::NotHere { .. } => true,
        }
    }
}

/// The regions that want a replica of the primary that lives in `region`.
pub(crate) fn replica_regions<'a>(key: &'a KeySpec, region: &str) -> Vec<&'a str> {
    if !key.multi_region {
        return Vec::new();
    }
    key.replica_regions.iter().map(String::as_str).filter(|wanted| *wanted != region).collect()
}
