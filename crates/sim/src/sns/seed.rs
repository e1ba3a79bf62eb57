//! Topics without the wire, for tests, the simulation harness and the demo.

use std::collections::BTreeMap;

use super::topic::{Subscription, Topic};
use super::{Place, Publication, attributes, errors, publish, subscriptions};
use crate::error::ApiError;
use crate::world::{Origin, World};

impl World {
    /// A topic as it is made where nothing is said. Its ARN. One that is there already stays as it is.
    pub fn create_topic(&mut self, account: &str, region: &str, name: &str) -> String {
        let place = Place { account, region, name };
        if self.sns.look(&place).is_none() {
            self.sns.insert(&place, Topic::new(&place.arn(), crate::sqs::is_fifo(name)));
        }
        place.arn()
    }

    /// Sets a topic's attribute, checked as SNS does and asking nobody's permission.
    ///
    /// # Errors
    /// What `SetTopicAttributes` answers.
    pub fn set_topic_attribute(&mut self, arn: &str, name: &str, value: &str) -> Result<(), ApiError> {
        let place = Place::of_arn(arn).ok_or_else(errors::no_such_topic)?;
        attributes::write(self.sns.find(&place).ok_or_else(errors::no_such_topic)?, name, value)
    }

    /// A confirmed subscription of the topic's own account, with attributes as they are written. Its ARN.
    pub fn subscribe(&mut self, topic: &str, protocol: &str, endpoint: &str, attributes: &[(&str, &str)]) -> String {
        let written: BTreeMap<_, _> = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let owner = Place::of_arn(topic).map_or("", |place| place.account).to_owned();
        let subscription = Subscription {
            topic: topic.to_owned(),
            protocol: protocol.to_owned(),
            endpoint: endpoint.to_owned(),
            filter: written.get("FilterPolicy").and_then(|text| serde_json::from_str(text).ok()),
            token: None,
            attributes: written,
            owner: owner.clone(),
        };
        let (arn, _) = subscriptions::add(self, subscription, &owner);
        if let Some(subscription) = self.sns.subscriptions.get_mut(&arn) {
            subscription.token = None;
        }
        arn
    }

    /// Publishes as somebody, with all checks. The message's id.
    ///
    /// # Errors
    /// What `Publish` answers.
    pub fn publish_message(&mut self, origin: &Origin, topic: &str, message: &str) -> Result<String, ApiError> {
        publish(self, origin, topic, Publication { message: message.to_owned(), ..Publication::default() })
    }
}

/// Topics of an account in a region that have tags, for whoever lists tags.
pub(crate) fn tags_of(world: &World, account: &str, region: &str) -> Vec<(String, Vec<(String, String)>)> {
    let topics = world.sns.places.get(account).and_then(|regions| regions.get(region));
    let tagged = topics.into_iter().flatten().filter(|(_, topic)| !topic.tags.is_empty());
    let pairs = |topic: &Topic| topic.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    tagged.map(|(_, topic)| (topic.arn.to_string(), pairs(topic))).collect()
}
