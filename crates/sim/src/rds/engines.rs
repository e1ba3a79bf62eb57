//! Engines, the versions offered, and their parameter group families. [RDS and Aurora release notes]

use super::errors;
use crate::error::ApiError;

/// A major version of an engine.
#[derive(Debug)]
pub(super) struct Major {
    pub(super) engine: &'static str,
    /// What every version of it starts with.
    pub(super) number: &'static str,
    /// Offered versions, the default last.
    pub(super) versions: &'static [&'static str],
    pub(super) family: &'static str,
}

const fn major(engine: &'static str, number: &'static str, versions: &'static [&'static str], family: &'static str) -> Major {
    Major { engine, number, versions, family }
}

/// Sorted by engine and version; the last of an engine is its default.
pub(super) const MAJORS: &[Major] = &[
    major("aurora-mysql", "5.7", &["5.7.mysql_aurora.2.12.5"], "aurora-mysql5.7"),
    major("aurora-mysql", "8.0", &["8.0.mysql_aurora.3.08.2", "8.0.mysql_aurora.3.10.0"], "aurora-mysql8.0"),
    major("aurora-postgresql", "13", &["13.21"], "aurora-postgresql13"),
    major("aurora-postgresql", "14", &["14.18"], "aurora-postgresql14"),
    major("aurora-postgresql", "15", &["15.13"], "aurora-postgresql15"),
    major("aurora-postgresql", "16", &["16.8", "16.9"], "aurora-postgresql16"),
    major("aurora-postgresql", "17", &["17.4", "17.5"], "aurora-postgresql17"),
    major("db2-ae", "11.5", &["11.5.9.0.sb00056147.r1"], "db2-ae-11.5"),
    major("db2-se", "11.5", &["11.5.9.0.sb00056147.r1"], "db2-se-11.5"),
    major("docdb", "5.0", &["5.0.0"], "docdb5.0"),
    major("mariadb", "10.5", &["10.5.29"], "mariadb10.5"),
    major("mariadb", "10.6", &["10.6.22"], "mariadb10.6"),
    major("mariadb", "10.11", &["10.11.13"], "mariadb10.11"),
    major("mariadb", "11.4", &["11.4.7"], "mariadb11.4"),
    major("mariadb", "11.8", &["11.8.3"], "mariadb11.8"),
    major("mysql", "5.7", &["5.7.44"], "mysql5.7"),
    major("mysql", "8.0", &["8.0.42", "8.0.43"], "mysql8.0"),
    major("mysql", "8.4", &["8.4.5", "8.4.6"], "mysql8.4"),
    major("neptune", "1.3", &["1.3.4.0"], "neptune1.3"),
    major("oracle-ee", "19", &["19.0.0.0.ru-2025-07.rur-2025-07.r1"], "oracle-ee-19"),
    major("oracle-se2", "19", &["19.0.0.0.ru-2025-07.rur-2025-07.r1"], "oracle-se2-19"),
    major("postgres", "13", &["13.22"], "postgres13"),
    major("postgres", "14", &["14.19"], "postgres14"),
    major("postgres", "15", &["15.4", "15.14"], "postgres15"),
    major("postgres", "16", &["16.4", "16.10"], "postgres16"),
    major("postgres", "17", &["17.4", "17.6"], "postgres17"),
    major("sqlserver-ee", "15.00", &["15.00.4430.1.v1"], "sqlserver-ee-15.0"),
    major("sqlserver-ee", "16.00", &["16.00.4205.1.v1"], "sqlserver-ee-16.0"),
    major("sqlserver-ex", "15.00", &["15.00.4430.1.v1"], "sqlserver-ex-15.0"),
    major("sqlserver-ex", "16.00", &["16.00.4205.1.v1"], "sqlserver-ex-16.0"),
    major("sqlserver-se", "15.00", &["15.00.4430.1.v1"], "sqlserver-se-15.0"),
    major("sqlserver-se", "16.00", &["16.00.4205.1.v1"], "sqlserver-se-16.0"),
    major("sqlserver-web", "15.00", &["15.00.4430.1.v1"], "sqlserver-web-15.0"),
    major("sqlserver-web", "16.00", &["16.00.4205.1.v1"], "sqlserver-web-16.0"),
];

/// The version that a request means, and its family: none = the engine's default, a major one = that one's default, and
/// any other of a major version that exists is taken, for minor versions come and go.
pub(super) fn choose(engine: &str, version: Option<&str>) -> Result<(String, &'static Major), ApiError> {
    let mut of_engine = MAJORS.iter().filter(|one| one.engine == engine).peekable();
    if of_engine.peek().is_none() {
        return Err(errors::value("Invalid DB engine"));
    }
    let newest = |one: &Major| one.versions.last().copied().unwrap_or_default().to_owned();
    let Some(wanted) = version else {
        let default = of_engine.last().expect("there is one of this engine");
        return Ok((newest(default), default));
    };
    let starts = |one: &&Major| wanted.strip_prefix(one.number).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    match of_engine.find(starts) {
        Some(one) if one.number == wanted => Ok((newest(one), one)),
        Some(one) => Ok((wanted.to_owned(), one)),
        None => Err(errors::combination(format!("Cannot find version {wanted} for {engine}"))),
    }
}

/// The engine of a family; `None` where there is no such family.
pub(super) fn of_family(family: &str) -> Option<&'static Major> {
    MAJORS.iter().find(|one| one.family == family)
}

/// Engines whose storage is a cluster's. [Aurora; Neptune; `DocumentDB`]
pub(super) fn is_clustered(engine: &str) -> bool {
    engine.starts_with("aurora") || engine == "neptune" || engine == "docdb"
}

pub(super) fn default_port(engine: &str) -> u16 {
    match engine {
        "postgres" | "aurora-postgresql" => 5432,
        "neptune" => 8182,
        "docdb" => 27017,
        _ if engine.starts_with("sqlserver") => 1433,
        _ if engine.starts_with("oracle") => 1521,
        _ if engine.starts_with("db2") => 50000,
        _ => 3306,
    }
}

pub(super) fn license(engine: &str) -> &'static str {
    match engine {
        "postgres" | "aurora-postgresql" => "postgresql-license",
        _ if engine.starts_with("sqlserver") || engine == "oracle-se2" => "license-included",
        _ if engine.starts_with("oracle") || engine.starts_with("db2") => "bring-your-own-license",
        _ => "general-public-license",
    }
}

/// `SupportsCertificateRotationWithoutRestart`. Which versions do is the API's to tell; here the open-source engines
/// do and the others don't, so that a client meets both.
pub(super) fn rotates_while_running(engine: &str) -> bool {
    ["postgres", "mysql", "aurora"].iter().any(|start| engine.starts_with(start))
}
