//! What is posted to HTTP and HTTPS endpoints.
//!
//! The world does no I/O. A test reads here what was posted; where somebody posts for real
//! ([`crate::Sim::post_notifications`]), notifications wait here for it, and it tells what the endpoints said.

use std::collections::VecDeque;

use super::deliver::{Delivery, posted};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::world::World;

/// How many are kept to be read.
const KEPT: usize = 1000;

/// What a post is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A message.
    Notification,
    /// A token to confirm with.
    SubscriptionConfirmation,
}

impl Kind {
    /// As the header `x-amz-sns-message-type` says it.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
        }
    }
}

/// A post to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// When.
    pub at: Moment,
    /// The topic's ARN.
    pub topic: String,
    /// The subscription's ARN.
    pub subscription: String,
    /// The address.
    pub endpoint: String,
    /// What it is.
    pub kind: Kind,
    /// The message's id.
    pub id: String,
    /// The body.
    pub body: String,
    /// The message alone, without SNS's envelope.
    pub raw: bool,
}

/// What an endpoint said to a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostResult {
    /// A status.
    Status(u16),
    /// It could not be reached.
    Unreachable(String),
}

/// A post that somebody has to make.
#[derive(Debug)]
pub(crate) struct Posting {
    pub(crate) notification: Notification,
    delivery: Option<Delivery>,
}

/// Posts made, and posts that wait to be.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    latest: VecDeque<Notification>,
    waiting: VecDeque<Posting>,
    /// Somebody posts for real.
    attended: bool,
}

impl Outbox {
    /// Keeps a notification; `true`: it waits for somebody to post it.
    pub(super) fn put(&mut self, notification: Notification, delivery: Option<Delivery>) -> bool {
        if self.latest.len() == KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(notification.clone());
        let waits = self.attended && is_loopback(&notification.endpoint);
        if waits {
            self.waiting.push_back(Posting { notification, delivery });
        }
        waits
    }
}

/// An address on this machine, without TLS: the only ones that are posted to for real.
fn is_loopback(endpoint: &str) -> bool {
    let uri: Option<http::Uri> = endpoint.parse().ok();
    let plain = uri.filter(|uri| uri.scheme_str() == Some("http"));
    plain.is_some_and(|uri| matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]")))
}

impl World {
    /// The latest posts to HTTP and HTTPS endpoints, oldest first.
    pub fn notifications(&self) -> impl DoubleEndedIterator<Item = &Notification> {
        self.sns.outbox.latest.iter()
    }

    /// From now on somebody posts for real to endpoints on this machine.
    pub(crate) const fn attend_outbox(&mut self) {
        self.sns.outbox.attended = true;
    }

    /// Is there a post to make?
    pub(crate) fn has_postings(&self) -> bool {
        !self.sns.outbox.waiting.is_empty()
    }

    /// The next post to make.
    pub(crate) fn next_posting(&mut self) -> Option<Posting> {
        self.sns.outbox.waiting.pop_front()
    }

    /// What became of it: 2xx is delivered, 5xx and 429 and no answer are tried again, all else is the endpoint's own
    /// fault and is not. [SNS: Message delivery retries]
    pub(crate) fn posting_done(&mut self, posting: &Posting, result: &PostResult) {
        let Some(delivery) = &posting.delivery else { return };
        let outcome = match result {
            PostResult::Status(200..=299) => Ok(()),
            PostResult::Status(429) => Err(ApiError::new(503, "EndpointThrottled", "HTTP status 429")),
            PostResult::Status(status) => Err(ApiError::new(*status, "EndpointRefused", format!("HTTP status {status}"))),
            PostResult::Unreachable(why) => Err(ApiError::new(503, "EndpointUnreachable", why.clone())),
        };
        posted(self, delivery, outcome);
    }
}
