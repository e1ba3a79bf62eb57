//! Key documents: what KMS accepts as one, and the check that nobody locks himself out.

use serde_json::{Value, json};

use super::{Input, found, managed};
use crate::access::{Access, Document, Written, is_account_id};
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::{Origin, World};

/// Bytes. [KMS: Resource quotas]
const LONGEST: usize = 32_768;

/// The document of a request that makes or changes a key in the caller's account; KMS's own where it brings none.
pub(super) fn accepted(world: &World, origin: &Origin, input: &Input) -> Result<(String, Document), ApiError> {
    let text = match wire::optional(input, "Policy") {
        Some(text) => text.to_owned(),
        None => default(origin.account()),
    };
    let document = parse(&text)?;
    let bypass = input.get("BypassPolicyLockoutSafetyCheck").and_then(Value::as_bool).unwrap_or(false);
    if !bypass && !lets_back_in(world, origin, &document) {
        return Err(malformed("The new key policy will not allow you to update the key policy in the future."));
    }
    Ok((text, document))
}

/// [KMS: Default key policy]
fn default(account: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
            "Action": "kms:*",
            "Resource": "*",
        }],
    })
    .to_string()
}

/// May whoever writes the document write the next one? [kms:PutKeyPolicy `BypassPolicyLockoutSafetyCheck`]
fn lets_back_in(world: &World, origin: &Origin, document: &Document) -> bool {
    let mut context = world.keys_of(origin);
    context.insert("kms:calleraccount".to_owned(), vec![origin.account().to_owned()]);
    // The key's own ARN is not known to a key that is being made: documents say `*` of themselves.
    let resource = super::key::arn(origin.account(), &origin.region, "00000000-0000-0000-0000-000000000000");
    let access =
        Access { caller: &origin.caller, action: "kms:PutKeyPolicy", resource: &resource, owner: origin.account(), context: &context };
    access.decide_key(document, world.iam.identity(&origin.caller), false).is_ok()
}

/// [kms:PutKeyPolicy `Policy`; KMS: Key policies]
pub(super) fn parse(text: &str) -> Result<Document, ApiError> {
    let allowed = |c: char| matches!(c, '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{FF}');
    if text.is_empty() || !text.chars().all(allowed) {
        let pattern = "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
        let message = format!(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
        );
        return Err(super::invalid(message));
    }
    if text.len() > LONGEST {
        return Err(ApiError::bad_request("LimitExceededException", format!("The key policy is longer than {LONGEST} bytes.")));
    }
    let written = Written::parse(text).ok_or_else(|| malformed("The policy is not a valid policy document."))?;
    for statement in written.statements() {
        let named = (statement.get("Principal"), statement.get("NotPrincipal"));
        let ((Some(principals), None) | (None, Some(principals))) = named else {
            return Err(malformed("Policy contains a statement with no principal."));
        };
        if !exist(principals) {
            return Err(malformed("Policy contains a statement with one or more invalid principals."));
        }
    }
    Ok(written.document())
}

/// Principals must exist. The unique id of one that was deleted does not: that is how it looks in a stale document.
/// Users and roles that nobody made in this world are taken for existing.
fn exist(principals: &Value) -> bool {
    let Value::Object(kinds) = principals else { return principals.as_str() == Some("*") };
    let strings = |value: &Value| match value {
        Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        one => one.as_str().map(|one| vec![one.to_owned()]),
    };
    kinds.iter().all(|(kind, values)| {
        let Some(values): Option<Vec<String>> = strings(values) else { return false };
        match kind.as_str() {
            "AWS" => values.iter().all(|value| is_aws_principal(value)),
            "Service" => values.iter().all(|value| value.contains(".amazonaws.com") || value == "*"),
            "Federated" | "CanonicalUser" => true,
            _ => false,
        }
    })
}

fn is_aws_principal(text: &str) -> bool {
    if text == "*" || is_account_id(text) {
        return true;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, _, service, region, account, resource] = parts[..] else { return false };
    let kinds: &[&str] = match service {
        "iam" => &["user/", "role/"],
        "sts" => &["assumed-role/", "federated-user/"],
        _ => return false,
    };
    let known = (service == "iam" && resource == "root") || kinds.iter().any(|kind| resource.starts_with(kind));
    arn == "arn" && region.is_empty() && is_account_id(account) && known && !resource.contains('*')
}

fn malformed(message: &str) -> ApiError {
    ApiError::bad_request("MalformedPolicyDocumentException", message)
}

fn is_default(input: &Input) -> bool {
    wire::optional(input, "PolicyName").is_none_or(|name| name == "default")
}

/// `GetKeyPolicy`
pub(super) fn get(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let key = managed(world, origin, input, "kms:GetKeyPolicy")?;
    if !is_default(input) {
        return Err(ApiError::bad_request("NotFoundException", "No such policy exists"));
    }
    Ok(json!({ "Policy": found(world, &key)?.document, "PolicyName": "default" }))
}

/// `PutKeyPolicy`
pub(super) fn put(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let key = managed(world, origin, input, "kms:PutKeyPolicy")?;
    if !is_default(input) {
        return Err(super::invalid("The only valid policy name is default".to_owned()));
    }
    wire::text(input, "Policy")?;
    let (text, document) = accepted(world, origin, input)?;
    let (now, delay) = (world.now(), world.settings.key_propagation);
    found(world, &key)?.put_document(text, document, now, delay);
    Ok(Value::Null)
}

/// `ListKeyPolicies`: there is one.
pub(super) fn list(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    managed(world, origin, input, "kms:ListKeyPolicies")?;
    Ok(json!({ "PolicyNames": ["default"], "Truncated": false }))
}
