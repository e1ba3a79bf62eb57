//! Grants: permissions beside a key's document, which only ever allow. [KMS: Grants in AWS KMS]

use crate::access::Caller;
use crate::moment::Moment;

/// A grant.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) name: Option<String>,
    pub(super) created: Moment,
    /// From when it decides; with its token, from its creation.
    pub(super) from: Moment,
    /// Until when it decides, once it is revoked or retired.
    pub(super) until: Option<Moment>,
    pub(super) grantee: String,
    pub(super) retiring: Option<String>,
    /// The account that made it.
    pub(super) issuer: String,
    /// Without `kms:`.
    pub(super) operations: Vec<String>,
    pub(super) constraints: Option<Constraints>,
}

/// On the encryption context; sorted pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Constraints {
    /// `EncryptionContextSubset`
    Subset(Vec<(String, String)>),
    /// `EncryptionContextEquals`
    Equals(Vec<(String, String)>),
}

impl Grant {
    /// Does it let a caller do this at a time?
    pub(super) fn allows(
        &self,
        caller: &Caller,
        action: &str,
        encryption_context: &[(&str, &str)],
        now: Moment,
        tokens: &[String],
    ) -> bool {
        let operation = action.strip_prefix("kms:").unwrap_or(action);
        let in_time = (self.from <= now || tokens.contains(&self.token)) && self.until.is_none_or(|until| now < until);
        in_time
            && self.operations.iter().any(|granted| granted == operation)
            && names(&self.grantee, caller)
            && self.fits(operation, encryption_context)
    }

    /// Constraints concern operations that take an encryption context, and no others. [kms:GrantConstraints]
    fn fits(&self, operation: &str, encryption_context: &[(&str, &str)]) -> bool {
        let crypto = ["Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey"].iter().any(|prefix| operation.starts_with(prefix));
        let has = |(name, value): &(String, String)| encryption_context.iter().any(|(n, v)| n == name && v == value);
        match &self.constraints {
            Some(Constraints::Subset(pairs)) => !crypto || pairs.iter().all(has),
            Some(Constraints::Equals(pairs)) => !crypto || (pairs.len() == encryption_context.len() && pairs.iter().all(has)),
            None => true,
        }
    }
}

/// Is a caller the principal of a grant? A role's sessions all are.
pub(super) fn names(principal: &str, caller: &Caller) -> bool {
    match caller {
        Caller::Service { name, .. } => principal == name,
        Caller::Anonymous => false,
        Caller::Root { .. } | Caller::User { .. } | Caller::Role { .. } => {
            caller.principal_arn().is_some_and(|own| own == principal) || caller.arn() == principal
        }
    }
}
