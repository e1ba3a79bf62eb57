//! Migrations for people: one paragraph each.

use std::fmt::Write;

use everseal_planner::Arn;
use everseal_planner::rds::migration::report::{MigrationReport, Stage, Way};
use time::OffsetDateTime;
use time::macros::format_description;

/// A migration that still has to get somewhere. One whose old database is merely kept for a while has arrived.
pub const fn is_open(stage: Stage) -> bool {
    !matches!(stage, Stage::KeepingOld | Stage::Done)
}

/// Every migration, and how many are open.
pub fn text(migrations: &[MigrationReport]) -> String {
    let mut out = String::new();
    for report in migrations {
        paragraph(&mut out, report);
    }
    let open = migrations.iter().filter(|report| is_open(report.stage)).count();
    let blocked = migrations.iter().filter(|report| is_open(report.stage) && report.blocked.is_some()).count();
    let line = match (migrations.len(), open) {
        (0, _) => "No database is on its way to an encrypted copy, and no rule with `migration` finds one that should be.".to_owned(),
        (all, 0) => format!("{all} database(s); nothing is open."),
        (all, open) => format!("{all} database(s), {open} open, {blocked} of them blocked."),
    };
    out.push_str(&line);
    out.push('\n');
    out
}

fn paragraph(out: &mut String, report: &MigrationReport) {
    let MigrationReport {
        database,
        name,
        way,
        stage,
        since,
        times_out_at,
        wakes_at,
        percent,
        copy,
        message,
        blocked,
        differences,
        by_hand,
    } = report;
    let place = format!("account {}, region {}", database.account(), database.region());
    // Text that is written to a string can't fail to be written.
    let _ = writeln!(out, "{name}  {place}");
    line(out, "way", way_in_words(*way));
    let since = since.map(|at| format!(" since {}", moment(at))).unwrap_or_default();
    let percent = percent.map(|percent| format!(", {percent} %")).unwrap_or_default();
    line(out, "stage", &format!("{stage}{since}{percent}"));
    if let Some(at) = times_out_at {
        line(out, "times out", &moment(*at));
    }
    if is_elsewhere(database, name) {
        line(out, "old", &format!("{} (clients knew it as {name})", identifier(database)));
    }
    if let Some(copy) = copy {
        line(out, "copy", copy);
    }
    line(out, "next", message);
    if let Some(why) = blocked {
        line(out, "blocked", why);
    }
    if let Some(at) = wakes_at {
        line(out, "looks again", &moment(*at));
    }
    for difference in differences {
        line(out, "differs", difference);
    }
    for work in by_hand {
        line(out, "by hand", work);
    }
    out.push('\n');
}

fn line(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "  {name:<12}{value}");
}

/// `DBInstanceIdentifier` or `DBClusterIdentifier`.
pub fn identifier(database: &Arn) -> &str {
    database.resource().split_once(':').map_or(database.resource(), |(_, identifier)| identifier)
}

fn is_elsewhere(database: &Arn, name: &str) -> bool {
    identifier(database) != name
}

const fn way_in_words(way: Way) -> &'static str {
    match way {
        Way::BlueGreen => "blue/green deployment with an encrypted green side",
        Way::Snapshot => "snapshot, copy under the key, restore, swap of names",
        Way::ClusterRestore => "cluster snapshot, restore under the key, swap of names",
    }
}

/// To the minute, in UTC: as windows are written.
fn moment(seconds: i64) -> String {
    let format = format_description!("[weekday repr:short] [year]-[month]-[day] [hour]:[minute] UTC");
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|at| at.format(&format).ok()).unwrap_or_else(|| format!("{seconds} s"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn report(stage: Stage) -> MigrationReport {
        MigrationReport {
            database: Arn::parse("arn:aws:rds:us-east-1:111122223333:db:orders").unwrap(),
            name: "orders".to_owned(),
            way: Way::Snapshot,
            stage,
            since: Some(1_795_918_500),
            times_out_at: Some(1_795_961_700),
            wakes_at: None,
            percent: Some(41),
            copy: None,
            message: "AWS copies the snapshot under alias/finance.".to_owned(),
            blocked: None,
            differences: Vec::new(),
            by_hand: Vec::new(),
        }
    }

    #[test]
    fn a_paragraph_says_where_it_stands_and_what_comes_next() {
        let text = text(&[report(Stage::Copying)]);
        let wanted = "\
orders  account 111122223333, region us-east-1
  way         snapshot, copy under the key, restore, swap of names
  stage       copying since Sun 2026-11-29 02:15 UTC, 41 %
  times out   Sun 2026-11-29 14:15 UTC
  next        AWS copies the snapshot under alias/finance.

1 database(s), 1 open, 0 of them blocked.
";
        assert_eq!(text, wanted);
    }

    #[test]
    fn what_blocks_differs_or_is_left_to_people_has_a_line_each() {
        let mut blocked = report(Stage::Prepared);
        blocked.copy = Some("orders-encrypted".to_owned());
        blocked.blocked = Some("nobody has approved it".to_owned());
        blocked.wakes_at = Some(1_795_918_500);
        blocked.differences = vec!["multiAz: true → false".to_owned(), "port: 5432 → 5433".to_owned()];
        blocked.by_hand = vec!["alarm orders-cpu names the old database".to_owned()];
        let text = text(&[blocked, report(Stage::Done)]);
        for line in [
            "  copy        orders-encrypted",
            "  blocked     nobody has approved it",
            "  looks again Sun 2026-11-29 02:15 UTC",
            "  differs     multiAz: true → false",
            "  differs     port: 5432 → 5433",
            "  by hand     alarm orders-cpu names the old database",
            "2 database(s), 1 open, 1 of them blocked.",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
    }

    #[test]
    fn after_the_swap_the_old_database_is_shown_by_its_name_of_now() {
        let mut kept = report(Stage::KeepingOld);
        kept.database = Arn::parse("arn:aws:rds:us-east-1:111122223333:db:orders-old").unwrap();
        let text = text(&[kept]);
        assert!(text.contains("  old         orders-old (clients knew it as orders)"), "{text}");
        assert!(text.ends_with("1 database(s); nothing is open.\n"), "{text}");
    }

    #[test]
    fn only_what_has_arrived_is_not_open() {
        let closed: Vec<&Stage> = Stage::ALL.iter().filter(|stage| !is_open(**stage)).collect();
        assert_eq!(closed, [&Stage::KeepingOld, &Stage::Done]);
    }
}
