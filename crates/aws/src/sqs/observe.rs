//! Reads queues into plain values.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use everseal_planner::inventory::{Queue, QueueAttributes};
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Service};
use futures::{StreamExt, stream};

use super::operations as ops;
use crate::call::ScopeContext;
use crate::error::{AwsError, reading};
use crate::listing::{pages, read_all, targets_of};
use crate::operation::Api;

/// Without a page size SQS stops at 1,000 queues and gives no token. [sqs:ListQueues]
const PAGE: i32 = 1000;

/// Queues of the scope. A queue that is gone is left out.
pub(crate) async fn observe(ctx: &ScopeContext, target: &Target, _: &Reads) -> Inventory {
    let mut part = ctx.part();
    let (queues, failed) = match target {
        Target::Everything => {
            let urls = pages(|token| async {
                let request = ctx.sqs().list_queues().max_results(PAGE).set_next_token(token);
                let page = ctx.call(&ops::LIST_QUEUES, request.send()).await?;
                Ok((page.queue_urls.unwrap_or_default(), page.next_token))
            });
            read_all(urls.boxed(), Api::Sqs.in_flight(), |url| listed(ctx, url)).await
        }
        Target::Resources(arns) => {
            let arns = targets_of(arns, Service::Sqs);
            read_all(stream::iter(arns), Api::Sqs.in_flight(), |arn| named(ctx, arn)).await
        }
    };
    if let Some(error) = failed {
        part.unlisted.insert(Service::Sqs, error.into());
    }
    part.queues = queues.into_iter().map(|queue| (queue.arn.clone(), queue)).collect();
    part
}

/// The listing names queues of the scope's own account: the ARN follows from the URL's last part.
async fn listed(ctx: &ScopeContext, url: String) -> Option<Queue> {
    let arn = ctx.scope().arn("sqs", url.rsplit('/').next().unwrap_or_default());
    queue(ctx, arn, url).await
}

async fn named(ctx: &ScopeContext, arn: Arn) -> Option<Queue> {
    let request = ctx.sqs().get_queue_url().queue_name(arn.name()).queue_owner_aws_account_id(arn.account());
    match ctx.call(&ops::GET_QUEUE_URL, request.send()).await {
        Ok(answer) => queue(ctx, arn, answer.queue_url.unwrap_or_default()).await,
        Err(error) if error.is_not_found() => None,
        Err(error) => {
            let attributes = Reading::Unreadable { unreadable: error.into() };
            Some(Queue { arn, url: String::new(), attributes, tags: Reading::NotRead })
        }
    }
}

async fn queue(ctx: &ScopeContext, arn: Arn, url: String) -> Option<Queue> {
    match attributes(ctx, &url).await {
        Err(error) if error.is_not_found() => None,
        Ok((told, attributes)) => {
            Some(Queue { arn: told.unwrap_or(arn), url, attributes: Reading::Known(attributes), tags: Reading::NotRead })
        }
        Err(error) => Some(Queue { arn, url, attributes: reading(Err(error)), tags: Reading::NotRead }),
    }
}

/// The attributes that matter, and the ARN as SQS itself tells it.
async fn attributes(ctx: &ScopeContext, url: &str) -> Result<(Option<Arn>, QueueAttributes), AwsError> {
    let names = vec![
        QueueAttributeName::KmsMasterKeyId,
        QueueAttributeName::KmsDataKeyReusePeriodSeconds,
        QueueAttributeName::SqsManagedSseEnabled,
        QueueAttributeName::Policy,
        QueueAttributeName::QueueArn,
        QueueAttributeName::RedrivePolicy,
    ];
    let request = ctx.sqs().get_queue_attributes().queue_url(url).set_attribute_names(Some(names));
    let mut told = ctx.call(&ops::GET_QUEUE_ATTRIBUTES, request.send()).await?.attributes.unwrap_or_default();
    let arn = take(&mut told, &QueueAttributeName::QueueArn).and_then(|arn| Arn::parse(&arn).ok());
    let attributes = QueueAttributes {
        kms_key: take(&mut told, &QueueAttributeName::KmsMasterKeyId),
        data_key_reuse_seconds: take(&mut told, &QueueAttributeName::KmsDataKeyReusePeriodSeconds).and_then(|text| text.parse().ok()),
        sqs_managed_sse: take(&mut told, &QueueAttributeName::SqsManagedSseEnabled).is_some_and(|text| text.eq_ignore_ascii_case("true")),
        document: take(&mut told, &QueueAttributeName::Policy),
        dead_letter_queue: take(&mut told, &QueueAttributeName::RedrivePolicy).and_then(|policy| dead_letter_queue(&policy)),
    };
    Ok((arn, attributes))
}

/// SQS leaves out what is not set; an empty value means the same.
fn take(told: &mut HashMap<QueueAttributeName, String>, name: &QueueAttributeName) -> Option<String> {
    told.remove(name).filter(|value| !value.is_empty())
}

fn dead_letter_queue(redrive_policy: &str) -> Option<Arn> {
    let policy: serde_json::Value = serde_json::from_str(redrive_policy).ok()?;
    Arn::parse(policy.get("deadLetterTargetArn")?.as_str()?).ok()
}
