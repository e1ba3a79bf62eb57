//! Where records are kept: any object store, written once and never changed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use everseal_planner::{Arn, Scope};
use futures::stream::{self, Stream};
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::macros::format_description;

use super::record::{Entry, Intent, LedgerOutcome, Outcome, OutcomeRecord};
use crate::database_calls::{DatabaseCalls, REMEMBERED};

const INTENT: &str = ".intent.json";
const OUTCOME: &str = ".outcome.json";

/// The ledger could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store refused or failed.
    #[error("ledger: `{object}` could not be {verb}")]
    Store {
        /// The object or folder.
        object: String,
        /// `written`, `read` or `listed`.
        verb: &'static str,
        /// The store's words.
        #[source]
        source: object_store::Error,
    },
    /// The folder can't be made.
    #[error("ledger: the folder `{0}` can't be made")]
    Folder(String, #[source] std::io::Error),
    /// An object is not a record of ours.
    #[error("ledger: `{0}` is not a record of Everseal")]
    Record(String, #[source] serde_json::Error),
}

/// Which entries to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Not before (Unix time, seconds).
    pub since: Option<i64>,
    /// Before.
    pub until: Option<i64>,
    /// Of this resource alone.
    pub resource: Option<Arn>,
    /// Of this API call alone.
    pub action: Option<String>,
}

/// An intent that waits for its outcome.
#[derive(Debug)]
#[must_use = "an intent without an outcome reads as interrupted"]
pub struct Open {
    stem: String,
    /// What was recorded.
    pub intent: Intent,
}

/// An append-only record of every step.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Arc<dyn ObjectStore>,
    root: Path,
    /// Keeps the objects of processes that write to one place apart.
    process: String,
    sequence: Arc<AtomicU64>,
}

impl Ledger {
    /// A ledger below `root` in a store.
    pub fn new(store: Arc<dyn ObjectStore>, root: Path) -> Self {
        // A `RandomState` is seeded by the system: enough to tell processes apart.
        let process = format!("{:08x}", RandomState::new().build_hasher().finish() & 0xffff_ffff);
        Self { store, root, process, sequence: Arc::default() }
    }

    /// A ledger in a local folder, which is made if it is not there.
    pub fn local(folder: &std::path::Path) -> Result<Self, LedgerError> {
        let name = folder.display().to_string();
        std::fs::create_dir_all(folder).map_err(|source| LedgerError::Folder(name.clone(), source))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|source| LedgerError::Store { object: name, verb: "read", source })?;
        Ok(Self::new(Arc::new(store), Path::default()))
    }

    /// Records what is about to be done. If this fails, it must not be done.
    pub async fn open(&self, intent: Intent) -> Result<Open, LedgerError> {
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        let stem = stem(&intent, number, &self.process);
        self.put(&format!("{stem}{INTENT}"), &intent).await?;
        Ok(Open { stem, intent })
    }

    /// Records what became of it.
    pub async fn close(&self, open: Open, outcome: OutcomeRecord) -> Result<Entry, LedgerError> {
        self.put(&format!("{}{OUTCOME}", open.stem), &outcome).await?;
        Ok(Entry { intent: open.intent, result: Outcome::Recorded(outcome) })
    }

    fn path(&self, name: &str) -> Path {
        let mut path = self.root.clone();
        for part in name.split('/') {
            path = path.join(part);
        }
        path
    }

    async fn put<T: Serialize>(&self, name: &str, record: &T) -> Result<(), LedgerError> {
        let bytes = serde_json::to_vec(record).map_err(|source| LedgerError::Record(name.to_owned(), source))?;
        // Never over another record, not even one that a stuck clock gave the same name.
        let options = PutOptions::from(PutMode::Create);
        let put = self.store.put_opts(&self.path(name), bytes.into(), options).await;
        put.map(drop).map_err(|source| LedgerError::Store { object: name.to_owned(), verb: "written", source })
    }

    async fn get<T: DeserializeOwned>(&self, path: &Path) -> Result<T, LedgerError> {
        let failed = |source| LedgerError::Store { object: path.to_string(), verb: "read", source };
        let bytes = self.store.get(path).await.map_err(failed)?.bytes().await.map_err(failed)?;
        serde_json::from_slice(&bytes).map_err(|source| LedgerError::Record(path.to_string(), source))
    }

    /// Entries in order of time. Holds the object names of one day at a time, and one entry.
    pub fn entries(&self, filter: Filter) -> impl Stream<Item = Result<Entry, LedgerError>> + Send {
        let ledger = self.clone();
        let days = { stream::once(async move { ledger.days().await }) };
        let ledger = self.clone();
        let named = move |days: BTreeSet<Path>| {
            let (ledger, filter) = (ledger.clone(), filter.clone());
            let days: VecDeque<Path> = days.into_iter().filter(|day| ledger.may_hold(day, &filter)).collect();
            stream::iter(days).then(move |day| day_entries(ledger.clone(), day, filter.clone())).try_flatten()
        };
        days.map_ok(named).try_flatten()
    }

    /// Entries in order of time, latest `count` of them, oldest first.
    pub async fn latest(&self, filter: Filter, count: usize) -> Result<Vec<Entry>, LedgerError> {
        let mut latest = VecDeque::new();
        let mut entries = std::pin::pin!(self.entries(filter));
        while let Some(entry) = entries.try_next().await? {
            if latest.len() == count {
                latest.pop_front();
            }
            latest.push_back(entry);
        }
        Ok(latest.into())
    }

    /// `StartDeliveryStreamEncryption` calls since `since` (Unix time) in a scope, by stream.
    pub async fn encryption_calls(&self, scope: &Scope, since: i64) -> Result<BTreeMap<Arn, Vec<i64>>, LedgerError> {
        let action = Some("StartDeliveryStreamEncryption".to_owned());
        let mut calls: BTreeMap<Arn, Vec<i64>> = BTreeMap::new();
        let mut entries = std::pin::pin!(self.entries(Filter { since: Some(since), action, ..Filter::default() }));
        while let Some(Entry { intent, .. }) = entries.try_next().await? {
            if intent.scope == *scope {
                calls.entry(intent.resource).or_default().push(intent.at_millis.div_euclid(1000));
            }
        }
        Ok(calls)
    }

    /// Parameter groups created and databases rebooted since `since` (Unix time) in a scope. A call that AWS refused is none;
    /// one whose outcome is not known counts.
    pub async fn database_calls(&self, scope: &Scope, since: i64) -> Result<DatabaseCalls, LedgerError> {
        let mut calls = DatabaseCalls::default();
        for action in REMEMBERED {
            let filter = Filter { since: Some(since), action: Some(action.to_owned()), ..Filter::default() };
            let mut entries = std::pin::pin!(self.entries(filter));
            while let Some(Entry { intent, result }) = entries.try_next().await? {
                let refused = matches!(&result, Outcome::Recorded(record) if record.outcome == LedgerOutcome::Failed);
                if intent.scope == *scope && !refused {
                    calls.note(scope, &intent.change, intent.at_millis.div_euclid(1000));
                }
            }
        }
        Ok(calls)
    }

    async fn folders(&self, below: &Path) -> Result<Vec<Path>, LedgerError> {
        let failed = |source| LedgerError::Store { object: below.to_string(), verb: "listed", source };
        Ok(self.store.list_with_delimiter(Some(below)).await.map_err(failed)?.common_prefixes)
    }

    async fn days(&self) -> Result<BTreeSet<Path>, LedgerError> {
        let mut days = BTreeSet::new();
        for year in self.folders(&self.root).await? {
            for month in self.folders(&year).await? {
                days.extend(self.folders(&month).await?);
            }
        }
        Ok(days)
    }

    /// Whether a day's folder can hold what the filter asks for: names are compared, not times.
    fn may_hold(&self, day: &Path, filter: &Filter) -> bool {
        let since = filter.since.and_then(|at| date(at * 1000)).map(|date| self.path(&day_folder(date)));
        let until = filter.until.and_then(|at| date(at * 1000)).map(|date| self.path(&day_folder(date)));
        since.is_none_or(|since| *day >= since) && until.is_none_or(|until| *day <= until)
    }
}

type DayEntries = stream::BoxStream<'static, Result<Entry, LedgerError>>;

/// The entries of one day, in the order of their names.
async fn day_entries(ledger: Ledger, day: Path, filter: Filter) -> Result<DayEntries, LedgerError> {
    let failed = |source| LedgerError::Store { object: day.to_string(), verb: "listed", source };
    let mut stems: BTreeMap<String, bool> = BTreeMap::new();
    let mut listing = ledger.store.list(Some(&day));
    while let Some(object) = listing.try_next().await.map_err(failed)? {
        let name = object.location.filename().unwrap_or_default();
        if let Some(stem) = name.strip_suffix(INTENT).filter(|stem| filter.admits_name(stem)) {
            stems.entry(stem.to_owned()).or_default();
        } else if let Some(stem) = name.strip_suffix(OUTCOME).filter(|stem| filter.admits_name(stem)) {
            stems.insert(stem.to_owned(), true);
        }
    }
    let entry = move |(stem, ended): (String, bool)| {
        let (ledger, day) = (ledger.clone(), day.clone());
        async move {
            let intent: Intent = ledger.get(&day.clone().join(format!("{stem}{INTENT}"))).await?;
            let result =
                if ended { Outcome::Recorded(ledger.get(&day.join(format!("{stem}{OUTCOME}"))).await?) } else { Outcome::Interrupted };
            Ok(Entry { intent, result })
        }
    };
    let admitted = move |entry: &Entry| std::future::ready(filter.admits(&entry.intent));
    Ok(stream::iter(stems).then(entry).try_filter(admitted).boxed())
}

impl Filter {
    fn admits_name(&self, stem: &str) -> bool {
        self.action.as_ref().is_none_or(|action| stem.rsplit('-').next() == Some(action))
    }

    fn admits(&self, intent: &Intent) -> bool {
        let at = intent.at_millis;
        self.since.is_none_or(|since| at >= since * 1000)
            && self.until.is_none_or(|until| at < until * 1000)
            && self.resource.as_ref().is_none_or(|resource| *resource == intent.resource)
    }
}

fn date(at_millis: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_millis) * 1_000_000).ok()
}

fn day_folder(date: OffsetDateTime) -> String {
    date.format(format_description!("[year]/[month]/[day]")).expect("a date has a year, a month and a day")
}

fn stem(intent: &Intent, number: u64, process: &str) -> String {
    let date = date(intent.at_millis).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let time = date
        .format(format_description!("[year][month][day]T[hour][minute][second][subsecond digits:3]Z"))
        .expect("a date has all of these parts");
    format!("{}/{time}-{number:06}-{process}-{}", day_folder(date), intent.action)
}

#[cfg(test)]
mod tests;
