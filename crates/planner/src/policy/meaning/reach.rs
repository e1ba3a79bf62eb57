//! Rules that can never be reached, because an earlier one already matches everything they could.
//!
//! A warning is a proof: the earlier rule holds in every scope of the later one, and each of its
//! conditions follows from one of the later rule's.

use super::across::{Document, reports_of};
use crate::plan::select::Rule;
use crate::policy::contain::Patterns;
use crate::policy::model::{Scopes, Spec};
use crate::policy::place::Place;
use crate::policy::report::Report;

/// Looks through all six lists of all documents.
pub(super) fn judge(documents: &[Document], reports: &mut [Report<'_>]) {
    list(documents, reports, "s3", |spec| &spec.s3);
    list(documents, reports, "sqs", |spec| &spec.sqs);
    list(documents, reports, "sns", |spec| &spec.sns);
    list(documents, reports, "firehose", |spec| &spec.firehose);
    list(documents, reports, "kinesis", |spec| &spec.kinesis);
    list(documents, reports, "rds", |spec| &spec.rds);
}

/// A rule with its place.
struct Candidate<'d, R> {
    file: usize,
    scopes: &'d Scopes,
    place: Place<'d>,
    rule: &'d R,
    /// `None`: every name.
    names: Option<Patterns>,
}

fn list<'d, R: Rule + 'd>(documents: &'d [Document], reports: &mut [Report<'_>], name: &str, rules: impl Fn(&'d Spec) -> &'d [R]) {
    let mut earlier: Vec<Candidate<'d, R>> = Vec::new();
    for document in documents {
        let Some(spec) = &document.spec else { continue };
        let list = document.spec_place().field(name);
        for (index, rule) in rules(spec).iter().enumerate() {
            let place = list.item(index);
            let names = rule.names().map(Patterns::new);
            let candidate = Candidate { file: document.file, scopes: &spec.scopes, place, rule, names };
            // Where something was taken out, the rule may look wider than it was meant.
            if !candidate.is_sound() {
                continue;
            }
            if let Some(wider) = earlier.iter().find(|wider| wider.hides(&candidate)) {
                let line = wider.place.at.line;
                let at = if wider.file == document.file { format!("line {line}") } else { format!("{}:{line}", reports[wider.file].file) };
                let message = format!(
                    "this rule is never reached: rule `{}` ({at}) stands before it and matches everything that it could; move it up, or remove it",
                    wider.rule.name()
                );
                candidate.place.warning(reports_of(reports, document), message);
            }
            earlier.push(candidate);
        }
    }
}

impl<R: Rule> Candidate<'_, R> {
    fn is_sound(&self) -> bool {
        let matches = self.place.field("match");
        let lists = ["names", "exclude", "tags", "engines"];
        self.place.is_sound() && matches.is_sound() && lists.iter().all(|list| matches.field(list).is_sound())
    }

    /// Whether this rule matches whatever `later` matches.
    fn hides(&self, later: &Self) -> bool {
        let every = || Patterns::new([&"*".to_owned()]);
        let names = match (&self.names, &later.names) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => wide.cover(narrow),
            (Some(wide), None) => wide.cover(&every()),
        };
        if !names {
            return false;
        }
        let engines = match (self.rule.engines(), later.rule.engines()) {
            (None, _) => true,
            (Some(wide), narrow) => Patterns::new(wide).cover(&narrow.map_or_else(every, Patterns::new)),
        };
        let excluded = Patterns::new(later.rule.exclude()).cover(&Patterns::new(self.rule.exclude()));
        let tagged = self
            .rule
            .tags()
            .iter()
            .all(|(key, wide)| later.rule.tags().get(key).is_some_and(|narrow| Patterns::new([wide]).cover(&Patterns::new([narrow]))));
        engines && excluded && tagged && holds_wherever(self.scopes, later.scopes)
    }
}

/// Whether `wide` holds in every scope in which `narrow` does; an empty list holds everywhere.
fn holds_wherever(wide: &Scopes, narrow: &Scopes) -> bool {
    let regions =
        wide.regions.is_empty() || (!narrow.regions.is_empty() && narrow.regions.iter().all(|region| wide.regions.contains(region)));
    let account = |id: &str| wide.accounts.iter().any(|account| account.id == id);
    let accounts = wide.accounts.is_empty() || (!narrow.accounts.is_empty() && narrow.accounts.iter().all(|narrow| account(&narrow.id)));
    regions && accounts
}
