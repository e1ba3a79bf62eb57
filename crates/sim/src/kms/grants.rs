//! Grants: permissions beside a key's document, which only ever allow. [KMS: Grants in AWS KMS]

use super::usage::{self, Request};
use super::{GrantRequest, KeyRefusal, resolve};
use crate::access::Caller;
use crate::moment::Moment;
use crate::world::World;

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

/// Makes a grant for a service. On success: the key's ARN and the grant's id. Services pass the grant's token on, so it
/// counts at once. [KMS: Grant token]
pub(crate) fn create_grant(world: &mut World, request: &GrantRequest<'_>) -> Result<(String, String), KeyRefusal> {
    let arn = resolve::resolve(world, request.key, request.account, request.region)?;
    let asked = Request {
        caller: request.caller,
        action: "kms:CreateGrant",
        key: &arn,
        written: request.key,
        via: Some(request.via),
        encryption_context: request.encryption_context,
        secure: true,
        grant_tokens: &[],
    };
    usage::usable(usage::authorize(world, &asked)?, "kms:CreateGrant")?;
    let (id, token, now) = (world.hex(64), world.hex(64), world.now());
    let pairs = request.encryption_context.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let service = format!("{}.amazonaws.com", request.via);
    let grant = Grant {
        id: id.clone(),
        token,
        name: None,
        created: now,
        from: now,
        until: None,
        grantee: service.clone(),
        retiring: Some(service),
        issuer: request.caller.account().unwrap_or_default().to_owned(),
        operations: request.operations.iter().map(|operation| (*operation).to_owned()).collect(),
        constraints: (!request.encryption_context.is_empty()).then_some(Constraints::Subset(pairs)),
    };
    super::found(world, &arn)?.grants.push(grant);
    Ok((arn, id))
}

/// The grantee gives a grant back. One that is gone already stays gone.
pub(crate) fn retire_grant(world: &mut World, key_arn: &str, grant_id: &str) {
    if let Some(key) = world.kms.keys.get_mut(key_arn) {
        key.grants.retain(|grant| grant.id != grant_id);
    }
}
