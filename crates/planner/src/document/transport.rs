//! Does a document refuse plain HTTP (and old TLS), proven for everybody, every action and every object?
//!
//! The verdict is about meaning: any form that IAM accepts counts, and a form that only looks right does not.
//! Anything but [`Answer::Yes`] is a document to be repaired.

use serde_json::{Map, Value, json};

use super::condition::holds;
use super::coverage::{Everything, Part, cover_actions, covers_part, denied};
use super::{Answer, Document, Effect, Facts, Selector, StatementView};
use crate::Arn;
use crate::policy::model::TlsVersion;

/// The resource that a document protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protected<'a> {
    /// A bucket and the objects in it.
    Bucket(&'a Arn),
    /// A queue.
    Queue(&'a Arn),
    /// A topic: publishing is what carries data.
    Topic(&'a Arn),
}

impl Protected<'_> {
    fn noun(self) -> &'static str {
        match self {
            Self::Bucket(_) => "bucket",
            Self::Queue(_) => "queue",
            Self::Topic(_) => "topic",
        }
    }
}

/// Three verdicts on one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportVerdict {
    /// Every request over plain HTTP is denied: every principal, action and object.
    pub denies_plain_http: Answer,
    /// Requests over HTTPS are denied to everybody as well, to the resource or to a part of it: nobody can use it.
    pub locks_out_https: Answer,
    /// Checkers that compare form instead of meaning (AWS Config, Security Hub, Control Tower) will call it compliant.
    pub form_checkers_agree: bool,
    /// What is missing or undecidable, in words; empty where plain HTTP is denied.
    pub gap: String,
}

const SECURE_TRANSPORT: &str = "aws:securetransport";
const TLS_VERSION: &str = "s3:tlsversion";
const PLAIN_HTTP: &[(&str, &str)] = &[(SECURE_TRANSPORT, "false")];
const HTTPS: &[(&str, &str)] = &[(SECURE_TRANSPORT, "true")];
/// One HTTPS request as good as any: nobody who denies old TLS denies this.
const NEWEST_TLS: &[(&str, &str)] = &[(TLS_VERSION, "1.3")];

/// Judges a document; `None` is "there is no document".
pub fn transport(document: Option<&Document>, protected: Protected<'_>) -> TransportVerdict {
    let Some(document) = document else {
        return TransportVerdict {
            denies_plain_http: Answer::No,
            locks_out_https: Answer::No,
            form_checkers_agree: false,
            gap: format!("the {} has no policy, so nothing denies plain HTTP", protected.noun()),
        };
    };
    let views: Vec<_> = document.statements().collect();
    let all = Everything::of(protected);
    let plain = denied(&views, &all, PLAIN_HTTP, &[]);
    let https = denied(&views, &all, HTTPS, NEWEST_TLS);
    let denies_plain_http = plain.iter().copied().fold(Answer::Yes, Answer::and);
    let gap = if denies_plain_http == Answer::Yes { String::new() } else { gap(&views, &all, &plain) };
    TransportVerdict {
        denies_plain_http,
        locks_out_https: https.into_iter().fold(Answer::No, Answer::or),
        form_checkers_agree: form_checkers_agree(document, &views, protected),
        gap,
    }
}

/// Every request with a TLS version below `version` is denied (`s3:TlsVersion`), as far as S3 ever served one.
pub fn denies_tls_below(document: Option<&Document>, bucket: &Arn, version: TlsVersion) -> Answer {
    let Some(document) = document else { return Answer::No };
    let lower: &[&str] = match version {
        TlsVersion::V1_2 => &["1.0", "1.1"],
        TlsVersion::V1_3 => &["1.0", "1.1", "1.2"],
    };
    // How S3 writes the version is not documented: only comparisons as numbers are proof.
    let is_text_test = |view: &StatementView<'_>| {
        let as_text = |operator: &str| !operator.to_ascii_lowercase().contains("numeric") && !operator.eq_ignore_ascii_case("null");
        view.conditions.iter().any(|line| line.tests(TLS_VERSION) && as_text(line.operator))
    };
    let (texts, views): (Vec<_>, Vec<_>) = document.statements().partition(is_text_test);
    let all = Everything::of(Protected::Bucket(bucket));
    let each = lower.iter().flat_map(|version| denied(&views, &all, &[(SECURE_TRANSPORT, "true"), (TLS_VERSION, version)], &[]));
    match each.fold(Answer::Yes, Answer::and) {
        Answer::No if texts.iter().any(|view| view.effect != Some(Effect::Allow)) => Answer::CannotTell,
        answer => answer,
    }
}

/// The one statement that Config, Security Hub and Control Tower look for. [Control Tower CT.S3.PR.8 compares the
/// condition for equality; AWS Config: a value with more than five policy variables can't be evaluated]
fn form_checkers_agree(document: &Document, views: &[StatementView<'_>], protected: Protected<'_>) -> bool {
    let (action, resources) = match protected {
        Protected::Bucket(arn) => ("s3:*", vec![arn.to_string(), format!("{arn}/*")]),
        Protected::Queue(arn) => ("sqs:*", vec![arn.to_string()]),
        Protected::Topic(arn) => ("sns:Publish", vec![arn.to_string()]),
    };
    let has_form = |(body, view): (&Map<String, Value>, &StatementView<'_>)| {
        if view.effect != Some(Effect::Deny) {
            return false;
        }
        let everyone = body.get("Principal").is_some_and(|principal| *principal == json!("*") || *principal == json!({"AWS": "*"}));
        let condition = body.get("Condition").is_some_and(|condition| *condition == json!({"Bool": {"aws:SecureTransport": "false"}}));
        let both = || resources.iter().all(|arn| view.resources.members().contains(&arn.as_str()));
        view.unread.is_empty() && everyone && condition && view.actions.members().contains(&action) && both()
    };
    let evaluable = |view: &StatementView<'_>| {
        let values = view.conditions.iter().flat_map(|line| line.values.iter().map(AsRef::as_ref));
        view.resources.members().iter().copied().chain(values).all(|value| value.matches("${").count() <= 5)
    };
    document.bodies().zip(views).any(has_form) && views.iter().all(evaluable)
}

/// What keeps the document from denying plain HTTP, in words.
fn gap(views: &[StatementView<'_>], all: &Everything, plain: &[Answer]) -> String {
    let tests = |view: &&StatementView<'_>| view.conditions.iter().any(|line| line.tests(SECURE_TRANSPORT));
    let open: Vec<&Part> = all.parts.iter().zip(plain).filter(|(_, answer)| **answer != Answer::Yes).map(|(part, _)| part).collect();
    let facts = Facts::only(PLAIN_HTTP);
    let mut reasons: Vec<String> = Vec::new();
    for (index, view) in views.iter().enumerate().filter(|(_, view)| view.effect != Some(Effect::Allow) && tests(view)) {
        if let Some(reason) = shortfall(view, all, &open, &facts) {
            reasons.push(format!("{} {reason}", view.name(index)));
        }
    }
    let allows = |view: &StatementView<'_>| view.effect == Some(Effect::Allow) && tests(&view);
    if reasons.is_empty() {
        reasons.push(match views.iter().position(allows) {
            Some(index) => {
                format!("{} only allows HTTPS; a Deny is needed, because other permissions still allow HTTP", views[index].name(index))
            }
            None => "no statement denies requests with aws:SecureTransport \"false\"".to_owned(),
        });
    }
    let nouns: Vec<&str> = open.iter().map(|part| part.noun).collect();
    format!("plain HTTP is not denied to everybody for {}: {}", nouns.join(" and "), reasons.join("; "))
}

/// Why one Deny is not enough for the open parts; `None` where it does its share.
fn shortfall(view: &StatementView<'_>, all: &Everything, open: &[&Part], facts: &Facts<'_>) -> Option<String> {
    if let Some((name, _)) = view.unread.first() {
        return Some(format!("has an element `{name}` that can't be read"));
    }
    if !view.is_for_everyone() {
        return Some("is not for every principal".to_owned());
    }
    if let Some(line) = view.conditions.iter().find(|line| holds(line, view.has_variables, facts) != Answer::Yes) {
        return Some(if line.tests(SECURE_TRANSPORT) {
            format!("tests `{} {}` in a way that plain HTTP does not surely meet", line.operator, line.key)
        } else {
            format!("also requires `{} {}`, so it misses requests that don't meet that", line.operator, line.key)
        });
    }
    if !cover_actions(&[&view.actions], all.actions) {
        return Some(match &view.actions {
            Selector::In(actions) => format!("covers only {}", actions.join(", ")),
            Selector::NotIn(actions) => format!("spares {}", actions.join(", ")),
            Selector::Absent => "names no action".to_owned(),
        });
    }
    let missed: Vec<&str> = open.iter().filter(|part| !covers_part(view, part)).map(|part| part.noun).collect();
    (!missed.is_empty()).then(|| format!("does not cover {}", missed.join(" and ")))
}
