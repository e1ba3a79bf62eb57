//! Changes delivery streams: exactly what the step holds, never a whole destination.

use aws_sdk_firehose::config::retry::RetryConfig;
use aws_sdk_firehose::error::BuildError;
use everseal_controller::ApplyError;
use everseal_planner::Arn;
use everseal_planner::firehose::observed::DestinationKind;
use everseal_planner::plan::{Change, KeyRef};

use super::{convert, observe, operations};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::Operation;

/// Makes one change of this service.
pub async fn apply(ctx: &ScopeContext, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
    match change {
        Change::DeliveryStreamEncryption { stream, before: _, after } => {
            let key = match after {
                None => None,
                Some(KeyRef::Arn(key)) => Some(key),
                Some(KeyRef::ToBeCreated { .. }) => return Err(crate::account::misrouted(resource, change)),
            };
            Ok(start_encryption(ctx, stream, key).await?)
        }
        Change::DeliveryDestinationEncryption { stream, version_id, destination_id, kind, before: _, after: KeyRef::Arn(key) } => {
            let place = Place { stream, version_id, destination_id, kind: *kind };
            // The update is a large value: off the stack.
            Ok(Box::pin(encrypt_destination(ctx, &place, key)).await?)
        }
        _ => Err(crate::account::misrouted(resource, change)),
    }
}

/// One S3 part of one stream, at the version that the plan was made from.
struct Place<'a> {
    stream: &'a str,
    version_id: &'a str,
    destination_id: &'a str,
    kind: DestinationKind,
}

async fn start_encryption(ctx: &ScopeContext, stream: &str, key: Option<&Arn>) -> Result<(), AwsError> {
    let operation = &operations::START_DELIVERY_STREAM_ENCRYPTION;
    let configuration = convert::encryption_input(key).map_err(|error| unbuildable(operation, &error))?;
    let request = ctx
        .firehose()
        .start_delivery_stream_encryption()
        .delivery_stream_name(stream)
        .delivery_stream_encryption_configuration_input(configuration);
    // Calls are counted, 25 a day: the SDK must not spend them, and it takes a used-up budget for throttling.
    let once = aws_sdk_firehose::config::Config::builder().retry_config(RetryConfig::disabled());
    ctx.call(operation, request.customize().config_override(once).send()).await?;
    Ok(())
}

async fn encrypt_destination(ctx: &ScopeContext, place: &Place<'_>, key: &Arn) -> Result<(), AwsError> {
    let operation = &operations::UPDATE_DESTINATION;
    let described = match place.kind {
        DestinationKind::Iceberg => Some(observe::raw_description(ctx, place.stream).await?),
        DestinationKind::ExtendedS3
        | DestinationKind::ExtendedS3Backup
        | DestinationKind::Redshift
        | DestinationKind::RedshiftBackup
        | DestinationKind::OpenSearch
        | DestinationKind::Elasticsearch
        | DestinationKind::OpenSearchServerless
        | DestinationKind::Splunk
        | DestinationKind::HttpEndpoint
        | DestinationKind::Snowflake => None,
    };
    let destination = described
        .as_ref()
        .and_then(|described| described.destinations().iter().find(|destination| destination.destination_id() == place.destination_id));
    let update = convert::destination_update(place.kind, key, destination).map_err(|error| unbuildable(operation, &error))?;
    let Some(update) = update else {
        return Err(AwsError::incomplete(&operations::DESCRIBE_DELIVERY_STREAM, "the destination's S3 part"));
    };
    let update =
        update.delivery_stream_name(place.stream).current_delivery_stream_version_id(place.version_id).destination_id(place.destination_id);
    ctx.call(operation, Box::pin(update.send_with(ctx.firehose()))).await?;
    Ok(())
}

fn unbuildable(operation: &'static Operation, error: &BuildError) -> AwsError {
    AwsError::incomplete(operation, &error.to_string())
}
