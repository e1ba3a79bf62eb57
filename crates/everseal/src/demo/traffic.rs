//! The pipeline in use: ingest writes, settlement reads, and somebody counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use everseal_sim::{ApiError, Sim, User, World};
use http::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::estate::{ALERTS, Estate, STATEMENTS, STREAM};

/// Somebody writes and reads this often.
const EVERY: Duration = Duration::from_millis(250);

/// Sessions of roles last an hour: new ones begin after so many ticks, half of that.
const SESSION_TICKS: u64 = 7_200;

/// The applications' credentials.
struct Sessions {
    ingest: User,
    settlement: User,
}

impl Sessions {
    fn begin(estate: &Estate, world: &mut World) -> Result<Self, ApiError> {
        Ok(Self { ingest: estate.session(world, "ingest")?, settlement: estate.session(world, "settlement")? })
    }
}

/// What has gone through.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Accepted from ingest.
    pub sent: u64,
    /// Refused to ingest.
    pub refused: u64,
    /// Received by settlement, by queue.
    pub received: BTreeMap<&'static str, u64>,
    /// Lost on the way for good.
    pub lost: u64,
}

impl Counts {
    /// Over all queues.
    pub fn delivered(&self) -> u64 {
        self.received.values().sum()
    }
}

/// The counts, shared.
#[derive(Debug, Clone, Default)]
pub struct Counted(Arc<Mutex<Counts>>);

impl Counted {
    /// As they are now.
    pub fn now(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Begins; ends with `stop`.
pub fn begin(sim: &Sim, estate: &Estate, stop: CancellationToken) -> Counted {
    let counted = Counted::default();
    let (sim, estate, counts) = (sim.clone(), estate.clone(), counted.clone());
    tokio::spawn(async move {
        let mut every = tokio::time::interval(EVERY);
        let mut number = 0_u64;
        let mut sessions: Option<Sessions> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = every.tick() => {}
            }
            number += 1;
            sim.with(|world| {
                if sessions.is_none() || number.is_multiple_of(SESSION_TICKS) {
                    sessions = Sessions::begin(&estate, world).ok();
                }
                let Some(Sessions { ingest, settlement }) = &sessions else { return };
                let mut counts = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
                produce((&estate, ingest), world, number, &mut counts);
                consume((&estate, settlement), world, &mut counts);
                counts.lost = world.tally.total().lost;
            });
        }
    });
    counted
}

fn produce((estate, ingest): (&Estate, &User), world: &mut World, number: u64, counts: &mut Counts) {
    let mut sent = |outcome: Result<(), ApiError>| match outcome {
        Ok(()) => counts.sent += 1,
        Err(_) => counts.refused += 1,
    };
    for stream in [STREAM, "finance-audit"] {
        let record = json!({ "DeliveryStreamName": stream, "Record": { "Data": STANDARD.encode(format!("trade {number}\n")) } });
        sent(ingest.json(world, "Firehose_20150804.PutRecord", &record).map(drop));
    }
    sent(ingest.query(world, "sns", "Publish", &[("TopicArn", ALERTS), ("Message", &format!("alert {number}"))]).map(drop));
    if let Some((_, url)) = estate.queues.iter().find(|(name, _)| *name == "finance-orders") {
        sent(ingest.json(world, "AmazonSQS.SendMessage", &json!({ "QueueUrl": url, "MessageBody": format!("order {number}") })).map(drop));
    }
    if number.is_multiple_of(8) {
        let path = format!("/{STATEMENTS}/statement-{}", number % 800);
        sent(ingest.s3(world, (Method::PUT, &path, ""), format!("statement {number}")).map(drop));
    }
}

fn consume((estate, settlement): (&Estate, &User), world: &mut World, counts: &mut Counts) {
    for (name, url) in &estate.queues {
        let ask = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
        let Ok(answer) = settlement.json(world, "AmazonSQS.ReceiveMessage", &ask) else { continue };
        for message in answer["Messages"].as_array().into_iter().flatten() {
            let done = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
            if settlement.json(world, "AmazonSQS.DeleteMessage", &done).is_ok() {
                *counts.received.entry(name).or_default() += 1;
            }
        }
    }
}
