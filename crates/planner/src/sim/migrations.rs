//! Databases on their way to an encrypted copy.

use super::Standing;
use crate::rds::migration::change::MigrationChange;
use crate::{Arn, Inventory};

pub(super) fn standing(_inventory: &Inventory, _resource: &Arn, change: &MigrationChange) -> Standing {
    Standing::CannotTell(format!("{} is not made by this version", change.action()))
}

pub(super) const fn make(_inventory: &mut Inventory, _resource: &Arn, _change: &MigrationChange) {}
