//! Which parameters a family has, what they default to, and when a change of one applies.
//!
//! The names are engines' own, those that AWS manages itself are fixed. Only parameters that decide TLS have defaults and
//! allowed values here: nothing reads the others. [RDS: Working with parameters; engine manuals]

/// One parameter of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// What a default group holds; `None`: the engine's own default.
    pub(super) value: Option<&'static str>,
    /// `static`, `dynamic`, or `fixed`: not modifiable.
    kind: &'static str,
    /// Comma-separated; empty = anything.
    pub(super) allowed: &'static str,
}

impl Parameter {
    pub(super) fn is_modifiable(&self) -> bool {
        self.kind != "fixed"
    }

    pub(super) fn is_static(&self) -> bool {
        self.kind != "dynamic"
    }

    pub(super) fn apply_type(&self) -> &'static str {
        if self.is_static() { "static" } else { "dynamic" }
    }

    /// `system` where AWS sets a value of its own, `engine-default` where it leaves it to the engine.
    pub(super) const fn source(&self) -> &'static str {
        if self.value.is_some() { "system" } else { "engine-default" }
    }

    pub(super) fn data_type(&self) -> &'static str {
        if self.allowed == "0,1" || self.allowed == "ON,OFF,0,1" { "boolean" } else { "string" }
    }

    pub(super) fn allows(&self, value: &str) -> bool {
        self.allowed.is_empty() || self.allowed.split(',').any(|one| one.eq_ignore_ascii_case(value))
    }
}

const POSTGRES: &str = include_str!("parameters/postgres.txt");
const MYSQL: &str = include_str!("parameters/mysql.txt");
const SQLSERVER: &str = include_str!("parameters/sqlserver.txt");
const ORACLE: &str = include_str!("parameters/oracle.txt");
const DB2: &str = include_str!("parameters/db2.txt");

/// All parameters of a family's instance or cluster groups, by name.
pub(super) fn of(family: &str, cluster: bool) -> Vec<Parameter> {
    let text = if family.contains("postgres") {
        POSTGRES
    } else if family.contains("mysql") || family.starts_with("mariadb") {
        MYSQL
    } else if family.starts_with("sqlserver") {
        SQLSERVER
    } else if family.starts_with("oracle") {
        ORACLE
    } else if family.starts_with("db2") {
        DB2
    } else {
        ""
    };
    let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let mut all: Vec<_> = lines.map(|(name, kind)| Parameter { name, value: None, kind, allowed: "" }).collect();
    all.extend(of_tls(family, cluster));
    all.sort_unstable_by_key(|one| one.name);
    all
}

/// One parameter of a family.
pub(super) fn find(family: &str, cluster: bool, name: &str) -> Option<Parameter> {
    of(family, cluster).into_iter().find(|one| one.name == name)
}

/// What decides whether a database of the family takes connections without TLS. In Aurora that is the cluster's.
/// [RDS for `PostgreSQL`, `MySQL`, `MariaDB`, SQL Server, Db2: requiring SSL/TLS; Aurora security]
fn of_tls(family: &str, cluster: bool) -> Vec<Parameter> {
    let force_ssl = |on: bool, kind| Parameter { name: "rds.force_ssl", value: Some(if on { "1" } else { "0" }), kind, allowed: "0,1" };
    let secure_transport = |value| Parameter { name: "require_secure_transport", value, kind: "dynamic", allowed: "ON,OFF,0,1" };
    let version = |start: &str| family.strip_prefix(start).and_then(|version| version.parse::<f64>().ok());
    if let Some(version) = version("aurora-postgresql") {
        return if cluster { vec![force_ssl(version >= 17.0, "dynamic")] } else { Vec::new() };
    }
    if family.starts_with("aurora-mysql") {
        return if cluster { vec![secure_transport(Some("OFF"))] } else { Vec::new() };
    }
    if let Some(version) = version("postgres") {
        return vec![force_ssl(version >= 15.0, "dynamic")];
    }
    if family.starts_with("mysql") {
        return vec![secure_transport(Some("0"))];
    }
    if let Some(version) = family.strip_prefix("mariadb") {
        // 10.11 is younger than 10.6: versions are no fractions.
        let is_on = version.split_once('.').is_some_and(|(major, minor)| match (major.parse(), minor.parse()) {
            (Ok(major), Ok(minor)) => (major, minor) >= (11_u32, 8_u32),
            _ => false,
        });
        return vec![secure_transport(Some(if is_on { "1" } else { "0" }))];
    }
    if family.starts_with("sqlserver") {
        return vec![force_ssl(false, "static")];
    }
    if family.starts_with("db2") {
        let text = |name, value| Parameter { name, value, kind: "static", allowed: "" };
        return vec![text("DB2COMM", Some("TCPIP")), text("SSL_SVCENAME", None)];
    }
    Vec::new()
}
