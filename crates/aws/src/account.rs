//! One account × region as the controller sees it: observes all services at once, and hands each
//! change to the service that makes it.
//!
//! An observation never fails as a whole. Buckets are listed once per account and pass, whichever of
//! its scopes comes first, and each bucket is worked in its own region's scope.

pub(crate) mod keys;
pub(crate) mod once;

use std::collections::BTreeSet;
use std::sync::Arc;

use everseal_controller::{Account, ApplyError, KmsErrorPoint};
use everseal_planner::inventory::{Distribution, ErrorClass, PathFacts};
use everseal_planner::plan::{Change, Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Scope, Service, Unreadable};
use zeroize::Zeroizing;

use self::once::OncePerPass;
use crate::call::ScopeContext;
use crate::error::reading;
use crate::s3::BucketListing;
use crate::{cloudfront, cloudwatch, events, firehose, iam, kinesis, kms, rds, s3, secretsmanager, sns, sqs, tags};

/// What the scopes of one account share.
#[derive(Debug, Default)]
pub(crate) struct AccountShared {
    pub(crate) buckets: BucketListing,
    pub(crate) distributions: OncePerPass<Reading<Vec<Distribution>>>,
    pub(crate) roles: OncePerPass<Reading<iam::Roles>>,
}

/// One account × region.
#[derive(Debug)]
pub struct AwsAccount {
    ctx: ScopeContext,
    shared: Arc<AccountShared>,
}

impl AwsAccount {
    pub(crate) const fn new(ctx: ScopeContext, shared: Arc<AccountShared>) -> Self {
        Self { ctx, shared }
    }

    /// The text of a secret of this account, by name or ARN: the login of a monitoring user.
    pub async fn secret(&self, id: &str) -> Result<Zeroizing<String>, Unreadable> {
        secretsmanager::secret(&self.ctx, id).await.map_err(Unreadable::from)
    }

    /// What lies beside the resources: everything where paths are asked for, else the roles that steps hang on. A partial
    /// observation lists nothing: what it does not read stays as it was.
    async fn path_facts(&self, target: &Target, reads: &Reads) -> PathFacts {
        let (ctx, region) = (&self.ctx, self.ctx.scope().region.as_str());
        match target {
            Target::Everything if reads.path_facts => {
                let (event_rules, distributions, channels, roles) = futures::join!(
                    events::rules(ctx),
                    self.shared.distributions.take(region, async { reading(cloudfront::distributions(ctx).await) }),
                    kinesis::channels(ctx),
                    self.shared.roles.take(region, async { reading(iam::all(ctx).await) }),
                );
                PathFacts {
                    event_rules: reading(event_rules),
                    distributions: Reading::clone(&distributions),
                    channels: reading(channels),
                    all_roles: roles.known().is_some(),
                    unlisted_roles: refusal(&roles),
                    roles: Reading::clone(&roles),
                }
            }
            Target::Resources(arns) if reads.gate_facts || reads.path_facts => self.roles_among(arns).await,
            Target::Everything | Target::Resources(_) => PathFacts::default(),
        }
    }

    /// The account's root stands for all its roles. Where their listing is refused, the roles that steps hang on are read by
    /// name as if nobody had asked for all, and why stands beside them.
    async fn roles_among(&self, targets: &BTreeSet<Arn>) -> PathFacts {
        let (ctx, account) = (&self.ctx, self.ctx.scope().account.as_str());
        let mut unlisted_roles = None;
        let is_root = |arn: &Arn| arn.service() == "iam" && arn.account() == account && arn.resource() == "root";
        if targets.iter().any(is_root) {
            let all = self.shared.roles.take(&ctx.scope().region, async { reading(iam::all(ctx).await) }).await;
            if all.known().is_some() {
                return PathFacts { all_roles: true, roles: Reading::clone(&all), ..PathFacts::default() };
            }
            unlisted_roles = refusal(&all);
        }
        PathFacts { roles: iam::named(ctx, &self.shared.roles, targets).await, unlisted_roles, ..PathFacts::default() }
    }

    /// All services but KMS, at the same time.
    async fn observe_services(&self, target: &Target, reads: &Reads) -> Inventory {
        let ctx = &self.ctx;
        let wants = |service: Service| reads.services.contains(&service) && targets(target, service);
        let (buckets, queues, topics, delivery, data, databases, tags, path_facts) = futures::join!(
            when(wants(Service::S3), s3::observe(ctx, &self.shared.buckets, target, reads)),
            when(wants(Service::Sqs), sqs::observe(ctx, target, reads)),
            when(wants(Service::Sns), sns::observe(ctx, target, reads)),
            when(wants(Service::Firehose), firehose::observe(ctx, target, reads)),
            when(wants(Service::Kinesis), kinesis::observe(ctx, target, reads)),
            when(wants(Service::Rds), rds::observe(ctx, target, reads)),
            tags::observe(ctx, target, reads),
            self.path_facts(target, reads),
        );
        let mut inventory = ctx.part();
        for part in [buckets, queues, topics, delivery, data, databases].into_iter().flatten() {
            join(&mut inventory, part);
        }
        tags::assign(&mut inventory, &tags, reads);
        inventory.path_facts = path_facts;
        inventory
    }
}

/// Why AWS did not tell.
fn refusal<T>(reading: &Reading<T>) -> Option<Unreadable> {
    match reading {
        Reading::Unreadable { unreadable } => Some(unreadable.clone()),
        Reading::Known(_) | Reading::NotRead => None,
    }
}

impl Account for AwsAccount {
    fn scope(&self) -> &Scope {
        self.ctx.scope()
    }

    async fn observe(&self, target: &Target, reads: &Reads) -> Inventory {
        // Whoever observes holds this future in its own: it stays small for them.
        let mut inventory = Box::pin(self.observe_services(target, reads)).await;
        if reads.services.contains(&Service::Kms) {
            let mut references = keys::references(&inventory);
            references.extend(kms_targets(target));
            Box::pin(kms::observe(&self.ctx, target, reads, &references, &mut inventory)).await;
        }
        inventory
    }

    async fn apply(&self, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
        let ctx = &self.ctx;
        match change {
            Change::BucketEncryption { .. } | Change::BucketDocument { .. } => s3::apply(ctx, resource, change).await,
            Change::QueueEncryption { .. } | Change::QueueDocument { .. } => sqs::apply(ctx, resource, change).await,
            Change::TopicEncryption { .. } | Change::TopicDocument { .. } => sns::apply(ctx, resource, change).await,
            Change::DeliveryStreamEncryption { .. } | Change::DeliveryDestinationEncryption { .. } => {
                firehose::apply(ctx, resource, change).await
            }
            Change::DataStreamEncryption { .. } => kinesis::apply(ctx, resource, change).await,
            Change::CreateParameterGroup { .. }
            | Change::ParameterGroup { .. }
            | Change::AttachParameterGroup { .. }
            | Change::CaCertificate { .. }
            | Change::RebootDatabase { .. }
            | Change::ProxyTls { .. }
            | Change::Migration(_) => rds::apply(ctx, resource, change).await,
            Change::CreateKey { .. }
            | Change::CreateAlias { .. }
            | Change::ReplicateKey { .. }
            | Change::KeyDocument { .. }
            | Change::EnableKey {}
            | Change::CancelKeyDeletion {}
            | Change::KeyRotation { .. } => kms::apply(ctx, resource, change).await,
        }
    }

    async fn kms_error_points(&self, streams: &[String], from: i64, to: i64) -> Result<Vec<KmsErrorPoint>, Unreadable> {
        cloudwatch::kms_error_points(&self.ctx, streams, from, to).await
    }
}

async fn when<T>(wanted: bool, work: impl Future<Output = T>) -> Option<T> {
    if wanted { Some(Box::pin(work).await) } else { None }
}

/// A partial observation asks only the services that its targets belong to.
fn targets(target: &Target, service: Service) -> bool {
    match target {
        Target::Everything => true,
        Target::Resources(arns) => arns.iter().any(|arn| arn.service() == service.id()),
    }
}

fn kms_targets(target: &Target) -> BTreeSet<String> {
    match target {
        Target::Everything => BTreeSet::new(),
        Target::Resources(arns) => arns.iter().filter(|arn| arn.service() == "kms").map(ToString::to_string).collect(),
    }
}

/// Adds what one service saw; parts are disjoint.
fn join(into: &mut Inventory, mut part: Inventory) {
    into.unlisted.append(&mut part.unlisted);
    into.absorb(part, &BTreeSet::new());
}

/// A change that came to the wrong service: a defect of ours, reported like any other failure.
pub(crate) fn misrouted(resource: &Arn, change: &Change) -> ApplyError {
    ApplyError {
        class: ErrorClass::Invalid,
        operation: change.action().to_owned(),
        code: "Misrouted".to_owned(),
        message: format!("{} is not a change that the adapter of {resource} makes", change.action()),
        missing_action: None,
    }
}

/// The executor defers such a step to a fresh plan; should it come all the same, nothing is written.
pub(crate) fn key_not_there(change: &Change, alias: &str) -> ApplyError {
    ApplyError {
        class: ErrorClass::Conflict,
        operation: change.action().to_owned(),
        code: "KeyNotCreated".to_owned(),
        message: format!("the key `{alias}` does not exist yet"),
        missing_action: None,
    }
}
