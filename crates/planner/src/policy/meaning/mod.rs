//! Meaning: combinations that are impossible, names that are none, rules that do nothing.
//!
//! Judged on the typed values, each with its place. Errors are what can never be carried out;
//! warnings are what can, and is probably not what was meant.

mod across;
mod exemptions;
mod keys;
mod migration;
mod monitoring;
mod reach;
mod rules;
mod scopes;

pub(super) use across::{Document, judge_together};

use super::model::Spec;
use super::place::Place;
use super::report::Report;

/// Judges one document's `spec`; `place` is that of the spec.
pub(super) fn judge(report: &mut Report<'_>, place: &Place<'_>, spec: &Spec, now: i64) {
    let Spec { mode, scopes, keys, s3, sqs, sns, firehose, kinesis, rds, exemptions, limits: _ } = spec;
    scopes::judge(report, &place.field("scopes"), scopes);
    keys::judge(report, &place.field("keys"), keys, scopes.regions.first().map(String::as_str));
    rules::buckets(report, &place.field("s3"), s3, *mode);
    rules::queues(report, &place.field("sqs"), sqs, *mode);
    rules::topics(report, &place.field("sns"), sns, *mode);
    rules::delivery_streams(report, &place.field("firehose"), firehose, *mode);
    rules::data_streams(report, &place.field("kinesis"), kinesis, *mode);
    rules::databases(report, &place.field("rds"), rds, *mode);
    exemptions::judge(report, &place.field("exemptions"), exemptions, now);
    let rules = s3.len() + sqs.len() + sns.len() + firehose.len() + kinesis.len() + rds.len();
    let lists = ["keys", "s3", "sqs", "sns", "firehose", "kinesis", "rds"];
    if rules + keys.len() == 0 && place.is_sound() && lists.iter().all(|list| place.field(list).is_sound()) {
        place.warning(report, "no rules and no keys: this policy manages nothing; add a list such as `s3:`");
    }
}

/// The index of an earlier equal text, for every text that has one.
fn duplicates<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<(usize, usize)> {
    let mut first = std::collections::HashMap::new();
    let mut found = Vec::new();
    for (index, text) in texts.enumerate() {
        match first.get(text) {
            Some(earlier) => found.push((index, *earlier)),
            None => {
                first.insert(text, index);
            }
        }
    }
    found
}
