//! Keys that must exist, who may use them, and references to keys in rules.

use super::{duplicates, scopes};
use crate::Arn;
use crate::policy::format::{is_account, is_alias, is_region, principal_problem};
use crate::policy::model::{KeySpec, RotationSpec, UsableBy};
use crate::policy::place::Place;
use crate::policy::report::Report;
use crate::policy::words;

/// Services that may stand in `usableBy.services`: the first parts of the principals `….amazonaws.com` that
/// call KMS themselves [SQS Key management; SNS Managing keys and costs; S3, CloudTrail and CloudFront guides],
/// and `firehose`, `kinesis`, `rds` and `sqs`, through which principals of the account use the key.
const SERVICES: &[&str] = &[
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "codecommit",
    "delivery.logs",
    "dms",
    "ds",
    "dynamodb",
    "events",
    "events.rds",
    "firehose",
    "glacier",
    "importexport",
    "inspector",
    "kinesis",
    "lambda",
    "logs",
    "rds",
    "redshift",
    "s3",
    "ses",
    "sns",
    "sqs",
    "ssm-contacts",
    "ssm-incidents",
];

/// Judges `spec.keys`; `primary` is the region where multi-Region primaries live, if the policy names it.
pub(super) fn judge(report: &mut Report<'_>, place: &Place<'_>, keys: &[KeySpec], primary: Option<&str>) {
    for (index, key) in keys.iter().enumerate() {
        judge_key(report, &place.item(index), key, primary);
    }
    for (index, earlier) in duplicates(keys.iter().map(|key| key.alias.as_str())) {
        let line = place.item(earlier).field("alias").at.line;
        let message = format!("{} is listed on line {line} already; put everything about a key into one entry", keys[index].alias);
        place.item(index).field("alias").error(report, message);
    }
}

fn judge_key(report: &mut Report<'_>, place: &Place<'_>, key: &KeySpec, primary: Option<&str>) {
    let KeySpec { alias, description: _, multi_region, replica_regions, rotation, usable_by, heal: _ } = key;
    let at = place.field("alias");
    if alias.starts_with("alias/aws/") {
        at.error(report, format!("{alias} is an AWS-managed key, which nobody can create or edit; choose another alias"));
    } else if !is_alias(alias) {
        let suggestion = Some(format!("alias/{alias}")).filter(|better| is_alias(better));
        at.misspelt(report, format!("`{alias}` is not an alias: `alias/` and then letters, digits, `/`, `_` or `-`"), suggestion);
    }
    let at = place.field("replicaRegions");
    if !replica_regions.is_empty() && !multi_region && (place.field("multiRegion").exists() || place.lacks("multiRegion")) {
        at.error(report, "only a multi-Region key can have replicas; add `multiRegion: true` (a key cannot be made multi-Region later)");
    }
    scopes::regions(report, &at, replica_regions);
    for (index, _) in replica_regions.iter().enumerate().filter(|(_, region)| primary == Some(region)) {
        let message = "this is the first of `scopes.regions`, where the primary key lives; a replica needs another region";
        at.item(index).error(report, message);
    }
    if let Some(RotationSpec { enabled: false, period_in_days: _ }) = rotation {
        let message = "`enabled: false` does nothing: Everseal never turns rotation off; remove `rotation`, or write `true`";
        place.field("rotation").field("enabled").warning(report, message);
    }
    if let Some(usable_by) = usable_by {
        judge_users(report, &place.field("usableBy"), usable_by);
    }
}

fn judge_users(report: &mut Report<'_>, place: &Place<'_>, usable_by: &UsableBy) {
    let UsableBy { services, producers, consumers } = usable_by;
    let at = place.field("services");
    for (index, service) in services.iter().enumerate() {
        let short = service.strip_suffix(".amazonaws.com").unwrap_or(service);
        if SERVICES.contains(&service.as_str()) {
            continue;
        }
        let suggestion = if SERVICES.contains(&short) { Some(short.to_owned()) } else { words::nearest(short, SERVICES.iter().copied()) };
        let message = format!("`{service}` is no service that uses keys by itself; known are {}", SERVICES.join(", "));
        at.item(index).misspelt(report, message, suggestion);
    }
    for (index, _) in duplicates(services.iter().map(String::as_str)) {
        at.item(index).error(report, format!("`{}` is listed twice; keep one", services[index]));
    }
    for (list, principals) in [("producers", producers), ("consumers", consumers)] {
        let at = place.field(list);
        for (index, principal) in principals.iter().enumerate() {
            if let Some(problem) = principal_problem(principal) {
                at.item(index).error(report, problem);
            }
        }
    }
}

/// What a rule may say of AWS-managed keys (`alias/aws/…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AwsManaged {
    /// The one of this service.
    Of(&'static str),
    /// None, because …
    Refused(&'static str),
}

/// Judges a reference to a key.
pub(super) fn judge_reference(report: &mut Report<'_>, place: &Place<'_>, reference: &str, managed: AwsManaged) {
    match alias_of(reference) {
        Ok(alias) => {
            if let Some(problem) = alias.and_then(|alias| managed_problem(alias, managed)) {
                place.error(report, problem);
            }
        }
        Err(problem) => {
            let suggestion = Some(format!("alias/{reference}")).filter(|better| is_alias(better) && !looks_like_key_id(reference));
            place.misspelt(report, problem, suggestion);
        }
    }
}

/// The alias that a well-formed reference names, if it names one.
fn alias_of(reference: &str) -> Result<Option<&str>, String> {
    let example = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    if reference.starts_with("alias/") {
        return if is_alias(reference) {
            Ok(Some(reference))
        } else {
            Err(format!("`{reference}` is not an alias: after `alias/` come letters, digits, `/`, `_` or `-`"))
        };
    }
    if looks_like_key_id(reference) {
        return Err(format!("a key's id alone does not say in which account and region it is; write its ARN ({example}) or an alias"));
    }
    let Ok(arn) = Arn::parse(reference) else {
        return Err(format!("`{reference}` is no key: write an alias (`alias/finance`) or a key's ARN ({example})"));
    };
    let problem = if arn.service() != "kms" {
        format!("this ARN names something of {}, not a KMS key", arn.service())
    } else if !is_region(arn.region()) {
        format!("`{}` in this ARN is not a region's name", arn.region())
    } else if !is_account(arn.account()) {
        format!("`{}` in this ARN is not an account id of twelve digits", arn.account())
    } else {
        let id = arn.resource().strip_prefix("key/");
        if id.is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')) {
            return Ok(None);
        }
        if is_alias(arn.resource()) {
            return Ok(reference.find("alias/").map(|start| &reference[start..]));
        }
        format!("`{}` is no key: an ARN of a key ends with `key/` and its id, or with `alias/` and a name", arn.resource())
    };
    Err(format!("{problem}; write one like {example}"))
}

fn managed_problem(alias: &str, managed: AwsManaged) -> Option<String> {
    let owner = alias.strip_prefix("alias/aws/")?;
    match managed {
        AwsManaged::Refused(reason) => {
            Some(format!("{alias} is an AWS-managed key, whose document nobody can edit: {reason}; name a customer managed key"))
        }
        AwsManaged::Of(service) if owner == service => None,
        AwsManaged::Of(service) => {
            Some(format!("{alias} works only through the service that owns it; write alias/aws/{service} or a customer managed key"))
        }
    }
}

fn looks_like_key_id(text: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = text.split('-').collect();
    let uuid = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| hex(part));
    uuid || text.strip_prefix("mrk-").is_some_and(|id| id.len() == 32 && hex(id))
}
