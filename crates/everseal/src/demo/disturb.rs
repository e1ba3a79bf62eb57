//! `--chaos`: somebody undoes a setting now and then.

use std::time::Duration;

use everseal_sim::{ApiError, Sim, World};
use http::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::estate::{Estate, LANDING, STATEMENTS, STREAM};
use super::show::Show;

const EVERY: Duration = Duration::from_secs(20);

/// Undoes one setting after the other, until `stop`.
pub async fn now_and_then(sim: Sim, estate: Estate, show: Show, stop: CancellationToken) {
    for turn in 0.. {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let (what, outcome) = sim.with(|world| undo(turn, &estate, world));
        match outcome {
            Ok(()) => show.line(&format!("chaos: somebody {what}")),
            Err(error) => show.line(&format!("chaos: somebody {what}, and AWS refused it: {error}")),
        }
    }
}

fn undo(turn: usize, estate: &Estate, world: &mut World) -> (String, Result<(), ApiError>) {
    let admin = &estate.admin;
    let bucket = if turn.is_multiple_of(2) { LANDING } else { STATEMENTS };
    match turn % 4 {
        0 => {
            let done = admin.s3(world, (Method::DELETE, &format!("/{bucket}"), "encryption"), "").map(drop);
            (format!("reset the encryption of bucket {bucket}"), done)
        }
        1 => {
            let done = admin.s3(world, (Method::DELETE, &format!("/{bucket}"), "policy"), "").map(drop);
            (format!("deleted the policy of bucket {bucket}"), done)
        }
        2 => {
            let url = estate.queues.iter().find(|(name, _)| *name == "finance-orders").map(|(_, url)| url.as_str());
            let ask = json!({ "QueueUrl": url, "Attributes": { "SqsManagedSseEnabled": "true", "KmsMasterKeyId": "" } });
            let done = admin.json(world, "AmazonSQS.SetQueueAttributes", &ask).map(drop);
            ("moved queue finance-orders back to SSE-SQS".to_owned(), done)
        }
        _ => {
            let done =
                admin.json(world, "Firehose_20150804.StopDeliveryStreamEncryption", &json!({ "DeliveryStreamName": STREAM })).map(drop);
            (format!("stopped the encryption of delivery stream {STREAM}"), done)
        }
    }
}
