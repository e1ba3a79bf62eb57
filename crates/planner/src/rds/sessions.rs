//! Who is connected to a database right now, and how: plain facts, counted over a login of its own.
//!
//! Counting lives outside of this crate (`everseal-database`). A count is whole or it is not there: what the login may not
//! see, and whatever could not be asked, is `Unreadable`, and nothing is ever concluded from that. What must never be here
//! is a password.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The tag of secrets that Everseal may read for a login, whatever its value.
pub const TAG_MONITORING: &str = "everseal:monitoring";

/// At most this many clients are named in one count, those with the most sessions first.
pub const MOST_NAMED: usize = 20;

/// Sessions of clients over the network, at one moment. The database's own (`rdsadmin`, replication inside of RDS), sessions
/// over a local socket and the one that counted are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionCount {
    /// Without TLS: these are cut off when TLS is required.
    pub plain: u32,
    /// With TLS.
    pub tls: u32,
    /// When, in seconds since the Unix epoch.
    pub looked_at: i64,
    /// Whose the plain sessions are: at most [`MOST_NAMED`] clients, those with the most sessions first.
    #[serde(default)]
    pub by: Vec<PlainClient>,
}

/// A client that is connected without TLS: whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlainClient {
    /// The database user.
    pub user: String,
    /// Where it comes from: an address, or a name where the server resolves them.
    pub host: String,
    /// How many of its sessions have no TLS.
    pub sessions: u32,
}

impl SessionCount {
    /// Counts sessions as they were listed: for each whether it has TLS, and its user and host.
    pub fn of(sessions: impl IntoIterator<Item = (bool, String, String)>, looked_at: i64) -> Self {
        let (mut tls, mut plain, mut clients) = (0_u32, 0_u32, BTreeMap::<(String, String), u32>::new());
        for (over_tls, user, host) in sessions {
            if over_tls {
                tls = tls.saturating_add(1);
            } else {
                plain = plain.saturating_add(1);
                let count = clients.entry((user, host)).or_default();
                *count = count.saturating_add(1);
            }
        }
        let by = clients.into_iter().map(|((user, host), sessions)| PlainClient { user, host, sessions }).collect();
        Self { plain, tls, looked_at, by: most(by) }
    }

    /// The sessions of two servers of one database, for example of two members of a cluster.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut clients = BTreeMap::<(String, String), u32>::new();
        for PlainClient { user, host, sessions } in self.by.into_iter().chain(other.by) {
            let count = clients.entry((user, host)).or_default();
            *count = count.saturating_add(sessions);
        }
        let by = clients.into_iter().map(|((user, host), sessions)| PlainClient { user, host, sessions }).collect();
        Self {
            plain: self.plain.saturating_add(other.plain),
            tls: self.tls.saturating_add(other.tls),
            looked_at: self.looked_at.min(other.looked_at),
            by: most(by),
        }
    }
}

fn most(mut clients: Vec<PlainClient>) -> Vec<PlainClient> {
    clients.sort_by(|a, b| b.sessions.cmp(&a.sessions).then_with(|| a.cmp(b)));
    clients.truncate(MOST_NAMED);
    clients
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(tls: bool, user: &str, host: &str) -> (bool, String, String) {
        (tls, user.to_owned(), host.to_owned())
    }

    fn client(user: &str, host: &str, sessions: u32) -> PlainClient {
        PlainClient { user: user.to_owned(), host: host.to_owned(), sessions }
    }

    #[test]
    fn plain_sessions_are_counted_by_client_and_the_most_come_first() {
        let sessions = [
            session(false, "batch", "10.0.0.9"),
            session(true, "app", "10.0.0.1"),
            session(false, "report", "10.0.0.7"),
            session(false, "app", "10.0.0.1"),
            session(false, "report", "10.0.0.7"),
        ];
        let count = SessionCount::of(sessions, 1_800_000_000);
        let by = vec![client("report", "10.0.0.7", 2), client("app", "10.0.0.1", 1), client("batch", "10.0.0.9", 1)];
        assert_eq!(count, SessionCount { plain: 4, tls: 1, looked_at: 1_800_000_000, by });
    }

    #[test]
    fn many_clients_are_all_counted_and_only_some_are_named() {
        let sessions = (0..100).flat_map(|n| (0..=n % 3).map(move |_| session(false, "app", &format!("10.0.0.{n}"))));
        let count = SessionCount::of(sessions, 1);
        assert_eq!((count.plain, count.tls, count.by.len()), (34 + 2 * 33 + 3 * 33, 0, MOST_NAMED));
        assert!(count.by.iter().all(|client| client.sessions == 3), "{:?}", count.by);
    }

    #[test]
    fn members_of_a_cluster_are_one_database() {
        let writer = SessionCount::of([session(false, "app", "10.0.0.1"), session(true, "app", "10.0.0.2")], 20);
        let reader = SessionCount::of([session(false, "app", "10.0.0.1"), session(false, "report", "10.0.0.7")], 10);
        let by = vec![client("app", "10.0.0.1", 2), client("report", "10.0.0.7", 1)];
        assert_eq!(writer.and(reader), SessionCount { plain: 3, tls: 1, looked_at: 10, by });
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let count = SessionCount::of([session(false, "app", "10.0.0.1")], 5);
        let text = serde_json::json!({ "plain": 1, "tls": 0, "lookedAt": 5, "by": [{ "user": "app", "host": "10.0.0.1", "sessions": 1 }] });
        assert_eq!(serde_json::to_value(&count).ok(), Some(text.clone()));
        assert_eq!(serde_json::from_value::<SessionCount>(text).ok(), Some(count));
    }
}
