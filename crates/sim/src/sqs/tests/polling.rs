use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::*;
use crate::http::Call;
use crate::world::Outcome;
use crate::{Clock, Moment, Settings, Sim};

/// A hundred times faster than the clock on the wall.
fn sim() -> Sim {
    let sim = Sim::new(Settings::default(), Clock::starting_at(Moment(1_800_000_000_000)).faster(100));
    sim.with(|world| world.create_queue(ACCOUNT, REGION, "orders"));
    sim
}

async fn receive(sim: &Sim, seconds: u32) -> Vec<String> {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", "AmazonSQS.ReceiveMessage".parse().unwrap());
    headers.insert("content-type", "application/x-amz-json-1.0".parse().unwrap());
    headers.insert("authorization", format!("AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261124/{REGION}/sqs/aws4_request").parse().unwrap());
    let body = json!({ "QueueUrl": url("orders"), "WaitTimeSeconds": seconds, "VisibilityTimeout": 5 }).to_string();
    let call = Call { method: Method::POST, path: "/".to_owned(), query: String::new(), headers, body: Bytes::from(body), secure: true };
    let Outcome::Answer(reply, _) = sim.answer(&call).await else { panic!("no answer") };
    let answer: Value = serde_json::from_slice(&reply.body).unwrap();
    bodies(&answer).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_receive_that_finds_nothing_waits_as_long_as_it_said() {
    let sim = sim();
    let began = sim.now();
    assert!(receive(&sim, 0).await.is_empty());
    assert!(sim.now().since(began) < Duration::from_secs(20));
    assert!(receive(&sim, 20).await.is_empty());
    assert!(sim.now().since(began) >= Duration::from_secs(20));
    assert_eq!(sim.with(|world| world.calls()[&("sqs", "ReceiveMessage".to_owned())]), 2, "asked twice, however often it was looked");
}

#[tokio::test]
async fn a_message_ends_the_wait_whether_new_or_shown_again() {
    let sim = sim();
    let send = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        sim.with(|world| world.send_message(&administrator(ACCOUNT), &arn("orders"), "new").unwrap());
    };
    let (got, ()) = tokio::join!(receive(&sim, 20), send);
    assert_eq!(got, ["new"]);
    assert_eq!(receive(&sim, 20).await, ["new"], "hidden for 5 seconds, and back within 20");
}
