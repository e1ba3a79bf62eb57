//! `rds-require-tls` of RDS proxies: clients without TLS are refused before they reach the database.
//!
//! A proxy falls under the rule of a database behind it. Its step comes before those of its databases, and is held while
//! `CloudWatch` shows clients without TLS, or can't tell. [rds:ModifyDBProxy `RequireTLS`; RDS Proxy: Using TLS/SSL]

use super::plan::Database;
use super::proxies::{DbProxy, ProxyClients};
use super::tls::CHECK;
use crate::inventory::Reading;
use crate::kms::why;
use crate::plan::change::Change;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::select::Selected;
use crate::plan::step::{Gate, Risk, StepId};
use crate::policy::model::{DatabaseInTransit, DatabaseRule, PlainClients};
use crate::{Arn, Service};

/// Judges every proxy in front of a database of which a rule asks for TLS.
pub(super) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    let Some(proxies) = cx.inventory.db_proxies.known() else { return };
    for proxy in proxies.values() {
        let Some((selected, wanted)) = asks(cx, proxy) else {
            draft.unmanaged.insert(proxy.arn.clone());
            continue;
        };
        draft.managed.insert(proxy.arn.clone());
        let subject = Subject::new(&proxy.arn, Service::Rds, &cx.inventory.scope, &selected);
        judge(&subject, proxy, wanted, draft);
    }
}

/// The rule that asks for TLS of a database behind the proxy: that of the first that has one.
fn asks<'p>(cx: &Context<'p>, proxy: &DbProxy) -> Option<(Selected<'p, DatabaseRule>, &'p DatabaseInTransit)> {
    let rule = |database: Database<'_>| {
        let selected = database.rule(cx)?;
        let wanted = selected.rule.in_transit.as_ref().filter(|wanted| wanted.require_tls)?;
        Some((selected, wanted))
    };
    Database::all(cx).filter(|database| serves(cx, proxy, database.arn)).find_map(rule)
}

fn serves(cx: &Context<'_>, proxy: &DbProxy, database: &Arn) -> bool {
    let behind = proxy.databases.known();
    behind.is_some_and(|behind| behind.iter().any(|resource| cx.inventory.scope.arn("rds", resource) == *database))
}

fn judge(subject: &Subject, proxy: &DbProxy, wanted: &DatabaseInTransit, draft: &mut Draft) {
    let DbProxy { arn, name, engine_family: _, status, require_tls, databases: _, clients } = proxy;
    let actual = format!("RequireTLS={require_tls}");
    let mut words = Words { expected: "the proxy refuses connections without TLS".to_owned(), actual, ..Words::default() };
    if *require_tls {
        return draft.compliant(subject, CHECK, words);
    }
    words.message = "Whoever connects to the proxy without TLS sends passwords and data in the clear.".into();
    words.notes.extend(clients_note(name, clients));
    let change = Change::ProxyTls { proxy: name.clone() };
    let undo = format!("aws rds modify-db-proxy --db-proxy-name {name} --no-require-tls");
    let remedy = Remedy::change(change, format!("require TLS of the clients of proxy {name}"), undo).risking(Risk::Brief);
    let remedy = match plain(name, clients) {
        Plain::Nobody => remedy,
        Plain::Some(count) => remedy.blocked(
            Gate::TlsClients,
            format!("{count} connections to proxy {name} have no TLS and would be refused (CloudWatch ClientConnectionsNoTLS). Move them to TLS; the step is made when none is left."),
        ),
        Plain::CannotTell(_) if wanted.plain_clients == PlainClients::None => {
            draft.helpful_facts.extend(clients.is_not_read().then(|| arn.clone()));
            words.notes.push(format!("The policy vouches that no client of {name} connects without TLS (plainClients: none)."));
            remedy
        }
        Plain::CannotTell(reason) => {
            draft.wanted_facts.extend(clients.is_not_read().then(|| arn.clone()));
            remedy.blocked(
                Gate::TlsClients,
                format!("Whether clients of proxy {name} connect without TLS can't be told: {reason}. Whoever does would be refused. Make sure that nobody does, and write `plainClients: none` in the rule's inTransit."),
            )
        }
    };
    let remedy = if status == "available" {
        remedy
    } else {
        remedy.blocked(Gate::NotReady, format!("the proxy is {status}; it can be changed while it is available"))
    };
    draft.drifted(subject, CHECK, words, vec![remedy]);
}

enum Plain {
    Nobody,
    Some(u32),
    CannotTell(String),
}

/// A proxy that nobody has connected to yet has no metrics, nor has one whose metrics are late: no data is not zero.
fn plain(name: &str, clients: &Reading<Option<ProxyClients>>) -> Plain {
    match clients {
        Reading::Known(Some(ProxyClients { most_plain: 0, .. })) => Plain::Nobody,
        Reading::Known(Some(ProxyClients { most_plain, .. })) => Plain::Some(*most_plain),
        Reading::Known(None) => Plain::CannotTell(format!("CloudWatch has no data of proxy {name}")),
        Reading::Unreadable { unreadable } => Plain::CannotTell(format!("its connections could not be read: {}", why(unreadable))),
        Reading::NotRead => Plain::CannotTell("its connections were not read".to_owned()),
    }
}

fn clients_note(name: &str, clients: &Reading<Option<ProxyClients>>) -> Option<String> {
    let ProxyClients { from, to, most_plain, most } = clients.known()?.as_ref()?;
    Some(format!(
        "proxy {name}: at most {most} connections in the last {} minutes, {most_plain} of them without TLS (CloudWatch ClientConnectionsNoTLS).",
        (to - from).max(0) / 60
    ))
}

/// What the proxies of a database mean for a step that makes it refuse clients without TLS: theirs come first.
pub(super) struct InFront {
    /// Steps that must have been made.
    pub(super) needs: Vec<StepId>,
    /// Why nobody can tell which proxies there are.
    pub(super) unread: Option<String>,
}

/// The proxies of a database that do not require TLS.
pub(super) fn in_front(cx: &Context<'_>, database: &Database<'_>) -> InFront {
    let unread = |reason: String| InFront { needs: Vec::new(), unread: Some(reason) };
    let proxies = match &cx.inventory.db_proxies {
        Reading::Known(proxies) => proxies,
        Reading::Unreadable { unreadable } => return unread(format!("RDS proxies could not be listed: {}", why(unreadable))),
        Reading::NotRead => return unread("RDS proxies were not read".to_owned()),
    };
    if let Some((name, unreadable)) = proxies.values().find_map(|proxy| match &proxy.databases {
        Reading::Unreadable { unreadable } => Some((&proxy.name, unreadable)),
        Reading::Known(_) | Reading::NotRead => None,
    }) {
        return unread(format!("the databases behind proxy {name} could not be read: {}", why(unreadable)));
    }
    let open = proxies.values().filter(|proxy| !proxy.require_tls && serves(cx, proxy, database.arn));
    InFront { needs: open.map(|proxy| Remedy::step_id(CHECK, "ModifyDBProxy", &proxy.arn)).collect(), unread: None }
}

impl InFront {
    /// Lets a step wait for the proxies'.
    pub(super) fn before(&self, remedy: Remedy) -> Remedy {
        let remedy = remedy.needing(self.needs.iter().cloned());
        match &self.unread {
            Some(reason) => {
                remedy.blocked(Gate::Unread, format!("{reason}. A proxy that lets clients in without TLS may be in front of the database"))
            }
            None => remedy,
        }
    }
}
