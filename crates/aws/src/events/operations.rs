//! The `EventBridge` calls that Everseal makes.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::Events;
    /// Path fact: names of all event buses.
    LIST_EVENT_BUSES = "ListEventBuses", ["events:ListEventBuses"], Need::Audit, Rate::Unpublished;
    /// Path fact: rules of one bus.
    LIST_RULES = "ListRules", ["events:ListRules"], Need::Audit, Rate::Unpublished;
    /// Path fact: where one rule's events go.
    LIST_TARGETS_BY_RULE = "ListTargetsByRule", ["events:ListTargetsByRule"], Need::Audit, Rate::Unpublished;
}
