//! What a role's own IAM policies say, where a key's document leaves it to them.
//!
//! Only roles of the own account are read, and only where something hangs on one. Organisation policies, session policies and
//! trust are not seen: "allowed" here is as far as the account itself decides. What could not be read is never taken for
//! "allows nothing", and a policy that can't be parsed settles nothing. [IAM: policy evaluation logic; permissions boundaries]

use crate::document::{Access, Answer, Document, Effect, Principal, Request, access, identity_access};
use crate::inventory::{Reading, Role};
use crate::plan::select::glob;
use crate::{Arn, Inventory};

/// What is known of the role behind a principal.
#[derive(Debug)]
pub(crate) enum RoleReading {
    /// Its policies.
    Known(RolePolicies),
    /// Nobody has asked for this role yet.
    NotRead(Arn),
    /// Not a role of this account, or it could not be read, or not understood.
    Unknown,
}

/// A role's policies, read.
#[derive(Debug)]
pub(crate) struct RolePolicies {
    identity: Vec<Document>,
    boundary: Option<Document>,
}

/// A role of the account whose policies are understood.
#[derive(Debug)]
pub(crate) struct AccountRole {
    pub(crate) arn: Arn,
    /// Its policies, as [`key_access`] takes them.
    pub(crate) reading: RoleReading,
}

impl AccountRole {
    /// Its policies; those that could not be understood are not among the account's roles.
    pub(crate) const fn policies(&self) -> Option<&RolePolicies> {
        match &self.reading {
            RoleReading::Known(policies) => Some(policies),
            RoleReading::NotRead(_) | RoleReading::Unknown => None,
        }
    }
}

/// The roles that the inventory shows, with their policies parsed: once for a plan, whatever asks about them.
pub(crate) fn account_roles(inventory: &Inventory) -> Vec<AccountRole> {
    let understood = |(arn, role): (&Arn, &Role)| {
        let reading = RoleReading::Known(RolePolicies::of(role)?);
        Some(AccountRole { arn: arn.clone(), reading })
    };
    inventory.path_facts.roles.known().into_iter().flatten().filter_map(understood).collect()
}

impl RolePolicies {
    /// `None` where one of them can't be parsed.
    pub(crate) fn of(role: &Role) -> Option<Self> {
        let Role { policies, boundary } = role;
        let identity = policies.iter().map(|text| Document::parse(text)).collect::<Result<_, _>>().ok()?;
        let boundary = boundary.as_deref().map(Document::parse).transpose().ok()?;
        Some(Self { identity, boundary })
    }

    /// What they say to `request`, the boundary included.
    pub(crate) fn allow(&self, request: &Request<'_>) -> Access {
        let own = identity_access(&self.identity, request);
        let Some(boundary) = &self.boundary else { return own };
        let bound = identity_access(std::slice::from_ref(boundary), request);
        if own.answer == Answer::No || bound.answer == Answer::Yes {
            return own;
        }
        let answer = if bound.answer == Answer::No { Answer::No } else { Answer::CannotTell };
        Access { answer, delegated: false, because: format!("its permissions boundary: {}", bound.because) }
    }

    /// A statement of theirs allows `action` by naming the action's service, not by allowing everything.
    pub(crate) fn names_action(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        let service = action.split_once(':').map_or(action.as_str(), |(service, _)| service);
        let names = |pattern: &&str| {
            let pattern = pattern.to_ascii_lowercase();
            pattern.split_once(':').is_some_and(|(named, _)| named == service) && glob(&pattern, &action)
        };
        let allowing = self.identity.iter().flat_map(Document::statements).filter(|view| view.effect == Some(Effect::Allow));
        allowing.flat_map(|view| view.actions.members().to_vec()).any(|pattern| names(&pattern))
    }

    /// A Deny of theirs certainly applies: it counts whatever a resource's document allows.
    fn deny(&self, request: &Request<'_>) -> bool {
        let everything = Document::parse(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#);
        let Ok(everything) = everything else { return false };
        let denied = |documents: &[Document]| {
            let with_everything: Vec<Document> = documents.iter().chain(std::iter::once(&everything)).cloned().collect();
            identity_access(&with_everything, request).answer == Answer::No
        };
        denied(&self.identity) || self.boundary.as_ref().is_some_and(|boundary| denied(std::slice::from_ref(boundary)))
    }
}

/// The role that `principal` is, as far as the inventory shows it.
pub(crate) fn role(inventory: &Inventory, principal: &Principal) -> RoleReading {
    let Principal::Aws(name) = principal else { return RoleReading::Unknown };
    let own = |arn: &Arn| arn.service() == "iam" && arn.account() == inventory.scope.account && arn.resource().starts_with("role/");
    let Some(arn) = Arn::parse(name).ok().filter(own) else { return RoleReading::Unknown };
    match &inventory.path_facts.roles {
        Reading::Known(roles) => match roles.get(&arn) {
            Some(role) => RolePolicies::of(role).map_or(RoleReading::Unknown, RoleReading::Known),
            None => RoleReading::NotRead(arn),
        },
        Reading::NotRead => RoleReading::NotRead(arn),
        Reading::Unreadable { .. } => RoleReading::Unknown,
    }
}

/// What the document of a key says to `request`, with the caller's own policies where it leaves the decision to them.
pub(crate) fn key_access(document: &Document, key: &Arn, request: &Request<'_>, role: &RoleReading) -> Access {
    let by_document = access(document, key.account(), request);
    let RoleReading::Known(policies) = role else { return by_document };
    if by_document.answer != Answer::No && policies.deny(request) {
        return Access { answer: Answer::No, delegated: false, because: "the role's own IAM policies deny it".to_owned() };
    }
    if by_document.answer != Answer::CannotTell || !by_document.delegated || !delegates_for_certain(document, key, request) {
        return by_document;
    }
    let Access { answer, delegated: _, because } = policies.allow(request);
    let because = match answer {
        Answer::Yes => "the document leaves it to IAM policies, and the role's allow it".to_owned(),
        Answer::No => format!("the document leaves it to IAM policies, and the role's do not allow it ({because})"),
        Answer::CannotTell => format!("the document leaves it to IAM policies, and the role's do not settle it ({because})"),
    };
    Access { answer, delegated: false, because }
}

/// The delegation to the account applies to this very request: its root, asking in the role's place, is allowed.
fn delegates_for_certain(document: &Document, key: &Arn, request: &Request<'_>) -> bool {
    let Principal::Aws(name) = request.principal else { return false };
    let root = Principal::Aws(format!("arn:{}:iam::{}:root", key.partition(), key.account()));
    let mut context = request.context.clone();
    context.entry("aws:principalarn".to_owned()).or_insert_with(|| vec![name.clone()]);
    access(document, key.account(), &Request { principal: &root, context: &context, ..request.clone() }).answer == Answer::Yes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::{KEY, document, key_document};

    const ROLE: &str = "arn:aws:iam::111122223333:role/firehose";

    fn allow(actions: &Value, resource: &str) -> Value {
        json!({"Effect": "Allow", "Action": actions, "Resource": resource})
    }

    /// The answer for `kms:GenerateDataKey` through S3, of a role with `policies` and `boundary`.
    fn ask(key: &str, policies: &[Value], boundary: Option<Value>) -> Answer {
        let role = Role {
            policies: policies.iter().map(|statement| document(&json!([statement]))).collect(),
            boundary: boundary.map(|statement| document(&json!([statement]))),
        };
        let role = RolePolicies::of(&role).map_or(RoleReading::Unknown, RoleReading::Known);
        let context = BTreeMap::from([("kms:viaservice".to_owned(), vec!["s3.us-east-1.amazonaws.com".to_owned()])]);
        let principal = Principal::Aws(ROLE.to_owned());
        let request =
            Request { principal: &principal, action: "kms:GenerateDataKey", resource: KEY, context: &context, context_is_complete: false };
        key_access(&Document::parse(key).unwrap(), &Arn::parse(KEY).unwrap(), &request, &role).answer
    }

    #[test]
    fn under_delegation_the_roles_policies_decide() {
        let delegating = key_document(&json!([]));
        let data_keys = allow(&json!(["kms:GenerateDataKey", "kms:Decrypt"]), KEY);
        assert_eq!(ask(&delegating, std::slice::from_ref(&data_keys), None), Answer::Yes);
        assert_eq!(ask(&delegating, &[allow(&json!("kms:*"), "*")], None), Answer::Yes);
        assert_eq!(ask(&delegating, &[allow(&json!("kms:Decrypt"), KEY)], None), Answer::No);
        assert_eq!(ask(&delegating, &[allow(&json!("kms:*"), &KEY.replace("0001", "0009"))], None), Answer::No);
        assert_eq!(ask(&delegating, &[], None), Answer::No);
        let through = |endpoint: &str| {
            let mut narrowed = data_keys.clone();
            narrowed["Condition"] = json!({"StringEquals": {"kms:ViaService": endpoint}});
            narrowed
        };
        assert_eq!(ask(&delegating, &[through("s3.us-east-1.amazonaws.com")], None), Answer::Yes);
        assert_eq!(ask(&delegating, &[through("sqs.us-east-1.amazonaws.com")], None), Answer::No);
        let mut tagged = data_keys.clone();
        tagged["Condition"] = json!({"StringEquals": {"aws:PrincipalTag/team": "a"}});
        assert_eq!(ask(&delegating, &[tagged], None), Answer::CannotTell);
    }

    #[test]
    fn a_boundary_narrows_and_a_deny_wins() {
        let delegating = key_document(&json!([]));
        let all = allow(&json!("kms:*"), "*");
        assert_eq!(ask(&delegating, std::slice::from_ref(&all), Some(all.clone())), Answer::Yes);
        assert_eq!(ask(&delegating, std::slice::from_ref(&all), Some(allow(&json!("s3:*"), "*"))), Answer::No);
        let deny = json!({"Effect": "Deny", "Action": "kms:GenerateDataKey*", "Resource": "*"});
        assert_eq!(ask(&delegating, &[all.clone(), deny.clone()], None), Answer::No);
        let named = key_document(&json!([{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}]));
        assert_eq!(ask(&named, &[deny], None), Answer::No);
        // A Deny that depends on what is not known does not undo what the document allows by name.
        let perhaps =
            json!({"Effect": "Deny", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/x": "y"}}});
        assert_eq!(ask(&named, std::slice::from_ref(&perhaps), None), Answer::Yes);
        assert_eq!(ask(&delegating, &[all, perhaps], None), Answer::CannotTell);
    }

    #[test]
    fn without_a_certain_delegation_the_roles_policies_are_no_proof() {
        let all = [allow(&json!("kms:*"), "*")];
        let root = |condition: &Value| {
            document(
                &json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*", "Condition": condition}]),
            )
        };
        assert_eq!(ask(&root(&json!({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})), &all, None), Answer::Yes);
        assert_eq!(ask(&root(&json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})), &all, None), Answer::CannotTell);
        assert_eq!(ask(&root(&json!({"StringNotEquals": {"aws:PrincipalArn": ROLE}})), &all, None), Answer::No);
        let nobody = document(
            &json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}, "Action": "kms:*", "Resource": "*"}]),
        );
        assert_eq!(ask(&nobody, &all, None), Answer::No);
    }
}
