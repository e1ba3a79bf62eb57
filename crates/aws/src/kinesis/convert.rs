//! What `DescribeStreamSummary` says, as the planner's values.

use aws_sdk_kinesis::types;
use everseal_planner::kinesis::observed::DataStreamSummary;

/// The planner's view of a summary. `ListStreams` gives names and states alone: the key stands only here.
pub(crate) fn summary(described: &types::StreamDescriptionSummary) -> DataStreamSummary {
    DataStreamSummary {
        status: described.stream_status().as_str().to_owned(),
        encrypted: described.encryption_type() == Some(&types::EncryptionType::Kms),
        kms_key: described.key_id().map(str::to_owned),
    }
}
