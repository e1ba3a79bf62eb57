//! Tags through the Resource Groups Tagging API: 100 resources a page instead of one call each.

use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Service};
use futures::{StreamExt, TryStreamExt};

use crate::call::ScopeContext;
use crate::error::{AwsError, reading};
use crate::listing::{pages, targets_of};
use operations::GET_RESOURCES;

/// The API calls made here.
pub mod operations {
    use crate::operation::{Api, Need, Rate, operations};

    operations! { Api::Tagging;
        /// Tags of resources, of several services at once.
        GET_RESOURCES = "GetResources", ["tag:GetResources"], Need::Audit, Rate::Unpublished;
    }
}

/// Largest page and longest list of ARNs. [resourcegroupstagging:GetResources]
const PAGE: usize = 100;

type Tags = BTreeMap<String, String>;

/// Tags by ARN of the services in `reads.tags_of`; a resource that is not in it has none: the API
/// answers with every resource that has or ever had a tag.
pub(crate) async fn observe(ctx: &ScopeContext, target: &Target, reads: &Reads) -> Reading<BTreeMap<Arn, Tags>> {
    let services: BTreeSet<Service> = reads.tags_of.iter().copied().filter(|service| bears_tags(*service)).collect();
    let services: BTreeSet<Service> = services.intersection(&reads.services).copied().collect();
    match target {
        _ if services.is_empty() => Reading::NotRead,
        Target::Everything => reading(of_services(ctx, &services).await),
        Target::Resources(arns) => {
            let wanted: Vec<Arn> = services.iter().flat_map(|service| targets_of(arns, *service)).flatten().collect();
            if wanted.is_empty() { Reading::NotRead } else { reading(of_resources(ctx, &wanted).await) }
        }
    }
}

/// Tags of databases come with their description; keys are not matched by tags.
const fn bears_tags(service: Service) -> bool {
    match service {
        Service::S3 | Service::Sqs | Service::Sns | Service::Firehose | Service::Kinesis => true,
        Service::Rds | Service::Kms => false,
    }
}

/// The API's filters are the service and resource parts of ARNs.
const fn type_filter(service: Service) -> &'static str {
    match service {
        Service::Firehose => "firehose:deliverystream",
        Service::Kinesis => "kinesis:stream",
        Service::S3 | Service::Sqs | Service::Sns | Service::Rds | Service::Kms => service.id(),
    }
}

async fn of_services(ctx: &ScopeContext, services: &BTreeSet<Service>) -> Result<BTreeMap<Arn, Tags>, AwsError> {
    let filters: Vec<String> = services.iter().map(|service| type_filter(*service).to_owned()).collect();
    let listed = pages(|token| {
        let request = ctx.tagging().get_resources().set_resource_type_filters(Some(filters.clone()));
        let request = request.resources_per_page(i32::try_from(PAGE).unwrap_or(i32::MAX)).set_pagination_token(token);
        async {
            let page = ctx.call(&GET_RESOURCES, request.send()).await?;
            Ok((page.resource_tag_mapping_list.unwrap_or_default(), page.pagination_token))
        }
    });
    listed.map(|mapping| mapping.and_then(tagged)).try_collect().await
}

async fn of_resources(ctx: &ScopeContext, arns: &[Arn]) -> Result<BTreeMap<Arn, Tags>, AwsError> {
    let mut found = BTreeMap::new();
    for chunk in arns.chunks(PAGE) {
        let list = chunk.iter().map(ToString::to_string).collect();
        let answer = ctx.call(&GET_RESOURCES, ctx.tagging().get_resources().set_resource_arn_list(Some(list)).send()).await?;
        for mapping in answer.resource_tag_mapping_list.unwrap_or_default() {
            let (arn, tags) = tagged(mapping)?;
            found.insert(arn, tags);
        }
    }
    Ok(found)
}

fn tagged(mapping: aws_sdk_resourcegroupstagging::types::ResourceTagMapping) -> Result<(Arn, Tags), AwsError> {
    let arn =
        Arn::parse(&mapping.resource_arn.unwrap_or_default()).map_err(|_| AwsError::incomplete(&GET_RESOURCES, "a resource's ARN"))?;
    Ok((arn, mapping.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()))
}

/// Gives the resources of the services in `reads.tags_of` their tags.
pub(crate) fn assign(inventory: &mut Inventory, tags: &Reading<BTreeMap<Arn, Tags>>, reads: &Reads) {
    let of = |service: Service, arn: &Arn| {
        if !reads.tags_of.contains(&service) {
            return Reading::NotRead;
        }
        match tags {
            Reading::Known(tags) => Reading::Known(tags.get(arn).cloned().unwrap_or_default()),
            Reading::Unreadable { unreadable } => Reading::Unreadable { unreadable: unreadable.clone() },
            Reading::NotRead => Reading::NotRead,
        }
    };
    inventory.buckets.values_mut().for_each(|bucket| bucket.tags = of(Service::S3, &bucket.arn));
    inventory.queues.values_mut().for_each(|queue| queue.tags = of(Service::Sqs, &queue.arn));
    inventory.topics.values_mut().for_each(|topic| topic.tags = of(Service::Sns, &topic.arn));
    inventory.delivery_streams.values_mut().for_each(|stream| stream.tags = of(Service::Firehose, &stream.arn));
    inventory.data_streams.values_mut().for_each(|stream| stream.tags = of(Service::Kinesis, &stream.arn));
}
