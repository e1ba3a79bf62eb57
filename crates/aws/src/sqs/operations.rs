//! The API calls of this service.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::Sqs;
    /// URLs of all queues.
    LIST_QUEUES = "ListQueues", ["sqs:ListQueues"], Need::Audit, Rate::Unpublished;
    /// URL of one queue that is known by its ARN.
    GET_QUEUE_URL = "GetQueueUrl", ["sqs:GetQueueUrl"], Need::Audit, Rate::Unpublished;
    /// Encryption, policy and dead-letter queue in one call.
    GET_QUEUE_ATTRIBUTES = "GetQueueAttributes", ["sqs:GetQueueAttributes"], Need::Audit, Rate::Unpublished;
    /// Encryption or policy.
    SET_QUEUE_ATTRIBUTES = "SetQueueAttributes", ["sqs:SetQueueAttributes"], Need::Enforce, Rate::Unpublished;
}
