//! Services and checks: closed sets, used in code, metrics, documentation and reports.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every member, in the order reports use.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable identifier: part of the command-line, metric and policy contract.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The member with this identifier.
            pub fn from_id(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.id() == id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.id())
            }
        }
    };
}
pub(crate) use closed_set;

closed_set! {
    /// The services whose resources Everseal manages.
    Service {
        /// Keys come first: everything else needs them.
        Kms = "kms",
        /// Buckets.
        S3 = "s3",
        /// Queues.
        Sqs = "sqs",
        /// Topics.
        Sns = "sns",
        /// Delivery streams (Amazon Data Firehose).
        Firehose = "firehose",
        /// Data streams (Kinesis Data Streams).
        Kinesis = "kinesis",
        /// DB instances and clusters.
        Rds = "rds",
    }
}

closed_set! {
    /// One property that is judged, with a stable id (DESIGN.md §5).
    Check {
        /// The key that the policy lists exists under its alias.
        KmsKeyExists = "kms-key-exists",
        /// The key can be used: not disabled, not waiting to be deleted.
        KmsKeyState = "kms-key-state",
        /// The key rotates with the wanted period.
        KmsKeyRotation = "kms-key-rotation",
        /// The key's document lets exactly whom the policy names use it, beside what others granted.
        KmsKeyDocument = "kms-key-document",
        /// The bucket's default encryption.
        S3Encryption = "s3-encryption",
        /// The bucket refuses plain HTTP (and old TLS versions).
        S3SecureTransport = "s3-secure-transport",
        /// Objects written before the default encryption was set.
        S3ExistingObjects = "s3-existing-objects",
        /// The queue's encryption at rest.
        SqsEncryption = "sqs-encryption",
        /// The queue refuses plain HTTP.
        SqsSecureTransport = "sqs-secure-transport",
        /// The topic's encryption at rest.
        SnsEncryption = "sns-encryption",
        /// The topic refuses messages published over plain HTTP.
        SnsSecureTransport = "sns-secure-transport",
        /// No subscription delivers over plain HTTP.
        SnsHttpSubscription = "sns-http-subscription",
        /// A Direct PUT stream's own encryption.
        FirehoseEncryption = "firehose-encryption",
        /// What the stream delivers is encrypted at its destination.
        FirehoseDestinationEncryption = "firehose-destination-encryption",
        /// Firehose can use its key (the four CloudWatch counters).
        FirehoseKmsErrors = "firehose-kms-errors",
        /// Callers of `PutRecord` may use the stream's customer key.
        FirehoseProducerAccess = "firehose-producer-access",
        /// The data stream's server-side encryption.
        KinesisEncryption = "kinesis-encryption",
        /// The database's storage encryption.
        RdsEncryption = "rds-encryption",
        /// The database refuses connections without TLS.
        RdsRequireTls = "rds-require-tls",
        /// The certificate authority of the database's server certificate.
        RdsCaCertificate = "rds-ca-certificate",
        /// What a client meets on the wire.
        RdsTlsLive = "rds-tls-live",
        /// A whole data path is encrypted at rest and in transit.
        PathSealed = "path-sealed",
    }
}

impl Check {
    /// The service whose resources this check judges; paths cross services and are filed under S3's
    /// neighbours by their first resource, so they have none.
    pub const fn service(self) -> Option<Service> {
        match self {
            Self::KmsKeyExists | Self::KmsKeyState | Self::KmsKeyRotation | Self::KmsKeyDocument => Some(Service::Kms),
            Self::S3Encryption | Self::S3SecureTransport | Self::S3ExistingObjects => Some(Service::S3),
            Self::SqsEncryption | Self::SqsSecureTransport => Some(Service::Sqs),
            Self::SnsEncryption | Self::SnsSecureTransport | Self::SnsHttpSubscription => Some(Service::Sns),
            Self::FirehoseEncryption | Self::FirehoseDestinationEncryption | Self::FirehoseKmsErrors | Self::FirehoseProducerAccess => {
                Some(Service::Firehose)
            }
            Self::KinesisEncryption => Some(Service::Kinesis),
            Self::RdsEncryption | Self::RdsRequireTls | Self::RdsCaCertificate | Self::RdsTlsLive => Some(Service::Rds),
            Self::PathSealed => None,
        }
    }
}
