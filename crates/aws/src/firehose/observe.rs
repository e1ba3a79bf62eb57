//! Reads delivery streams: one paged listing of names, one description for each.

use everseal_planner::firehose::observed::{DeliveryStream, DeliveryStreamDescription};
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Service};
use futures::{StreamExt, stream};

use super::{convert, operations};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::Api;

/// Names of one page, the largest that AWS takes. [firehose:ListDeliveryStreams, 1 to 10,000, default 10]
const PAGE: i32 = 10_000;

/// Reads this service's resources into an inventory of their own; the account joins the parts.
/// A failed listing goes into `unlisted`; a target that is gone, or is another service's, is left out.
/// Tags are not read here (see [`crate::tags`]).
pub async fn observe(ctx: &ScopeContext, target: &Target, _reads: &Reads) -> Inventory {
    let mut part = ctx.part();
    let names = match target {
        Target::Everything => list(ctx).await,
        Target::Resources(arns) => {
            let ours = arns.iter().filter(|arn| arn.service() == "firehose" && arn.resource().starts_with("deliverystream/"));
            Ok(ours.map(|arn| arn.name().to_owned()).collect())
        }
    };
    let names = match names {
        Ok(names) => names,
        Err(error) => {
            part.unlisted.insert(Service::Firehose, error.into());
            return part;
        }
    };
    let read = stream::iter(names).map(|name| read(ctx, name)).buffer_unordered(Api::Firehose.in_flight());
    let streams: Vec<Option<DeliveryStream>> = read.collect().await;
    part.delivery_streams = streams.into_iter().flatten().map(|stream| (stream.arn.clone(), stream)).collect();
    part
}

async fn list(ctx: &ScopeContext) -> Result<Vec<String>, AwsError> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let request = ctx.firehose().list_delivery_streams().limit(PAGE).set_exclusive_start_delivery_stream_name(names.last().cloned());
        let page = ctx.call(&operations::LIST_DELIVERY_STREAMS, request.send()).await?;
        // A page that says "more" and brings nothing would be asked for for ever.
        let more = page.has_more_delivery_streams() && !page.delivery_stream_names().is_empty();
        names.extend(page.delivery_stream_names);
        if !more {
            return Ok(names);
        }
    }
}

/// `None`: the stream is gone.
async fn read(ctx: &ScopeContext, name: String) -> Option<DeliveryStream> {
    let arn = ctx.scope().arn("firehose", &format!("deliverystream/{name}"));
    let (arn, description) = match describe(ctx, &name).await {
        Ok((arn, description)) => (arn, Reading::Known(description)),
        Err(error) if error.is_not_found() => return None,
        Err(error) => (arn, Reading::Unreadable { unreadable: error.into() }),
    };
    Some(DeliveryStream { arn, name, description, tags: Reading::NotRead, kms_errors: Reading::NotRead })
}

async fn describe(ctx: &ScopeContext, name: &str) -> Result<(Arn, DeliveryStreamDescription), AwsError> {
    let operation = &operations::DESCRIBE_DELIVERY_STREAM;
    let described = raw_description(ctx, name).await?;
    let not_an_arn = |error: everseal_planner::arn::ArnError| AwsError::incomplete(operation, &format!("an ARN: {error}"));
    let arn = Arn::parse(described.delivery_stream_arn()).map_err(not_an_arn)?;
    Ok((arn, convert::description(&described).map_err(not_an_arn)?))
}

/// `DescribeDeliveryStream` as the SDK gives it.
pub(super) async fn raw_description(
    ctx: &ScopeContext,
    name: &str,
) -> Result<aws_sdk_firehose::types::DeliveryStreamDescription, AwsError> {
    let operation = &operations::DESCRIBE_DELIVERY_STREAM;
    let request = ctx.firehose().describe_delivery_stream().delivery_stream_name(name);
    let output = ctx.call(operation, request.send()).await?;
    output.delivery_stream_description.ok_or_else(|| AwsError::incomplete(operation, "the description"))
}
