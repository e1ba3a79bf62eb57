//! RDS proxies: pools of connections in front of databases, with a demand for TLS of their own. [rds:DBProxy]
//!
//! A proxy ends the TLS of its clients and opens connections of its own, so the database's parameter says nothing of the way
//! to the proxy. What must never be here is a conclusion from a metric that was not there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::inventory::Reading;

/// One proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DbProxy {
    /// `DBProxyArn`; it ends in `db-proxy:prx-…`, not in the name.
    pub arn: Arn,
    /// `DBProxyName`.
    pub name: String,
    /// `POSTGRESQL`, `MYSQL`, `SQLSERVER`.
    pub engine_family: String,
    /// `available`, `modifying` …
    pub status: String,
    /// `RequireTLS`: clients without TLS are refused.
    pub require_tls: bool,
    /// The databases behind it, as the last part of their ARNs: `db:orders`, `cluster:ledger`. [rds:DescribeDBProxyTargets]
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub databases: Reading<BTreeSet<String>>,
    /// Its clients of the last minutes; `None`: `CloudWatch` has no data points. Read where a step depends on it.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub clients: Reading<Option<ProxyClients>>,
}

/// What `CloudWatch` says of a proxy's clients (`ClientConnectionsNoTLS`, `ClientConnections`).
/// [RDS: Monitoring RDS Proxy metrics with `CloudWatch`]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxyClients {
    /// Start of the first minute with a data point, in seconds since the Unix epoch.
    pub from: i64,
    /// End of the last such minute.
    pub to: i64,
    /// Most connections without TLS in one minute.
    pub most_plain: u32,
    /// Most connections in one minute.
    pub most: u32,
}
