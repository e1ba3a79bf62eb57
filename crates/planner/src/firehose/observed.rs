//! What AWS says of a delivery stream: one `DescribeDeliveryStream`, and CloudWatch's four KMS counters.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::check::closed_set;
use crate::inventory::Reading;

/// One delivery stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryStream {
    /// The stream's ARN.
    pub arn: Arn,
    /// The stream's name.
    pub name: String,
    /// Its description.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub description: Reading<DeliveryStreamDescription>,
    /// Tags, read only where a rule asks for them.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub tags: Reading<BTreeMap<String, String>>,
    /// What the four counters showed; read only for streams with a customer managed key.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub kms_errors: Reading<KmsErrors>,
}

/// The parts of a description that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryStreamDescription {
    /// `DirectPut`, `KinesisStreamAsSource`, `MSKAsSource`, `DatabaseAsSource`, or a younger value.
    pub stream_type: String,
    /// `ACTIVE`, `CREATING` …
    pub status: String,
    /// `VersionId`, which an update must name.
    pub version_id: String,
    /// When the stream was made, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// The stream's own encryption.
    #[serde(default)]
    pub encryption: StreamEncryption,
    /// The Kinesis stream it reads, where the type is `KinesisStreamAsSource`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_stream: Option<Arn>,
    /// The role that reads it (`KinesisStreamSourceDescription.RoleARN`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_role: Option<Arn>,
    /// Where it delivers: one destination today, a list in the API.
    #[serde(default)]
    pub destinations: Vec<DeliveryDestination>,
}

/// `DeliveryStreamEncryptionConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StreamEncryption {
    /// `ENABLED`, `ENABLING`, `ENABLING_FAILED`, `DISABLED`, `DISABLING`, `DISABLING_FAILED`; empty = never enabled.
    #[serde(default)]
    pub status: String,
    /// `AWS_OWNED_CMK` or `CUSTOMER_MANAGED_CMK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// The customer managed key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// `FailureDescription.Type`, e.g. `KMS_ACCESS_DENIED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The S3 part that every destination has: its main target, staging area or backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryDestination {
    /// `DestinationId`, which an update must name.
    pub id: String,
    /// Which shape of update reaches this S3 part.
    pub kind: DestinationKind,
    /// The bucket.
    pub bucket: Arn,
    /// Firehose's role.
    pub role: Arn,
    /// `KMSEncryptionConfig.AWSKMSKeyARN`; `None` = `NoEncryption`: no header is sent, the bucket's default applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}

closed_set! {
    /// The member of `UpdateDestination` that carries an S3 part.
    DestinationKind {
        /// `ExtendedS3DestinationUpdate`.
        ExtendedS3 = "extendedS3",
        /// `ExtendedS3DestinationUpdate.S3BackupUpdate`.
        ExtendedS3Backup = "extendedS3Backup",
        /// `RedshiftDestinationUpdate.S3Update` (staging).
        Redshift = "redshift",
        /// `RedshiftDestinationUpdate.S3BackupUpdate`.
        RedshiftBackup = "redshiftBackup",
        /// `AmazonopensearchserviceDestinationUpdate.S3Update`.
        OpenSearch = "openSearch",
        /// `ElasticsearchDestinationUpdate.S3Update`.
        Elasticsearch = "elasticsearch",
        /// `AmazonOpenSearchServerlessDestinationUpdate.S3Update`.
        OpenSearchServerless = "openSearchServerless",
        /// `SplunkDestinationUpdate.S3Update`.
        Splunk = "splunk",
        /// `HttpEndpointDestinationUpdate.S3Update`.
        HttpEndpoint = "httpEndpoint",
        /// `SnowflakeDestinationUpdate.S3Update`.
        Snowflake = "snowflake",
        /// `IcebergDestinationUpdate.S3Configuration`.
        Iceberg = "iceberg",
    }
}

closed_set! {
    /// The four CloudWatch counters of namespace `AWS/Firehose`, by metric name.
    KmsError {
        /// The grant was revoked, the key's document denies, or the role lacks access.
        AccessDenied = "KMSKeyAccessDenied",
        /// The key is disabled.
        Disabled = "KMSKeyDisabled",
        /// The key is pending deletion or import, or unavailable.
        InvalidState = "KMSKeyInvalidState",
        /// The key was deleted, or never was.
        NotFound = "KMSKeyNotFound",
    }
}

/// What the four counters of one stream showed over the observed window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KmsErrors {
    /// Runs of errors that have not ended, one for each counter that shows errors now.
    #[serde(default)]
    pub current: Vec<KmsErrorRun>,
}

/// An unbroken run of errors of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KmsErrorRun {
    /// Which counter.
    pub error: KmsError,
    /// Errors counted since the run began.
    pub count: u64,
    /// First data point above zero, in seconds since the Unix epoch: 24 h later Firehose starts to discard.
    pub first_at: i64,
    /// Latest data point above zero.
    pub last_at: i64,
}
