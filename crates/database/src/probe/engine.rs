//! The engines whose wire is known.

use std::fmt;

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL and Aurora PostgreSQL.
    Postgres,
    /// MySQL and Aurora MySQL.
    MySql,
    /// `MariaDB`.
    MariaDb,
    /// Microsoft SQL Server.
    SqlServer,
}

/// An engine without a probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Everseal has no probe for the engine {0}: it can look at PostgreSQL, MySQL, MariaDB and SQL Server")]
pub struct NotSupported(pub String);

impl Engine {
    /// By RDS's name of the engine, e.g. `aurora-postgresql` or `sqlserver-ex`. [`rds:DescribeDBInstances`, `Engine`]
    pub fn of_rds(engine: &str) -> Result<Self, NotSupported> {
        match engine {
            "postgres" | "aurora-postgresql" => Ok(Self::Postgres),
            "mysql" | "aurora-mysql" | "aurora" => Ok(Self::MySql),
            "mariadb" => Ok(Self::MariaDb),
            _ if engine == "sqlserver" || engine.starts_with("sqlserver-") || engine.starts_with("custom-sqlserver-") => {
                Ok(Self::SqlServer)
            }
            _ => Err(NotSupported(engine.to_owned())),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
            Self::SqlServer => "SQL Server",
        })
    }
}
