//! The daemon's eyes on databases' wires: the probe of `everseal-database`, with the authorities of flag or policy.

use std::path::PathBuf;

use everseal_controller::{Clock, Prober, Probing};
use everseal_database::probe::{self, Engine, Options, ProbeError, Target};
use everseal_planner::Reading;
use everseal_planner::inventory::{ErrorClass, LiveTls, Unreadable};
use everseal_planner::rds::live_check::WantedProbe;

use crate::authorities;

/// Probes over the network.
#[derive(Debug)]
pub struct WireProber {
    /// `--ca-bundle`: wins over the policy's.
    pub ca_bundle: Option<PathBuf>,
    /// The time.
    pub clock: Clock,
}

impl Prober for WireProber {
    fn probe<'a>(&'a self, wanted: &'a WantedProbe) -> Probing<'a> {
        Box::pin(async move {
            let met = self.met(wanted).await;
            if let Err(unreadable) = &met {
                tracing::info!(database = %wanted.resource, "its TLS could not be looked at: {}", unreadable.message);
            }
            met.map_or_else(|unreadable| Reading::Unreadable { unreadable }, Reading::Known)
        })
    }
}

impl WireProber {
    async fn met(&self, wanted: &WantedProbe) -> Result<LiveTls, Unreadable> {
        let engine = Engine::of_rds(&wanted.engine).map_err(|error| invalid(error.to_string()))?;
        let bundle = self.ca_bundle.clone().or_else(|| wanted.ca_bundle.as_ref().map(PathBuf::from));
        let authorities = match bundle {
            Some(file) => Some(authorities::read(&file).await.map_err(invalid)?),
            None => None,
        };
        let options = Options { authorities, ..Options::at(self.clock.now()) };
        let target = Target { endpoint: wanted.endpoint.clone(), engine, server_name: None };
        probe::probe(&target, &options).await.map_err(|error: ProbeError| error.into())
    }
}

fn invalid(message: String) -> Unreadable {
    Unreadable { class: ErrorClass::Invalid, operation: "connect".to_owned(), missing_action: None, message }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use everseal_planner::Arn;
    use everseal_planner::rds::observed::DbEndpoint;

    use super::*;

    fn wanted(engine: &str, ca_bundle: Option<&str>) -> WantedProbe {
        WantedProbe {
            resource: Arn::new("aws", "rds", "us-east-1", "111122223333", "db:orders"),
            endpoint: DbEndpoint { address: "127.0.0.1".into(), port: 1 },
            engine: engine.into(),
            ca_bundle: ca_bundle.map(str::to_owned),
        }
    }

    async fn why(prober: &WireProber, wanted: WantedProbe) -> (ErrorClass, String) {
        match prober.probe(&wanted).await {
            Reading::Unreadable { unreadable } => (unreadable.class, unreadable.message),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_can_not_be_looked_at_says_why() {
        let prober = WireProber { ca_bundle: None, clock: Clock::default() };
        let (class, message) = why(&prober, wanted("oracle-ee", None)).await;
        assert_eq!(class, ErrorClass::Invalid);
        assert!(message.contains("no probe for the engine oracle-ee"), "{message}");
        let (class, message) = why(&prober, wanted("postgres", None)).await;
        assert_eq!(class, ErrorClass::Unavailable);
        assert!(message.contains("127.0.0.1:1 can't be reached"), "{message}");
        let (_, message) = why(&prober, wanted("postgres", Some("/nowhere/policy.pem"))).await;
        assert!(message.contains("/nowhere/policy.pem"), "{message}");
        let flag = WireProber { ca_bundle: Some("/nowhere/flag.pem".into()), clock: Clock::default() };
        let (_, message) = why(&flag, wanted("postgres", Some("/nowhere/policy.pem"))).await;
        assert!(message.contains("/nowhere/flag.pem"), "the flag wins: {message}");
    }
}
