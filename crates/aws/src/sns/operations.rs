//! The API calls of this service, with the published rates.

use crate::operation::{Api, Need, Rate, operations};

/// Reads and writes of topics: 3,000 a second in N. Virginia; elsewhere 900, 150 or 30, so that a scope
/// starts with the least of them and finds out. [SNS endpoints and quotas]
fn topic_attributes(region: &str) -> (u32, u32) {
    if region == "us-east-1" { (3000, 3000) } else { (30, 900) }
}

operations! { Api::Sns;
    /// ARNs of all topics, 100 a page.
    LIST_TOPICS = "ListTopics", ["sns:ListTopics"], Need::Audit, Rate::PerSecond(30);
    /// Key and policy in one call.
    GET_TOPIC_ATTRIBUTES = "GetTopicAttributes", ["sns:GetTopicAttributes"], Need::Audit, Rate::ByRegion(topic_attributes);
    /// All subscriptions of the scope, 100 a page, instead of one call for each topic.
    LIST_SUBSCRIPTIONS = "ListSubscriptions", ["sns:ListSubscriptions"], Need::Audit, Rate::PerSecond(30);
    /// Key or policy: one attribute a call.
    SET_TOPIC_ATTRIBUTES = "SetTopicAttributes", ["sns:SetTopicAttributes"], Need::Enforce, Rate::ByRegion(topic_attributes);
}
