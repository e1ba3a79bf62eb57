//! A test of the tests: with any safeguard of planning switched off, some seed must fail.

use everseal_planner::Check;
use everseal_planner::plan::Gate;
use everseal_planner::plan::mutation::Safeguard;

use super::life::Life;
use super::run_all;

/// Seeds that are tried for each safeguard until one fails.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=64;

/// Every gate and every ordering rule that keeps data flowing or the world as its owner wants it.
fn safeguards() -> Vec<Safeguard> {
    // Manual work has no change that could be made.
    let gates = Gate::ALL.iter().filter(|gate| **gate != Gate::Manual).map(|gate| Safeguard::Gate(*gate));
    let orders = [Check::KmsKeyExists, Check::KmsKeyDocument, Check::KmsKeyState].map(Safeguard::Order);
    gates.chain(orders).collect()
}

#[test]
fn no_safeguard_can_be_left_out() {
    let seeds: Vec<u64> = SEEDS.collect();
    let mut unnoticed = Vec::new();
    for without in safeguards() {
        let judged = |seed| Life { seed, without: Some(without) }.judged();
        let found = seeds.chunks(8).find_map(|seeds| run_all(seeds, judged).into_iter().next());
        match found {
            Some((seed, why)) => println!("{without:?}: seed {seed} notices: {}", why.lines().next().unwrap_or_default()),
            None => unnoticed.push(without),
        }
    }
    assert!(unnoticed.is_empty(), "nobody noticed that these were switched off: {unnoticed:?}");
}
