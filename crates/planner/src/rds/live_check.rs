//! `rds-tls-live`: what a client meets on the wire is verified TLS, and nothing else is taken.
//!
//! Compliant is what was seen and is good in every respect. What was not seen, or could not be told, is unknown: a server
//! out of reach may be as well set up as it likes. MySQL and MariaDB refuse plain connections only after a login, so there
//! the parameter in force speaks for the wire. [AWS-FACTS §9]

use time::OffsetDateTime;

use super::desired::is_of_rds;
use super::live::{LiveChain, LiveName, LiveOffer, LivePlain, LiveTls};
use super::observed::{DbEndpoint, DbInstance};
use super::plan::{Database, selected};
use super::tls::refuses_plain;
use crate::inventory::Reading;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::policy::model::DatabaseInTransit;
use crate::{Arn, Check};

const CHECK: Check = Check::RdsTlsLive;

/// States in which nobody listens.
const SILENT: [&str; 5] = ["creating", "deleting", "starting", "stopped", "stopping"];

/// A database that the policies want looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedProbe {
    /// The instance or cluster whose endpoint it is.
    pub resource: Arn,
    /// Where to connect.
    pub endpoint: DbEndpoint,
    /// RDS's name of the engine.
    pub engine: String,
    /// The file of trusted authorities that the policy names.
    pub ca_bundle: Option<String>,
}

/// Every endpoint that a rule with `verify` holds for and that is likely to answer: instances, members of clusters
/// included, and the writer endpoints of clusters.
pub fn wanted_probes(cx: &Context<'_>) -> Vec<WantedProbe> {
    let instances =
        cx.inventory.db_instances.values().map(|one| (&one.arn, &one.identifier, &one.engine, &one.tags, &one.endpoint, &one.status));
    let clusters =
        cx.inventory.db_clusters.values().map(|one| (&one.arn, &one.identifier, &one.engine, &one.tags, &one.endpoint, &one.status));
    let mut wanted = Vec::new();
    for (arn, name, engine, tags, endpoint, status) in instances.chain(clusters).filter(|(_, _, engine, ..)| is_of_rds(engine)) {
        let Some(rule) = selected(cx, name, engine, tags) else { continue };
        let Some(in_transit) = rule.rule.in_transit.as_ref().filter(|in_transit| in_transit.verify) else { continue };
        let Some(endpoint) = endpoint.as_ref().filter(|_| !SILENT.contains(&status.as_str())) else { continue };
        let DatabaseInTransit {
            require_tls: _,
            plain_clients: _,
            reboot: _,
            window: _,
            ca_certificate: _,
            verify: _,
            ca_bundle,
            monitoring: _,
        } = in_transit;
        wanted.push(WantedProbe {
            resource: arn.clone(),
            endpoint: endpoint.clone(),
            engine: engine.clone(),
            ca_bundle: ca_bundle.clone(),
        });
    }
    wanted
}

/// What is judged: a database on its own, a cluster by its writer endpoint, or a member of a cluster.
pub(super) struct Judged<'a> {
    name: String,
    endpoint: Option<&'a DbEndpoint>,
    /// What the parameter in force says of plain connections.
    parameter: Option<bool>,
}

impl<'a> Judged<'a> {
    pub(super) fn database(cx: &Context<'_>, database: &Database<'a>) -> Self {
        Self { name: database.name(), endpoint: database.endpoint(), parameter: refuses_plain(cx.inventory, database) }
    }

    /// A member obeys the parameters of its cluster and shows a certificate of its own.
    pub(super) fn member(cx: &'a Context<'_>, instance: &'a DbInstance, cluster: &str) -> Self {
        let cluster = cx.inventory.db_clusters.values().find(|read| read.identifier == cluster);
        let parameter = cluster.and_then(|cluster| refuses_plain(cx.inventory, &Database::of_cluster(cluster)));
        Self { name: format!("database {}", instance.identifier), endpoint: instance.endpoint.as_ref(), parameter }
    }
}

/// Judges what the last probe met.
pub(super) fn judge(cx: &Context<'_>, subject: &Subject, judged: &Judged<'_>, draft: &mut Draft) {
    let expected = "clients meet TLS with a certificate that they can verify, and plain connections are refused";
    let mut words = Words { expected: expected.to_owned(), actual: "not seen".to_owned(), ..Words::default() };
    let live = match cx.inventory.live_tls.get(&subject.resource) {
        Some(Reading::Known(live)) if judged.endpoint.is_none_or(|endpoint| *endpoint == live.endpoint) => live,
        Some(Reading::Known(live)) => {
            words.message = format!("It was last looked at as {}; it has moved since.", live.endpoint.address);
            return draft.unknown(subject, CHECK, words);
        }
        Some(Reading::Unreadable { unreadable }) => {
            words.message = format!("It could not be looked at: {}. What can't be seen is not compliant.", unreadable.message);
            return draft.unknown(subject, CHECK, words);
        }
        Some(Reading::NotRead) | None => {
            words.message = match judged.endpoint {
                None => "AWS shows no endpoint of it yet.".to_owned(),
                Some(endpoint) => format!(
                    "Nobody has looked yet: the daemon (everseal run) does where it can reach {}; by hand: everseal tls-probe.",
                    endpoint.address
                ),
            };
            return draft.unknown(subject, CHECK, words);
        }
    };
    judge_met(cx, (subject, judged), live, words, draft);
}

fn judge_met(cx: &Context<'_>, (subject, judged): (&Subject, &Judged<'_>), live: &LiveTls, mut words: Words, draft: &mut Draft) {
    let mut verdict = live.verdict(cx.now);
    words.actual = actual(live, judged.parameter);
    if live.plain == LivePlain::NeedsLogin {
        match judged.parameter {
            Some(true) => words.notes.push("That plain connections are refused is what the parameter in force says: only a login could show it.".to_owned()),
            Some(false) => verdict.weaknesses.push("The server takes connections without TLS, as its parameter says.".to_owned()),
            None => verdict.doubts.push(
                "Whether connections without TLS are refused shows only after a login, and the parameter that decides is not known or not in force yet."
                    .to_owned(),
            ),
        }
    }
    if live.session().is_some_and(|session| session.chain == LiveChain::NotChecked) {
        verdict
            .doubts
            .push("Who signed the certificate was not checked: name the authorities with inTransit.caBundle or --ca-bundle.".to_owned());
    }
    if !verdict.weaknesses.is_empty() {
        words.message = verdict.weaknesses.join(" ");
        words.notes.extend(verdict.doubts);
        let remedy = Remedy::manual(format!("put the TLS of {} right", judged.name), what_to_do(live, judged.parameter, cx.now).join(" "));
        return draft.drifted(subject, CHECK, words, vec![remedy]);
    }
    if verdict.doubts.is_empty() {
        return draft.compliant(subject, CHECK, words);
    }
    words.message = verdict.doubts.join(" ");
    draft.unknown(subject, CHECK, words);
}

/// One line of what was met.
fn actual(live: &LiveTls, parameter: Option<bool>) -> String {
    let tls = match &live.tls {
        LiveOffer::NotOffered => "no TLS".to_owned(),
        LiveOffer::Outdated { .. } => "outdated TLS".to_owned(),
        LiveOffer::Broken { .. } => "a TLS handshake that fails".to_owned(),
        LiveOffer::Offered(session) => {
            let until = OffsetDateTime::from_unix_timestamp(session.certificate.not_after).map(|at| at.date().to_string());
            let name = match session.name {
                LiveName::Matches => "name fits",
                LiveName::Differs => "name differs",
            };
            let (version, suite, chain) = (&session.version, &session.cipher_suite, &session.chain);
            format!("{version} ({suite}), chain {chain}, {name}, valid until {}", until.unwrap_or_default())
        }
    };
    let plain = match (&live.plain, parameter) {
        (LivePlain::NeedsLogin, Some(true)) => "refused by the parameter in force".to_owned(),
        (LivePlain::NeedsLogin, Some(false)) => "accepted by the parameter in force".to_owned(),
        (plain, _) => plain.to_string(),
    };
    format!("{tls}; plain connections {plain}")
}

/// What a person does about each weakness: nothing that is met on the wire can be changed there.
fn what_to_do(live: &LiveTls, parameter: Option<bool>, now: i64) -> Vec<String> {
    let mut advice = Vec::new();
    match &live.tls {
        LiveOffer::NotOffered => {
            advice.push("Every engine of RDS offers TLS: look who answers at this address in the database's place.".to_owned());
        }
        LiveOffer::Outdated { .. } => {
            advice.push("Let the engine take TLS 1.2 and newer (its parameters of TLS versions and ciphers), or upgrade it.".to_owned());
        }
        LiveOffer::Broken { .. } => {}
        LiveOffer::Offered(session) => {
            match &session.chain {
                LiveChain::Verified | LiveChain::NotChecked => {}
                LiveChain::UnknownAuthority | LiveChain::Invalid { .. } => advice.push(
                    "Take the current RDS bundle for inTransit.caBundle; if that is the one, somebody answers in the database's place: find out before a client connects."
                        .to_owned(),
                ),
            }
            if session.certificate.expired(now) || session.certificate.not_yet_valid(now) {
                advice.push("Give the database a new server certificate (rds-ca-certificate).".to_owned());
            }
            if session.name == LiveName::Differs {
                advice.push(
                    "Find out what stands between this address and the database: RDS's certificates bear the endpoint's name.".to_owned(),
                );
            }
        }
    }
    let accepted = live.plain == LivePlain::Accepted || live.plain == LivePlain::NeedsLogin && parameter == Some(false);
    if accepted {
        advice.push("Require TLS (inTransit.requireTls; rds-require-tls shows the parameter and who shares it).".to_owned());
    }
    advice
}

#[cfg(test)]
mod tests;
