//! STS: who am I, and becoming a role.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::access::{Access, Caller, Identity, RequestContext};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::iam::Session;
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::wire::{Route, query};
use crate::world::{Origin, World};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Seconds of a session that a session asks for, at most. [IAM: Role chaining]
const LONGEST_CHAINED: u64 = 3600;

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let form = Form::of(call);
    let result = match (route.operation.as_str(), &origin.caller) {
        (_, Caller::Anonymous) => Err(ApiError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")),
        ("GetCallerIdentity", _) => Ok(get_caller_identity(world, origin)),
        ("AssumeRole", _) => assume_role(world, origin, &form),
        (other, _) => Err(ApiError::unknown_operation(other)),
    };
    query::reply(&route.operation, NAMESPACE, &world.uuid(), result)
}

/// Needs no permission. [sts:GetCallerIdentity]
fn get_caller_identity(world: &World, origin: &Origin) -> Element {
    let arn = origin.caller.arn();
    let id = match &origin.caller {
        Caller::Role { arn, session, .. } => {
            let role = world.iam.trust(arn).map_or_else(|| "AROA".to_owned(), |trust| trust.id.to_owned());
            format!("{role}:{session}")
        }
        Caller::Root { account } => account.clone(),
        Caller::User { .. } | Caller::Service { .. } | Caller::Anonymous => {
            format!("AIDA{}", arn.rsplit('/').next().unwrap_or_default().to_ascii_uppercase())
        }
    };
    Element::default().text("UserId", id).text("Account", origin.account()).text("Arn", &arn)
}

/// `AssumeRole`: the role's trust policy decides, and the caller's own policies where it leaves them to, or where he is
/// from another account. [IAM: Policy evaluation logic, role trust policies]
fn assume_role(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let (arn, session) = (form.need("RoleArn")?.to_owned(), session_name(form)?);
    if ["Policy", "PolicyArns.member.1.arn", "SerialNumber"].iter().any(|member| form.get(member).is_some()) {
        return Err(ApiError::unknown_operation("AssumeRole with a session policy or MFA"));
    }
    let mut context = world.keys_of(origin);
    context.insert("sts:rolesessionname".to_owned(), vec![session.clone()]);
    if let Some(external) = form.get("ExternalId") {
        context.insert("sts:externalid".to_owned(), vec![external.to_owned()]);
    }
    let refused = || {
        let message = format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", origin.caller.arn());
        ApiError::new(403, "AccessDenied", message)
    };
    let trust = world.iam.trust(&arn).ok_or_else(refused)?;
    let owner = arn.split(':').nth(4).unwrap_or_default();
    let access = Access { caller: &origin.caller, action: "sts:AssumeRole", resource: &arn, owner, context: &context };
    let identity = world.iam.identity(&origin.caller);
    access.decide_key(trust.document, identity, false).map_err(|_| refused())?;
    let seconds = duration(form, trust.longest_session, matches!(origin.caller, Caller::Role { .. }))?;
    let role_id = trust.id.to_owned();
    let caller = Caller::role(&arn, &session).ok_or_else(refused)?;
    Ok(begin(world, caller, &format!("{role_id}:{session}"), seconds))
}

/// A service becomes a role for one of its resources, if the role trusts it so. On success: the session.
pub(crate) fn assume_as_service(world: &World, service: &Caller, role: &str, session: &str) -> Result<Caller, ApiError> {
    let refused = || {
        let message = format!("{} is unable to assume role {role}: the role is not there or does not trust it", service.arn());
        ApiError::new(403, "AccessDenied", message)
    };
    let trust = world.iam.trust(role).ok_or_else(refused)?;
    let owner = role.split(':').nth(4).unwrap_or_default();
    let Caller::Service { name: _, source_arn: _, source_account } = service else { return Err(refused()) };
    // Services send their customer's account as the external id. [Firehose: Grant Firehose access to an Amazon S3 destination]
    let mut context = RequestContext::from([("aws:securetransport".to_owned(), vec!["true".to_owned()])]);
    if let Some(account) = source_account {
        context.insert("sts:externalid".to_owned(), vec![account.clone()]);
    }
    let access = Access { caller: service, action: "sts:AssumeRole", resource: role, owner, context: &context };
    access.decide_key(trust.document, Identity::default(), false).map_err(|_| refused())?;
    Caller::role(role, session).ok_or_else(refused)
}

/// [sts:AssumeRole `RoleSessionName`]
fn session_name(form: &Form) -> Result<String, ApiError> {
    let name = form.need("RoleSessionName")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if (2..=64).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(name.to_owned());
    }
    let message = format!(
        "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
    );
    Err(ApiError::bad_request("ValidationError", message))
}

/// Seconds. [sts:AssumeRole `DurationSeconds`]
fn duration(form: &Form, longest: u64, chained: bool) -> Result<u64, ApiError> {
    let refused = |message: &str| Err(ApiError::bad_request("ValidationError", message));
    let seconds = form.get("DurationSeconds").map_or(Ok(3600), str::parse).unwrap_or(0);
    if !(900..=43_200).contains(&seconds) {
        return refused(
            "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200",
        );
    }
    if chained && seconds > LONGEST_CHAINED {
        return refused("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
    }
    if seconds > longest {
        return refused("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    }
    Ok(seconds)
}

/// Credentials that end.
fn begin(world: &mut World, caller: Caller, id: &str, seconds: u64) -> Element {
    let began = world.now();
    let until = began + Duration::from_secs(seconds);
    let access_key = format!("ASIA{}", world.hex(16).to_uppercase());
    let (secret, token) = (world.hex(40), world.hex(128));
    let user = Element::new("AssumedRoleUser").text("AssumedRoleId", id).text("Arn", caller.arn());
    world.iam.begin(access_key.clone(), Session { caller, began, until });
    let credentials = Element::new("Credentials")
        .text("AccessKeyId", access_key)
        .text("SecretAccessKey", secret)
        .text("SessionToken", token)
        .text("Expiration", until.iso8601());
    Element::default().child(credentials).child(user)
}
