//! What clients set so that they refuse anything but verified TLS: the settings of each driver, in its own words.
//!
//! Most drivers' defaults accept any certificate or fall back to a connection without TLS, so a server that is well set up
//! does not make its clients safe. [PostgreSQL: "SSL Support" of libpq and pgJDBC; MySQL: "Command Options for Encrypted
//! Connections", Connector/J `sslMode`; MariaDB: `--ssl-verify-server-cert`, Connector/J `sslMode`; Microsoft: "Encryption
//! and certificate validation", `Encrypt=strict` with TDS 8.0]

use crate::probe::Engine;

/// How one kind of client is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The client or driver.
    pub client: &'static str,
    /// What to set.
    pub setting: String,
}

/// What clients of a server at `host` and `port` set; `bundle` is the file of the authorities.
pub fn advice(engine: Engine, host: &str, port: u16, bundle: &str) -> Vec<Advice> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let of = |client, setting| Advice { client, setting };
    match engine {
        Engine::Postgres => vec![
            of("libpq, psql", format!("host={host} port={port} sslmode=verify-full sslrootcert={bundle}")),
            of("JDBC (pgJDBC)", format!("jdbc:postgresql://{host}:{port}/DATABASE?sslmode=verify-full&sslrootcert={bundle}")),
        ],
        Engine::MySql => vec![
            of("mysql", format!("mysql -h {host} -P {port} --ssl-mode=VERIFY_IDENTITY --ssl-ca={bundle}")),
            of(
                "JDBC (Connector/J)",
                format!(
                    "jdbc:mysql://{host}:{port}/DATABASE?sslMode=VERIFY_IDENTITY&trustCertificateKeyStoreUrl=file:TRUSTSTORE (import {bundle} into it)"
                ),
            ),
        ],
        Engine::MariaDb => vec![
            of("mariadb", format!("mariadb -h {host} -P {port} --ssl-verify-server-cert --ssl-ca={bundle}")),
            of("JDBC (Connector/J)", format!("jdbc:mariadb://{host}:{port}/DATABASE?sslMode=verify-full&serverSslCert={bundle}")),
        ],
        Engine::SqlServer => vec![
            of(
                "JDBC (mssql-jdbc)",
                format!(
                    "jdbc:sqlserver://{host}:{port};encrypt=true;trustServerCertificate=false;trustStore=TRUSTSTORE (import {bundle} into it)"
                ),
            ),
            of("ODBC, ADO.NET", "Encrypt=yes;TrustServerCertificate=no (the system must trust the authorities)".to_owned()),
            of("where the server speaks TDS 8.0", "encrypt=strict, in each of them: TLS comes before everything".to_owned()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_verifies_authority_and_name() {
        for (engine, strictest) in [
            (Engine::Postgres, "sslmode=verify-full"),
            (Engine::MySql, "VERIFY_IDENTITY"),
            (Engine::MariaDb, "verify"),
            (Engine::SqlServer, "crypt="),
        ] {
            let given = advice(engine, "db.example", 4711, "bundle.pem");
            assert!(given.len() >= 2);
            for Advice { client, setting } in given {
                assert!(setting.contains(strictest), "{client}: {setting}");
                assert!(!setting.contains("trustServerCertificate=true"), "{client}: {setting}");
            }
        }
    }

    #[test]
    fn addresses_of_ipv6_stand_in_brackets() {
        assert!(advice(Engine::Postgres, "fd00::1", 5432, "b.pem")[1].setting.contains("//[fd00::1]:5432/"));
    }
}
