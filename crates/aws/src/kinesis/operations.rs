//! The Kinesis Data Streams calls that Everseal makes.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::Kinesis;
    /// Names and ARNs of the streams. [kinesis:ListStreams "limited to 5 transactions per second per account"]
    LIST_STREAMS = "ListStreams", ["kinesis:ListStreams"], Need::Audit, Rate::PerSecond(5);
    /// Encryption of one stream.
    DESCRIBE_STREAM_SUMMARY = "DescribeStreamSummary", ["kinesis:DescribeStreamSummary"], Need::Audit, Rate::PerSecond(20);
    /// Path fact: all channels of the region. [kinesis:ListChannels "5 transactions per second (TPS)"]
    LIST_CHANNELS = "ListChannels", ["kinesis:ListChannels"], Need::Audit, Rate::PerSecond(5);
    /// Path fact: bucket, role and key of one channel. [kinesis:DescribeChannel "5 transactions per second (TPS)"]
    DESCRIBE_CHANNEL = "DescribeChannel", ["kinesis:DescribeChannel"], Need::Audit, Rate::PerSecond(5);
    /// Switches a stream's encryption on, or to another key.
    START_STREAM_ENCRYPTION = "StartStreamEncryption", ["kinesis:StartStreamEncryption"], Need::Enforce, Rate::Unpublished;
}
