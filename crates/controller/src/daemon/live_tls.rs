//! The probes of a scope: a few at a time, each endpoint once in an interval.

use std::time::Duration;

use everseal_planner::rds::live_check::wanted_probes;
use futures::StreamExt;
use futures::stream;

use super::scope_loop::{Item, ScopeLoop};
use crate::account::Account;
use crate::metrics::WorkResult;
use crate::queue::{Done, Priority};

/// How often it is looked which endpoints are due: databases come, and endpoints change.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// Endpoints probed at the same time.
const AT_A_TIME: usize = 2;

impl<A: Account> ScopeLoop<A> {
    /// Probes begin when something can.
    pub(super) fn schedule_probes(&self) {
        if self.shared.prober.is_some() && !self.shared.options.tls_probe_interval.is_zero() {
            self.queue.add_after(Item::LiveTls, Priority::Resync, LOOK_EVERY);
        }
    }

    /// Looks at the endpoints that are due, and has the plan made again from what was met.
    pub(super) async fn live_tls(&self) -> (Done, WorkResult) {
        let (Some(prober), policies) = (&self.shared.prober, self.policies()) else { return (Done::Forget, WorkResult::Success) };
        let around = self.surroundings(&policies);
        let wanted = self.view.lock().await.inventory.as_ref().map(|inventory| around.planning(inventory, wanted_probes));
        let Some(wanted) = wanted else { return (Done::After(LOOK_EVERY), WorkResult::Success) };
        let due = {
            let mut memory = around.memory();
            memory.live_tls.keep(&wanted);
            memory.live_tls.due(wanted, self.shared.options.tls_probe_interval)
        };
        if due.is_empty() {
            return (Done::After(LOOK_EVERY), WorkResult::Success);
        }
        let looking = due.into_iter().map(|wanted| async {
            let met = prober.probe(&wanted).await;
            around.memory().live_tls.take_in(wanted, met);
        });
        stream::iter(looking).buffer_unordered(AT_A_TIME).collect::<Vec<()>>().await;
        {
            let mut view = self.view.lock().await;
            if let Some(inventory) = &mut view.inventory {
                around.memory().live_tls.dress(inventory);
                view.touch();
            }
        }
        self.queue.add(Item::Plan, Priority::Resync);
        (Done::After(LOOK_EVERY), WorkResult::Success)
    }
}
