//! The decision over all documents that have a say. [IAM: Policy evaluation logic]

use super::document::{Naming, Question};
use super::{Caller, Document, RequestContext, Verdict};

/// A request that asks to be let in.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// For example `sqs:SendMessage`.
    pub action: &'a str,
    /// The resource's ARN.
    pub resource: &'a str,
    /// The account that owns the resource.
    pub owner: &'a str,
    /// Condition keys in lower case, beside those that the caller itself implies.
    pub context: &'a RequestContext,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// A Deny statement matches (else nothing allows).
    pub explicit: bool,
    /// In AWS's words.
    pub message: String,
}

/// Documents that have a say beside the resource's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Identity<'a> {
    /// The caller's own policies.
    pub(crate) policies: &'a [Document],
    /// The caller's permissions boundary.
    pub(crate) boundary: Option<&'a Document>,
}

impl Access<'_> {
    /// What conditions see: the request's keys and those that follow from the caller.
    pub(crate) fn full_context(&self) -> RequestContext {
        let mut context = self.context.clone();
        let mut put = |key: &str, value: String| {
            context.entry(key.to_owned()).or_insert_with(|| vec![value]);
        };
        match self.caller {
            Caller::Service { name, source_arn, source_account } => {
                put("aws:principalisawsservice", "true".to_owned());
                put("aws:principalservicename", name.clone());
                if let Some(arn) = source_arn {
                    put("aws:sourcearn", arn.clone());
                }
                if let Some(account) = source_account {
                    put("aws:sourceaccount", account.clone());
                }
            }
            Caller::Root { account } | Caller::User { account, .. } | Caller::Role { account, .. } => {
                put("aws:principalisawsservice", "false".to_owned());
                put("aws:principalaccount", account.clone());
                put("aws:principalarn", self.caller.principal_arn().unwrap_or_default());
            }
            Caller::Anonymous => put("aws:principalisawsservice", "false".to_owned()),
        }
        context
    }

    /// Resource documents of S3, SQS, SNS and their like: in the owner's account either side may allow, from another
    /// account both must.
    pub(crate) fn decide(&self, document: Option<&Document>, identity: Identity<'_>) -> Result<(), Denial> {
        let context = self.full_context();
        let question = Question { principal: Some(self.caller), action: self.action, resource: self.resource, context: &context };
        let foreign = self.caller.account().is_some_and(|account| account != self.owner);
        let own = self.by_identity(identity, &context);
        let naming = if foreign { Naming::Account } else { self.itself(identity, &context) };
        let resource = document.map_or(Verdict::Silent, |document| document.judge(question, naming));
        match (resource, own) {
            (Verdict::Deny, _) => Err(self.denied(true, "resource-based")),
            (_, Verdict::Deny) => Err(self.denied(true, "identity-based")),
            (Verdict::Allow, Verdict::Allow) => Ok(()),
            (Verdict::Allow, Verdict::Silent) if !foreign => Ok(()),
            (Verdict::Silent, Verdict::Allow) if !foreign && self.caller.account().is_some() => Ok(()),
            (Verdict::Allow, Verdict::Silent) => Err(self.denied(false, "identity-based")),
            (Verdict::Silent, _) => Err(self.denied(false, "resource-based")),
        }
    }

    /// Key documents: IAM policies count only where the key's document lets the account's root in.
    /// [KMS: Determining access to keys]
    pub(crate) fn decide_key(&self, document: &Document, identity: Identity<'_>, granted: bool) -> Result<(), Denial> {
        let context = self.full_context();
        let question = Question { principal: Some(self.caller), action: self.action, resource: self.resource, context: &context };
        let own = self.by_identity(identity, &context);
        let direct = document.judge(question, self.itself(identity, &context));
        if direct == Verdict::Deny {
            return Err(self.denied(true, "resource-based"));
        }
        if own == Verdict::Deny {
            return Err(self.denied(true, "identity-based"));
        }
        let foreign = self.caller.account().is_some_and(|account| account != self.owner);
        let delegated = self.caller.account().is_some() && document.judge(question, Naming::Account) == Verdict::Allow;
        let allowed = granted || (direct == Verdict::Allow && (!foreign || own == Verdict::Allow)) || (delegated && own == Verdict::Allow);
        if allowed { Ok(()) } else { Err(self.denied(false, "resource-based")) }
    }

    /// What a policy that names no principal says of the request.
    pub(crate) fn of_identity(&self, policy: &Document) -> Verdict {
        let context = self.full_context();
        policy.judge(Question { principal: None, action: self.action, resource: self.resource, context: &context }, Naming::Itself)
    }

    /// What a document that names principals says of the request.
    pub(crate) fn of_resource(&self, document: &Document) -> Verdict {
        let context = self.full_context();
        document.judge(
            Question { principal: Some(self.caller), action: self.action, resource: self.resource, context: &context },
            Naming::Itself,
        )
    }

    /// The refusal of a guardrail.
    pub(crate) fn denied_by(&self, kind: &str) -> Denial {
        let (caller, action, resource) = (self.caller.arn(), self.action, self.resource);
        let message =
            format!("User: {caller} is not authorized to perform: {action} on resource: {resource} with an explicit deny in a {kind}");
        Denial { explicit: true, message }
    }

    /// A boundary that does not allow the action limits what a document gives to the role, not what it gives to a session
    /// or to everybody. [IAM: Permissions boundaries, resource-based policies]
    fn itself(&self, identity: Identity<'_>, context: &RequestContext) -> Naming {
        let question = Question { principal: None, action: self.action, resource: self.resource, context };
        match identity.boundary.map(|boundary| boundary.judge(question, Naming::Itself)) {
            Some(Verdict::Silent) => Naming::Session,
            Some(Verdict::Allow | Verdict::Deny) | None => Naming::Itself,
        }
    }

    fn by_identity(&self, identity: Identity<'_>, context: &RequestContext) -> Verdict {
        if matches!(self.caller, Caller::Root { .. }) {
            return Verdict::Allow;
        }
        let question = Question { principal: None, action: self.action, resource: self.resource, context };
        let mut verdict = Verdict::Silent;
        for policy in identity.policies {
            match policy.judge(question, Naming::Itself) {
                Verdict::Deny => return Verdict::Deny,
                Verdict::Allow => verdict = Verdict::Allow,
                Verdict::Silent => {}
            }
        }
        match identity.boundary.map(|boundary| boundary.judge(question, Naming::Itself)) {
            Some(Verdict::Deny) => Verdict::Deny,
            Some(Verdict::Silent) => Verdict::Silent,
            Some(Verdict::Allow) | None => verdict,
        }
    }

    fn denied(&self, explicit: bool, kind: &str) -> Denial {
        let (caller, action, resource) = (self.caller.arn(), self.action, self.resource);
        let because = if explicit {
            format!("with an explicit deny in a {kind} policy")
        } else {
            format!("because no {kind} policy allows the {action} action")
        };
        let message = format!("User: {caller} is not authorized to perform: {action} on resource: {resource} {because}");
        Denial { explicit, message }
    }
}
