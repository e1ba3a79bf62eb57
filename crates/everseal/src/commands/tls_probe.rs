//! `everseal tls-probe HOST:PORT`: what a client meets on a database's wire, without a login.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use everseal_controller::Clock;
use everseal_database::advice::{Advice, advice};
use everseal_database::probe::{self, Authorities, Engine, Options, Target};
use everseal_planner::rds::live::{LiveChain, LiveName, LiveOffer, LivePlain, LiveSession, LiveTls, LiveVerdict};
use everseal_planner::rds::observed::DbEndpoint;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::args::{Output, TlsProbeArgs};
use crate::exit::Outcome;
use crate::live;

/// Where AWS publishes the authorities of RDS. [Using SSL/TLS to encrypt a connection to a DB instance]
const BUNDLE: &str = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem";

/// Looks once and says what was met.
pub fn run(args: &TlsProbeArgs) -> Result<Outcome> {
    let endpoint = endpoint(&args.endpoint)?;
    let engine = Engine::of_rds(&args.engine)?;
    let now = Clock::default().now();
    let authorities = args.ca.as_deref().map(authorities).transpose()?.map(Arc::new);
    let options = Options { authorities, time_box: args.timeout, ..Options::at(now) };
    let target = Target { endpoint, engine, server_name: args.server_name.clone() };
    let met = live::block_on(async { Ok(probe::probe(&target, &options).await?) })?;
    let verdict = met.verdict(now);
    let untold = untold(&met, engine, &verdict);
    let bundle = args.ca.as_ref().map_or_else(|| "BUNDLE.pem".to_owned(), |path| path.display().to_string());
    let told = Told { met: &met, engine, now, weaknesses: &verdict.weaknesses, untold: &untold };
    let advice = advice(engine, &met.server_name, met.endpoint.port, &bundle);
    let mut out = io::stdout().lock();
    match args.output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&told.json(&advice))?)?,
        Output::Text => told.write(&mut out, &advice)?,
    }
    Ok(outcome(&verdict))
}

fn outcome(verdict: &LiveVerdict) -> Outcome {
    match verdict {
        LiveVerdict { weaknesses, doubts: _ } if !weaknesses.is_empty() => Outcome::Drift,
        LiveVerdict { weaknesses: _, doubts } if !doubts.is_empty() => Outcome::Incomplete,
        LiveVerdict { .. } => Outcome::InSync,
    }
}

fn authorities(file: &Path) -> Result<Authorities> {
    let bundle = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    Authorities::from_pem(&bundle).with_context(|| format!("{} can't be used", file.display()))
}

/// `HOST:PORT`, with an IPv6 address in brackets.
fn endpoint(text: &str) -> Result<DbEndpoint> {
    let wrong = || anyhow!("`{text}` is no endpoint: write HOST:PORT, e.g. orders.c1abc.us-east-1.rds.amazonaws.com:5432");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let bare_ipv6 = address.contains(':') && address.len() == host.len();
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
    if address.is_empty() || bare_ipv6 {
        return Err(wrong());
    }
    Ok(DbEndpoint { address: address.to_owned(), port })
}

/// What the probe could not tell, and how to get to know it.
fn untold(met: &LiveTls, engine: Engine, verdict: &LiveVerdict) -> Vec<String> {
    let mut untold = verdict.doubts.clone();
    if met.session().is_some_and(|session| session.chain == LiveChain::NotChecked) {
        untold.push(format!("Who signed the certificate was not checked: give the authorities with --ca (RDS's: {BUNDLE})."));
    }
    if met.plain == LivePlain::NeedsLogin {
        untold.push(format!(
            "{engine} refuses a connection without TLS only after a login: look whether require_secure_transport is ON (check rds-require-tls)."
        ));
    }
    untold
}

struct Told<'a> {
    met: &'a LiveTls,
    engine: Engine,
    now: i64,
    weaknesses: &'a [String],
    untold: &'a [String],
}

impl Told<'_> {
    fn json(&self, advice: &[Advice]) -> serde_json::Value {
        let advice: Vec<_> = advice.iter().map(|Advice { client, setting }| json!({"client": client, "setting": setting})).collect();
        json!({
            "engine": self.engine.to_string(),
            "met": self.met,
            "expired": self.met.session().map(|session| session.certificate.expired(self.now)),
            "weaknesses": self.weaknesses,
            "untold": self.untold,
            "clientSettings": advice,
        })
    }

    fn write(&self, out: &mut impl Write, advice: &[Advice]) -> io::Result<()> {
        let LiveTls { endpoint, server_name, probed_at: _, tls, plain } = self.met;
        writeln!(out, "{}:{} ({})", endpoint.address, endpoint.port, self.engine)?;
        match tls {
            LiveOffer::NotOffered => writeln!(out, "  TLS          not offered")?,
            LiveOffer::Outdated { reason } => writeln!(out, "  TLS          neither 1.2 nor 1.3 ({reason})")?,
            LiveOffer::Broken { reason } => writeln!(out, "  TLS          offered, and the handshake failed ({reason})")?,
            LiveOffer::Offered(session) => self.write_session(out, session, server_name)?,
        }
        writeln!(out, "  without TLS  {plain}")?;
        list(out, "\nweaknesses", self.weaknesses)?;
        list(out, "\nnot told", self.untold)?;
        writeln!(out, "\nwhat clients should set")?;
        for Advice { client, setting } in advice {
            writeln!(out, "  {client}: {setting}")?;
        }
        Ok(())
    }

    fn write_session(&self, out: &mut impl Write, session: &LiveSession, server_name: &str) -> io::Result<()> {
        let LiveSession { version, cipher_suite, certificate, chain, name } = session;
        writeln!(out, "  TLS          {version}, {cipher_suite}")?;
        writeln!(out, "  certificate  {}, signed by {}", certificate.subject, certificate.issuer)?;
        writeln!(out, "  authority    {chain}")?;
        let names = if certificate.names.is_empty() { "no name".to_owned() } else { certificate.names.join(", ") };
        let fits = match name {
            LiveName::Matches => format!("{server_name} is among them"),
            LiveName::Differs => format!("{server_name} is not among them"),
        };
        writeln!(out, "  names        {names} ({fits})")?;
        let until = OffsetDateTime::from_unix_timestamp(certificate.not_after).ok().and_then(|at| at.format(&Rfc3339).ok());
        let days = (certificate.not_after - self.now) / 86_400;
        let rest = if certificate.expired(self.now) { "expired".to_owned() } else { format!("{days} days left") };
        writeln!(out, "  valid until  {} ({rest})", until.unwrap_or_default())
    }
}

fn list(out: &mut impl Write, title: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title}")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn endpoints_are_host_and_port() {
        let of = |address: &str, port| DbEndpoint { address: address.into(), port };
        assert_eq!(endpoint("db.example:5432").unwrap(), of("db.example", 5432));
        assert_eq!(endpoint("10.0.0.1:1433").unwrap(), of("10.0.0.1", 1433));
        assert_eq!(endpoint("[fd00::1]:3306").unwrap(), of("fd00::1", 3306));
        for wrong in ["db.example", ":5432", "db.example:", "db.example:0", "db.example:65536", "fd00::1:3306", "[]:3306"] {
            assert!(endpoint(wrong).unwrap_err().to_string().contains("HOST:PORT"), "{wrong}");
        }
    }

    #[test]
    fn weaknesses_weigh_more_than_doubts() {
        let verdict = |weaknesses: &[&str], doubts: &[&str]| LiveVerdict {
            weaknesses: weaknesses.iter().map(|text| (*text).to_owned()).collect(),
            doubts: doubts.iter().map(|text| (*text).to_owned()).collect(),
        };
        assert_eq!(outcome(&verdict(&["w"], &["d"])), Outcome::Drift);
        assert_eq!(outcome(&verdict(&[], &["d"])), Outcome::Incomplete);
        assert_eq!(outcome(&verdict(&[], &[])), Outcome::InSync);
    }
}
