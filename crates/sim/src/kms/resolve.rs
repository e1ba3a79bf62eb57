//! From what is written on a resource to a key: id, ARN, alias name or alias ARN; and the keys that AWS makes for its
//! services on first use.

use serde_json::json;

use super::key::{self, Alias, Edition, Family, Key, KeyState};
use crate::access::Document;
use crate::error::ApiError;
use crate::world::World;

/// What aliases of AWS-managed keys begin with.
pub(super) const AWS_ALIAS: &str = "alias/aws/";

/// The ARN of the key that `reference` means to somebody in an account and region. Makes an AWS-managed key on its first
/// mention. [kms:DescribeKey]
pub(super) fn resolve(world: &mut World, reference: &str, account: &str, region: &str) -> Result<String, ApiError> {
    let not_found = |message: String| Err(ApiError::bad_request("NotFoundException", message));
    let (account, region, resource) = match address(reference) {
        Some((_, place, _)) if place != region => return not_found(format!("Invalid arn {place}")),
        Some((owner, _, resource)) => (owner, region, resource),
        None if reference.starts_with("arn:") => return not_found(format!("Invalid arn {reference}")),
        None if reference.starts_with("alias/") => (account, region, reference),
        None if is_key_id(reference) => return existing(world, key::arn(account, region, reference)),
        None => return not_found(format!("Invalid keyId '{reference}'")),
    };
    if let Some(id) = resource.strip_prefix("key/") {
        return existing(world, key::arn(account, region, id));
    }
    let alias = alias_arn(account, region, resource);
    if let Some(found) = world.kms.aliases.get(&alias) {
        return Ok(key::arn(account, region, &found.key));
    }
    match resource.strip_prefix(AWS_ALIAS) {
        Some(service) if SERVICES.contains(&service) => Ok(aws_managed(world, account, region, service)),
        _ => not_found(format!("Alias {alias} is not found.")),
    }
}

/// Services of this simulator that have a key of their own.
const SERVICES: &[&str] = &["s3", "sqs", "sns", "kinesis", "firehose", "rds"];

/// Account, region and resource of a KMS ARN.
fn address(reference: &str) -> Option<(&str, &str, &str)> {
    let mut parts = reference.splitn(6, ':');
    let (prefix, _, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    (prefix == "arn" && service == "kms").then_some((account, region, resource))
}

/// A UUID, or `mrk-` with 32 digits.
pub(super) fn is_key_id(text: &str) -> bool {
    let hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.strip_prefix("mrk-") {
        Some(digits) => digits.len() == 32 && hexadecimal(digits),
        None => text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(hexadecimal),
    }
}

fn existing(world: &World, arn: String) -> Result<String, ApiError> {
    if world.kms.keys.contains_key(&arn) {
        return Ok(arn);
    }
    Err(ApiError::bad_request("NotFoundException", format!("Key '{arn}' does not exist")))
}

/// An alias's ARN.
pub(super) fn alias_arn(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:{name}")
}

/// Makes the key of a service. Its document lets everybody in the account use it, but only through that service: so no
/// service by itself, and nobody from outside. [KMS: AWS managed keys; SQS: Key management]
fn aws_managed(world: &mut World, account: &str, region: &str, service: &str) -> String {
    let (now, id) = (world.now(), world.uuid());
    let name = service.to_uppercase();
    let document = json!({
        "Version": "2012-10-17",
        "Id": format!("auto-{service}-1"),
        "Statement": [
            {
                "Sid": format!("Allow access through {name} for all principals in the account that are authorized to use {name}"),
                "Effect": "Allow",
                "Principal": { "AWS": "*" },
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"],
                "Resource": "*",
                "Condition": { "StringEquals": {
                    "kms:CallerAccount": account,
                    "kms:ViaService": format!("{service}.{region}.amazonaws.com"),
                } },
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                "Resource": "*",
            },
        ],
    })
    .to_string();
    let parsed = Document::parse(&document).expect("the text above is a document");
    let key = Key {
        account: account.to_owned(),
        region: region.to_owned(),
        id: id.clone(),
        created: now,
        description: format!("Default key that protects my {name} data when no other key is defined"),
        usage: "ENCRYPT_DECRYPT".to_owned(),
        spec: "SYMMETRIC_DEFAULT".to_owned(),
        origin: "AWS_KMS".to_owned(),
        managed_by: Some(service.to_owned()),
        state: KeyState::Enabled,
        deletion: None,
        waiting_days: 0,
        family: Family::Single,
        document,
        editions: vec![Edition { from: now, document: parsed }],
        rotation_days: Some(365),
        rotation_since: now,
        tags: Vec::new(),
        grants: Vec::new(),
    };
    let arn = key.arn();
    world.kms.keys.insert(arn.clone(), key);
    let alias = alias_arn(account, region, &format!("{AWS_ALIAS}{service}"));
    world.kms.aliases.insert(alias, Alias { key: id, created: now, updated: now });
    arn
}
