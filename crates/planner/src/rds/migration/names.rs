//! Names of what a migration makes: the same for the same work, so that two daemons make one thing and a pass after a crash
//! finds it again.
//!
//! Names of instances, clusters and cluster snapshots have 1 to 63 letters, digits and hyphens, no two hyphens in a row and
//! none at the end. [rds:ModifyDBInstance; rds:CreateDBClusterSnapshot]

use sha2::{Digest, Sha256};

const LONGEST: usize = 63;
const COPY: &str = "-everseal";
/// How the name of a replaced database ends.
pub(crate) const OLD: &str = "-old-everseal";
const REHEARSAL: &str = "-everseal-rehearsal";
const CUT_OVER: &str = "-everseal-at-";
const ENCRYPTED: &str = "-kms";
const FINAL: &str = "-everseal-final";

/// Which data a snapshot, or a copy restored from it, holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Taken while clients may have been writing: good for building and comparing a copy, never for a switch.
    Rehearsal,
    /// Taken after writes had stopped, at this moment in seconds since the Unix epoch.
    Stopped(i64),
}

impl Mark {
    /// As a tag's value.
    pub(super) fn text(self) -> String {
        match self {
            Self::Rehearsal => "rehearsal".to_owned(),
            Self::Stopped(at) => at.to_string(),
        }
    }

    /// A tag's value; anything that is no time is a rehearsal, which nobody is switched to.
    pub(super) fn parse(text: Option<&str>) -> Self {
        text.and_then(|text| text.parse().ok()).map_or(Self::Rehearsal, Self::Stopped)
    }
}

/// The encrypted copy of `name`, until it gets that name.
pub(super) fn copy(name: &str) -> String {
    fitted(name, COPY)
}

/// What the replaced database is called.
pub(super) fn old(name: &str) -> String {
    fitted(name, OLD)
}

/// The name of a database that a migration replaced, or one that looks like it.
pub(super) fn is_old(identifier: &str) -> bool {
    identifier.ends_with(OLD)
}

/// The snapshot that is taken of `name`.
pub(super) fn snapshot(name: &str, mark: Mark) -> String {
    fitted(name, &suffix(mark))
}

/// Its encrypted copy.
pub(super) fn encrypted_snapshot(name: &str, mark: Mark) -> String {
    fitted(name, &(suffix(mark) + ENCRYPTED))
}

/// The last snapshot of a replaced database that is deleted. Never deleted by us.
pub(super) fn final_snapshot(name: &str) -> String {
    fitted(name, FINAL)
}

/// The blue/green deployment of `name`.
pub(super) fn blue_green(name: &str) -> String {
    fitted(name, COPY)
}

/// Whose data a snapshot of ours holds, by its name; `None`: we did not name it. A snapshot that a person takes of a
/// migrated database may carry our tags (`CopyTagsToSnapshot`), so tags alone make none ours.
pub(super) fn mark_of_snapshot(name: &str, identifier: &str) -> Option<Mark> {
    let is = |mark: Mark| identifier == snapshot(name, mark) || identifier == encrypted_snapshot(name, mark);
    if is(Mark::Rehearsal) {
        return Some(Mark::Rehearsal);
    }
    let (_, time) = identifier.rsplit_once(CUT_OVER)?;
    let mark = Mark::Stopped(time.strip_suffix(ENCRYPTED).unwrap_or(time).parse().ok()?);
    is(mark).then_some(mark)
}

fn suffix(mark: Mark) -> String {
    match mark {
        Mark::Rehearsal => REHEARSAL.to_owned(),
        Mark::Stopped(at) => format!("{CUT_OVER}{at}"),
    }
}

/// `name` and `suffix`; where that is too long the name is cut, and what it was stays visible in six digits of its digest.
fn fitted(name: &str, suffix: &str) -> String {
    let name = name.to_ascii_lowercase();
    if name.len() + suffix.len() <= LONGEST {
        return format!("{name}{suffix}");
    }
    let digest = Sha256::digest(&name);
    let digest = format!("{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2]);
    let kept: String = name.chars().take(LONGEST - suffix.len() - digest.len() - 1).collect();
    format!("{}-{digest}{suffix}", kept.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_valid(name: &str) -> bool {
        (1..=LONGEST).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.ends_with('-')
            && !name.contains("--")
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }

    fn all(name: &str) -> Vec<String> {
        let marks = [Mark::Rehearsal, Mark::Stopped(1_795_917_900)];
        let snapshots = marks.iter().flat_map(|mark| [snapshot(name, *mark), encrypted_snapshot(name, *mark)]);
        snapshots.chain([copy(name), old(name), final_snapshot(name)]).collect()
    }

    #[test]
    fn every_name_is_one_that_rds_takes_and_no_two_are_alike() {
        for length in 1..=63 {
            for name in ["a".repeat(length), "a-".repeat(32)[..length].trim_end_matches('-').to_owned()] {
                let mut names = all(&name);
                assert!(names.iter().all(|name| is_valid(name)), "{names:?}");
                names.push(name);
                names.sort();
                names.dedup();
                assert_eq!(names.len(), 8, "{names:?}");
            }
        }
    }

    #[test]
    fn long_names_that_begin_alike_stay_apart() {
        let (a, b) = ("x".repeat(60) + "aa", "x".repeat(60) + "bb");
        assert!(all(&a).iter().all(|name| !all(&b).contains(name)));
    }

    #[test]
    fn snapshots_are_ours_by_their_whole_name() {
        for mark in [Mark::Rehearsal, Mark::Stopped(1_795_917_900)] {
            assert_eq!(mark_of_snapshot("orders", &snapshot("orders", mark)), Some(mark));
            assert_eq!(mark_of_snapshot("orders", &encrypted_snapshot("orders", mark)), Some(mark));
            assert_eq!(mark_of_snapshot("orders", &snapshot("orders-2", mark)), None, "another database's");
        }
        for foreign in [
            "orders-before-upgrade",
            "orders-everseal-final",
            "orders-everseal-at-",
            "orders-everseal-at-soon",
            "rds:orders-2026",
            "orders-everseal",
        ] {
            assert_eq!(mark_of_snapshot("orders", foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_mark_is_read_back_and_what_is_none_is_a_rehearsal() {
        for mark in [Mark::Rehearsal, Mark::Stopped(1_795_917_900)] {
            assert_eq!(Mark::parse(Some(&mark.text())), mark);
        }
        assert_eq!(Mark::parse(None), Mark::Rehearsal);
        assert_eq!(Mark::parse(Some("later")), Mark::Rehearsal);
    }
}
