//! Reads topics and subscriptions into plain values.

use everseal_planner::inventory::{Subscription, Topic, TopicAttributes};
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Service};
use futures::{StreamExt, TryStreamExt, stream};

use super::operations as ops;
use crate::call::ScopeContext;
use crate::error::{AwsError, reading};
use crate::listing::{pages, read_all, targets_of};
use crate::operation::Api;

/// Topics of the scope, and its subscriptions where they are asked for. A topic that is gone is left
/// out. A partial observation does not list subscriptions: what it does not read stays as it was.
pub(crate) async fn observe(ctx: &ScopeContext, target: &Target, reads: &Reads) -> Inventory {
    let mut part = ctx.part();
    let (topics, failed) = match target {
        Target::Everything => {
            let listing = async {
                let arns = pages(|token| async {
                    let page = ctx.call(&ops::LIST_TOPICS, ctx.sns().list_topics().set_next_token(token).send()).await?;
                    let topics = page.topics.unwrap_or_default().into_iter().filter_map(|topic| topic.topic_arn);
                    Ok((topics.collect(), page.next_token))
                });
                let arns = arns.map(|arn| arn.and_then(|arn| parsed(&arn)));
                read_all(arns.boxed(), Api::Sns.in_flight(), |arn| topic(ctx, arn)).await
            };
            let (listed, subscriptions) =
                futures::join!(listing, async { if reads.subscriptions { reading(subscriptions(ctx).await) } else { Reading::NotRead } });
            part.subscriptions = subscriptions;
            listed
        }
        Target::Resources(arns) => {
            let arns = targets_of(arns, Service::Sns);
            read_all(stream::iter(arns), Api::Sns.in_flight(), |arn| topic(ctx, arn)).await
        }
    };
    if let Some(error) = failed {
        part.unlisted.insert(Service::Sns, error.into());
    }
    part.topics = topics.into_iter().map(|topic| (topic.arn.clone(), topic)).collect();
    part
}

fn parsed(arn: &str) -> Result<Arn, AwsError> {
    Arn::parse(arn).map_err(|_| AwsError::incomplete(&ops::LIST_TOPICS, "a topic's ARN"))
}

async fn topic(ctx: &ScopeContext, arn: Arn) -> Option<Topic> {
    let request = ctx.sns().get_topic_attributes().topic_arn(arn.as_str());
    let attributes = match ctx.call(&ops::GET_TOPIC_ATTRIBUTES, request.send()).await {
        Err(error) if error.is_not_found() => return None,
        Err(error) => Err(error),
        Ok(answer) => {
            let mut told = answer.attributes.unwrap_or_default();
            let mut take = |name: &str| told.remove(name).filter(|value| !value.is_empty());
            Ok(TopicAttributes { kms_key: take("KmsMasterKeyId"), document: take("Policy") })
        }
    };
    Some(Topic { arn, attributes: reading(attributes), tags: Reading::NotRead })
}

/// All of them or none: a part of the listing would hide subscriptions.
async fn subscriptions(ctx: &ScopeContext) -> Result<Vec<Subscription>, AwsError> {
    let listed = pages(|token| async {
        let page = ctx.call(&ops::LIST_SUBSCRIPTIONS, ctx.sns().list_subscriptions().set_next_token(token).send()).await?;
        Ok((page.subscriptions.unwrap_or_default(), page.next_token))
    });
    let read = listed.map(|listed| {
        let listed = listed?;
        let missing = |_| AwsError::incomplete(&ops::LIST_SUBSCRIPTIONS, "a subscription's topic");
        Ok(Subscription {
            id: listed.subscription_arn.unwrap_or_default(),
            topic: Arn::parse(&listed.topic_arn.unwrap_or_default()).map_err(missing)?,
            protocol: listed.protocol.unwrap_or_default(),
            endpoint: listed.endpoint.unwrap_or_default(),
        })
    });
    read.try_collect().await
}
