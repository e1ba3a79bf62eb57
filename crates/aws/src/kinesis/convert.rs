//! What `DescribeStreamSummary` says, as the planner's values.

use aws_sdk_kinesis::types;
use everseal_planner::Arn;
use everseal_planner::inventory::Channel;
use everseal_planner::kinesis::observed::DataStreamSummary;

/// The planner's view of a summary. `ListStreams` gives names and states alone: the key stands only here.
pub(crate) fn summary(described: &types::StreamDescriptionSummary) -> DataStreamSummary {
    DataStreamSummary {
        status: described.stream_status().as_str().to_owned(),
        encrypted: described.encryption_type() == Some(&types::EncryptionType::Kms),
        kms_key: described.key_id().map(str::to_owned),
    }
}

/// A channel delivers from one stream or several: one value for each. `None` where the answer lacks an ARN.
pub(crate) fn channels(described: types::ChannelDescription) -> Option<Vec<Channel>> {
    let arn = Arn::parse(&described.channel_arn).ok()?;
    let storage = described.s3_destination_configuration.and_then(|destination| destination.storage_configuration);
    let bucket = storage.map(|storage| Arn::parse(&storage.bucket_arn)).transpose().ok()?;
    let role = Arn::parse(&described.service_execution_role_arn).ok();
    let kms_key = described.encryption_configuration.map(|encryption| encryption.key_id);
    let of = |stream: &types::ChannelStreamDescription| {
        let stream = Arn::parse(&stream.stream_arn).ok()?;
        Some(Channel { arn: arn.clone(), stream, bucket: bucket.clone(), role: role.clone(), kms_key: kms_key.clone() })
    };
    described.stream_configuration_list.iter().map(of).collect()
}
