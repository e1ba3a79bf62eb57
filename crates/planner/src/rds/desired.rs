//! How each engine is told to refuse connections without TLS.
//!
//! [RDS and Aurora user guides: SSL/TLS of each engine]. The names are the engines' own: there is no
//! `rds.require_secure_transport`, whatever other checkers say.

use crate::plan::change::ParameterGroupKind;

/// What an engine does when its parameter is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Default {
    /// TLS is required.
    On,
    /// It is not.
    Off,
    /// AWS's pages and experience disagree: only an effective value decides.
    NotDocumented,
}

/// How to require TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TlsSwitch {
    /// By a parameter.
    Parameter {
        /// In which kind of group.
        kind: ParameterGroupKind,
        /// Its name.
        name: &'static str,
        /// The value to write.
        on: &'static str,
        /// Without a value.
        default: Default,
        /// It applies with a reboot only.
        needs_reboot: bool,
    },
    /// Only a person can: how.
    ByHand(&'static str),
    /// Not known to this program.
    UnknownEngine,
}

/// Neptune and `DocumentDB` answer the same API calls and are other services.
pub(super) fn is_of_rds(engine: &str) -> bool {
    !matches!(engine, "neptune" | "docdb")
}

/// SQL Server encrypts connections of clients that do not ask for it: `rds.force_ssl` refuses nobody.
/// [Using SSL with a Microsoft SQL Server DB instance]
pub(super) fn negotiates_tls(engine: &str) -> bool {
    engine.starts_with("sqlserver-")
}

/// How `engine` at `version` requires TLS; `cluster` where it is a DB cluster (Aurora or Multi-AZ).
pub(super) fn tls_switch(engine: &str, version: &str, cluster: bool) -> TlsSwitch {
    let kind = if cluster { ParameterGroupKind::Cluster } else { ParameterGroupKind::Instance };
    let at_least = |wanted: (u32, u32)| number(version) >= wanted;
    let on_from = |wanted: (u32, u32)| if at_least(wanted) { Default::On } else { Default::Off };
    let force_ssl = |default| TlsSwitch::Parameter { kind, name: "rds.force_ssl", on: "1", default, needs_reboot: false };
    let secure_transport =
        |default| TlsSwitch::Parameter { kind, name: "require_secure_transport", on: "ON", default, needs_reboot: false };
    match engine {
        "postgres" => force_ssl(on_from((15, 0))),
        "aurora-postgresql" => force_ssl(on_from((17, 0))),
        "mysql" if at_least((8, 4)) => secure_transport(Default::NotDocumented),
        "mysql" | "aurora-mysql" if at_least((5, 7)) => secure_transport(Default::Off),
        "mysql" => {
            TlsSwitch::ByHand("MySQL before 5.7 can't require TLS of everybody. Require it of each user (GRANT … REQUIRE SSL), or upgrade.")
        }
        "aurora-mysql" | "aurora" => TlsSwitch::ByHand("Aurora MySQL 1 can't require TLS. Upgrade to version 2 or 3."),
        "mariadb" if at_least((10, 5)) => secure_transport(on_from((11, 8))),
        "mariadb" => TlsSwitch::ByHand(
            "MariaDB before 10.5 can't require TLS of everybody. Require it of each user (ALTER USER … REQUIRE SSL), or upgrade.",
        ),
        _ if engine.starts_with("sqlserver-") => {
            TlsSwitch::Parameter { kind, name: "rds.force_ssl", on: "1", default: Default::Off, needs_reboot: true }
        }
        _ if engine.starts_with("oracle-") => TlsSwitch::ByHand(
            "Oracle's SSL option adds a TCPS port and leaves the plain one open. Close the plain port in the security group, or add the option NATIVE_NETWORK_ENCRYPTION with SQLNET.ENCRYPTION_SERVER=REQUIRED (not together with SSL).",
        ),
        _ if engine.starts_with("db2-") => TlsSwitch::ByHand(
            "Set DB2COMM to SSL and SSL_SVCENAME to the TLS port in the instance's parameter group, move the clients there, and reboot.",
        ),
        _ if engine.starts_with("custom-") => {
            TlsSwitch::ByHand("RDS Custom leaves the database's configuration to you: require TLS inside the database.")
        }
        _ => TlsSwitch::UnknownEngine,
    }
}

/// Major and minor of `15.4`, `8.0.mysql_aurora.3.04.0`, `10.6.14` …; zero where there is none.
fn number(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// `1`, `ON`, `on` and `true` are one value to the engines.
pub(super) fn is_on(value: &str) -> bool {
    ["1", "on", "true"].iter().any(|on| value.eq_ignore_ascii_case(on))
}

/// The name of our copy of a default group. Only default groups may have periods in their names.
/// [`rds:CreateDBParameterGroup`, `DBParameterGroupName`]
pub(super) fn copy_of(default_group: &str) -> String {
    let mut name = "everseal".to_owned();
    for part in default_group.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        name.push('-');
        name.push_str(part);
    }
    name
}
