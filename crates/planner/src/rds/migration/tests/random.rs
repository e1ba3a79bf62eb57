//! Whatever happens, in whatever order: what must never be is checked at every step by [`World`], and the end is reached.

use proptest::prelude::*;

use super::super::report::Stage;
use super::super::{abort, resume};
use super::world::{World, isolating, policy};
use crate::plan::change::ParameterGroupKind::Instance;
use crate::plan::context::Past;
use crate::plan::{Change, Context};
use crate::sim::{Standing, make, standing};

#[derive(Debug, Clone, Copy)]
enum Event {
    /// A pass that dies after so many steps, then time.
    Pass(usize),
    /// Nobody looks for so many ticks.
    Silence(u8),
    /// Clients come or go.
    Clients(bool),
    /// Sessions that will outlive an isolation by so many ticks.
    Lingering(u8),
    /// Another policy.
    Policy(u8),
    Abort,
    Resume,
    /// The copy fails.
    CopyFails,
    /// To the next Sunday morning.
    NextWindow,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => (1_usize..4).prop_map(Event::Pass),
        2 => (1_u8..40).prop_map(Event::Silence),
        1 => any::<bool>().prop_map(Event::Clients),
        1 => (0_u8..12).prop_map(Event::Lingering),
        1 => (0_u8..4).prop_map(Event::Policy),
        1 => Just(Event::Abort),
        2 => Just(Event::Resume),
        1 => Just(Event::CopyFails),
        3 => Just(Event::NextWindow),
    ]
}

fn by_hand(world: &mut World, gives_up: bool) {
    let past = Past::default();
    let arn = world.inventory.scope.arn("rds", "db:orders");
    let cx = Context { policies: &world.policies, inventory: &world.inventory, now: world.now, past: &past };
    let steps = if gives_up { abort(&cx, &arn) } else { resume(&cx, &arn) };
    for step in steps.unwrap_or_default() {
        let change: Change = step.change.unwrap();
        if standing(&world.inventory, &step.resource, &change) == Standing::Before {
            make(&mut world.inventory, &step.resource, &change);
        }
    }
}

fn next_window(world: &mut World) {
    // 29 November 2026 is a Sunday; the window opens at two.
    let (week, sunday) = (7 * 86_400, 1_795_917_600);
    let weeks = (world.now - sunday).div_euclid(week) + 1;
    world.now = sunday + weeks * week;
    world.observe();
}

fn happens(world: &mut World, event: Event) {
    let cut_off = world.is_isolated();
    match event {
        Event::Pass(most) => {
            world.pass(most);
            world.tick();
        }
        Event::Silence(ticks) => (0..ticks).for_each(|_| world.tick()),
        Event::Clients(there) => world.clients = there,
        // Nobody new gets in once the database is cut off.
        Event::Lingering(ticks) if !cut_off => world.lingering = u32::from(ticks),
        Event::Lingering(_) => {}
        Event::Policy(which) => {
            world.policies = match which {
                0 => policy("{action: prepare, method: snapshot}"),
                1 => policy("{action: report}"),
                _ => isolating(),
            };
        }
        Event::Abort => by_hand(world, true),
        Event::Resume => by_hand(world, false),
        Event::CopyFails => {
            for db in world.inventory.db_instances.values_mut().filter(|db| db.identifier == "orders-everseal") {
                db.status = "failed".into();
            }
        }
        Event::NextWindow => next_window(world),
    }
    world.observe();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_whatever_happens(events in proptest::collection::vec(event(), 0..120)) {
        let mut world = World::new(isolating());
        for event in events {
            happens(&mut world, event);
            world.sound();
        }
        // In the end everything is quiet, the policy allows the switch, and a person has cleaned up after failures.
        (world.policies, world.clients, world.lingering) = (isolating(), true, 0);
        world.tick();
        for _ in 0..3 {
            if world.stage() == Stage::KeepingOld {
                break;
            }
            by_hand(&mut world, true);
            world.run(10, usize::MAX);
            by_hand(&mut world, false);
            world.run(12, usize::MAX);
            next_window(&mut world);
            world.run(30, usize::MAX);
        }
        prop_assert_eq!(world.stage(), Stage::KeepingOld, "{:?}\n{}", world.report(), world.log.join("\n"));
        prop_assert_eq!(world.rows_under(Instance, "orders"), world.written);
        prop_assert!(world.connected());
    }
}
