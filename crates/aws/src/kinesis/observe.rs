//! Reads data streams: one paged listing, one summary for each (the listing does not carry the key).

use aws_sdk_kinesis::types::StreamSummary;
use everseal_planner::kinesis::observed::DataStream;
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Service};
use futures::{StreamExt, stream};

use super::{convert, operations};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::Api;

/// Streams of one page, the largest that AWS gives. [kinesis:ListStreams]
const PAGE: i32 = 100;

/// Reads this service's resources into an inventory of their own; the account joins the parts.
/// A failed listing goes into `unlisted`; a target that is gone, or is another service's, is left out.
/// Tags are not read here (see [`crate::tags`]).
pub async fn observe(ctx: &ScopeContext, target: &Target, _reads: &Reads) -> Inventory {
    let mut part = ctx.part();
    let arns = match target {
        Target::Everything => list(ctx).await,
        Target::Resources(arns) => {
            let ours = arns.iter().filter(|arn| arn.service() == "kinesis" && is_stream(arn));
            Ok(ours.cloned().collect())
        }
    };
    let arns = match arns {
        Ok(arns) => arns,
        Err(error) => {
            part.unlisted.insert(Service::Kinesis, error.into());
            return part;
        }
    };
    let read = stream::iter(arns).map(|arn| read(ctx, arn)).buffer_unordered(Api::Kinesis.in_flight());
    let streams: Vec<Option<DataStream>> = read.collect().await;
    part.data_streams = streams.into_iter().flatten().map(|stream| (stream.arn.clone(), stream)).collect();
    part
}

/// A consumer's ARN (`stream/name/consumer/…`) is not a stream's.
fn is_stream(arn: &Arn) -> bool {
    arn.resource().strip_prefix("stream/").is_some_and(|name| !name.contains('/'))
}

async fn list(ctx: &ScopeContext) -> Result<Vec<Arn>, AwsError> {
    let mut arns: Vec<Arn> = Vec::new();
    let (mut token, mut last_name) = (None, None);
    loop {
        let request = ctx.kinesis().list_streams().limit(PAGE).set_next_token(token).set_exclusive_start_stream_name(last_name);
        let page = ctx.call(&operations::LIST_STREAMS, request.send()).await?;
        let name = page.stream_names().last().cloned();
        match page.stream_summaries() {
            [] => arns.extend(page.stream_names().iter().map(|name| ctx.scope().arn("kinesis", &format!("stream/{name}")))),
            summaries => arns.extend(summaries.iter().map(|summary| arn_of(ctx, summary))),
        }
        if !page.has_more_streams() || name.is_none() {
            return Ok(arns);
        }
        // The token is the younger way to go on; where there is none, the name of the last stream is.
        (token, last_name) = match page.next_token {
            Some(token) => (Some(token), None),
            None => (None, name),
        };
    }
}

fn arn_of(ctx: &ScopeContext, summary: &StreamSummary) -> Arn {
    Arn::parse(summary.stream_arn()).unwrap_or_else(|_| ctx.scope().arn("kinesis", &format!("stream/{}", summary.stream_name())))
}

/// `None`: the stream is gone.
async fn read(ctx: &ScopeContext, arn: Arn) -> Option<DataStream> {
    let operation = &operations::DESCRIBE_STREAM_SUMMARY;
    let request = ctx.kinesis().describe_stream_summary().stream_arn(arn.as_str());
    let summary = match ctx.call(operation, request.send()).await {
        Ok(output) => match output.stream_description_summary() {
            Some(summary) => Reading::Known(convert::summary(summary)),
            None => Reading::Unreadable { unreadable: AwsError::incomplete(operation, "the summary").into() },
        },
        Err(error) if error.is_not_found() => return None,
        Err(error) => Reading::Unreadable { unreadable: error.into() },
    };
    Some(DataStream { name: arn.name().to_owned(), arn, summary, tags: Reading::NotRead })
}
