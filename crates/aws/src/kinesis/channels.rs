//! Reads channels: delivery from a data stream straight to a bucket, for paths. Nothing is ever changed here.

use everseal_planner::inventory::Channel;
use futures::TryStreamExt;

use super::{convert, operations as ops};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::listing::pages;
use crate::operation::Api;

/// Codes of a server that has never heard of channels, which therefore has none.
/// [AWS JSON protocol: `UnknownOperationException`; Common Error Types: `InvalidAction`]
const UNHEARD_OF: [&str; 2] = ["UnknownOperationException", "InvalidAction"];

/// All of them or none: a part of the listing would hide a path. A channel that is deleted meanwhile is left out.
pub(crate) async fn channels(ctx: &ScopeContext) -> Result<Vec<Channel>, AwsError> {
    let arns = pages(|token| async {
        let page = ctx.call(&ops::LIST_CHANNELS, ctx.kinesis().list_channels().set_next_token(token).send()).await?;
        Ok((page.channel_summaries.into_iter().map(|channel| channel.channel_arn).collect(), page.next_token))
    });
    let described = arns.map_ok(|arn| describe(ctx, arn)).try_buffered(Api::Kinesis.in_flight());
    match described.try_concat().await {
        Err(error) if UNHEARD_OF.iter().any(|code| error.has_code(code)) => Ok(Vec::new()),
        channels => channels,
    }
}

async fn describe(ctx: &ScopeContext, arn: String) -> Result<Vec<Channel>, AwsError> {
    let described = match ctx.call(&ops::DESCRIBE_CHANNEL, ctx.kinesis().describe_channel().channel_arn(arn).send()).await {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        described => described?.channel_description,
    };
    described.and_then(convert::channels).ok_or_else(|| AwsError::incomplete(&ops::DESCRIBE_CHANNEL, "the channel's ARNs"))
}
