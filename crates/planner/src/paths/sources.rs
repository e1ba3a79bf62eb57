//! From one Allow statement to the key users behind it: which principals, with which request context.

use std::collections::{BTreeMap, BTreeSet};

use super::grants::Grant;
use crate::document::{Principal, PrincipalPattern};
use crate::plan::keys::KeyUser;
use crate::plan::step::{Block, Gate};
use crate::{Arn, Inventory};

/// A resource whose users are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used<'a> {
    pub(crate) arn: &'a Arn,
    /// `queue`, `topic` or `bucket`.
    pub(crate) kind: &'static str,
    /// Where it was observed.
    pub(crate) inventory: &'a Inventory,
}

/// What an action on the resource needs of its key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    /// For example `sqs:SendMessage`.
    pub(crate) action: &'static str,
    /// KMS actions of a role or user.
    pub(crate) needs: &'static [&'static str],
    /// For reasons: `sends to`.
    pub(crate) verb: &'static str,
}

impl Used<'_> {
    /// For reasons: `queue orders`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.kind, self.arn.name())
    }

    /// What KMS sees when a role or user reaches the key through the resource's service. [KMS: kms:ViaService, kms:CallerAccount]
    pub(crate) fn forwarded(&self, principal: &str) -> BTreeMap<String, Vec<String>> {
        let mut context = BTreeMap::from([(
            "kms:viaservice".to_owned(),
            vec![format!("{}.{}.amazonaws.com", self.arn.service(), self.inventory.scope.region)],
        )]);
        if let Ok(arn) = Arn::parse(principal) {
            context.insert("kms:calleraccount".to_owned(), vec![arn.account().to_owned()]);
        }
        if self.arn.service() == "sqs" {
            context.insert("kms:encryptioncontext:aws:sqs:arn".to_owned(), vec![self.arn.to_string()]);
        }
        context
    }

    /// `EventBridge` sends neither source key to an encrypted topic's key: a statement that asks for one shuts it out.
    /// [SNS: Managing keys and costs, EventBridge]
    fn hides_its_source(&self, service: &str) -> bool {
        service == "events.amazonaws.com" && self.kind == "topic"
    }

    pub(crate) fn user(&self, principal: Principal, needed: &Use, mut context: BTreeMap<String, Vec<String>>) -> KeyUser {
        // KMS is served over TLS alone: a statement that denies plain HTTP never meets these requests.
        context.insert("aws:securetransport".to_owned(), vec!["true".to_owned()]);
        let (name, actions) = match &principal {
            Principal::Aws(name) => (name, needed.needs.to_vec()),
            Principal::Service(name) => (name, service_needs(name, needed)),
        };
        let on_behalf = context.get("aws:sourcearn").map(|arns| format!(" for {}", arns.join(", "))).unwrap_or_default();
        let role = format!("{name} ({} {}{on_behalf})", needed.verb, self.name());
        let sends_no_source = matches!(&principal, Principal::Service(service) if self.hides_its_source(service));
        KeyUser { principal, actions, context, sends_no_source, role }
    }
}

/// Services that write under a bucket's default key are documented with less or more than a role needs.
/// [Configuring S3 Inventory; `CloudTrail`: Configure KMS key policies; AWS Config: permissions for the KMS key; OAC with SSE-KMS]
fn service_needs(service: &str, needed: &Use) -> Vec<&'static str> {
    match (needed.action, service) {
        ("s3:PutObject", "config.amazonaws.com") => vec!["kms:GenerateDataKey", "kms:Decrypt"],
        ("s3:PutObject", _) => vec!["kms:GenerateDataKey"],
        _ => needed.needs.to_vec(),
    }
}

/// The users behind one statement for one action. `Err`: the statement lets in somebody whom nobody can name.
pub(crate) fn users_behind(used: &Used<'_>, grant: &Grant<'_>, needed: &Use) -> Result<Vec<KeyUser>, Block> {
    let mut users = Vec::new();
    for principal in grant.principals() {
        match principal {
            PrincipalPattern::Aws(name) if is_origin_access_identity(name) => return Err(origin_access_identity(used)),
            PrincipalPattern::Service(service) => users.extend(of_service(used, grant, needed, service)),
            PrincipalPattern::Account(name) | PrincipalPattern::Aws(name) => users.extend(of_account(used, needed, name)),
            PrincipalPattern::Everyone => users.extend(of_everybody(used, grant, needed)?),
            PrincipalPattern::Federated(name) | PrincipalPattern::CanonicalUser(name) => {
                return Err(unnamed(used, needed, &format!("`{name}`, which no key document can name")));
            }
        }
    }
    Ok(users)
}

/// The own account's root is delegation to IAM, not a user; the raw id of a deleted principal is nobody.
fn of_account(used: &Used<'_>, needed: &Use, name: &str) -> Option<KeyUser> {
    let is_account = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit());
    let arn = if is_account { format!("arn:{}:iam::{name}:root", used.inventory.scope.partition) } else { name.to_owned() };
    let parsed = Arn::parse(&arn).ok()?;
    let delegates = parsed.resource() == "root" && parsed.account() == used.inventory.scope.account;
    (!delegates).then(|| used.user(Principal::Aws(arn.clone()), needed, used.forwarded(&arn)))
}

fn of_service(used: &Used<'_>, grant: &Grant<'_>, needed: &Use, service: &str) -> Vec<KeyUser> {
    acting_for(used, needed, service, (&sources(&grant.demands("aws:sourcearn")), &exact(&grant.demands("aws:sourceaccount"))))
}

/// One user for each source that a statement names, else for each account, else one of which nothing more is known.
fn acting_for(used: &Used<'_>, needed: &Use, service: &str, (sources, accounts): (&[String], &[String])) -> Vec<KeyUser> {
    let with = |context| used.user(Principal::Service(service.to_owned()), needed, context);
    if used.hides_its_source(service) {
        return vec![with(BTreeMap::new())];
    }
    if !sources.is_empty() {
        return sources.iter().map(|source| with(source_context(used, source, accounts, service))).collect();
    }
    if accounts.is_empty() {
        return vec![with(BTreeMap::new())];
    }
    accounts.iter().map(|account| with(BTreeMap::from([("aws:sourceaccount".to_owned(), vec![account.clone()])]))).collect()
}

/// What a service sends when it acts for `source`.
fn source_context(used: &Used<'_>, source: &str, accounts: &[String], service: &str) -> BTreeMap<String, Vec<String>> {
    let mut context = BTreeMap::from([("aws:sourcearn".to_owned(), vec![source.to_owned()])]);
    if let Some(owner) = owner_of(used, source, accounts) {
        context.insert("aws:sourceaccount".to_owned(), vec![owner]);
    }
    if service == "cloudtrail.amazonaws.com" {
        context.insert("kms:encryptioncontext:aws:cloudtrail:arn".to_owned(), vec![source.to_owned()]);
    }
    context
}

/// The account of a source: in its ARN, or, for buckets, known because the bucket is in the inventory or the statement says so.
fn owner_of(used: &Used<'_>, source: &str, accounts: &[String]) -> Option<String> {
    let arn = Arn::parse(source).ok()?;
    if !arn.account().is_empty() && !has_wildcard(arn.account()) {
        Some(arn.account().to_owned())
    } else if used.inventory.buckets.contains_key(&arn) {
        Some(used.inventory.scope.account.clone())
    } else if let [account] = accounts {
        Some(account.clone())
    } else {
        None
    }
}

/// Values that stand for exactly one thing.
fn exact(values: &[&str]) -> Vec<String> {
    values.iter().filter(|value| !has_wildcard(value)).map(|value| (*value).to_owned()).collect()
}

/// Sources as a key's document sees them. A pattern stays a pattern: only a statement that is as general lets all of it
/// in. The pattern `arn:aws:s3:*:*:name` of AWS's own examples names one bucket, whose ARN has neither region nor account.
fn sources(values: &[&str]) -> Vec<String> {
    let one = |value: &&str| match Arn::parse(value) {
        Ok(_) if value.contains('$') => None,
        Ok(arn) if arn.service() == "s3" => Some(Arn::new(arn.partition(), "s3", "", "", arn.resource()).to_string()),
        Ok(arn) => Some(arn.to_string()),
        Err(_) => None,
    };
    values.iter().filter_map(one).collect()
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '$'])
}

/// `*` is narrowed by its conditions, or nobody knows whom it lets in.
fn of_everybody(used: &Used<'_>, grant: &Grant<'_>, needed: &Use) -> Result<Vec<KeyUser>, Block> {
    let named = |key: &str| Some(grant.demands(key)).filter(|values| !values.is_empty() && exact(values).len() == values.len());
    let principals = ["aws:sourceowner", "aws:principalaccount", "aws:principalarn"].into_iter().find_map(named);
    if let Some(principals) = principals {
        return Ok(principals.into_iter().filter_map(|principal| of_account(used, needed, principal)).collect());
    }
    let named_sources = grant.demands("aws:sourcearn");
    let services: Option<BTreeSet<_>> = named_sources.iter().map(|source| service_of_source(source)).collect();
    if let Some(services) = services.filter(|services| !services.is_empty()) {
        let accounts = exact(&grant.demands("aws:sourceaccount"));
        let users = services.into_iter().flat_map(|service| {
            let own: Vec<_> = named_sources.iter().filter(|source| service_of_source(source) == Some(service)).copied().collect();
            acting_for(used, needed, service, (&sources(&own), &accounts))
        });
        return Ok(users.collect());
    }
    let keys = grant.condition_keys();
    let whom = if keys.is_empty() {
        "everybody (`*`)".to_owned()
    } else {
        format!("everybody (`*`) who meets a condition on {}", keys.join(" and "))
    };
    Err(unnamed(used, needed, &whom))
}

/// The service that acts for a source, where the namespace of its ARN says so.
fn service_of_source(source: &str) -> Option<&'static str> {
    match source.split(':').nth(2)? {
        "s3" => Some("s3.amazonaws.com"),
        "sns" => Some("sns.amazonaws.com"),
        "events" => Some("events.amazonaws.com"),
        "cloudwatch" => Some("cloudwatch.amazonaws.com"),
        _ => None,
    }
}

fn is_origin_access_identity(name: &str) -> bool {
    Arn::parse(name).is_ok_and(|arn| arn.service() == "iam" && arn.account() == "cloudfront")
}

fn origin_access_identity(used: &Used<'_>) -> Block {
    Block {
        name: Gate::KeyUse,
        reason: format!(
            "A CloudFront origin access identity reads from {}, and it can't read objects under a KMS key. Move the distribution to origin access control (OAC) first.",
            used.name()
        ),
    }
}

fn unnamed(used: &Used<'_>, needed: &Use, whom: &str) -> Block {
    Block {
        name: Gate::KeyUse,
        reason: format!(
            "The document of {} allows {} to {whom}, so nobody can tell who would have to be let use the key. Name the principals in that statement, or make the change by hand.",
            used.name(),
            needed.action
        ),
    }
}
