//! A test of the tests: with a safeguard of planning switched off, a seed must fail.
//!
//! [`NOTICED_BY`] names for each safeguard a life that notices: one that chance brings, or one built by hand. `cargo test -p
//! everseal-tests --test whole -- --ignored --nocapture some_seed_notices` searches for seeds anew, which takes a while, and
//! says what no seed noticed.
//!
//! Not all of them keep data flowing by themselves. Without the order of a key's making nothing goes wrong in AWS, because no
//! step can name a key that has no ARN; but work is promised that nothing can do, and that is noticed. The limits of a cycle
//! and of calls in a day are promises of their own, which every life is held to. Not switched off are orders within one check
//! (a key's deletion is cancelled before it is enabled): the executor holds them as well, because it makes no step whose
//! `before` does not hold.

use std::sync::Mutex;

use everseal_planner::Check;
use everseal_planner::plan::Gate;
use everseal_planner::plan::mutation::{Safeguard, met};

use super::life::{Life, Without};
use super::scene::Scene;
use super::{asked, run_all};

/// Safeguards, each with a life that fails without it.
const NOTICED_BY: &[(Without, Life)] = &[
    (gate(Gate::Exemption), Life::in_scene(Scene::ExemptQueue)),
    (gate(Gate::Website), Life::in_scene(Scene::Website)),
    (gate(Gate::LogTarget), Life::in_scene(Scene::LogTarget)),
    (gate(Gate::Replication), Life::in_scene(Scene::Replication)),
    (gate(Gate::PublicAccessBlock), Life::in_scene(Scene::PublicBucket)),
    (gate(Gate::DocumentSize), Life::in_scene(Scene::CrowdedQueue)),
    (gate(Gate::KeyState), Life::in_scene(Scene::DisabledKey)),
    (gate(Gate::KeyUse), Life::in_scene(Scene::OpenQueue)),
    (gate(Gate::Path), Life::in_scene(Scene::ForeignKey)),
    (gate(Gate::NotReady), Life::of(4)),
    (gate(Gate::Unread), Life::in_scene(Scene::HiddenDocument)),
    (gate(Gate::CallBudget), Life::in_scene(Scene::StubbornStream)),
    (gate(Gate::Dependency), Life::in_scene(Scene::DocumentOfOthers)),
    (gate(Gate::Mode), Life::in_scene(Scene::AuditedBucket)),
    (gate(Gate::BlastRadius), Life::in_scene(Scene::FewChanges)),
    (Without::Planning(Safeguard::Order(Check::KmsKeyExists)), Life::in_scene(Scene::KeyOfOthers)),
    (Without::Planning(Safeguard::Order(Check::KmsKeyDocument)), Life::in_scene(Scene::SlowDocument)),
    (Without::Planning(Safeguard::Order(Check::KmsKeyState)), Life::in_scene(Scene::KeyToEnable)),
    (Without::KeyPropagation, Life::in_scene(Scene::SlowDocument)),
];

const fn gate(gate: Gate) -> Without {
    Without::Planning(Safeguard::Gate(gate))
}

/// Seeds that a search tries for each safeguard.
const SEARCHED: u64 = 60;

/// Gates that no pipeline meets. Manual work has no change that could be made; the others stand before clients of databases
/// are cut off, which no estate here has: the planner's own tests of migrations and of TLS hold them.
const NOT_ON_PIPELINES: [Gate; 5] = [Gate::Manual, Gate::Window, Gate::Approval, Gate::Writes, Gate::TlsClients];

/// Every gate and every ordering rule that keeps data flowing or the world as its owner wants it.
fn safeguards() -> Vec<Without> {
    let gates = Gate::ALL.iter().filter(|gate| !NOT_ON_PIPELINES.contains(gate)).map(|gate| Safeguard::Gate(*gate));
    let orders = [Check::KmsKeyExists, Check::KmsKeyDocument, Check::KmsKeyState].map(Safeguard::Order);
    gates.chain(orders).map(Without::Planning).chain([Without::KeyPropagation]).collect()
}

#[test]
fn a_safeguard_left_out_is_noticed() {
    let noticed = |place: u64| {
        let (without, life) = NOTICED_BY[usize::try_from(place).unwrap()];
        let alone = life.without_everseal();
        let whole = life.judged_beside(&alone).map_err(|why| format!("{life:?} fails with every safeguard: {why}"));
        let judged = life.without(without).judged_beside(&alone);
        whole.and_then(|()| judged.err().map(drop).ok_or_else(|| format!("nobody noticed in {life:?} that {without:?} was switched off")))
    };
    let places: Vec<u64> = (0..).take(NOTICED_BY.len()).collect();
    let failed: Vec<String> = run_all(&places, noticed).into_iter().map(|(_, why)| why).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn each_safeguard_has_a_life_that_notices() {
    for safeguard in safeguards() {
        assert!(NOTICED_BY.iter().any(|(without, _)| *without == safeguard), "{safeguard:?} is in no life");
    }
}

#[test]
#[ignore = "a search that takes minutes; run it after changes to the estates"]
fn some_seed_notices_every_safeguard() {
    let seeds: Vec<u64> = (1..=asked("EVERSEAL_SEEDS").unwrap_or(SEARCHED)).collect();
    let missing = Mutex::new(safeguards());
    let search = |seed| {
        let open = missing.lock().unwrap().clone();
        if open.is_empty() {
            return Ok(());
        }
        let alone = Life::of(seed).without_everseal();
        met();
        Life::of(seed).judged_beside(&alone)?;
        let met = met();
        let matters = |without: &Without| !matches!(without, Without::Planning(safeguard) if !met.contains(safeguard));
        for without in open.into_iter().filter(matters) {
            if let Err(why) = Life::of(seed).without(without).judged_beside(&alone) {
                println!("{without:?}, {seed}: {}", why.lines().next().unwrap_or_default());
                missing.lock().unwrap().retain(|other| *other != without);
            }
        }
        Ok(())
    };
    for (seed, why) in run_all(&seeds, search) {
        println!("seed {seed} fails with every safeguard: {why}");
    }
    println!("not noticed: {:?}", missing.lock().unwrap());
}
