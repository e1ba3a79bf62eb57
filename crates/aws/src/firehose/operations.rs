//! The Firehose calls that Everseal makes. The published rates are hard limits of the account.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::Firehose;
    /// Names of the streams.
    LIST_DELIVERY_STREAMS = "ListDeliveryStreams", ["firehose:ListDeliveryStreams"], Need::Audit, Rate::PerSecond(5);
    /// Encryption, source and destinations of one stream.
    DESCRIBE_DELIVERY_STREAM = "DescribeDeliveryStream", ["firehose:DescribeDeliveryStream"], Need::Audit, Rate::PerSecond(5);
    /// A stream's own encryption. Firehose makes its grant on the key with the caller's permissions.
    /// [firehose:StartDeliveryStreamEncryption]
    START_DELIVERY_STREAM_ENCRYPTION = "StartDeliveryStreamEncryption",
        ["firehose:StartDeliveryStreamEncryption", "kms:CreateGrant", "kms:GenerateDataKey", "kms:Decrypt"],
        Need::Enforce, Rate::PerSecond(5);
    /// The encryption of one S3 part of a destination.
    UPDATE_DESTINATION = "UpdateDestination", ["firehose:UpdateDestination", "iam:PassRole"], Need::Enforce, Rate::PerSecond(5);
}
