//! What the policy wants of buckets, compared with what AWS says.

use super::desired::DesiredEncryption;
use super::encryption::{Comparison, Difference, compare, observed_words};
use super::gates;
use super::observed::Bucket;
use crate::document::Protected;
use crate::document::ours::BUCKET_LIMIT;
use crate::kms::note_on_key_in_use;
use crate::plan::Change;
use crate::plan::compare::{tags_unknown, why_unknown};
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::select::Selection;
use crate::plan::step::Risk;
use crate::plan::transit::{Asked, Limits, judge, record, wanted_words};
use crate::policy::model::{BucketAtRest, BucketInTransit, BucketRule, ExistingObjectsAction};
use crate::{Check, Service};

/// Judges every bucket of the inventory.
pub(crate) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    for (arn, bucket) in &cx.inventory.buckets {
        match cx.select(|spec| spec.s3.as_slice(), &bucket.name, "", &bucket.tags) {
            Selection::Unmanaged => drop(draft.unmanaged.insert(arn.clone())),
            Selection::CannotTell(selected, why) => {
                draft.managed.insert(arn.clone());
                let subject = Subject::new(arn, Service::S3, &cx.inventory.scope, &selected);
                tags_unknown(draft, &subject, "bucket", &asked_checks(selected.rule), why.as_ref());
            }
            Selection::Rule(selected) => {
                draft.managed.insert(arn.clone());
                let subject = Subject::new(arn, Service::S3, &cx.inventory.scope, &selected);
                Judging { cx, bucket, rule: selected.rule, subject }.all(draft);
            }
        }
    }
}

fn asked_checks(rule: &BucketRule) -> Vec<Check> {
    let BucketRule { name: _, matches: _, mode: _, at_rest, in_transit, existing_objects, website: _ } = rule;
    let checks = [
        (Check::S3Encryption, at_rest.is_some()),
        (Check::S3SecureTransport, in_transit.as_ref().is_some_and(asks)),
        (Check::S3ExistingObjects, existing_objects.is_some()),
    ];
    checks.into_iter().filter(|(_, asked)| *asked).map(|(check, _)| check).collect()
}

fn asks(in_transit: &BucketInTransit) -> bool {
    let BucketInTransit { deny_insecure_transport, minimum_tls_version } = in_transit;
    *deny_insecure_transport || minimum_tls_version.is_some()
}

struct Judging<'a> {
    cx: &'a Context<'a>,
    bucket: &'a Bucket,
    rule: &'a BucketRule,
    subject: Subject,
}

impl Judging<'_> {
    fn all(&self, draft: &mut Draft) {
        let BucketRule { name: _, matches: _, mode: _, at_rest, in_transit, existing_objects, website: _ } = self.rule;
        if let Some(at_rest) = at_rest {
            self.encryption(draft, at_rest);
        }
        if let Some(in_transit) = in_transit {
            self.secure_transport(draft, in_transit);
        }
        if let Some(existing) = existing_objects {
            self.existing_objects(draft, existing.action);
        }
    }

    fn encryption(&self, draft: &mut Draft, at_rest: &BucketAtRest) {
        let desired = DesiredEncryption::of(self.cx, at_rest);
        let mut words = Words { expected: desired.words(), ..Words::default() };
        let Some(observed) = self.bucket.encryption.known() else {
            words.actual = "unknown".into();
            words.message = why_unknown(&self.bucket.encryption, "s3:GetEncryptionConfiguration");
            return draft.unknown(&self.subject, Check::S3Encryption, words);
        };
        words.actual = observed_words(self.cx, observed.as_ref());
        words.notes.extend(observed.as_ref().and_then(|rule| note_on_key_in_use(self.cx, rule.kms_key.as_deref()?)));
        match compare(self.cx, &desired, observed.as_ref()) {
            Comparison::Compliant { better } => {
                words.notes.extend(better);
                draft.compliant(&self.subject, Check::S3Encryption, words);
            }
            Comparison::Unknown(why) => {
                words.message = why;
                draft.unknown(&self.subject, Check::S3Encryption, words);
            }
            Comparison::Differs(difference) => {
                let remedy = self.encryption_remedy(draft, &desired, &difference);
                words.message = what_follows(&difference);
                words.notes.extend(self.encryption_notes(&difference));
                draft.drifted(&self.subject, Check::S3Encryption, words, vec![remedy]);
            }
        }
    }

    fn encryption_remedy(&self, draft: &mut Draft, desired: &DesiredEncryption<'_>, difference: &Difference) -> Remedy {
        let before = self.bucket.encryption.known().cloned().flatten();
        let was = observed_words(self.cx, before.as_ref());
        let becomes = match (&difference.waits_for, &desired.key) {
            (Some(_), Some((alias, _))) => format!("{} with {alias}", super::desired::algorithm_words(&difference.after.algorithm)),
            _ => observed_words(self.cx, Some(&difference.after)),
        };
        let undo = match &before {
            Some(_) => format!("PutBucketEncryption with {was}; objects written in between keep what they were written with."),
            None => "DeleteBucketEncryption, which brings back SSE-S3.".to_owned(),
        };
        let change = Change::BucketEncryption {
            bucket: self.bucket.name.clone(),
            before,
            after: difference.after.clone(),
            waits_for: difference.waits_for.clone(),
        };
        let requirement = gates::encryption(self.cx, draft, self.bucket, self.rule.website.as_ref(), (desired, difference));
        let risk = if difference.moves_to_key() || difference.blocks_more { Risk::Brief } else { Risk::None };
        Remedy::change(change, format!("default encryption: {was} → {becomes}"), undo).requiring(requirement).risking(risk)
    }

    fn encryption_notes(&self, difference: &Difference) -> Vec<String> {
        let mut notes = Vec::new();
        if difference.changes_bucket_key || (difference.begins_kms && difference.after.bucket_key) {
            notes.push(format!(
                "IAM policies with a condition on kms:EncryptionContext:aws:s3:arn must name {} of this bucket from then on; those of roles that nothing shows to use the bucket are not read.",
                if difference.after.bucket_key { "the ARN" } else { "the object ARNs" }
            ));
        }
        if difference.moves_to_key() && self.bucket.replication.known().is_some_and(|rules| !rules.is_empty()) {
            notes.push(
                "The bucket replicates: its replication role needs kms:Decrypt on the new key; its permissions are not read here."
                    .to_owned(),
            );
        }
        if difference.changes_key {
            notes.push("Objects that are there stay under the old key: keep it.".to_owned());
        }
        notes
    }

    fn secure_transport(&self, draft: &mut Draft, in_transit: &BucketInTransit) {
        let BucketInTransit { deny_insecure_transport, minimum_tls_version } = in_transit;
        if !asks(in_transit) {
            return;
        }
        let Some(document) = self.bucket.document.known() else {
            let words = Words {
                expected: wanted_words(*deny_insecure_transport, *minimum_tls_version),
                actual: "unknown".to_owned(),
                message: why_unknown(&self.bucket.document, "s3:GetBucketPolicy"),
                notes: Vec::new(),
            };
            return draft.unknown(&self.subject, Check::S3SecureTransport, words);
        };
        let asked = Asked {
            protected: Protected::Bucket(&self.bucket.arn),
            document: document.as_deref(),
            deny_plain_http: *deny_insecure_transport,
            minimum_tls: *minimum_tls_version,
            limits: Limits { bytes: BUCKET_LIMIT, statements: None, id: None },
        };
        let Some(judged) = judge(&asked) else { return };
        record(draft, &self.subject, Check::S3SecureTransport, judged, |draft, merged| {
            let block = gates::document(draft, self.bucket, self.rule.website.as_ref(), merged.refuses_http);
            (Change::BucketDocument { bucket: self.bucket.name.clone(), before: document.clone(), after: merged.text.clone() }, block)
        });
    }

    fn existing_objects(&self, draft: &mut Draft, action: ExistingObjectsAction) {
        let expected = match action {
            ExistingObjectsAction::Report => "every existing object encrypted as asked (report only)",
            ExistingObjectsAction::Reencrypt => "every existing object encrypted as asked",
        };
        let words = Words {
            expected: expected.to_owned(),
            actual: "not examined".to_owned(),
            message: "Existing objects are not examined by this version: default encryption holds for new objects only.".to_owned(),
            notes: Vec::new(),
        };
        draft.unknown(&self.subject, Check::S3ExistingObjects, words);
    }
}

fn what_follows(difference: &Difference) -> String {
    let follows = if difference.begins_kms {
        "New objects are not encrypted under a KMS key."
    } else if difference.changes_key {
        "New objects are encrypted under another key than the policy names."
    } else if difference.changes_bucket_key {
        "The bucket key is not set as the policy wants it."
    } else if difference.blocks_more {
        "Encryption types that the policy wants blocked are accepted."
    } else {
        "New objects are encrypted with less than the policy asks."
    };
    follows.to_owned()
}
