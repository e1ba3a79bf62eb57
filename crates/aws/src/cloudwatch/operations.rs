//! The `CloudWatch` calls that Everseal makes.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::CloudWatch;
    /// The four KMS counters of delivery streams with a customer managed key, and databases' connections.
    GET_METRIC_DATA = "GetMetricData", ["cloudwatch:GetMetricData"], Need::Audit, Rate::PerSecond(50);
    /// Alarms on a database that is migrated.
    DESCRIBE_ALARMS = "DescribeAlarms", ["cloudwatch:DescribeAlarms"], Need::Audit, Rate::PerSecond(9);
}
