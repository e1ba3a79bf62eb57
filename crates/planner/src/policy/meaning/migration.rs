//! Migrations of databases: what is asked for must be possible, and nothing may be asked for by halves.
//!
//! A switch cuts clients off, so each of its conditions is an error where it is missing or can't be read: a policy that
//! looks as if it allowed a switch and never does would be found out in the window.

use crate::policy::model::{Migration, MigrationAction, MigrationMethod, StoppedWrites};
use crate::policy::place::Place;
use crate::policy::report::Report;
use crate::policy::window::{WINDOW_FORM, Window, duration, moment};

pub(super) fn judge(report: &mut Report<'_>, place: &Place<'_>, migration: &Migration) {
    let Migration {
        action,
        method,
        window,
        approved_by,
        writes,
        writes_stopped_at,
        isolation_security_group,
        keep_old_for,
        old_afterwards: _,
    } = migration;
    match window {
        Some(text) => {
            judge_window(report, place, text);
        }
        None if *action == MigrationAction::Cutover && place.lacks("window") => {
            place.error(
                report,
                format!("`cutover` needs a window in which clients may be cut off: add `window:`, for example {WINDOW_FORM}"),
            );
        }
        None => {}
    }
    for (name, person) in approved_by {
        let at = place.field("approvedBy").field(name);
        if name.trim().is_empty() {
            at.error(report, "an approval names a database: put its identifier before the colon");
        } else if person.trim().is_empty() {
            at.error(report, format!("nobody is named who approved the switch of {name}: write a person's name"));
        }
    }
    if let Err(why) = duration(keep_old_for) {
        place.field("keepOldFor").error(report, format!("{why}; the old database is kept this long after the switch"));
    }
    judge_writes(report, place, migration);
    let stopped = (*writes, writes_stopped_at.is_empty(), isolation_security_group.is_none());
    if *method == MigrationMethod::BlueGreen && stopped != (None, true, true) {
        let message =
            "a blue/green deployment stops the writes by itself for the seconds that it needs: with `method: blueGreen` this does nothing";
        let field = ["writes", "writesStoppedAt", "isolationSecurityGroup"].map(|name| place.field(name));
        if let Some(at) = field.iter().find(|at| at.exists()) {
            at.warning(report, message);
        }
    }
}

fn judge_writes(report: &mut Report<'_>, place: &Place<'_>, migration: &Migration) {
    let Migration { action, method, writes, writes_stopped_at, isolation_security_group, .. } = migration;
    let by_snapshot = *action == MigrationAction::Cutover && *method == MigrationMethod::Snapshot;
    if by_snapshot && writes.is_none() && place.lacks("writes") {
        let message = "a switch by snapshot loses what is written after the snapshot, so it must know how writes are stopped: add `writes: stopped-by-operator` or `writes: isolate`";
        place.error(report, message);
    }
    if *writes != Some(StoppedWrites::StoppedByOperator) && !writes_stopped_at.is_empty() {
        let message = "since when writes are stopped counts only with `writes: stopped-by-operator`: add that, or remove this";
        place.field("writesStoppedAt").error(report, message);
    }
    for (name, text) in writes_stopped_at {
        let at = place.field("writesStoppedAt").field(name);
        if name.trim().is_empty() {
            at.error(report, "this is about a database: put its identifier before the colon");
        } else if let Err(why) = moment(text) {
            at.error(report, why);
        }
    }
    match (writes, isolation_security_group) {
        (Some(StoppedWrites::Isolate), None) if place.lacks("isolationSecurityGroup") => {
            let message = "`writes: isolate` needs a security group without inbound rules: add `isolationSecurityGroup: sg-…`";
            place.field("writes").error(report, message);
        }
        (Some(StoppedWrites::StoppedByOperator) | None, Some(_)) if *method != MigrationMethod::BlueGreen => {
            let message = "no database is isolated without `writes: isolate`: this does nothing";
            place.field("isolationSecurityGroup").warning(report, message);
        }
        (_, Some(_) | None) => {}
    }
    if let Some(group) = isolation_security_group.as_deref().filter(|group| !is_security_group(group)) {
        let message = format!("`{group}` is not the id of a security group; write one like `sg-0a1b2c3d4e5f60718`");
        place.field("isolationSecurityGroup").error(report, message);
    }
}

/// `sg-` and 8 or 17 hexadecimal digits. [EC2: resource ids]
fn is_security_group(text: &str) -> bool {
    let digits = text.strip_prefix("sg-").unwrap_or_default();
    matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A window must be readable: `place` is where its field `window` stands.
pub(super) fn judge_window(report: &mut Report<'_>, place: &Place<'_>, text: &str) {
    if let Err(why) = Window::parse(text) {
        place.field("window").misspelt(report, format!("`{text}` is no window: {why}; write {WINDOW_FORM}"), better(text));
    }
}

/// What was probably meant, where only the days' spelling or the zone is wrong.
fn better(text: &str) -> Option<String> {
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if words.len() == 2 || words.len() == 3 && matches!(words[2].to_ascii_uppercase().as_str(), "UTC" | "GMT" | "Z") {
        words.truncate(2);
        words.push("UTC".to_owned());
    }
    let days = words.first_mut()?;
    *days = days.split_inclusive(['-', ',']).map(short_day).collect();
    let hours = words.get_mut(1)?;
    *hours = hours
        .split('-')
        .map(|time| if time.find(':') == Some(1) { format!("0{time}") } else { time.to_owned() })
        .collect::<Vec<_>>()
        .join("-");
    Some(words.join(" ")).filter(|better| better != text && Window::parse(better).is_ok())
}

/// `sunday,` is `Sun,`; `Daily` is `daily`.
fn short_day(text: &str) -> String {
    let (word, end) = match text.strip_suffix(['-', ',']) {
        Some(word) => (word, &text[word.len()..]),
        None => (text, ""),
    };
    let lower = word.to_lowercase();
    if lower == "daily" || !lower.is_ascii() || lower.len() < 3 {
        return lower + end;
    }
    lower[..1].to_uppercase() + &lower[1..3] + end
}
