//! What documents must not have in common: names of policies, and keys in the same scope.

use std::collections::HashMap;

use super::reach;
use crate::policy::model::{Scopes, Spec};
use crate::policy::place::Place;
use crate::policy::report::Report;
use crate::policy::tree::Node;

/// One document, as far as it could be read.
#[derive(Debug)]
pub(in crate::policy) struct Document {
    /// Index of its file.
    pub(in crate::policy) file: usize,
    /// What is right of its text.
    pub(in crate::policy) node: Node,
    /// Its typed spec.
    pub(in crate::policy) spec: Option<Spec>,
}

impl Document {
    pub(in crate::policy) fn spec_place(&self) -> Place<'_> {
        Place::document(&self.node).field("spec")
    }

    fn name_place(&self) -> Place<'_> {
        Place::document(&self.node).field("metadata").field("name")
    }

    fn name(&self) -> Option<&str> {
        self.node.get("metadata")?.get("name")?.text()
    }
}

pub(super) fn reports_of<'r, 'f>(reports: &'r mut [Report<'f>], document: &Document) -> &'r mut Report<'f> {
    &mut reports[document.file]
}

/// Judges all documents of all files together; `reports` has one report per file.
pub(in crate::policy) fn judge_together(documents: &[Document], reports: &mut [Report<'_>]) {
    names(documents, reports);
    aliases(documents, reports);
    reach::judge(documents, reports);
}

fn names(documents: &[Document], reports: &mut [Report<'_>]) {
    let mut first: HashMap<&str, &Document> = HashMap::new();
    for document in documents {
        let Some(name) = document.name() else { continue };
        let Some(earlier) = first.get(name) else {
            first.insert(name, document);
            continue;
        };
        let at = format!("{}:{}", reports[earlier.file].file, earlier.name_place().at.line);
        let message = format!("policy `{name}` is there already ({at}); names must be unique, so give this one another");
        document.name_place().error(reports_of(reports, document), message);
    }
}

/// A key may be described by one policy only, wherever it is managed; doubles within one document are
/// judged with its keys.
fn aliases(documents: &[Document], reports: &mut [Report<'_>]) {
    let mut described: HashMap<&str, Vec<(usize, &Document, Place<'_>)>> = HashMap::new();
    for (number, document) in documents.iter().enumerate() {
        let Some(spec) = &document.spec else { continue };
        for (index, key) in spec.keys.iter().enumerate() {
            let place = document.spec_place().field("keys").item(index).field("alias");
            let earlier = described.entry(&key.alias).or_default();
            let overlapping = earlier.iter().find(|(other, document, _)| {
                *other != number && document.spec.as_ref().is_some_and(|other| overlap(&other.scopes, &spec.scopes))
            });
            if let Some((_, other, at)) = overlapping {
                let at = format!("{}:{}", reports[other.file].file, at.at.line);
                let message = format!(
                    "{} is described in the same scope by another policy ({at}); put everything about a key into one entry",
                    key.alias
                );
                place.error(reports_of(reports, document), message);
            }
            earlier.push((number, document, place));
        }
    }
}

/// Whether two policies can hold in the same scope; an empty list holds everywhere.
fn overlap(one: &Scopes, other: &Scopes) -> bool {
    let regions = one.regions.is_empty() || other.regions.is_empty() || one.regions.iter().any(|region| other.regions.contains(region));
    let same = |id: &str| other.accounts.iter().any(|account| account.id == id);
    let accounts = one.accounts.is_empty() || other.accounts.is_empty() || one.accounts.iter().any(|account| same(&account.id));
    regions && accounts
}
