//! What the policies want of the keys they list, compared with what AWS says.
//!
//! Keys that resources use and no policy lists are left alone; that one of them does not work is said on the
//! resource's own finding.

use std::collections::BTreeSet;

use super::desired::Home;
use super::document::{Comparison, Wanted, compare, refused_by_kms, surplus};
use super::exists::why;
use super::grants::{Place, wanted};
use super::needs;
use super::observed::Key;
use super::{exists, rotation, state};
use crate::document::Document;
use crate::document::ours::{deleted_principal, deleted_principal_words};
use crate::plan::change::Change;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::keys::PlannedDocument;
use crate::plan::step::{Block, Gate, StepId};
use crate::policy::model::{EncryptionPolicy, KeySpec};
use crate::{Arn, Check, Reading, Service};

/// Users whom a summary names.
const MOST_NAMES: usize = 10;

/// A key that a policy lists, and where it stands in this scope.
pub(crate) struct Listed<'a> {
    pub(crate) cx: &'a Context<'a>,
    pub(crate) policy: &'a EncryptionPolicy,
    pub(crate) key: &'a KeySpec,
    pub(crate) home: Home,
    /// The alias's ARN in this scope.
    pub(crate) alias_arn: Arn,
}

impl Listed<'_> {
    /// The subject of findings: its rule is the alias.
    pub(crate) fn subject(&self, resource: &Arn) -> Subject {
        let scope = &self.cx.inventory.scope;
        Subject {
            resource: resource.clone(),
            service: Service::Kms,
            account: scope.account.clone(),
            region: scope.region.clone(),
            policy: self.policy.metadata.name.clone(),
            rule: self.key.alias.clone(),
            mode: self.policy.spec.mode,
        }
    }

    pub(crate) fn place(&self) -> Place<'_> {
        let scope = &self.cx.inventory.scope;
        Place { partition: &scope.partition, account: &scope.account, region: &scope.region }
    }
}

/// Judges every key that a policy lists; of two that list the same alias, the first wins.
pub(crate) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    let mut seen = BTreeSet::new();
    for policy in cx.policies_in_scope() {
        for key in &policy.spec.keys {
            if seen.insert(key.alias.as_str()) {
                let scope = &cx.inventory.scope;
                let home = Home::of(policy, key, &scope.region);
                judge(&Listed { cx, policy, key, home, alias_arn: scope.arn("kms", &key.alias) }, draft);
            }
        }
    }
}

fn judge(listed: &Listed<'_>, draft: &mut Draft) {
    let inventory = listed.cx.inventory;
    let unknown = |draft: &mut Draft, message: String| {
        draft.managed.insert(listed.alias_arn.clone());
        let words =
            Words { expected: format!("a key under {}", listed.key.alias), actual: "not known".to_owned(), message, notes: Vec::new() };
        draft.unknown(&listed.subject(&listed.alias_arn), Check::KmsKeyExists, words);
    };
    let aliases = match &inventory.aliases {
        Reading::Known(aliases) => aliases,
        Reading::Unreadable { unreadable } => return unknown(draft, format!("The aliases could not be read: {}.", why(unreadable))),
        Reading::NotRead => return unknown(draft, "The aliases were not read.".to_owned()),
    };
    let Some(arn) = aliases.get(&listed.key.alias) else {
        draft.managed.insert(listed.alias_arn.clone());
        return exists::missing(listed, draft);
    };
    draft.managed.insert(arn.clone());
    let unread = Key { arn: arn.clone(), metadata: Reading::NotRead, document: Reading::NotRead, rotation: Reading::NotRead };
    let key = inventory.keys.get(arn).unwrap_or(&unread);
    let subject = listed.subject(arn);
    // Before the other checks: they wait for the steps that bring a key back.
    state::judge(listed, &subject, &key.metadata, draft);
    exists::present(listed, &subject, &key.metadata, draft);
    rotation::judge(listed, &subject, key, draft);
    let by_policy = listed.key.usable_by.as_ref().map(|usable_by| wanted(usable_by, listed.place()));
    let by_paths = draft.demands.get(arn).map(|users| needs::grants(users)).unwrap_or_default();
    // Without either the document is nobody's wish: it is not managed.
    if by_policy.is_some() || !by_paths.is_empty() {
        let by_policy = by_policy.unwrap_or_default();
        judge_document(listed, Wanted { by_policy: &by_policy, by_paths: &by_paths }, (&subject, &key.document), draft);
    }
}

fn judge_document(listed: &Listed<'_>, grants: Wanted<'_>, (subject, text): (&Subject, &Reading<String>), draft: &mut Draft) {
    let mut words = Words { expected: format!("lets {} use the key", count(grants)), actual: "not known".to_owned(), ..Words::default() };
    let text = match text {
        Reading::Known(text) => text,
        Reading::Unreadable { unreadable } => {
            words.message = format!("The key's document could not be read: {}.", why(unreadable));
            return draft.unknown(subject, Check::KmsKeyDocument, words);
        }
        Reading::NotRead => {
            words.message = "The key's document was not read.".into();
            return draft.unknown(subject, Check::KmsKeyDocument, words);
        }
    };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            words.message = format!("The key's document can't be understood ({error}), so it is not written either.");
            return draft.unknown(subject, Check::KmsKeyDocument, words);
        }
    };
    words.notes = surplus(&document, grants.by_policy);
    let comparison = comparison(subject, &document, grants, draft);
    if comparison.missing.is_empty() {
        words.actual.clone_from(&words.expected);
        return draft.compliant(subject, Check::KmsKeyDocument, words);
    }
    words.actual = format!("does not let {} use it for certain", names(&comparison));
    if comparison.merged.is_none() && comparison.stopped.iter().all(|stopped| !stopped.certain) {
        words.message = format!("Statements that are not Everseal's leave it undecided: {}.", because(&comparison));
        return draft.unknown(subject, Check::KmsKeyDocument, words);
    }
    words.message = "Whoever is missing fails as soon as a resource uses the key.".into();
    let remedies = remedies(listed, subject, text, &comparison, draft);
    draft.drifted(subject, Check::KmsKeyDocument, words, remedies);
}

/// What the policy wants is not held up by paths whose needs make the document too long for KMS.
fn comparison<'a>(subject: &Subject, document: &Document, grants: Wanted<'a>, draft: &mut Draft) -> Comparison<'a> {
    let key = &subject.resource;
    let compared = compare(document, key.as_str(), key.account(), grants);
    let refused = compared.merged.as_ref().and_then(|merged| refused_by_kms(&merged.text()));
    match refused {
        Some(reason) if !grants.by_paths.is_empty() => {
            draft.refused_documents.insert(key.clone(), Block { name: Gate::DocumentSize, reason });
            compare(document, key.as_str(), key.account(), Wanted { by_paths: &[], ..grants })
        }
        Some(_) | None => compared,
    }
}

fn remedies(listed: &Listed<'_>, subject: &Subject, before: &str, comparison: &Comparison<'_>, draft: &mut Draft) -> Vec<Remedy> {
    let alias = &listed.key.alias;
    let mut remedies = Vec::new();
    if let Some(merged) = &comparison.merged {
        let after = merged.text();
        let refused = refused_by_kms(&after);
        let change = Change::KeyDocument { before: before.to_owned(), after };
        let step: StepId = Remedy::step_id(Check::KmsKeyDocument, change.action(), &subject.resource);
        let remedy = Remedy::change(
            change,
            format!("let {} use {alias}; every other statement stays", names(comparison)),
            format!("put the former document back (everseal changes shows it): aws kms put-key-policy --key-id {}", subject.resource),
        );
        remedies.push(if let Some(reason) = refused {
            remedy.blocked(Gate::DocumentSize, reason)
        } else if let Some(name) = deleted_principal(merged) {
            remedy.blocked(Gate::Manual, deleted_principal_words(&name))
        } else {
            remedy
        });
        // Also where the step is blocked: whoever needs it is held by that, and says why.
        draft.planned_documents.insert(subject.resource.clone(), PlannedDocument { step, document: merged.clone(), grows: true });
    }
    if comparison.stopped.iter().any(|stopped| stopped.certain) {
        remedies.push(Remedy::manual(
            format!("remove what denies the use of {alias}"),
            format!("A statement that is not Everseal's stands against it, and Everseal never touches those: {}.", because(comparison)),
        ));
    }
    remedies
}

/// The first few: an estate may have thousands.
fn names(comparison: &Comparison<'_>) -> String {
    let mut names: Vec<&str> = comparison.missing.iter().take(MOST_NAMES).map(|grant| grant.name.as_str()).collect();
    let more = comparison.missing.len().saturating_sub(MOST_NAMES);
    let more = format!("{more} more");
    if comparison.missing.len() > MOST_NAMES {
        names.push(&more);
    }
    names.join(", ")
}

fn because(comparison: &Comparison<'_>) -> String {
    comparison.stopped.iter().map(|stopped| format!("{}: {}", stopped.grant.name, stopped.because)).collect::<Vec<_>>().join("; ")
}

fn count(grants: Wanted<'_>) -> String {
    let users = |count: usize, whose: &str| match count {
        1 => format!("the one user {whose}"),
        many => format!("the {many} users {whose}"),
    };
    let by_policy = users(grants.by_policy.len(), "of usableBy");
    let by_paths = users(grants.by_paths.len(), "on the paths of resources that move to it");
    match (grants.by_policy.len(), grants.by_paths.len()) {
        (0, 0) => "nobody by name".to_owned(),
        (_, 0) => by_policy,
        (0, _) => by_paths,
        _ => format!("{by_policy} and {by_paths}"),
    }
}
