//! Everything that exists: one state machine over all services, accounts and regions.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use crate::access::{Access, Caller, Denial, Document, RequestContext};
use crate::fault::{self, Fault, Faults};
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::tally::Tally;
use crate::wire::{self, Route};
use crate::{cloudfront, cloudwatch, events, firehose, iam, kinesis, kms, organizations, rds, s3, sns, sqs, sts, tagging};

/// What may be chosen of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The account of credentials that name none.
    pub account: String,
    /// Decides all chance and every generated id.
    pub seed: u64,
    /// Transitions that take time in AWS (ENABLING, creating, copying …) take it here; else they are done at once.
    pub slow_transitions: bool,
    /// How long key documents and grants take to count after they were written. KMS is eventually consistent: usually
    /// seconds. [KMS: Eventual consistency]
    pub key_propagation: std::time::Duration,
    /// S3 takes and gives objects under KMS keys over plain HTTP too, which AWS refuses: for clients that have no other way in.
    pub kms_objects_in_clear: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: "111122223333".to_owned(),
            seed: 1,
            slow_transitions: true,
            key_propagation: std::time::Duration::ZERO,
            kms_objects_in_clear: false,
        }
    }
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Who.
    pub caller: Caller,
    /// The region that it is addressed to.
    pub region: String,
    /// It came over TLS.
    pub secure: bool,
}

impl Origin {
    /// The caller's account, or, for a caller without one, nobody's.
    pub fn account(&self) -> &str {
        self.caller.account().unwrap_or_default()
    }

    /// An ARN in the caller's account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account())
    }
}

/// What becomes of a call.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is answered, after so many milliseconds.
    Answer(Reply, u64),
    /// It is never answered.
    Silence,
    /// The connection breaks.
    Broken,
    /// The client dies.
    Crash,
}

/// Something that a service does by itself at a time that it chose.
#[derive(Debug)]
pub(crate) enum Event {
    S3(s3::Event),
    Sns(sns::Event),
    Events(events::Event),
    Firehose(firehose::Event),
    Kinesis(kinesis::Event),
    Kms(kms::Event),
    Rds(rds::Event),
}

/// A call as the world's journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// When.
    pub at: Moment,
    /// The service's id.
    pub service: &'static str,
    /// The operation.
    pub operation: String,
    /// Whose credentials.
    pub access_key: String,
    /// The path and the body, as they came.
    pub request: (String, Bytes),
    /// The status that was answered; `None` where no answer came.
    pub status: Option<u16>,
    /// A fault struck it.
    pub struck: bool,
    /// The answer's body.
    pub answer: Bytes,
}

impl JournalEntry {
    /// It only reads.
    pub fn reads(&self) -> bool {
        fault::is_read(&self.operation)
    }
}

/// What is to be looked at after every single write.
pub struct AfterWrite(pub Box<dyn FnMut(&mut World) + Send>);

impl std::fmt::Debug for AfterWrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AfterWrite")
    }
}

/// Counts of calls, by service and operation.
pub type CallCounts = BTreeMap<(&'static str, String), u64>;

/// Everything that exists.
#[derive(Debug)]
pub struct World {
    /// What was chosen.
    pub settings: Settings,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// What was delivered.
    pub tally: Tally,
    /// Every call that came through the wire, where somebody asked for it to be kept.
    pub journal: Option<Vec<JournalEntry>>,
    /// Called after every call through the wire that was to change something, before anybody hears of its outcome.
    pub after_write: Option<AfterWrite>,
    pub(crate) cloudfront: cloudfront::State,
    pub(crate) cloudwatch: cloudwatch::State,
    pub(crate) events: events::State,
    pub(crate) firehose: firehose::State,
    pub(crate) iam: iam::State,
    pub(crate) kinesis: kinesis::State,
    pub(crate) kms: kms::State,
    pub(crate) organizations: organizations::State,
    pub(crate) rds: rds::State,
    pub(crate) s3: s3::State,
    pub(crate) sns: sns::State,
    pub(crate) sqs: sqs::State,
    pub(crate) rng: fastrand::Rng,
    now: Moment,
    schedule: BTreeMap<(Moment, u64), Event>,
    scheduled: u64,
    calls: CallCounts,
    writes: u64,
    answers: u64,
    earlier_answers: HashMap<(&'static str, Bytes), Vec<(Moment, Reply)>>,
}

impl World {
    /// An empty world at a time.
    pub fn new(settings: Settings, now: Moment) -> Self {
        Self {
            faults: Faults::default(),
            tally: Tally::default(),
            journal: None,
            after_write: None,
            cloudfront: cloudfront::State::default(),
            cloudwatch: cloudwatch::State::default(),
            events: events::State::default(),
            firehose: firehose::State::default(),
            iam: iam::State::new(&settings.account),
            kinesis: kinesis::State::default(),
            kms: kms::State::default(),
            organizations: organizations::State::default(),
            rds: rds::State::default(),
            s3: s3::State::default(),
            sns: sns::State::default(),
            sqs: sqs::State::default(),
            rng: fastrand::Rng::with_seed(settings.seed),
            now,
            schedule: BTreeMap::new(),
            scheduled: 0,
            calls: CallCounts::new(),
            writes: 0,
            answers: 0,
            earlier_answers: HashMap::new(),
            settings,
        }
    }

    /// The time.
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// When something happens next by itself.
    pub fn next_event(&self) -> Option<Moment> {
        self.schedule.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets time pass up to `now`, and everything happen that was due by then, in its order. Time never goes back.
    pub fn advance(&mut self, now: Moment) {
        while let Some(entry) = self.schedule.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            match event {
                Event::S3(event) => s3::happen(self, event),
                Event::Sns(event) => sns::happen(self, event),
                Event::Events(event) => events::happen(self, event),
                Event::Firehose(event) => firehose::happen(self, event),
                Event::Kinesis(event) => kinesis::happen(self, event),
                Event::Kms(event) => kms::happen(self, event),
                Event::Rds(event) => rds::happen(self, event),
            }
        }
        self.now = self.now.max(now);
    }

    /// Puts something on the schedule.
    pub(crate) fn later(&mut self, after: std::time::Duration, event: Event) {
        self.scheduled += 1;
        self.schedule.insert((self.now + after, self.scheduled), event);
    }

    /// A transition that takes `real` in AWS: that long, or no time at all where the settings say so.
    pub(crate) const fn transition(&self, real: std::time::Duration) -> std::time::Duration {
        if self.settings.slow_transitions { real } else { std::time::Duration::ZERO }
    }

    /// A new id: `8-4-4-4-12` hexadecimal digits, from the seed.
    pub fn uuid(&mut self) -> String {
        let digits = format!("{:032x}", self.rng.u128(..));
        format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
    }

    /// So many hexadecimal digits, from the seed.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(self.rng.u32(0..16), 16).unwrap_or('0')).collect()
    }

    /// Calls so far that came through the wire, by service and operation.
    pub const fn calls(&self) -> &CallCounts {
        &self.calls
    }

    /// Calls so far that came through the wire and were not reads.
    pub const fn writes(&self) -> u64 {
        self.writes
    }

    /// One call, from its bytes to its answer.
    pub fn call(&mut self, call: &Call) -> Outcome {
        let route = wire::route(call);
        *self.calls.entry((route.service, route.operation.clone())).or_default() += 1;
        self.writes += u64::from(!fault::is_read(&route.operation));
        let now = self.now;
        let fault =
            if self.faults.rules.is_empty() { None } else { self.faults.strike(route.service, &route.operation, now, &mut self.rng) };
        let struck = fault.is_some();
        let reads = fault::is_read(&route.operation);
        let mut outcome = self.answered(&route, call, fault);
        if let Outcome::Answer(reply, _) = &mut outcome {
            self.answers += 1;
            identify(reply, route.service, self.answers);
        }
        if let Some(journal) = &mut self.journal {
            let (status, answer) = match &outcome {
                Outcome::Answer(reply, _) => (Some(reply.status), reply.body.clone()),
                Outcome::Silence | Outcome::Broken | Outcome::Crash => (None, Bytes::new()),
            };
            let Route { service, operation, access_key, .. } = route;
            let request = (format!("{} {}?{}", call.method, call.path, call.query), call.body.clone());
            journal.push(JournalEntry { at: self.now, service, operation, access_key, request, status, struck, answer });
        }
        if !reads && let Some(mut after_write) = self.after_write.take() {
            (after_write.0)(self);
            self.after_write = Some(after_write);
        }
        outcome
    }

    /// One call that no fault strikes and nobody counts: the world's own people, not the program under test.
    pub fn undisturbed(&mut self, call: &Call) -> Reply {
        let route = wire::route(call);
        let origin = Origin { caller: self.iam.caller(&route.access_key), region: route.region.clone(), secure: call.secure };
        self.dispatch(&origin, &route, call)
    }

    fn answered(&mut self, route: &Route, call: &Call, fault: Option<Fault>) -> Outcome {
        let origin = Origin { caller: self.iam.caller(&route.access_key), region: route.region.clone(), secure: call.secure };
        let Some(fault) = fault else {
            let reply = self.dispatch(&origin, route, call);
            self.remember(route, call, &reply);
            return Outcome::Answer(reply, 0);
        };
        if let Some(error) = fault::as_error(&fault, route.service, &origin.caller) {
            return Outcome::Answer(wire::error_reply(route, &error), 0);
        }
        match fault {
            Fault::TimeOut => Outcome::Silence,
            Fault::CrashBefore => Outcome::Crash,
            Fault::Stale(age) => {
                let reply = self.earlier(route, call, age).unwrap_or_else(|| {
                    // The first answer is what later ones are stale by.
                    let reply = self.dispatch(&origin, route, call);
                    self.remember(route, call, &reply);
                    reply
                });
                Outcome::Answer(reply, 0)
            }
            Fault::Delay(by) => Outcome::Answer(self.dispatch(&origin, route, call), u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
            Fault::LostAnswer => {
                self.dispatch(&origin, route, call);
                Outcome::Broken
            }
            Fault::CrashAfter => {
                self.dispatch(&origin, route, call);
                Outcome::Crash
            }
            Fault::Drop | Fault::Throttle | Fault::ServerError | Fault::Unavailable | Fault::Deny => Outcome::Broken,
        }
    }

    fn dispatch(&mut self, origin: &Origin, route: &Route, call: &Call) -> Reply {
        if let Some(error) = self.iam.expired(route, self.now) {
            return wire::error_reply(route, &error);
        }
        match route.service {
            "cloudfront" => cloudfront::handle(self, origin, route, call),
            "monitoring" => cloudwatch::handle(self, origin, route, call),
            "events" => events::handle(self, origin, route, call),
            "firehose" => firehose::handle(self, origin, route, call),
            "iam" => iam::handle(self, origin, route, call),
            "kinesis" => kinesis::handle(self, origin, route, call),
            "kms" => kms::handle(self, origin, route, call),
            "organizations" => organizations::handle(self, origin, route, call),
            "rds" => rds::handle(self, origin, route, call),
            "sns" => sns::handle(self, origin, route, call),
            "sqs" => sqs::handle(self, origin, route, call),
            "sts" => sts::handle(self, origin, route, call),
            "tagging" => tagging::handle(self, origin, route, call),
            _ => s3::handle(self, origin, route, call),
        }
    }

    /// Answers of reads are kept only while a rule may ask for a stale one.
    fn remember(&mut self, route: &Route, call: &Call, reply: &Reply) {
        let longest = self.faults.rules.iter().filter_map(|rule| if let Fault::Stale(age) = &rule.fault { Some(*age) } else { None }).max();
        let Some(longest) = longest.filter(|_| fault::is_read(&route.operation)) else { return };
        let now = self.now;
        let answers = self.earlier_answers.entry((route.service, identity_of(route, call))).or_default();
        answers.retain(|(at, _)| now.since(*at) <= longest);
        answers.push((now, reply.clone()));
    }

    /// The oldest answer to this read that is at most so old.
    fn earlier(&self, route: &Route, call: &Call, age: std::time::Duration) -> Option<Reply> {
        let answers = self.earlier_answers.get(&(route.service, identity_of(route, call)))?;
        answers.iter().find(|(at, _)| self.now.since(*at) <= age).map(|(_, reply)| reply.clone())
    }

    /// May the caller of a request do this to a resource with such a document?
    pub(crate) fn permit(&self, origin: &Origin, ask: &Ask<'_>) -> Result<(), Denial> {
        let mut context = self.keys_of(origin);
        context.extend(ask.context.iter().map(|(key, values)| (key.clone(), values.clone())));
        let access = Access { caller: &origin.caller, action: ask.action, resource: ask.resource, owner: ask.owner, context: &context };
        if let Some(kind) = organizations::guard(&self.organizations, &access) {
            return Err(access.denied_by(kind));
        }
        access.decide(ask.document, self.iam.identity(&origin.caller))
    }
}

/// What [`World::permit`] is asked.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) action: &'a str,
    /// The resource's ARN.
    pub(crate) resource: &'a str,
    /// The account that owns it.
    pub(crate) owner: &'a str,
    /// Its document.
    pub(crate) document: Option<&'a Document>,
    /// More condition keys, in lower case.
    pub(crate) context: RequestContext,
}

/// Every answer bears an id of its request in a header; S3 has two. [S3 API: Common response headers; boto3: `ResponseMetadata`]
fn identify(reply: &mut Reply, service: &str, number: u64) {
    let names: &[&'static str] = if service == "s3" { &["x-amz-request-id", "x-amz-id-2"] } else { &["x-amzn-requestid"] };
    let id = if service == "s3" { format!("{number:016X}") } else { format!("00000000-0000-4000-8000-{number:012x}") };
    if let Ok(value) = http::HeaderValue::from_str(&id) {
        for name in names {
            reply.headers.entry(*name).or_insert_with(|| value.clone());
        }
    }
}

/// Equal for equal reads: who asks where for what.
fn identity_of(route: &Route, call: &Call) -> Bytes {
    let mut text = format!("{} {} {} {}?{}\n", route.access_key, route.region, route.operation, call.path, call.query).into_bytes();
    text.extend_from_slice(&call.body);
    Bytes::from(text)
}
