//! Producers, consumers, and what they saw.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use everseal_sim::{User, World};
use http::Method;
use serde_json::{Value, json};

use super::estate::Actor;

/// How data enters.
#[derive(Debug, Clone)]
pub enum Source {
    Object { bucket: String },
    Queue { url: String },
    Topic { arn: String },
    DeliveryStream { name: String },
    DataStream { name: String },
    EventBus,
}

/// How data is taken out.
#[derive(Debug, Clone)]
pub enum Sink {
    /// Receives and deletes; a bucket's event is followed to the object that it names.
    Queue { url: String },
    /// Reads every object once.
    Bucket { name: String },
    /// Looks whether logs go on coming.
    Logs { bucket: String },
    /// Asks for a page over plain HTTP.
    Website { bucket: String },
}

/// One pipeline in use.
#[derive(Debug, Clone)]
pub struct Flow {
    pub name: String,
    pub producer: Actor,
    pub source: Source,
    pub consumers: Vec<(Actor, Sink)>,
}

/// Ids of messages that each consumer received.
pub type Received = BTreeMap<String, BTreeSet<String>>;

/// Consumers with what they remember.
#[derive(Debug, Default)]
pub struct Traffic {
    pub received: Received,
    read: BTreeSet<(String, String)>,
    /// How often consumers have looked: a life with the program is longer than one without, and pages are told apart by look.
    looks: u64,
    /// Messages that every producer has sent.
    pub sent: u64,
}

/// Messages beside the regular ones: one from every producer after every single write of the program.
#[derive(Debug)]
pub struct Probes {
    flows: Vec<Flow>,
    pub sent: u64,
}

impl Probes {
    pub fn of(flows: &[Flow]) -> Self {
        Self { flows: flows.to_vec(), sent: 0 }
    }

    pub fn send(&mut self, world: &mut World) {
        self.sent += 1;
        for (number, flow) in self.flows.iter().enumerate() {
            let _ = produce(flow, world, &probe(number, self.sent));
        }
    }
}

/// A regular message of a flow.
pub fn message(flow: usize, number: u64) -> String {
    format!("<{flow}.{number}>")
}

/// A message that was sent just after a write.
pub fn probe(flow: usize, number: u64) -> String {
    format!("<{flow}.0.{number}>")
}

/// What a consumer's messages are kept under.
pub fn consumer(flow: &Flow, place: usize) -> String {
    format!("{} #{place}", flow.name)
}

impl Traffic {
    /// Every producer sends one message.
    pub fn produce(&mut self, flows: &[Flow], world: &mut World) {
        self.sent += 1;
        for (number, flow) in flows.iter().enumerate() {
            let id = message(number, self.sent);
            // A refusal is the producer's loss in both lives.
            let _ = produce(flow, world, &id);
        }
    }

    /// Every consumer takes what is there.
    pub fn consume(&mut self, flows: &[Flow], world: &mut World) {
        self.looks += 1;
        for flow in flows {
            for (place, (actor, sink)) in flow.consumers.iter().enumerate() {
                let user = actor.user(world);
                let ids = self.take(&user, sink, world);
                self.received.entry(consumer(flow, place)).or_default().extend(ids);
            }
        }
    }

    fn take(&mut self, user: &User, sink: &Sink, world: &mut World) -> Vec<String> {
        match sink {
            Sink::Queue { url } => {
                let mut ids = Vec::new();
                for body in drain(user, url, world) {
                    ids.extend(ids_in(&body));
                    ids.extend(objects_named_in(&body).into_iter().flat_map(|(bucket, key)| read_object(user, &bucket, &key, world)));
                }
                ids
            }
            Sink::Bucket { name } => {
                let mut ids = Vec::new();
                for key in list(user, name, world) {
                    if self.read.contains(&(name.clone(), key.clone())) {
                        continue;
                    }
                    let read = read_object(user, name, &key, world);
                    if !read.is_empty() {
                        self.read.insert((name.clone(), key));
                    }
                    ids.extend(read);
                }
                ids
            }
            Sink::Logs { bucket } => {
                // How many come in an hour depends on who else calls: that some do is what counts.
                let known = self.read.len();
                let keys = list(user, bucket, world);
                self.read.extend(keys.into_iter().map(|key| (bucket.clone(), key)));
                let hour = world.now().seconds() / (3 * 3600);
                if self.read.len() > known { vec![format!("<logs {hour}>")] } else { Vec::new() }
            }
            Sink::Website { bucket } => {
                let visitor = User::anonymous(&user.region).in_clear();
                let path = format!("/{bucket}/index.html");
                let page = visitor.s3(world, (Method::GET, &path, ""), "");
                page.map(|_| vec![format!("<page {}>", self.looks)]).unwrap_or_default()
            }
        }
    }
}

fn produce(flow: &Flow, world: &mut World, id: &str) -> Result<(), everseal_sim::ApiError> {
    let user = &flow.producer.user(world);
    match &flow.source {
        Source::Object { bucket } => {
            let path = format!("/{bucket}/in/{}", id.trim_matches(['<', '>']));
            user.s3(world, (Method::PUT, &path, ""), id.to_owned())?;
        }
        Source::Queue { url } => {
            user.json(world, "AmazonSQS.SendMessage", &json!({ "QueueUrl": url, "MessageBody": id }))?;
        }
        Source::Topic { arn } => {
            user.query(world, "sns", "Publish", &[("TopicArn", arn), ("Message", id)])?;
        }
        Source::DeliveryStream { name } => {
            let record = json!({ "DeliveryStreamName": name, "Record": { "Data": STANDARD.encode(id) } });
            user.json(world, "Firehose_20150804.PutRecord", &record)?;
        }
        Source::DataStream { name } => {
            let record = json!({ "StreamName": name, "PartitionKey": "p", "Data": STANDARD.encode(id) });
            user.json(world, "Kinesis_20131202.PutRecord", &record)?;
        }
        Source::EventBus => {
            let entry = json!({ "Source": "app", "DetailType": flow.name, "Detail": json!({ "id": id }).to_string() });
            user.json(world, "AWSEvents.PutEvents", &json!({ "Entries": [entry] }))?;
        }
    }
    Ok(())
}

fn drain(user: &User, url: &str, world: &mut World) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let ask = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
        let Ok(answer) = user.json(world, "AmazonSQS.ReceiveMessage", &ask) else { break };
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        if messages.is_empty() {
            break;
        }
        for message in messages {
            bodies.push(message["Body"].as_str().unwrap_or_default().to_owned());
            let done = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
            let _ = user.json(world, "AmazonSQS.DeleteMessage", &done);
        }
    }
    bodies
}

fn list(user: &User, bucket: &str, world: &mut World) -> Vec<String> {
    let path = format!("/{bucket}");
    let Ok(reply) = user.s3(world, (Method::GET, &path, "list-type=2"), "") else { return Vec::new() };
    let Some(listing) = everseal_sim::wire::xml::Element::parse(&reply.body) else { return Vec::new() };
    listing.all("Contents").filter_map(|entry| entry.value("Key")).map(str::to_owned).collect()
}

fn read_object(user: &User, bucket: &str, key: &str, world: &mut World) -> Vec<String> {
    let path = format!("/{bucket}/{key}");
    let reply = user.s3(world, (Method::GET, &path, ""), "");
    reply.map(|reply| ids_in(&String::from_utf8_lossy(&reply.body))).unwrap_or_default()
}

/// Message ids: `<3.17>`.
fn ids_in(text: &str) -> Vec<String> {
    let inside = |rest: &str| {
        let id = &rest[..rest.find('>')?];
        id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then(|| format!("<{id}>"))
    };
    text.split('<').skip(1).filter_map(inside).collect()
}

/// Objects that a bucket's event names, also inside a topic's or a bus's envelope.
fn objects_named_in(body: &str) -> Vec<(String, String)> {
    let Ok(event) = serde_json::from_str::<Value>(body) else { return Vec::new() };
    if let Some(inner) = event["Message"].as_str() {
        return objects_named_in(inner);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().replace("%2F", "/").replace("%3D", "=");
    let records = event["Records"].as_array().cloned().unwrap_or_default();
    let mut named: Vec<_> =
        records.iter().map(|record| (text(&record["s3"]["bucket"]["name"]), text(&record["s3"]["object"]["key"]))).collect();
    if event["source"] == "aws.s3" {
        named.push((text(&event["detail"]["bucket"]["name"]), text(&event["detail"]["object"]["key"])));
    }
    named
}
