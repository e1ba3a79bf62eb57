//! The kinds of pipelines, each with its resources encrypted and opened by chance.

use everseal_sim::{User, World};
use http::Method;
use serde_json::{Value, json};

use super::estate::{Actor, Estate, HOME, PARTNER, REGION, Sealed, make_role, role};
use super::traffic::{Flow, Sink, Source};

type Kind = fn(&mut Estate, &mut World, &str) -> Flow;

const KINDS: &[Kind] = &[
    bucket_to_queue,
    bucket_to_topic_to_queue,
    delivery_stream_to_bucket,
    delivery_stream_to_bucket_to_queue,
    data_stream_to_bucket,
    topic_to_queues,
    queue_with_dead_letters,
    partner_to_queue,
    partner_to_topic,
    bus_to_queue,
    bus_to_topic,
    bucket_to_bus_to_queue,
    website,
    objects_of_a_partner,
    crowded_queue,
    open_queue,
    objects_of_anybody,
    public_and_blocked,
    replicated,
    logged,
];

/// Between one and, rarely, fifty pipelines.
pub fn lay(estate: &mut Estate, world: &mut World) {
    let count = match estate.rng.u8(0..100) {
        0..70 => estate.rng.usize(1..5),
        70..97 => estate.rng.usize(5..12),
        _ => estate.rng.usize(12..50),
    };
    for number in 0..count {
        let kind = KINDS[estate.rng.usize(0..KINDS.len())];
        let flow = kind(estate, world, &format!("p{number}"));
        estate.flows.push(flow);
    }
}

fn allow(sid: &str, principal: &Value, action: &Value, resource: &Value, condition: Option<Value>) -> Value {
    let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    statement
}

fn document(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Id": "of-the-owner", "Statement": statements }).to_string()
}

/// A queue; the statements open it.
fn queue(estate: &mut Estate, world: &mut World, name: &str, statements: &[Value]) -> String {
    let arn = Estate::arn("sqs", name);
    let sealed = estate.sealed();
    let mut attributes = serde_json::Map::new();
    match estate.key(sealed, "sqs") {
        Some(key) => attributes.insert("KmsMasterKeyId".into(), json!(key)),
        None => attributes.insert("SqsManagedSseEnabled".into(), json!(estate.rng.bool().to_string())),
    };
    if !statements.is_empty() {
        attributes.insert("Policy".into(), json!(document(statements)));
    }
    let ask = json!({ "QueueName": name, "Attributes": attributes });
    let made = estate.admin.clone().json(world, "AmazonSQS.CreateQueue", &ask).unwrap();
    estate.resources.push(arn);
    made["QueueUrl"].as_str().unwrap().to_owned()
}

/// Lets a service send for a source: as AWS's guides write it, or as people do.
fn sender(estate: &mut Estate, service: &str, queue: &str, source: &str) -> Value {
    let (principal, condition) = if estate.chance(3) {
        (json!("*"), json!({ "ArnLike": { "aws:SourceArn": source } }))
    } else {
        (json!({ "Service": service }), json!({ "ArnEquals": { "aws:SourceArn": source } }))
    };
    allow("sender", &principal, &json!("sqs:SendMessage"), &json!(Estate::arn("sqs", queue)), Some(condition))
}

fn bucket(estate: &mut Estate, world: &mut World, name: &str) -> String {
    let admin = estate.admin.clone();
    let path = format!("/{name}");
    admin.s3(world, (Method::PUT, &path, ""), "").unwrap();
    let sealed = estate.sealed();
    if sealed != Sealed::Default {
        let key = estate.key(sealed, "s3").filter(|key| !key.starts_with("alias/"));
        let key = key.map(|key| format!("<KMSMasterKeyID>{key}</KMSMasterKeyID>")).unwrap_or_default();
        let bucket_key = estate.rng.bool();
        let body = format!(
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>{key}</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>{bucket_key}</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"
        );
        admin.s3(world, (Method::PUT, &path, "encryption"), body).unwrap();
    }
    estate.resources.push(Estate::arn("s3", name));
    name.to_owned()
}

fn bucket_document(estate: &Estate, world: &mut World, name: &str, statements: &[Value]) {
    estate.admin.s3(world, (Method::PUT, &format!("/{name}"), "policy"), document(statements)).unwrap();
}

/// Announces new objects. A destination whose key shuts S3 out is refused by AWS: then nothing is announced.
fn announce(estate: &Estate, world: &mut World, bucket: &str, configuration: &str) {
    let body = format!("<NotificationConfiguration>{configuration}</NotificationConfiguration>");
    let _ = estate.admin.s3(world, (Method::PUT, &format!("/{bucket}"), "notification"), body);
}

fn to_queue(queue: &str) -> String {
    format!("<QueueConfiguration><Queue>{}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>", Estate::arn("sqs", queue))
}

fn topic(estate: &mut Estate, world: &mut World, name: &str, statements: &[Value]) -> String {
    let arn = Estate::arn("sns", name);
    let admin = estate.admin.clone();
    admin.query(world, "sns", "CreateTopic", &[("Name", name)]).unwrap();
    let sealed = estate.sealed();
    if let Some(key) = estate.key(sealed, "sns") {
        set_topic(&admin, world, &arn, "KmsMasterKeyId", &key);
    }
    if !statements.is_empty() {
        set_topic(&admin, world, &arn, "Policy", &document(statements));
    }
    estate.resources.push(arn.clone());
    arn
}

fn set_topic(admin: &User, world: &mut World, arn: &str, name: &str, value: &str) {
    let members = [("TopicArn", arn), ("AttributeName", name), ("AttributeValue", value)];
    admin.query(world, "sns", "SetTopicAttributes", &members).unwrap();
}

fn subscribe(estate: &Estate, world: &mut World, topic: &str, queue: &str) {
    let endpoint = Estate::arn("sqs", queue);
    estate.admin.query(world, "sns", "Subscribe", &[("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", &endpoint)]).unwrap();
}

pub fn bucket_to_queue(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let from = bucket(estate, world, &format!("{name}-bucket"));
    let queue_name = format!("{name}-queue");
    let opened = sender(estate, "s3.amazonaws.com", &queue_name, &Estate::arn("s3", &from));
    let url = queue(estate, world, &queue_name, &[opened]);
    announce(estate, world, &from, &to_queue(&queue_name));
    let consumers = vec![(estate.settlement.clone(), Sink::Queue { url })];
    Flow { name: format!("{name} bucket→queue"), producer: estate.ingest.clone(), source: Source::Object { bucket: from }, consumers }
}

fn bucket_to_topic_to_queue(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let from = bucket(estate, world, &format!("{name}-bucket"));
    let topic_arn = Estate::arn("sns", &format!("{name}-topic"));
    let condition = json!({ "ArnLike": { "aws:SourceArn": Estate::arn("s3", &from) } });
    let opened = allow("publisher", &json!({ "Service": "s3.amazonaws.com" }), &json!("sns:Publish"), &json!(topic_arn), Some(condition));
    let arn = topic(estate, world, &format!("{name}-topic"), &[opened]);
    let queue_name = format!("{name}-queue");
    let opened = sender(estate, "sns.amazonaws.com", &queue_name, &arn);
    let url = queue(estate, world, &queue_name, &[opened]);
    subscribe(estate, world, &arn, &queue_name);
    announce(
        estate,
        world,
        &from,
        &format!("<TopicConfiguration><Topic>{arn}</Topic><Event>s3:ObjectCreated:*</Event></TopicConfiguration>"),
    );
    let consumers = vec![(estate.settlement.clone(), Sink::Queue { url })];
    Flow {
        name: format!("{name} bucket→topic→queue"), producer: estate.ingest.clone(), source: Source::Object { bucket: from }, consumers
    }
}

/// A delivery stream into a bucket, with a role of its own.
fn deliver_to(estate: &mut Estate, world: &mut World, name: &str, bucket: &str, source: Option<&str>) -> String {
    let role_name = format!("{name}-firehose");
    let mut actions = vec!["s3:PutObject", "s3:GetBucketLocation", "s3:ListBucket", "kinesis:*"];
    if estate.rng.bool() {
        actions.extend(["kms:GenerateDataKey", "kms:Decrypt"]);
    }
    let trust = json!({ "Service": "firehose.amazonaws.com" });
    make_role(world, HOME, &role_name, &trust, &json!([{ "Effect": "Allow", "Action": actions, "Resource": "*" }]));
    let stream = format!("{name}-stream");
    let mut destination = json!({ "RoleARN": role(&role_name), "BucketARN": Estate::arn("s3", bucket), "BufferingHints": { "SizeInMBs": 5, "IntervalInSeconds": 60 } });
    if estate.chance(4) {
        destination["EncryptionConfiguration"] = json!({ "KMSEncryptionConfig": { "AWSKMSKeyARN": estate.legacy } });
    }
    let mut ask = json!({ "DeliveryStreamName": stream, "ExtendedS3DestinationConfiguration": destination });
    if let Some(data_stream) = source {
        ask["DeliveryStreamType"] = json!("KinesisStreamAsSource");
        let arn = Estate::arn("kinesis", &format!("stream/{data_stream}"));
        ask["KinesisStreamSourceConfiguration"] = json!({ "KinesisStreamARN": arn, "RoleARN": role(&role_name) });
    } else {
        ask["DeliveryStreamType"] = json!("DirectPut");
        if estate.chance(3) {
            ask["DeliveryStreamEncryptionConfigurationInput"] = json!({ "KeyType": "AWS_OWNED_CMK" });
        }
    }
    estate.admin.clone().json(world, "Firehose_20150804.CreateDeliveryStream", &ask).unwrap();
    estate.resources.push(Estate::arn("firehose", &format!("deliverystream/{stream}")));
    stream
}

/// A delivery stream that is written to, and delivers into a bucket.
pub fn delivery_stream_to_bucket(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let to = bucket(estate, world, &format!("{name}-bucket"));
    let stream = deliver_to(estate, world, name, &to, None);
    let consumers = vec![(estate.settlement.clone(), Sink::Bucket { name: to })];
    Flow {
        name: format!("{name} firehose→bucket"),
        producer: estate.ingest.clone(),
        source: Source::DeliveryStream { name: stream },
        consumers,
    }
}

fn delivery_stream_to_bucket_to_queue(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let Flow { consumers, source: Source::Object { bucket }, .. } = bucket_to_queue(estate, world, name) else {
        unreachable!("it begins with a bucket")
    };
    let stream = deliver_to(estate, world, name, &bucket, None);
    Flow {
        name: format!("{name} firehose→bucket→queue"),
        producer: estate.ingest.clone(),
        source: Source::DeliveryStream { name: stream },
        consumers,
    }
}

pub fn data_stream_to_bucket(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let to = bucket(estate, world, &format!("{name}-bucket"));
    let data = format!("{name}-data");
    let admin = estate.admin.clone();
    admin.json(world, "Kinesis_20131202.CreateStream", &json!({ "StreamName": data, "ShardCount": 1 })).unwrap();
    estate.resources.push(Estate::arn("kinesis", &format!("stream/{data}")));
    deliver_to(estate, world, name, &to, Some(&data));
    let consumers = vec![(estate.settlement.clone(), Sink::Bucket { name: to })];
    Flow {
        name: format!("{name} kinesis→firehose→bucket"),
        producer: estate.ingest.clone(),
        source: Source::DataStream { name: data },
        consumers,
    }
}

fn topic_to_queues(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let arn = topic(estate, world, &format!("{name}-topic"), &[]);
    let mut consumers = Vec::new();
    for number in 0..estate.rng.usize(1..4) {
        let queue_name = format!("{name}-queue-{number}");
        let opened = sender(estate, "sns.amazonaws.com", &queue_name, &arn);
        let url = queue(estate, world, &queue_name, &[opened]);
        subscribe(estate, world, &arn, &queue_name);
        consumers.push((estate.settlement.clone(), Sink::Queue { url }));
    }
    Flow { name: format!("{name} topic→queues"), producer: estate.ingest.clone(), source: Source::Topic { arn }, consumers }
}

/// Nobody reads the queue but a worker that fails: its messages end in the dead-letter queue, which is read.
fn queue_with_dead_letters(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let dead = queue(estate, world, &format!("{name}-dead"), &[]);
    let url = queue(estate, world, &format!("{name}-queue"), &[]);
    let redrive = json!({ "deadLetterTargetArn": Estate::arn("sqs", &format!("{name}-dead")), "maxReceiveCount": 3 }).to_string();
    let ask = json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": redrive } });
    estate.admin.clone().json(world, "AmazonSQS.SetQueueAttributes", &ask).unwrap();
    let consumers =
        vec![(estate.settlement.clone(), Sink::Queue { url: url.clone() }), (estate.settlement.clone(), Sink::Queue { url: dead })];
    Flow { name: format!("{name} queue"), producer: estate.ingest.clone(), source: Source::Queue { url }, consumers }
}

fn partner_statement(action: &str, resource: &str) -> Value {
    allow("partner", &json!({ "AWS": format!("arn:aws:iam::{PARTNER}:role/partner") }), &json!(action), &json!(resource), None)
}

pub fn partner_to_queue(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let queue_name = format!("{name}-queue");
    let opened = partner_statement("sqs:SendMessage", &Estate::arn("sqs", &queue_name));
    let url = queue(estate, world, &queue_name, &[opened]);
    let consumers = vec![(estate.settlement.clone(), Sink::Queue { url: url.clone() })];
    Flow { name: format!("{name} partner→queue"), producer: estate.partner.clone(), source: Source::Queue { url }, consumers }
}

fn partner_to_topic(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let arn = Estate::arn("sns", &format!("{name}-topic"));
    topic(estate, world, &format!("{name}-topic"), &[partner_statement("sns:Publish", &arn)]);
    let queue_name = format!("{name}-queue");
    let opened = sender(estate, "sns.amazonaws.com", &queue_name, &arn);
    let url = queue(estate, world, &queue_name, &[opened]);
    subscribe(estate, world, &arn, &queue_name);
    let consumers = vec![(estate.settlement.clone(), Sink::Queue { url })];
    Flow { name: format!("{name} partner→topic→queue"), producer: estate.partner.clone(), source: Source::Topic { arn }, consumers }
}

/// A rule for events of a kind, with one target.
fn rule(estate: &Estate, world: &mut World, name: &str, pattern: &Value, target: &str) -> String {
    let ask = json!({ "Name": format!("{name}-rule"), "EventPattern": pattern.to_string(), "State": "ENABLED" });
    estate.admin.json(world, "AWSEvents.PutRule", &ask).unwrap();
    let targets = json!({ "Rule": format!("{name}-rule"), "Targets": [{ "Id": "1", "Arn": target }] });
    estate.admin.json(world, "AWSEvents.PutTargets", &targets).unwrap();
    Estate::arn("events", &format!("rule/{name}-rule"))
}

fn bus_to_queue(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let queue_name = format!("{name}-queue");
    let opened = sender(estate, "events.amazonaws.com", &queue_name, &Estate::arn("events", &format!("rule/{name}-rule")));
    let url = queue(estate, world, &queue_name, &[opened]);
    let flow = format!("{name} bus→queue");
    rule(estate, world, name, &json!({ "source": ["app"], "detail-type": [flow] }), &Estate::arn("sqs", &queue_name));
    Flow {
        name: flow,
        producer: estate.ingest.clone(),
        source: Source::EventBus,
        consumers: vec![(estate.settlement.clone(), Sink::Queue { url })],
    }
}

fn bus_to_topic(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let arn = Estate::arn("sns", &format!("{name}-topic"));
    let opened = allow("events", &json!({ "Service": "events.amazonaws.com" }), &json!("sns:Publish"), &json!(arn), None);
    topic(estate, world, &format!("{name}-topic"), &[opened]);
    let queue_name = format!("{name}-queue");
    let opened = sender(estate, "sns.amazonaws.com", &queue_name, &arn);
    let url = queue(estate, world, &queue_name, &[opened]);
    subscribe(estate, world, &arn, &queue_name);
    let flow = format!("{name} bus→topic→queue");
    rule(estate, world, name, &json!({ "source": ["app"], "detail-type": [flow] }), &arn);
    Flow {
        name: flow,
        producer: estate.ingest.clone(),
        source: Source::EventBus,
        consumers: vec![(estate.settlement.clone(), Sink::Queue { url })],
    }
}

fn bucket_to_bus_to_queue(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let from = bucket(estate, world, &format!("{name}-bucket"));
    announce(estate, world, &from, "<EventBridgeConfiguration/>");
    let queue_name = format!("{name}-queue");
    let opened = sender(estate, "events.amazonaws.com", &queue_name, &Estate::arn("events", &format!("rule/{name}-rule")));
    let url = queue(estate, world, &queue_name, &[opened]);
    rule(
        estate,
        world,
        name,
        &json!({ "source": ["aws.s3"], "detail": { "bucket": { "name": [from] } } }),
        &Estate::arn("sqs", &queue_name),
    );
    let consumers = vec![(estate.settlement.clone(), Sink::Queue { url })];
    Flow {
        name: format!("{name} bucket→bus→queue"), producer: estate.ingest.clone(), source: Source::Object { bucket: from }, consumers
    }
}

/// A public website: anybody reads over plain HTTP.
pub fn website(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let site = format!("{name}-site");
    let admin = estate.admin.clone();
    let path = format!("/{site}");
    admin.s3(world, (Method::PUT, &path, ""), "").unwrap();
    estate.resources.push(Estate::arn("s3", &site));
    let open = "<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    admin.s3(world, (Method::PUT, &path, "publicAccessBlock"), open).unwrap();
    bucket_document(
        estate,
        world,
        &site,
        &[allow("visitors", &json!("*"), &json!("s3:GetObject"), &json!(format!("arn:aws:s3:::{site}/*")), None)],
    );
    let configuration = "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>";
    admin.s3(world, (Method::PUT, &path, "website"), configuration).unwrap();
    admin.s3(world, (Method::PUT, &format!("/{site}/index.html"), ""), "welcome").unwrap();
    let consumers = vec![(Actor::Lasting(User::anonymous(REGION)), Sink::Website { bucket: site.clone() })];
    Flow {
        name: format!("{name} website"),
        producer: Actor::Lasting(estate.admin.clone()),
        source: Source::Object { bucket: site },
        consumers,
    }
}

/// A partner's role reads objects that ours writes.
fn objects_of_a_partner(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let shared = bucket(estate, world, &format!("{name}-shared"));
    let partner = json!({ "AWS": format!("arn:aws:iam::{PARTNER}:role/partner") });
    let objects = allow("objects", &partner, &json!("s3:GetObject"), &json!(format!("arn:aws:s3:::{shared}/*")), None);
    let listing = allow("listing", &partner, &json!("s3:ListBucket"), &json!(format!("arn:aws:s3:::{shared}")), None);
    bucket_document(estate, world, &shared, &[objects, listing]);
    let consumers = vec![(estate.partner.clone(), Sink::Bucket { name: shared.clone() })];
    Flow { name: format!("{name} bucket→partner"), producer: estate.ingest.clone(), source: Source::Object { bucket: shared }, consumers }
}

/// A queue whose document holds as many statements as SQS takes.
pub fn crowded_queue(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let queue_name = format!("{name}-queue");
    let resource = json!(Estate::arn("sqs", &queue_name));
    let principal = json!({ "AWS": format!("arn:aws:iam::{PARTNER}:role/partner") });
    let statements: Vec<Value> =
        (0..20).map(|number| allow(&format!("partner{number}"), &principal, &json!("sqs:SendMessage"), &resource, None)).collect();
    let url = queue(estate, world, &queue_name, &statements);
    let consumers = vec![(estate.settlement.clone(), Sink::Queue { url: url.clone() })];
    Flow { name: format!("{name} partner→crowded queue"), producer: estate.partner.clone(), source: Source::Queue { url }, consumers }
}

/// A queue that anybody may send to, also without a signature; nobody can tell who does.
pub fn open_queue(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let queue_name = format!("{name}-queue");
    let opened = allow("anybody", &json!("*"), &json!("sqs:SendMessage"), &json!(Estate::arn("sqs", &queue_name)), None);
    let url = queue(estate, world, &queue_name, &[opened]);
    let unsigned = Actor::Lasting(User::anonymous(REGION));
    let producer = if estate.rng.bool() { unsigned } else { estate.partner.clone() };
    let consumers = vec![(estate.settlement.clone(), Sink::Queue { url: url.clone() })];
    Flow { name: format!("{name} anybody→queue"), producer, source: Source::Queue { url }, consumers }
}

/// Objects that anybody may read who comes over TLS; a partner does.
fn objects_of_anybody(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let shared = bucket(estate, world, &format!("{name}-anybody"));
    let admin = estate.admin.clone();
    let path = format!("/{shared}");
    let open = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    admin.s3(world, (Method::PUT, &path, "publicAccessBlock"), open).unwrap();
    let secure = json!({ "Bool": { "aws:SecureTransport": "true" } });
    let objects = allow("objects", &json!("*"), &json!("s3:GetObject"), &json!(format!("arn:aws:s3:::{shared}/*")), Some(secure.clone()));
    let listing = allow("listing", &json!("*"), &json!("s3:ListBucket"), &json!(format!("arn:aws:s3:::{shared}")), Some(secure));
    bucket_document(estate, world, &shared, &[objects, listing]);
    let consumers = vec![(estate.partner.clone(), Sink::Bucket { name: shared.clone() })];
    Flow { name: format!("{name} bucket→anybody"), producer: estate.ingest.clone(), source: Source::Object { bucket: shared }, consumers }
}

/// A bucket that was opened to everybody before Block Public Access refused that.
pub fn public_and_blocked(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let open = bucket(estate, world, &format!("{name}-open"));
    let path = format!("/{open}");
    let block = |policy: bool| {
        format!(
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>{policy}</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>"
        )
    };
    let admin = estate.admin.clone();
    admin.s3(world, (Method::PUT, &path, "publicAccessBlock"), block(false)).unwrap();
    let readers = allow("readers", &json!("*"), &json!("s3:GetObject"), &json!(format!("arn:aws:s3:::{open}/*")), None);
    bucket_document(estate, world, &open, &[readers]);
    admin.s3(world, (Method::PUT, &path, "publicAccessBlock"), block(true)).unwrap();
    let consumers = vec![(estate.settlement.clone(), Sink::Bucket { name: open.clone() })];
    Flow { name: format!("{name} public bucket"), producer: estate.ingest.clone(), source: Source::Object { bucket: open }, consumers }
}

fn versioned(estate: &Estate, world: &mut World, bucket: &str) {
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    estate.admin.s3(world, (Method::PUT, &format!("/{bucket}"), "versioning"), on).unwrap();
}

/// A bucket whose objects are copied to another, without a word about objects under KMS keys.
pub fn replicated(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let [from, to] = [format!("{name}-from"), format!("{name}-to")];
    let admin = estate.admin.clone();
    for plain in [&from, &to] {
        admin.s3(world, (Method::PUT, &format!("/{plain}"), ""), "").unwrap();
        estate.resources.push(Estate::arn("s3", plain));
        versioned(estate, world, plain);
    }
    let copier = format!("{name}-copier");
    let actions = json!([{ "Effect": "Allow", "Action": ["s3:*"], "Resource": "*" }]);
    make_role(world, HOME, &copier, &json!({ "Service": "s3.amazonaws.com" }), &actions);
    let body = format!(
        "<ReplicationConfiguration><Role>{}</Role><Rule><ID>all</ID><Status>Enabled</Status><Priority>1</Priority><Filter><Prefix></Prefix></Filter><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication><Destination><Bucket>arn:aws:s3:::{to}</Bucket></Destination></Rule></ReplicationConfiguration>",
        role(&copier)
    );
    admin.s3(world, (Method::PUT, &format!("/{from}"), "replication"), body).unwrap();
    let consumers = vec![(estate.settlement.clone(), Sink::Bucket { name: to })];
    Flow { name: format!("{name} bucket→copy"), producer: estate.ingest.clone(), source: Source::Object { bucket: from }, consumers }
}

/// A bucket whose access logs go to another.
pub fn logged(estate: &mut Estate, world: &mut World, name: &str) -> Flow {
    let from = bucket(estate, world, &format!("{name}-bucket"));
    let logs = format!("{name}-access-logs");
    let admin = estate.admin.clone();
    admin.s3(world, (Method::PUT, &format!("/{logs}"), ""), "").unwrap();
    estate.resources.push(Estate::arn("s3", &logs));
    let service = json!({ "Service": "logging.s3.amazonaws.com" });
    let condition = json!({ "StringEquals": { "aws:SourceAccount": HOME } });
    let writer = allow("logs", &service, &json!("s3:PutObject"), &json!(format!("arn:aws:s3:::{logs}/*")), Some(condition));
    bucket_document(estate, world, &logs, &[writer]);
    let body = format!(
        "<BucketLoggingStatus><LoggingEnabled><TargetBucket>{logs}</TargetBucket><TargetPrefix>log/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>"
    );
    admin.s3(world, (Method::PUT, &format!("/{from}"), "logging"), body).unwrap();
    let consumers = vec![(estate.settlement.clone(), Sink::Logs { bucket: logs })];
    Flow { name: format!("{name} bucket→logs"), producer: estate.ingest.clone(), source: Source::Object { bucket: from }, consumers }
}
