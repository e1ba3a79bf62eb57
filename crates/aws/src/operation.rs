//! The list of API calls: name, IAM action, why it is needed, and the rate that AWS publishes.
//!
//! Every call takes one of these constants, and only the `operations!` tables can make one, so the
//! tables are at once the rate limits, the words of errors and the IAM policy: an operation that is
//! called cannot be missing from `everseal iam-policy`.

/// A service's API, as metrics and limits know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Amazon S3.
    S3,
    /// Amazon SQS.
    Sqs,
    /// Amazon SNS.
    Sns,
    /// Amazon Data Firehose.
    Firehose,
    /// Kinesis Data Streams.
    Kinesis,
    /// Amazon RDS, Aurora included.
    Rds,
    /// AWS KMS.
    Kms,
    /// CloudWatch metrics.
    CloudWatch,
    /// Amazon EventBridge.
    Events,
    /// Amazon CloudFront: global, whatever the scope's region.
    CloudFront,
    /// AWS IAM: global like it.
    Iam,
    /// AWS Secrets Manager.
    SecretsManager,
    /// Resource Groups Tagging API.
    Tagging,
    /// Security Token Service.
    Sts,
}

impl Api {
    /// Every API, in the order of its discriminant.
    pub const ALL: [Self; 14] = [
        Self::S3,
        Self::Sqs,
        Self::Sns,
        Self::Firehose,
        Self::Kinesis,
        Self::Rds,
        Self::Kms,
        Self::CloudWatch,
        Self::Events,
        Self::CloudFront,
        Self::Iam,
        Self::SecretsManager,
        Self::Tagging,
        Self::Sts,
    ];

    /// The label in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::Firehose => "firehose",
            Self::Kinesis => "kinesis",
            Self::Rds => "rds",
            Self::Kms => "kms",
            Self::CloudWatch => "cloudwatch",
            Self::Events => "events",
            Self::CloudFront => "cloudfront",
            Self::Iam => "iam",
            Self::SecretsManager => "secretsmanager",
            Self::Tagging => "tagging",
            Self::Sts => "sts",
        }
    }

    /// Calls in flight per scope: enough to hide latency, few enough for a small heap.
    pub const fn in_flight(self) -> usize {
        match self {
            Self::S3 | Self::Sqs | Self::Sns => 32,
            Self::Kms => 16,
            Self::Kinesis => 8,
            Self::Firehose | Self::Rds | Self::CloudWatch | Self::Events | Self::Iam => 4,
            Self::CloudFront | Self::SecretsManager | Self::Tagging | Self::Sts => 2,
        }
    }
}

/// Which mode of Everseal makes the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Reading: in both modes.
    Audit,
    /// Writing: only in enforce mode.
    Enforce,
}

/// Calls per second and account × region.
#[derive(Debug, Clone, Copy)]
pub enum Rate {
    /// AWS publishes none: paced only once AWS throttles.
    Unpublished,
    /// The published rate.
    PerSecond(u32),
    /// The published rate differs by region: where to start, and how far it may rise while AWS does not throttle.
    ByRegion(fn(&str) -> (u32, u32)),
}

impl Rate {
    /// First and highest rate in `region`.
    pub fn in_region(self, region: &str) -> Option<(u32, u32)> {
        match self {
            Self::Unpublished => None,
            Self::PerSecond(rate) => Some((rate, rate)),
            Self::ByRegion(rate) => Some(rate(region)),
        }
    }
}

/// One API operation.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// The API it belongs to.
    pub api: Api,
    /// AWS's name, e.g. `GetBucketEncryption`.
    pub name: &'static str,
    /// IAM actions it takes; the first is the call's own, the others are what AWS checks besides
    /// (`iam:PassRole` …). Empty where IAM asks for none.
    pub actions: &'static [&'static str],
    /// When it is called.
    pub need: Need,
    /// How often it may be called.
    pub rate: Rate,
}

impl Operation {
    /// The IAM action whose absence makes the call fail.
    pub fn action(&self) -> Option<&'static str> {
        self.actions.first().copied()
    }
}

/// Declares a service's operations: one constant each, and `ALL`.
///
/// ```text
/// operations! { Api::Sqs;
///     /// Doc comment.
///     LIST_QUEUES = "ListQueues", ["sqs:ListQueues"], Need::Audit, Rate::Unpublished;
/// }
/// ```
macro_rules! operations {
    ($api:expr; $($(#[$doc:meta])* $constant:ident = $name:literal, [$($action:literal),*], $need:expr, $rate:expr;)*) => {
        $($(#[$doc])* pub const $constant: $crate::operation::Operation = $crate::operation::Operation {
            api: $api, name: $name, actions: &[$($action),*], need: $need, rate: $rate,
        };)*
        /// Every operation of this service that Everseal calls.
        pub const ALL: &[$crate::operation::Operation] = &[$($constant),*];
    };
}
pub(crate) use operations;
