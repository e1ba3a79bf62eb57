//! The inventory after a step: what the executor compares before and after a write, what overlays a
//! stale read of our own write, and what tests plan again from.

use crate::plan::Change;
use crate::{Arn, Inventory};

/// How an inventory stands to a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The change's `before` is what the inventory shows: it may be written.
    Before,
    /// The change's `after` is what the inventory shows already (in meaning): nothing to write.
    After,
    /// Neither: somebody else changed the resource since the plan. The step is stale.
    Changed(String),
    /// The resource is not in the inventory any more.
    Gone,
    /// The inventory does not say (not read, unreadable).
    CannotTell(String),
}

/// Compares an inventory with a change to `resource`.
pub fn standing(inventory: &Inventory, resource: &Arn, change: &Change) -> Standing {
    let _ = (inventory, resource, change);
    Standing::CannotTell("stub".to_owned())
}

/// The inventory as it is once `change` is made to `resource`.
pub fn make(inventory: &mut Inventory, resource: &Arn, change: &Change) {
    let _ = (inventory, resource, change);
}
