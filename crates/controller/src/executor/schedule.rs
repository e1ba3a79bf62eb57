//! Which step may begin next: needs first, one step of a resource at a time, otherwise the plan's order.

use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::Arn;
use everseal_planner::plan::{Step, StepId};

/// Steps by their place in the plan.
#[derive(Debug)]
pub(super) struct Schedule<'a> {
    steps: Vec<&'a Step>,
    /// Steps that wait for this one.
    dependents: BTreeMap<&'a StepId, Vec<usize>>,
    /// Needs that have not ended yet.
    open_needs: Vec<usize>,
    ready: BTreeSet<usize>,
    /// Resources that a step is being made to, with the steps that wait for it to end.
    busy: BTreeMap<&'a Arn, Vec<usize>>,
    decided: BTreeSet<usize>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(steps: &[&'a Step]) -> Self {
        let ids: BTreeSet<&StepId> = steps.iter().map(|step| &step.id).collect();
        let mut dependents: BTreeMap<&StepId, Vec<usize>> = BTreeMap::new();
        let mut open_needs = vec![0; steps.len()];
        for (index, step) in steps.iter().enumerate() {
            for need in step.needs.iter().filter(|need| ids.contains(need)) {
                dependents.entry(need).or_default().push(index);
                open_needs[index] += 1;
            }
        }
        let ready = (0..steps.len()).filter(|index| open_needs[*index] == 0).collect();
        Self { steps: steps.to_vec(), dependents, open_needs, ready, busy: BTreeMap::new(), decided: BTreeSet::new() }
    }

    /// The next step that may begin, which is then running.
    pub(super) fn next(&mut self) -> Option<usize> {
        while let Some(index) = self.ready.pop_first() {
            if let Some(waiting) = self.busy.get_mut(&self.steps[index].resource) {
                waiting.push(index);
            } else {
                self.busy.insert(&self.steps[index].resource, Vec::new());
                return Some(index);
            }
        }
        None
    }

    /// A running step has ended; returns the steps that can't be made because of it, each with the need that failed it.
    pub(super) fn ended(&mut self, index: usize, met: bool) -> Vec<(usize, StepId)> {
        self.decided.insert(index);
        self.ready.extend(self.busy.remove(&self.steps[index].resource).unwrap_or_default());
        let mut unmet = Vec::new();
        let mut failed = Vec::new();
        for dependent in self.dependents.remove(&self.steps[index].id).unwrap_or_default() {
            self.open_needs[dependent] -= 1;
            if !met {
                failed.push((dependent, self.steps[index].id.clone()));
            } else if self.open_needs[dependent] == 0 && !self.decided.contains(&dependent) {
                self.ready.insert(dependent);
            }
        }
        while let Some((dependent, need)) = failed.pop() {
            if self.decided.insert(dependent) {
                for next in self.dependents.remove(&self.steps[dependent].id).unwrap_or_default() {
                    failed.push((next, self.steps[dependent].id.clone()));
                }
                unmet.push((dependent, need));
            }
        }
        unmet
    }
}

#[cfg(test)]
mod tests {
    use everseal_planner::plan::Risk;
    use everseal_planner::{Check, Service};

    use super::*;

    fn step(id: &str, resource: &str, needs: &[&str]) -> Step {
        Step {
            id: StepId(id.to_owned()),
            resource: Arn::new("aws", "sqs", "eu-west-1", "111122223333", resource),
            service: Service::Sqs,
            account: String::new(),
            region: String::new(),
            check: Check::SqsEncryption,
            action: String::new(),
            summary: String::new(),
            needs: needs.iter().map(|need| StepId((*need).to_owned())).collect(),
            risk: Risk::None,
            gate: None,
            change: None,
            undo: String::new(),
            rule: String::new(),
            policy: String::new(),
        }
    }

    #[test]
    fn needs_come_first_and_a_resource_has_one_step_at_a_time() {
        let steps = [step("a", "q1", &[]), step("b", "q1", &[]), step("c", "q2", &["a"]), step("d", "q3", &["elsewhere"])];
        let mut schedule = Schedule::new(&steps.iter().collect::<Vec<_>>());
        assert_eq!([schedule.next(), schedule.next(), schedule.next()], [Some(0), Some(3), None]);
        assert!(schedule.ended(0, true).is_empty());
        assert_eq!([schedule.next(), schedule.next(), schedule.next()], [Some(1), Some(2), None]);
    }

    #[test]
    fn a_failed_step_fails_all_that_hang_on_it_and_nothing_else() {
        let steps = [step("a", "q1", &[]), step("b", "q2", &["a"]), step("c", "q3", &["b"]), step("d", "q4", &[])];
        let mut schedule = Schedule::new(&steps.iter().collect::<Vec<_>>());
        assert_eq!([schedule.next(), schedule.next()], [Some(0), Some(3)]);
        let unmet = schedule.ended(0, false);
        assert_eq!(unmet, [(1, StepId("a".to_owned())), (2, StepId("b".to_owned()))]);
        assert_eq!(schedule.next(), None);
        assert!(schedule.ended(3, true).is_empty());
    }

    #[test]
    fn one_failed_need_of_two_is_enough() {
        let steps = [step("a", "q1", &[]), step("b", "q2", &[]), step("c", "q3", &["a", "b"])];
        let mut schedule = Schedule::new(&steps.iter().collect::<Vec<_>>());
        schedule.next();
        schedule.next();
        assert_eq!(schedule.ended(0, false).len(), 1);
        assert!(schedule.ended(1, true).is_empty());
        assert_eq!(schedule.next(), None);
    }
}
