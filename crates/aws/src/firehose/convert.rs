//! What `DescribeDeliveryStream` says, as the planner's values, and the updates that change one S3 part.
//!
//! Every destination has an S3 part (target, staging area or backup) and each has its own encryption:
//! all of them are kept. An update carries the encryption alone: where the destination's type stays the
//! same, Firehose retains every parameter that is not named. [firehose:UpdateDestination]
//! An update must never be built from our copy of a whole destination: what we do not know of would be lost.

use aws_sdk_firehose::error::BuildError;
use aws_sdk_firehose::operation::update_destination::builders::UpdateDestinationInputBuilder;
use aws_sdk_firehose::types;
use everseal_planner::Arn;
use everseal_planner::arn::ArnError;
use everseal_planner::firehose::observed::{DeliveryDestination, DeliveryStreamDescription, DestinationKind, StreamEncryption};

/// The planner's view of a description.
pub(crate) fn description(described: &types::DeliveryStreamDescription) -> Result<DeliveryStreamDescription, ArnError> {
    let source = described.source().and_then(types::SourceDescription::kinesis_stream_source_description);
    let source_stream = source.and_then(types::KinesisStreamSourceDescription::kinesis_stream_arn);
    let source_role = source.and_then(types::KinesisStreamSourceDescription::role_arn);
    let mut destinations = Vec::new();
    for destination in described.destinations() {
        destinations.extend(s3_parts(destination)?);
    }
    Ok(DeliveryStreamDescription {
        stream_type: described.delivery_stream_type().as_str().to_owned(),
        status: described.delivery_stream_status().as_str().to_owned(),
        version_id: described.version_id().to_owned(),
        created_at: described.create_timestamp().map(aws_sdk_firehose::primitives::DateTime::secs),
        encryption: described.delivery_stream_encryption_configuration().map(stream_encryption).unwrap_or_default(),
        source_stream: source_stream.map(Arn::parse).transpose()?,
        source_role: source_role.map(Arn::parse).transpose()?,
        destinations,
    })
}

fn stream_encryption(configuration: &types::DeliveryStreamEncryptionConfiguration) -> StreamEncryption {
    StreamEncryption {
        status: configuration.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        key_type: configuration.key_type().map(|key_type| key_type.as_str().to_owned()),
        kms_key: configuration.key_arn().map(str::to_owned),
        failure: configuration.failure_description().map(|failure| failure.r#type().as_str().to_owned()),
    }
}

/// The S3 parts of one destination. A backup that is configured and switched off receives nothing and is left out.
fn s3_parts(destination: &types::DestinationDescription) -> Result<Vec<DeliveryDestination>, ArnError> {
    let id = destination.destination_id();
    let mut parts = Vec::new();
    if let Some(extended) = destination.extended_s3_destination_description() {
        parts.push(part(id, DestinationKind::ExtendedS3, extended.bucket_arn(), extended.role_arn(), extended.encryption_configuration())?);
        if extended.s3_backup_mode() != Some(&types::S3BackupMode::Disabled) {
            parts.extend(s3_part(id, DestinationKind::ExtendedS3Backup, extended.s3_backup_description())?);
        }
    } else {
        // The plain description repeats the extended one; it stands alone only on streams older than that.
        parts.extend(s3_part(id, DestinationKind::ExtendedS3, destination.s3_destination_description())?);
    }
    if let Some(redshift) = destination.redshift_destination_description() {
        parts.extend(s3_part(id, DestinationKind::Redshift, redshift.s3_destination_description())?);
        if redshift.s3_backup_mode() != Some(&types::RedshiftS3BackupMode::Disabled) {
            parts.extend(s3_part(id, DestinationKind::RedshiftBackup, redshift.s3_backup_description())?);
        }
    }
    for (kind, s3) in single_s3_parts(destination) {
        parts.extend(s3_part(id, kind, s3)?);
    }
    Ok(parts)
}

/// Destinations with exactly one S3 part.
fn single_s3_parts(destination: &types::DestinationDescription) -> [(DestinationKind, Option<&types::S3DestinationDescription>); 7] {
    [
        (
            DestinationKind::OpenSearch,
            destination.amazonopensearchservice_destination_description().and_then(|d| d.s3_destination_description()),
        ),
        (DestinationKind::Elasticsearch, destination.elasticsearch_destination_description().and_then(|d| d.s3_destination_description())),
        (
            DestinationKind::OpenSearchServerless,
            destination.amazon_open_search_serverless_destination_description().and_then(|d| d.s3_destination_description()),
        ),
        (DestinationKind::Splunk, destination.splunk_destination_description().and_then(|d| d.s3_destination_description())),
        (DestinationKind::HttpEndpoint, destination.http_endpoint_destination_description().and_then(|d| d.s3_destination_description())),
        (DestinationKind::Snowflake, destination.snowflake_destination_description().and_then(|d| d.s3_destination_description())),
        (DestinationKind::Iceberg, iceberg_s3(destination)),
    ]
}

fn iceberg_s3(destination: &types::DestinationDescription) -> Option<&types::S3DestinationDescription> {
    destination.iceberg_destination_description().and_then(types::IcebergDestinationDescription::s3_destination_description)
}

fn s3_part(
    id: &str,
    kind: DestinationKind,
    described: Option<&types::S3DestinationDescription>,
) -> Result<Option<DeliveryDestination>, ArnError> {
    described.map(|s3| part(id, kind, s3.bucket_arn(), s3.role_arn(), s3.encryption_configuration())).transpose()
}

fn part(
    id: &str,
    kind: DestinationKind,
    bucket: &str,
    role: &str,
    encryption: Option<&types::EncryptionConfiguration>,
) -> Result<DeliveryDestination, ArnError> {
    let kms = encryption.and_then(types::EncryptionConfiguration::kms_encryption_config);
    Ok(DeliveryDestination {
        id: id.to_owned(),
        kind,
        bucket: Arn::parse(bucket)?,
        role: Arn::parse(role)?,
        kms_key: kms.map(|kms| kms.awskms_key_arn().to_owned()),
    })
}

/// `StartDeliveryStreamEncryption`'s configuration: the customer's key, or AWS's own where `key` is `None`.
pub(crate) fn encryption_input(key: Option<&Arn>) -> Result<types::DeliveryStreamEncryptionConfigurationInput, BuildError> {
    let key_type = if key.is_some() { types::KeyType::CustomerManagedCmk } else { types::KeyType::AwsOwnedCmk };
    types::DeliveryStreamEncryptionConfigurationInput::builder().set_key_arn(key.map(ToString::to_string)).key_type(key_type).build()
}

/// The update that puts one S3 part under `key`. `None` where the destination as described has no such part:
/// Iceberg's update takes a whole S3 configuration instead of a partial one, so what is there is sent back with it.
pub(crate) fn destination_update(
    kind: DestinationKind,
    key: &Arn,
    described: Option<&types::DestinationDescription>,
) -> Result<Option<UpdateDestinationInputBuilder>, BuildError> {
    let kms = types::KmsEncryptionConfig::builder().awskms_key_arn(key.as_str()).build()?;
    let encryption = types::EncryptionConfiguration::builder().kms_encryption_config(kms).build();
    let s3 = types::S3DestinationUpdate::builder().encryption_configuration(encryption.clone()).build();
    let update = UpdateDestinationInputBuilder::default();
    Ok(Some(match kind {
        DestinationKind::ExtendedS3 => update
            .extended_s3_destination_update(types::ExtendedS3DestinationUpdate::builder().encryption_configuration(encryption).build()),
        DestinationKind::ExtendedS3Backup => {
            update.extended_s3_destination_update(types::ExtendedS3DestinationUpdate::builder().s3_backup_update(s3).build())
        }
        DestinationKind::Redshift => update.redshift_destination_update(types::RedshiftDestinationUpdate::builder().s3_update(s3).build()),
        DestinationKind::RedshiftBackup => {
            update.redshift_destination_update(types::RedshiftDestinationUpdate::builder().s3_backup_update(s3).build())
        }
        DestinationKind::OpenSearch => update
            .amazonopensearchservice_destination_update(types::AmazonopensearchserviceDestinationUpdate::builder().s3_update(s3).build()),
        DestinationKind::Elasticsearch => {
            update.elasticsearch_destination_update(types::ElasticsearchDestinationUpdate::builder().s3_update(s3).build())
        }
        DestinationKind::OpenSearchServerless => update.amazon_open_search_serverless_destination_update(
            types::AmazonOpenSearchServerlessDestinationUpdate::builder().s3_update(s3).build(),
        ),
        DestinationKind::Splunk => update.splunk_destination_update(types::SplunkDestinationUpdate::builder().s3_update(s3).build()),
        DestinationKind::HttpEndpoint => {
            update.http_endpoint_destination_update(types::HttpEndpointDestinationUpdate::builder().s3_update(s3).build())
        }
        DestinationKind::Snowflake => {
            update.snowflake_destination_update(types::SnowflakeDestinationUpdate::builder().s3_update(s3).build())
        }
        DestinationKind::Iceberg => {
            let Some(s3) = described.and_then(iceberg_s3) else { return Ok(None) };
            let whole = whole_configuration(s3, encryption)?;
            update.iceberg_destination_update(types::IcebergDestinationUpdate::builder().s3_configuration(whole).build())
        }
    }))
}

fn whole_configuration(
    s3: &types::S3DestinationDescription,
    encryption: types::EncryptionConfiguration,
) -> Result<types::S3DestinationConfiguration, BuildError> {
    types::S3DestinationConfiguration::builder()
        .role_arn(s3.role_arn())
        .bucket_arn(s3.bucket_arn())
        .set_prefix(s3.prefix.clone())
        .set_error_output_prefix(s3.error_output_prefix.clone())
        .set_buffering_hints(s3.buffering_hints.clone())
        .compression_format(s3.compression_format().clone())
        .encryption_configuration(encryption)
        .set_cloud_watch_logging_options(s3.cloud_watch_logging_options.clone())
        .build()
}
