//! Who would be cut off: the clients of a database that connect without TLS.
//!
//! A step that makes a database refuse them is made only where nobody connects without TLS: sessions were counted and none
//! is plain, or nobody connects at all. Where that can't be told, a person must vouch for it in the policy
//! (`inTransit.plainClients: none`); that word covers what can't be seen, never sessions that were seen.
//! What must never be here: silence taken for "nobody".

use super::desired::negotiates_tls;
use super::plan::Database;
use crate::inventory::{PlainClient, Reading, SessionCount};
use crate::kms::why;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy};
use crate::plan::step::{Block, Gate};
use crate::policy::model::PlainClients;
use crate::policy::window::moment_words;
use crate::rds::migration::observed::DatabaseActivity;

/// A count of sessions says nothing of clients that came since: it decides for so long, in seconds.
const FRESH_SECONDS: i64 = 15 * 60;
/// Nobody connects where nobody has for so long, in seconds, to within the last minutes that `CloudWatch` may be late.
const QUIET_SECONDS: i64 = 60 * 60;
/// Clients named in a sentence.
const NAMED: usize = 5;

/// The clients of one database, or of several that one change reaches.
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// What a person should know of them.
    pub(super) notes: Vec<String>,
    /// Why they must not be refused now.
    hold: Option<Block>,
}

impl Clients {
    /// Holds a step that would cut them off.
    pub(super) fn hold(&self, remedy: Remedy) -> Remedy {
        match &self.hold {
            Some(Block { name, reason }) => remedy.blocked(*name, reason.clone()),
            None => remedy,
        }
    }

    /// These and those.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.notes.extend(other.notes);
        self.hold = self.hold.or(other.hold);
        self
    }
}

/// What is known of the sessions without TLS.
enum Plain<'a> {
    Nobody,
    Some(&'a SessionCount),
    CannotTell(String),
}

/// Looks at a database's clients; what was not read yet is asked for.
pub(super) fn of(cx: &Context<'_>, database: &Database<'_>, draft: &mut Draft) -> Clients {
    let activity = cx.inventory.migrations.databases.get(database.arn).map(|read| &read.activity);
    let sessions = cx.inventory.sessions.get(database.arn);
    let mut notes = Vec::new();
    notes.extend(activity.and_then(|activity| connections_note(database, activity)));
    notes.extend(sessions.and_then(|count| sessions_note(database, count)));
    if negotiates_tls(database.engine) {
        notes.push(format!("{} uses TLS whether its clients ask for it or not: none is refused.", database.engine));
        draft.helpful_facts.extend(activity.is_none().then(|| database.arn.clone()));
        return Clients { notes, hold: None };
    }
    let rule = database.rule(cx).and_then(|rule| rule.rule.in_transit.as_ref());
    let vouched = rule.map(|wanted| wanted.plain_clients).unwrap_or_default();
    // Nobody has counted yet, though there is a login to count with.
    let uncounted = sessions.is_none_or(Reading::is_not_read) && rule.is_some_and(|wanted| wanted.monitoring.is_some());
    let plain = plain(cx, database, activity, sessions);
    let hold = match (plain, vouched) {
        (Plain::Nobody, _) => None,
        (Plain::Some(count), _) => Some(cut_off(database, count)),
        (Plain::CannotTell(_), PlainClients::None) => {
            draft.helpful_facts.extend((activity.is_none() || uncounted).then(|| database.arn.clone()));
            notes.push(format!("The policy vouches that no client of {} connects without TLS (plainClients: none).", database.name()));
            None
        }
        (Plain::CannotTell(reason), PlainClients::Check) => {
            if activity.is_none_or(Reading::is_not_read) || uncounted {
                draft.wanted_facts.insert(database.arn.clone());
            }
            Some(cannot_tell(database, &reason))
        }
    };
    Clients { notes, hold }
}

fn plain<'a>(
    cx: &Context<'_>,
    database: &Database<'_>,
    activity: Option<&Reading<DatabaseActivity>>,
    sessions: Option<&'a Reading<SessionCount>>,
) -> Plain<'a> {
    if let Some(count) = sessions.and_then(Reading::known) {
        // Sessions that were seen without TLS count however long ago: nothing says that they have gone.
        if count.plain > 0 {
            return Plain::Some(count);
        }
        if count.looked_at >= cx.now - FRESH_SECONDS {
            return Plain::Nobody;
        }
    }
    match activity {
        Some(Reading::Known(activity)) if is_quiet(cx, activity) => Plain::Nobody,
        Some(Reading::Known(activity)) if activity.connections_now == 0 => Plain::CannotTell(format!(
            "CloudWatch shows no connection of {} for {} minutes only, until {}; it takes an hour",
            database.name(),
            quiet_for(activity) / 60,
            moment_words(activity.to)
        )),
        Some(Reading::Known(activity)) => Plain::CannotTell(format!(
            "{} has {} connections, and CloudWatch does not say which of them use TLS",
            database.name(),
            activity.connections_now
        )),
        Some(Reading::Unreadable { unreadable }) => {
            Plain::CannotTell(format!("the connections of {} could not be read: {}", database.name(), why(unreadable)))
        }
        Some(Reading::NotRead) | None => Plain::CannotTell(format!("the connections of {} were not read", database.name())),
    }
}

fn is_quiet(cx: &Context<'_>, activity: &DatabaseActivity) -> bool {
    activity.connections_now == 0 && quiet_for(activity) >= QUIET_SECONDS && activity.to >= cx.now - FRESH_SECONDS
}

/// Seconds without a connection, up to the last minute that is known.
fn quiet_for(activity: &DatabaseActivity) -> i64 {
    let DatabaseActivity { from, to, most_connections: _, last_connection_at, connections_now: _, last_busy_write_at: _ } = activity;
    (to - last_connection_at.map_or(*from, |last| last.max(*from))).max(0)
}

fn cut_off(database: &Database<'_>, count: &SessionCount) -> Block {
    let reason = format!(
        "{} sessions of {} have no TLS and would be refused when they connect again: {}. Move them to TLS; the step is made when none is left.",
        count.plain,
        database.name(),
        named(&count.by)
    );
    Block { name: Gate::TlsClients, reason }
}

fn cannot_tell(database: &Database<'_>, reason: &str) -> Block {
    let reason = format!(
        "Whether clients of {} connect without TLS can't be told: {reason}. Whoever does would be refused. Give the rule a monitoring login (`inTransit.monitoring`) so that Everseal counts its sessions, or make sure yourself and write `plainClients: none` there.",
        database.name()
    );
    Block { name: Gate::TlsClients, reason }
}

fn connections_note(database: &Database<'_>, activity: &Reading<DatabaseActivity>) -> Option<String> {
    let DatabaseActivity { from, to, most_connections, last_connection_at: _, connections_now, last_busy_write_at: _ } =
        activity.known()?;
    Some(format!(
        "{}: {connections_now} connections now, at most {most_connections} in the last {} minutes (CloudWatch DatabaseConnections).",
        database.name(),
        (to - from).max(0) / 60
    ))
}

fn sessions_note(database: &Database<'_>, sessions: &Reading<SessionCount>) -> Option<String> {
    match sessions {
        Reading::Known(SessionCount { plain, tls, looked_at: _, by: _ }) => {
            Some(format!("{}: {plain} sessions without TLS, {tls} with it.", database.name()))
        }
        Reading::Unreadable { unreadable } => Some(format!("{}: its sessions could not be counted: {}.", database.name(), why(unreadable))),
        Reading::NotRead => None,
    }
}

fn named(clients: &[PlainClient]) -> String {
    let mut names: Vec<String> =
        clients.iter().take(NAMED).map(|PlainClient { user, host, sessions }| format!("user {user} from {host} ({sessions})")).collect();
    if names.is_empty() {
        names.push("nobody was named".to_owned());
    }
    if clients.len() > NAMED {
        names.push("and others".to_owned());
    }
    names.join(", ")
}
