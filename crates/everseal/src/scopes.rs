//! Which accounts and regions the policies hold in, and the way into each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use everseal_aws::{Aws, AwsAccount, ConnectError};
use everseal_planner::PolicySet;
use everseal_planner::policy::model::AccountRef;

use crate::sessions::{Counting, Logins, OverTheWire, WithSessions};

/// A scope that was entered.
pub type Entered = WithSessions<AwsAccount>;

/// An account that a policy names, with every region that any policy wants there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// How to get in; `None` = the credentials' own account.
    pub account: Option<AccountRef>,
    /// Sorted.
    pub regions: Vec<String>,
}

/// An account that could not be entered; the others go on.
#[derive(Debug)]
pub struct Closed {
    /// The account's id.
    pub account: String,
    /// Why.
    pub error: ConnectError,
}

impl Closed {
    /// For people.
    pub fn line(&self) -> String {
        format!("account {} is left out: {}", self.account, self.error)
    }
}

/// The accounts and regions of all policies. A policy that names no region holds in `default_region`, one that
/// names no account in the credentials' own (`own`).
pub fn wanted(policies: &PolicySet, own: &str, default_region: &str) -> Vec<Wanted> {
    let mut accounts: BTreeMap<String, (Option<AccountRef>, BTreeSet<String>)> = BTreeMap::new();
    for policy in &policies.policies {
        let scopes = &policy.spec.scopes;
        let regions: Vec<String> = if scopes.regions.is_empty() { vec![default_region.to_owned()] } else { scopes.regions.clone() };
        if scopes.accounts.is_empty() {
            accounts.entry(own.to_owned()).or_default().1.extend(regions.iter().cloned());
        }
        for account in &scopes.accounts {
            let entry = accounts.entry(account.id.clone()).or_default();
            // A role, where any policy names one, is the way in.
            if entry.0.as_ref().is_none_or(|known| known.role_arn.is_none()) {
                entry.0 = Some(account.clone());
            }
            entry.1.extend(regions.iter().cloned());
        }
    }
    accounts.into_values().map(|(account, regions)| Wanted { account, regions: regions.into_iter().collect() }).collect()
}

/// The region to fall back on where the SDK's chain names none: the first that a policy names.
pub fn fallback_region(policies: &PolicySet) -> Option<String> {
    policies.policies.iter().find_map(|policy| policy.spec.scopes.regions.first().cloned())
}

/// Accounts whose databases are asked for their sessions where `policies` give a login. `ca_bundle`, where given, wins over
/// the policies' own.
pub fn with_sessions(accounts: Vec<AwsAccount>, policies: &PolicySet, ca_bundle: Option<PathBuf>) -> Vec<Entered> {
    let counting = Counting { policies: Arc::new(policies.clone()), ca_bundle, logins: Logins::default(), by: OverTheWire };
    accounts.into_iter().map(|account| WithSessions::new(account, counting.clone())).collect()
}

/// Enters every account; those that stay closed are returned beside the open ones.
pub async fn open(aws: &Aws, policies: &PolicySet, ca_bundle: Option<PathBuf>) -> (Vec<Entered>, Vec<Closed>) {
    let mut open = Vec::new();
    let mut closed = Vec::new();
    for Wanted { account, regions } in wanted(policies, &aws.identity().account, aws.region()) {
        match aws.account(account.as_ref(), &regions).await {
            Ok(scopes) => open.extend(scopes),
            Err(error) => {
                let account = account.map_or_else(|| aws.identity().account.clone(), |account| account.id);
                closed.push(Closed { account, error });
            }
        }
    }
    (with_sessions(open, policies, ca_bundle), closed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use everseal_planner::policy::model::{EncryptionPolicy, Metadata, Scopes, Spec};

    fn policy(name: &str, regions: &[&str], accounts: &[(&str, Option<&str>)]) -> EncryptionPolicy {
        let accounts = accounts
            .iter()
            .map(|(id, role)| AccountRef { id: (*id).into(), role_arn: role.map(str::to_owned), external_id: None })
            .collect();
        let scopes = Scopes { regions: regions.iter().map(|&region| region.to_owned()).collect(), accounts };
        EncryptionPolicy {
            api_version: "everseal.io/v1".into(),
            kind: "EncryptionPolicy".into(),
            metadata: Metadata { name: name.into(), labels: BTreeMap::new() },
            spec: Spec { scopes, ..Spec::default() },
        }
    }

    fn set(policies: Vec<EncryptionPolicy>) -> PolicySet {
        PolicySet { policies, revision: String::new() }
    }

    #[test]
    fn nothing_named_means_own_account_and_default_region() {
        let wanted = wanted(&set(vec![policy("a", &[], &[])]), "1", "us-east-1");
        assert_eq!(wanted, [Wanted { account: None, regions: vec!["us-east-1".into()] }]);
    }

    #[test]
    fn regions_of_several_policies_meet_in_one_account() {
        let policies = set(vec![
            policy("a", &["eu-west-1"], &[("2", Some("arn:aws:iam::2:role/r"))]),
            policy("b", &["us-east-1", "eu-west-1"], &[("2", None)]),
            policy("c", &[], &[]),
        ]);
        let wanted = wanted(&policies, "1", "us-east-1");
        assert_eq!(wanted.len(), 2);
        assert_eq!(wanted[0], Wanted { account: None, regions: vec!["us-east-1".into()] });
        assert_eq!(wanted[1].regions, ["eu-west-1", "us-east-1"]);
        assert_eq!(wanted[1].account.as_ref().and_then(|account| account.role_arn.as_deref()), Some("arn:aws:iam::2:role/r"));
    }
}
