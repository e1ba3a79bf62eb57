//! A queue and what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::access::Document;
use crate::moment::Moment;

/// How new messages are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encryption {
    Off,
    /// SSE-SQS.
    Managed,
    /// SSE-KMS with the key as it was written.
    Kms(Box<str>),
}

/// A document as written, and parsed once.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) text: Box<str>,
    pub(super) document: Document,
}

/// Where messages go that nobody manages to process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    pub(super) text: Box<str>,
    /// ARN.
    pub(super) target: Box<str>,
    pub(super) max_receives: u32,
}

/// Everything that `SetQueueAttributes` can change.
#[derive(Debug, Clone)]
pub(super) struct Attributes {
    /// Seconds.
    pub(super) delay: u32,
    /// Bytes.
    pub(super) maximum_size: u32,
    /// Seconds.
    pub(super) retention: u32,
    /// Seconds.
    pub(super) wait: u32,
    /// Seconds.
    pub(super) visibility: u32,
    /// Seconds.
    pub(super) data_key_reuse: Option<u32>,
    pub(super) encryption: Encryption,
    pub(super) policy: Option<Box<Policy>>,
    pub(super) redrive: Option<Box<Redrive>>,
    pub(super) redrive_allow: Option<Box<str>>,
    pub(super) fifo: Option<Fifo>,
}

/// Attributes of FIFO queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fifo {
    pub(super) content_based: bool,
    /// `DeduplicationScope` is `messageGroup`.
    pub(super) scope_group: bool,
    /// `FifoThroughputLimit` is `perMessageGroupId`.
    pub(super) limit_group: bool,
}

impl Default for Attributes {
    /// [sqs:CreateQueue]
    fn default() -> Self {
        Self {
            delay: 0,
            maximum_size: 1_048_576,
            retention: 345_600,
            wait: 0,
            visibility: 30,
            data_key_reuse: None,
            encryption: Encryption::Off,
            policy: None,
            redrive: None,
            redrive_allow: None,
            fifo: None,
        }
    }
}

impl Attributes {
    pub(super) fn document(&self) -> Option<&Document> {
        self.policy.as_ref().map(|policy| &policy.document)
    }

    pub(super) fn retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.retention))
    }

    /// How long a data key serves. [sqs:SetQueueAttributes, `KmsDataKeyReusePeriodSeconds`]
    pub(super) fn data_key_reuse(&self) -> Duration {
        Duration::from_secs(u64::from(self.data_key_reuse.unwrap_or(300)))
    }
}

/// What a message's body is encrypted with: it keeps this wherever it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seal {
    Plain,
    Managed,
    Kms {
        /// The key's ARN.
        key: Arc<str>,
        /// ARN of the queue that it was sent to: the encryption context.
        queue: Arc<str>,
    },
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: Box<str>,
    pub(super) body: Box<str>,
    /// Name, data type, value.
    pub(super) attributes: Vec<(String, String, String)>,
    pub(super) group: Option<Box<str>>,
    pub(super) deduplication: Option<Box<str>>,
    pub(super) sender: Arc<str>,
    pub(super) sent: Moment,
    pub(super) seal: Seal,
    /// The queue that it was moved from because nobody managed to process it.
    pub(super) dead_letter_of: Option<Arc<str>>,
    pub(super) first_received: Option<Moment>,
    /// Receives from this queue.
    pub(super) receives: u32,
    /// Receives from queues that it was in before.
    pub(super) received_elsewhere: u32,
    pub(super) visible_at: Moment,
    /// The number of the receive that its newest handle is of; 0: none yet.
    pub(super) receipt: u64,
}

/// Numbers since a queue was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueCounts {
    /// Messages that came in.
    pub sent: u64,
    /// Messages handed to consumers, each time counted.
    pub received: u64,
    /// Messages that consumers deleted.
    pub deleted: u64,
    /// Messages that grew too old.
    pub expired: u64,
    /// Messages moved to the dead-letter queue.
    pub dead: u64,
}

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) arn: Arc<str>,
    pub(super) created: Moment,
    pub(super) modified: Moment,
    pub(super) attributes: Attributes,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) contents: Option<Box<Contents>>,
}

/// What only queues have that were used.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// By sequence: in the order of arrival.
    pub(super) messages: BTreeMap<u64, Stored>,
    /// (visible from, sequence) of each message.
    pub(super) order: BTreeSet<(Moment, u64)>,
    pub(super) counts: QueueCounts,
    /// Data keys at hand: (whose, key, action) → until when.
    pub(super) data_keys: BTreeMap<(String, String, &'static str), (Moment, Arc<str>)>,
    /// FIFO: deduplication id → (until when, message id, sequence).
    pub(super) recent: BTreeMap<String, (Moment, Box<str>, u64)>,
    pub(super) purged: Option<Moment>,
    next: u64,
    receipts: u64,
    /// No message expires before; `None`: to be found out.
    expires: Option<Moment>,
}

impl Queue {
    pub(super) fn new(arn: &str, now: Moment, attributes: Attributes) -> Self {
        Self { arn: Arc::from(arn), created: now, modified: now, attributes, tags: BTreeMap::new(), contents: None }
    }

    pub(super) fn contents(&mut self) -> &mut Contents {
        self.contents.get_or_insert_default()
    }

    pub(super) fn counts(&self) -> QueueCounts {
        self.contents.as_ref().map(|contents| contents.counts).unwrap_or_default()
    }

    /// Drops messages that are too old by now. [sqs:SetQueueAttributes, `MessageRetentionPeriod`]
    pub(super) fn settle(&mut self, now: Moment) {
        let retention = self.attributes.retention();
        if let Some(contents) = &mut self.contents {
            contents.expire(now, retention);
        }
    }

    /// When the next of the messages that are hidden now is shown.
    pub(super) fn next_visible(&self, now: Moment) -> Option<Moment> {
        let hidden = self.contents.as_ref()?.order.range((Moment(now.0 + 1), 0)..);
        hidden.map(|(at, _)| *at).next()
    }

    /// Messages by now: (to be had, in flight, delayed).
    pub(super) fn depth(&self, now: Moment) -> (usize, usize, usize) {
        let Some(contents) = &self.contents else { return (0, 0, 0) };
        let hidden = contents.order.range((Moment(now.0 + 1), 0)..);
        let (mut in_flight, mut delayed) = (0, 0);
        for (_, sequence) in hidden {
            match contents.messages.get(sequence) {
                Some(message) if message.receives > 0 => in_flight += 1,
                _ => delayed += 1,
            }
        }
        (contents.messages.len() - in_flight - delayed, in_flight, delayed)
    }
}

impl Contents {
    pub(super) fn add(&mut self, message: Stored, retention: Duration) -> u64 {
        // What is new may be older than all else: a dead letter keeps its age.
        let expires = message.sent + retention;
        self.expires = if self.messages.is_empty() { Some(expires) } else { self.expires.map(|at| at.min(expires)) };
        self.next += 1;
        self.order.insert((message.visible_at, self.next));
        self.messages.insert(self.next, message);
        self.next
    }

    pub(super) fn remove(&mut self, sequence: u64) -> Option<Stored> {
        let message = self.messages.remove(&sequence)?;
        self.order.remove(&(message.visible_at, sequence));
        Some(message)
    }

    pub(super) fn show_at(&mut self, sequence: u64, visible_at: Moment) {
        if let Some(message) = self.messages.get_mut(&sequence) {
            self.order.remove(&(message.visible_at, sequence));
            message.visible_at = visible_at;
            self.order.insert((visible_at, sequence));
        }
    }

    /// Hides a message until then, as received once more. The number of this receive.
    pub(super) fn hand_out(&mut self, sequence: u64, now: Moment, visible_at: Moment) -> u64 {
        self.receipts += 1;
        self.counts.received += 1;
        self.show_at(sequence, visible_at);
        if let Some(message) = self.messages.get_mut(&sequence) {
            message.receives += 1;
            message.receipt = self.receipts;
            message.first_received.get_or_insert(now);
        }
        self.receipts
    }

    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.order.clear();
    }

    /// Has to be told where the retention period changes.
    pub(super) const fn retention_changed(&mut self) {
        self.expires = None;
    }

    fn expire(&mut self, now: Moment, retention: Duration) {
        if self.expires.is_some_and(|at| now < at) || self.messages.is_empty() {
            return;
        }
        let old: Vec<u64> =
            self.messages.iter().filter(|(_, message)| message.sent + retention <= now).map(|(sequence, _)| *sequence).collect();
        for sequence in old {
            self.remove(sequence);
            self.counts.expired += 1;
        }
        self.expires = self.messages.values().map(|message| message.sent + retention).min();
    }
}
