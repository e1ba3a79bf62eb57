//! What the policies above an account say of a request. [IAM: Policy evaluation logic, SCPs and RCPs]

use super::State;
use super::policies::Kind;
use crate::access::{Access, Document, Verdict};

/// Services whose resources RCPs reach, of those here. [RCPs: supported services]
const REACHED: &[&str] = &["s3", "sqs", "kms", "firehose", "sts"];

/// The kind of policy that refuses a request, if one does.
pub(crate) fn guard(state: &State, access: &Access<'_>) -> Option<&'static str> {
    let organization = state.organization.as_ref()?;
    let is_member = |account: &str| account != organization.management && organization.accounts.contains_key(account);
    let at = |target: &str, kind: Kind| -> Vec<&Document> {
        let ids = organization.attached.get(target).into_iter().flatten();
        ids.filter_map(|id| organization.policies.get(id)).filter(|policy| policy.kind == kind).map(|policy| &policy.document).collect()
    };
    if let Some(account) = access.caller.account().filter(|account| is_member(account)) {
        // Each level must allow, and none deny.
        for target in [organization.root.as_str(), account] {
            let verdicts: Vec<Verdict> = at(target, Kind::Service).into_iter().map(|policy| access.of_identity(policy)).collect();
            if verdicts.contains(&Verdict::Deny) || !verdicts.contains(&Verdict::Allow) {
                return Some("service control policy");
            }
        }
    }
    let service = access.action.split(':').next().unwrap_or_default();
    if is_member(access.owner) && REACHED.contains(&service) {
        for target in [organization.root.as_str(), access.owner] {
            if at(target, Kind::Resource).into_iter().any(|policy| access.of_resource(policy) == Verdict::Deny) {
                return Some("resource control policy");
            }
        }
    }
    None
}
