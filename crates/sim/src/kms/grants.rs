//! Grants: permissions beside a key's document, which only ever allow. [KMS: Grants in AWS KMS]

use serde_json::{Value, json};

use super::usage::{self, Request};
use super::{GrantRequest, Input, KeyRefusal, crypto, found, named, page, paged, resolve};
use crate::access::Caller;
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::json as wire;
use crate::world::{Origin, World};

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
        more: &[],
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
    found(world, &arn)?.grants.push(grant);
    Ok((arn, id))
}

/// The grantee gives a grant back. One that is gone already stays gone.
pub(crate) fn retire_grant(world: &mut World, key_arn: &str, grant_id: &str) {
    if let Some(key) = world.kms.keys.get_mut(key_arn) {
        key.grants.retain(|grant| grant.id != grant_id);
    }
}

/// What a grant can allow. [kms:CreateGrant `Operations`]
const OPERATIONS: &[&str] = &[
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
];

/// `CreateGrant`. The same again under the same name is the same grant.
pub(super) fn create(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let asked = asked(input)?;
    let written = wire::text(input, "KeyId")?;
    let arn = resolve::resolve(world, written, origin.account(), &origin.region)?;
    let mut more = vec![("kms:granteeprincipal", vec![asked.grantee.clone()]), ("kms:grantoperations", asked.operations.clone())];
    more.extend(asked.retiring.clone().map(|retiring| ("kms:retiringprincipal", vec![retiring])));
    more.extend(asked.constraints.as_ref().map(|constraints| ("kms:grantconstrainttype", vec![constraints.name().to_owned()])));
    let request = Request {
        caller: &origin.caller,
        action: "kms:CreateGrant",
        key: &arn,
        written,
        via: None,
        encryption_context: &[],
        secure: origin.secure,
        grant_tokens: &crypto::grant_tokens(input),
        more: &more,
    };
    usage::usable(usage::authorize(world, &request)?, "kms:CreateGrant")?;
    crypto::dry_run(input)?;
    let (now, id, token, delay) = (world.now(), world.hex(64), world.hex(64), world.settings.key_propagation);
    let key = found(world, &arn)?;
    let same = |grant: &&Grant| grant.name.is_some() && grant.until.is_none() && grant.is_as(&asked);
    if let Some(grant) = key.grants.iter().find(same) {
        return Ok(json!({ "GrantId": grant.id, "GrantToken": grant.token }));
    }
    let answer = json!({ "GrantId": id, "GrantToken": token });
    let issuer = origin.account().to_owned();
    let Asked { name, grantee, retiring, operations, constraints } = asked;
    key.grants.push(Grant {
        id,
        token,
        name,
        created: now,
        from: now + delay,
        until: None,
        grantee,
        retiring,
        issuer,
        operations,
        constraints,
    });
    Ok(answer)
}

/// What a request asks for.
struct Asked {
    name: Option<String>,
    grantee: String,
    retiring: Option<String>,
    operations: Vec<String>,
    constraints: Option<Constraints>,
}

fn asked(input: &Input) -> Result<Asked, ApiError> {
    let listed = input.get("Operations").and_then(Value::as_array).into_iter().flatten();
    let operations: Vec<String> = listed.filter_map(Value::as_str).map(str::to_owned).collect();
    let unknown = operations.iter().find(|operation| !OPERATIONS.contains(&operation.as_str()));
    if operations.is_empty() || unknown.is_some() {
        let message = format!(
            "1 validation error detected: Value '{operations:?}' at 'operations' failed to satisfy constraint: Member must satisfy enum value set: {OPERATIONS:?}"
        );
        return Err(super::invalid(message));
    }
    let principal = |text: &str| {
        let known = text.starts_with("arn:aws:iam::") || text.starts_with("arn:aws:sts::") || text.ends_with(".amazonaws.com");
        if known { Ok(text.to_owned()) } else { Err(ApiError::bad_request("InvalidArnException", format!("{text} is not a principal"))) }
    };
    let constraints = input.get("Constraints").and_then(Value::as_object);
    let pairs = |name: &str| {
        let map = constraints.and_then(|constraints| constraints.get(name)).and_then(Value::as_object)?;
        Some(map.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect::<Vec<_>>())
    };
    let subset = pairs("EncryptionContextSubset").map(Constraints::Subset);
    Ok(Asked {
        name: wire::optional(input, "Name").map(str::to_owned),
        grantee: principal(wire::text(input, "GranteePrincipal")?)?,
        retiring: wire::optional(input, "RetiringPrincipal").map(principal).transpose()?,
        operations,
        constraints: pairs("EncryptionContextEquals").map(Constraints::Equals).or(subset),
    })
}

impl Constraints {
    const fn name(&self) -> &'static str {
        match self {
            Self::Subset(_) => "EncryptionContextSubset",
            Self::Equals(_) => "EncryptionContextEquals",
        }
    }

    fn shown(&self) -> Value {
        let (Self::Subset(pairs) | Self::Equals(pairs)) = self;
        let map: serde_json::Map<String, Value> = pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({ self.name(): map })
    }
}

impl Grant {
    fn is_as(&self, asked: &Asked) -> bool {
        let Asked { name, grantee, retiring, operations, constraints } = asked;
        self.name == *name
            && self.grantee == *grantee
            && self.retiring == *retiring
            && self.operations == *operations
            && self.constraints == *constraints
    }

    fn shown(&self, key: &str) -> Value {
        let mut out = json!({
            "KeyId": key,
            "GrantId": self.id,
            "CreationDate": self.created.epoch_seconds(),
            "GranteePrincipal": self.grantee,
            "IssuingAccount": format!("arn:aws:iam::{}:root", self.issuer),
            "Operations": self.operations,
        });
        if let Some(name) = &self.name {
            out["Name"] = json!(name);
        }
        if let Some(retiring) = &self.retiring {
            out["RetiringPrincipal"] = json!(retiring);
        }
        if let Some(constraints) = &self.constraints {
            out["Constraints"] = constraints.shown();
        }
        out
    }

    /// Its grantee or whoever it names for that. [kms:RetireGrant]
    fn may_be_retired_by(&self, caller: &Caller) -> bool {
        let root = matches!(caller, Caller::Root { account } if *account == self.issuer);
        let grantee = names(&self.grantee, caller) && self.operations.iter().any(|operation| operation == "RetireGrant");
        root || grantee || self.retiring.as_ref().is_some_and(|retiring| names(retiring, caller))
    }
}

/// `ListGrants`: those that were not revoked or retired.
pub(super) fn list(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = named(world, origin, input, "KeyId", "kms:ListGrants")?;
    let (id, grantee) = (wire::optional(input, "GrantId"), wire::optional(input, "GranteePrincipal"));
    let key = found(world, &arn)?;
    let mut grants: Vec<&Grant> = key.grants.iter().filter(|grant| grant.until.is_none()).collect();
    grants.retain(|grant| id.is_none_or(|id| grant.id == id) && grantee.is_none_or(|grantee| grant.grantee == grantee));
    grants.sort_by(|a, b| a.id.cmp(&b.id));
    let entries = grants.into_iter().map(|grant| (grant.id.clone(), grant.shown(&arn)));
    Ok(paged("Grants", page(input, entries, (50, 100))?))
}

/// `RevokeGrant`: by the key's administrators.
pub(super) fn revoke(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = named(world, origin, input, "KeyId", "kms:RevokeGrant")?;
    end(world, &arn, wire::text(input, "GrantId")?)
}

/// `RetireGrant`: by those whom the grant itself names; by its token, or by key and id.
pub(super) fn retire(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let (key, id) = if let Some(token) = wire::optional(input, "GrantToken") {
        of_token(world, token).ok_or_else(|| ApiError::bad_request("InvalidGrantTokenException", "The grant token is not valid"))?
    } else {
        let key = resolve::resolve(world, wire::text(input, "KeyId")?, origin.account(), &origin.region)?;
        (key, wire::text(input, "GrantId")?.to_owned())
    };
    let grant = found(world, &key)?.grants.iter().find(|grant| grant.id == id && grant.until.is_none());
    let grant = grant.ok_or_else(|| no_grant(&id))?;
    if !grant.may_be_retired_by(&origin.caller) {
        let message = format!("User: {} is not authorized to perform: kms:RetireGrant on resource: {key}", origin.caller.arn());
        return Err(usage::denied(&message));
    }
    end(world, &key, &id)
}

fn of_token(world: &World, token: &str) -> Option<(String, String)> {
    let mut all = world.kms.keys.iter().flat_map(|(arn, key)| key.grants.iter().map(move |grant| (arn, grant)));
    all.find(|(_, grant)| grant.token == token).map(|(arn, grant)| (arn.clone(), grant.id.clone()))
}

fn no_grant(id: &str) -> ApiError {
    ApiError::bad_request("NotFoundException", format!("Grant {id} not found"))
}

/// It counts a little longer, as everything in KMS does.
fn end(world: &mut World, key: &str, id: &str) -> Result<Value, ApiError> {
    let (now, delay) = (world.now(), world.settings.key_propagation);
    let key = found(world, key)?;
    key.grants.retain(|grant| grant.until.is_none_or(|until| now < until));
    let grant = key.grants.iter_mut().find(|grant| grant.id == id && grant.until.is_none()).ok_or_else(|| no_grant(id))?;
    grant.until = Some(now + delay);
    Ok(Value::Null)
}
