//! `CloudWatch`: the four KMS counters of delivery streams. Databases' connections and alarms are asked for by RDS's folder.

mod convert;
pub mod operations;
#[cfg(test)]
mod tests;

use convert::{Answers, Batch};
use everseal_controller::KmsErrorPoint;
use everseal_planner::Unreadable;

use crate::call::ScopeContext;
use crate::error::AwsError;

/// See [`everseal_controller::Account::kms_error_points`]. One result that is not complete makes the
/// whole answer unreadable: the caller's watermark must not move past data that nobody has seen.
pub async fn kms_error_points(ctx: &ScopeContext, streams: &[String], from: i64, to: i64) -> Result<Vec<KmsErrorPoint>, Unreadable> {
    let mut points = Vec::new();
    for batch in convert::batches(streams, from, to) {
        points.extend(ask(ctx, &batch).await?);
    }
    Ok(points)
}

async fn ask(ctx: &ScopeContext, batch: &Batch<'_>) -> Result<Vec<KmsErrorPoint>, Unreadable> {
    let (start, end) = convert::window(&batch.window);
    let mut answers = Answers::new(batch.streams);
    let mut token: Option<String> = None;
    loop {
        let request = ctx
            .cloudwatch()
            .get_metric_data()
            .set_metric_data_queries(Some(convert::queries(batch.streams)))
            .start_time(start)
            .end_time(end)
            .set_next_token(token.clone());
        let page = ctx.call(&operations::GET_METRIC_DATA, request.send()).await?;
        answers.page(page.metric_data_results(), page.messages());
        if page.next_token.is_none() {
            return answers.finish();
        }
        if page.next_token == token {
            return Err(AwsError::incomplete(&operations::GET_METRIC_DATA, "a new page token").into());
        }
        token = page.next_token;
    }
}
