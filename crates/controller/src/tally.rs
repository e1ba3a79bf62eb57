//! A plan in numbers: what metrics and status show of a scope whose findings are not all kept.
//!
//! Findings of compliant resources are counted here and then dropped, so that what is remembered
//! grows with drift and not with the estate.

use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::absorb::service_of;
use everseal_planner::{Arn, Check, Plan, Service, State};
use serde::Serialize;

/// How a resource stands as a whole: the worst of its findings, or `unmanaged` where no rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceState {
    /// Every check is compliant.
    Compliant,
    /// Some drift is accepted, everything else is compliant.
    Exempt,
    /// Something could not be read, nothing that was read has drifted.
    Unknown,
    /// At least one check has drifted.
    Drifted,
    /// No rule matches.
    Unmanaged,
}

impl ResourceState {
    /// Every member.
    pub const ALL: [Self; 5] = [Self::Compliant, Self::Exempt, Self::Unknown, Self::Drifted, Self::Unmanaged];

    /// The value of the metric label `state`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::Exempt => "exempt",
            Self::Unknown => "unknown",
            Self::Drifted => "drifted",
            Self::Unmanaged => "unmanaged",
        }
    }
}

impl From<State> for ResourceState {
    fn from(state: State) -> Self {
        match state {
            State::Compliant => Self::Compliant,
            State::Exempt => Self::Exempt,
            State::Unknown => Self::Unknown,
            State::Drifted => Self::Drifted,
        }
    }
}

/// Counts of one scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Resources by service and state.
    pub resources: BTreeMap<(Service, ResourceState), u64>,
    /// Drifted resources by service and check.
    pub drift: BTreeMap<(Service, Check), u64>,
    /// Findings by state.
    pub findings: BTreeMap<State, u64>,
}

impl Tally {
    /// Counts a plan.
    pub fn of(plan: &Plan) -> Self {
        let mut tally = Self::default();
        let mut worst: BTreeMap<&Arn, (Service, ResourceState)> = BTreeMap::new();
        let mut drifted: BTreeSet<(Service, Check, &Arn)> = BTreeSet::new();
        for finding in &plan.findings {
            *tally.findings.entry(finding.state).or_default() += 1;
            let state = ResourceState::from(finding.state);
            let entry = worst.entry(&finding.resource).or_insert((finding.service, state));
            entry.1 = entry.1.max(state);
            if finding.state == State::Drifted {
                drifted.insert((finding.service, finding.check, &finding.resource));
            }
        }
        for (service, state) in worst.into_values() {
            *tally.resources.entry((service, state)).or_default() += 1;
        }
        for (service, check, _) in drifted {
            *tally.drift.entry((service, check)).or_default() += 1;
        }
        for arn in &plan.unmanaged {
            if let Some(service) = service_of(arn) {
                *tally.resources.entry((service, ResourceState::Unmanaged)).or_default() += 1;
            }
        }
        tally
    }

    /// Resources in a state, over all services.
    pub fn in_state(&self, state: ResourceState) -> u64 {
        self.resources.iter().filter(|((_, s), _)| *s == state).map(|(_, n)| n).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everseal_planner::Finding;

    fn finding(arn: &str, check: Check, state: State) -> Finding {
        let resource = Arn::parse(arn).expect("a well-formed ARN");
        Finding {
            service: service_of(&resource).expect("one of ours"),
            resource,
            account: String::new(),
            region: String::new(),
            check,
            state,
            rule: String::new(),
            expected: String::new(),
            actual: String::new(),
            message: String::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_resource_counts_once_under_its_worst_state() {
        let plan = Plan {
            findings: vec![
                finding("arn:aws:s3:::a", Check::S3Encryption, State::Compliant),
                finding("arn:aws:s3:::a", Check::S3SecureTransport, State::Drifted),
                finding("arn:aws:s3:::b", Check::S3Encryption, State::Exempt),
                finding("arn:aws:s3:::b", Check::S3SecureTransport, State::Unknown),
                finding("arn:aws:s3:::c", Check::S3Encryption, State::Compliant),
            ],
            unmanaged: BTreeSet::from([Arn::parse("arn:aws:sqs:eu-west-1:1:q").expect("well formed")]),
            ..Plan::default()
        };
        let tally = Tally::of(&plan);
        let expected = BTreeMap::from([
            ((Service::S3, ResourceState::Compliant), 1),
            ((Service::S3, ResourceState::Unknown), 1),
            ((Service::S3, ResourceState::Drifted), 1),
            ((Service::Sqs, ResourceState::Unmanaged), 1),
        ]);
        assert_eq!(tally.resources, expected);
        assert_eq!(tally.drift, BTreeMap::from([((Service::S3, Check::S3SecureTransport), 1)]));
        assert_eq!(tally.in_state(ResourceState::Drifted), 1);
    }
}
