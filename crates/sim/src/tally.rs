//! What was delivered and what was not: the numbers that tests and the demo are judged by.

use std::collections::BTreeMap;

use crate::moment::Moment;

/// How many refusals are kept in words.
const KEPT: usize = 1000;

/// Deliveries of one hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Arrived.
    pub delivered: u64,
    /// Lost for good: nobody tries again.
    pub lost: u64,
    /// Refused and to be tried again.
    pub refused: u64,
}

/// A delivery that did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// When.
    pub at: Moment,
    /// What it left: an ARN.
    pub from: String,
    /// Where it could not go: an ARN or an address.
    pub to: String,
    /// Why, in AWS's error codes and words.
    pub why: String,
    /// Nobody tries again.
    pub lost: bool,
}

/// All hops.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    hops: BTreeMap<(String, String), Count>,
    undelivered: std::collections::VecDeque<Undelivered>,
}

impl Tally {
    /// One thing went from `from` to `to`.
    pub fn delivered(&mut self, from: &str, to: &str) {
        self.of(from, to).delivered += 1;
    }

    /// One thing did not get through.
    pub fn undelivered(&mut self, what: Undelivered) {
        let count = self.of(&what.from, &what.to);
        if what.lost {
            count.lost += 1;
        } else {
            count.refused += 1;
        }
        if self.undelivered.len() == KEPT {
            self.undelivered.pop_front();
        }
        self.undelivered.push_back(what);
    }

    fn of(&mut self, from: &str, to: &str) -> &mut Count {
        self.hops.entry((from.to_owned(), to.to_owned())).or_default()
    }

    /// Every hop that anything was sent over, by (from, to).
    pub const fn hops(&self) -> &BTreeMap<(String, String), Count> {
        &self.hops
    }

    /// The latest refusals, oldest first.
    pub fn latest_undelivered(&self) -> impl DoubleEndedIterator<Item = &Undelivered> {
        self.undelivered.iter()
    }

    /// Sums over all hops.
    pub fn total(&self) -> Count {
        self.hops.values().fold(Count::default(), |sum, count| Count {
            delivered: sum.delivered + count.delivered,
            lost: sum.lost + count.lost,
            refused: sum.refused + count.refused,
        })
    }
}
