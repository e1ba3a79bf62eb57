//! Queues without the wire, for tests, the simulation harness and the demo.

use super::queue::{Attributes, Encryption, Queue, QueueCounts};
use super::receive::{Asked, hand_out};
use super::{Message, Place, deliver, errors, fields, permit};
use crate::error::ApiError;
use crate::world::{Origin, World};

/// A message that a consumer took and deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message's id.
    pub id: String,
    /// Its body.
    pub body: String,
}

impl World {
    /// A queue with SSE-SQS, as it is made where nothing is said. Its ARN. One that is there already stays as it is.
    pub fn create_queue(&mut self, account: &str, region: &str, name: &str) -> String {
        let place = Place { account, region, name };
        if self.sqs.look(&place).is_none() {
            let fifo = if super::is_fifo(name) { Some(super::queue::Fifo::default()) } else { None };
            let attributes = Attributes { encryption: Encryption::Managed, fifo, ..Attributes::default() };
            let queue = Queue::new(&place.arn(), self.now(), attributes);
            self.sqs.insert(&place, queue);
        }
        place.arn()
    }

    /// Sets a queue's attributes, checked as SQS does and asking nobody's permission.
    pub fn set_queue_attributes(&mut self, arn: &str, values: &[(&str, &str)]) -> Result<(), ApiError> {
        let place = Place::of_arn(arn).ok_or_else(errors::no_such_queue)?;
        let now = self.now();
        let values: Vec<_> = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let queue = self.sqs.find(&place).ok_or_else(errors::no_such_queue)?;
        queue.attributes = fields::change(&queue.attributes, &values, false)?;
        queue.modified = now;
        if let Some(contents) = &mut queue.contents {
            contents.retention_changed();
        }
        Ok(())
    }

    /// The queue's service is down for those who deliver into it, until then; `None`: it is up again.
    pub fn set_queue_outage(&mut self, arn: &str, until: Option<crate::Moment>) {
        match until {
            Some(until) => self.sqs.outages.insert(arn.to_owned(), until),
            None => self.sqs.outages.remove(arn),
        };
    }

    /// Messages in a queue that are neither deleted nor too old: visible, in flight and delayed ones.
    pub fn queue_depth(&mut self, arn: &str) -> usize {
        let now = self.now();
        let Some(queue) = Place::of_arn(arn).and_then(|place| self.sqs.find(&place)) else { return 0 };
        queue.settle(now);
        queue.contents.as_ref().map_or(0, |contents| contents.messages.len())
    }

    /// What a queue has seen since it was made.
    pub fn queue_counts(&self, arn: &str) -> QueueCounts {
        Place::of_arn(arn).and_then(|place| self.sqs.look(&place)).map(Queue::counts).unwrap_or_default()
    }

    /// Bodies of a queue's messages in their order, whoever could decrypt them.
    pub fn queue_bodies(&self, arn: &str) -> Vec<String> {
        let queue = Place::of_arn(arn).and_then(|place| self.sqs.look(&place));
        let contents = queue.and_then(|queue| queue.contents.as_ref());
        contents.into_iter().flat_map(|contents| contents.messages.values()).map(|message| message.body.to_string()).collect()
    }

    /// Sends as somebody, with all checks. The message's id.
    pub fn send_message(&mut self, origin: &Origin, arn: &str, body: &str) -> Result<String, ApiError> {
        deliver(self, origin, arn, Message { body: body.to_owned(), ..Message::default() })
    }

    /// Receives and deletes up to ten messages as somebody, with all checks.
    pub fn consume_messages(&mut self, origin: &Origin, arn: &str) -> Result<Vec<Received>, ApiError> {
        let place = Place::of_arn(arn).ok_or_else(errors::no_such_queue)?;
        permit(self, origin, &place, "sqs:ReceiveMessage")?;
        permit(self, origin, &place, "sqs:DeleteMessage")?;
        let handed = hand_out(self, origin, &place, Asked { most: 10, visibility: None })?;
        let contents = self.sqs.find(&place).ok_or_else(errors::no_such_queue)?.contents();
        for one in &handed {
            contents.remove(one.sequence);
            contents.counts.deleted += 1;
        }
        Ok(handed.into_iter().map(|one| Received { id: one.message.id.into(), body: one.message.body.into() }).collect())
    }
}

/// Queues of an account in a region that have tags, for whoever lists tags.
pub(crate) fn tags_of(world: &World, account: &str, region: &str) -> Vec<(String, Vec<(String, String)>)> {
    let queues = world.sqs.places.get(account).and_then(|regions| regions.get(region));
    let tagged = queues.into_iter().flatten().filter(|(_, queue)| !queue.tags.is_empty());
    let pairs = |queue: &Queue| queue.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    tagged.map(|(_, queue)| (queue.arn.to_string(), pairs(queue))).collect()
}
