//! The check that a bucket, queue or topic refuses plain HTTP: judged by what its document means, put right by
//! merging statements of ours into it, never by rewriting it.

use super::change::Change;
use super::draft::{Draft, Remedy, Subject, Words};
use super::step::{Block, Gate, Risk};
use crate::Check;
use crate::document::ours::{deleted_principal, deleted_principal_words};
use crate::document::{
    Answer, Document, OwnStatement, Protected, TransportVerdict, check_size, denies_tls_below, deny_old_tls, deny_plain_http, merge,
    transport,
};
use crate::policy::model::TlsVersion;

/// What is asked of a document, and what AWS accepts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) protected: Protected<'a>,
    /// As read.
    pub(crate) document: Option<&'a str>,
    pub(crate) deny_plain_http: bool,
    /// Buckets only.
    pub(crate) minimum_tls: Option<TlsVersion>,
    pub(crate) limits: Limits,
}

/// The largest document that AWS takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes.
    pub(crate) bytes: usize,
    /// Statements, where there is such a limit.
    pub(crate) statements: Option<usize>,
    /// `Id` of a document that we have to begin.
    pub(crate) id: Option<&'static str>,
}

/// The verdict.
#[derive(Debug, Clone)]
pub(crate) enum Judged {
    Compliant(Words),
    Unknown(Words),
    Drifted(Words, Merged),
}

/// The document that puts it right.
#[derive(Debug, Clone)]
pub(crate) struct Merged {
    /// Whole text.
    pub(crate) text: String,
    /// One line.
    pub(crate) summary: String,
    pub(crate) undo: String,
    /// Requests over plain HTTP, which get through today, will be refused.
    pub(crate) refuses_http: bool,
    pub(crate) block: Option<Block>,
}

/// Puts a verdict into the draft. `change` makes the service's change of the new document's text, and names what of the
/// service's own stops it.
pub(crate) fn record(
    draft: &mut Draft,
    subject: &Subject,
    check: Check,
    judged: Judged,
    change: impl FnOnce(&mut Draft, &Merged) -> (Change, Option<Block>),
) {
    match judged {
        Judged::Compliant(words) => draft.compliant(subject, check, words),
        Judged::Unknown(words) => draft.unknown(subject, check, words),
        Judged::Drifted(words, merged) => {
            let (change, block) = change(draft, &merged);
            let mut remedy = Remedy::change(change, merged.summary, merged.undo).risking(Risk::Brief);
            remedy.block = block.or(merged.block);
            draft.drifted(subject, check, words, vec![remedy]);
        }
    }
}

struct Gaps {
    http: bool,
    tls: bool,
}

/// Judges a document; `None` where the rule asks for nothing.
pub(crate) fn judge(asked: &Asked<'_>) -> Option<Judged> {
    if !asked.deny_plain_http && asked.minimum_tls.is_none() {
        return None;
    }
    let document = match asked.document.map(Document::parse).transpose() {
        Ok(document) => document,
        Err(error) => {
            return Some(Judged::Unknown(Words {
                expected: expected(asked),
                actual: "a document that can't be parsed".to_owned(),
                message: format!("The document can't be parsed ({error}), so it is left alone. Correct it by hand."),
                notes: Vec::new(),
            }));
        }
    };
    let verdict = transport(document.as_ref(), asked.protected);
    let gaps = Gaps {
        http: asked.deny_plain_http && verdict.denies_plain_http != Answer::Yes,
        tls: match (asked.minimum_tls, asked.protected) {
            (Some(version), Protected::Bucket(bucket)) => denies_tls_below(document.as_ref(), bucket, version) != Answer::Yes,
            (Some(_), Protected::Queue(_) | Protected::Topic(_)) | (None, _) => false,
        },
    };
    let words = words(asked, &verdict, &gaps);
    if !gaps.http && !gaps.tls {
        return Some(Judged::Compliant(words));
    }
    Some(drifted(asked, document.as_ref(), words, &gaps))
}

fn drifted(asked: &Asked<'_>, document: Option<&Document>, mut words: Words, gaps: &Gaps) -> Judged {
    let statements = missing_statements(asked, gaps);
    let merged = merge(document, &statements, asked.limits.id);
    if document.is_some_and(|document| document.equivalent(&merged)) {
        words.message = format!("{} Everseal's own statement is there already, so nothing is written.", words.message);
        return Judged::Unknown(words);
    }
    let sids: Vec<_> = statements.iter().map(|statement| statement.sid.as_str()).collect();
    let sids = sids.join(" and ");
    let kind = kind(asked.protected);
    Judged::Drifted(
        words,
        Merged {
            block: too_large(asked, &merged, &sids).or_else(|| names_deleted(asked, &merged)),
            text: merged.text(),
            summary: match document {
                Some(_) => format!("put {sids} into the {kind}'s policy; its other statements stay as they are"),
                None => format!("give the {kind} a policy with {sids}"),
            },
            undo: match document {
                Some(_) => format!("Put the {kind}'s former policy back, or take {sids} out of it."),
                None => format!("Delete the {kind}'s policy, where nobody has added to it since."),
            },
            refuses_http: gaps.http,
        },
    )
}

fn missing_statements(asked: &Asked<'_>, gaps: &Gaps) -> Vec<OwnStatement> {
    let mut statements = Vec::new();
    if gaps.http {
        statements.push(deny_plain_http(asked.protected));
    }
    if let (true, Some(version), Protected::Bucket(bucket)) = (gaps.tls, asked.minimum_tls, asked.protected) {
        statements.push(deny_old_tls(bucket, version));
    }
    statements
}

fn too_large(asked: &Asked<'_>, merged: &Document, sids: &str) -> Option<Block> {
    let Limits { bytes, statements, id: _ } = asked.limits;
    let kind = kind(asked.protected);
    let count = merged.bodies().count();
    let excess = if check_size(merged, bytes).is_err() {
        format!("{} bytes, and AWS takes {bytes}", merged.size())
    } else if let Some(most) = statements.filter(|most| count > *most) {
        format!("{count} statements, and AWS takes {most}")
    } else {
        return None;
    };
    Some(Block {
        name: Gate::DocumentSize,
        reason: format!("With {sids} the {kind}'s policy would have {excess}. Shorten it, for example by joining statements."),
    })
}

fn names_deleted(asked: &Asked<'_>, merged: &Document) -> Option<Block> {
    let name = deleted_principal(merged).filter(|_| matches!(asked.protected, Protected::Bucket(_)))?;
    Some(Block { name: Gate::Manual, reason: deleted_principal_words(&name) })
}

fn words(asked: &Asked<'_>, verdict: &TransportVerdict, gaps: &Gaps) -> Words {
    let TransportVerdict { denies_plain_http, locks_out_https, form_checkers_agree, gap } = verdict;
    let kind = kind(asked.protected);
    let mut notes = Vec::new();
    if *locks_out_https == Answer::Yes {
        notes.push(format!("The policy denies HTTPS to everybody as well: nobody can use this {kind}."));
    }
    if asked.deny_plain_http && !gaps.http && !form_checkers_agree && matches!(asked.protected, Protected::Bucket(_)) {
        notes.push(
            "AWS Config rule s3-bucket-ssl-requests-only and Security Hub S3.5 may still report it: they look for the one form of statement that they know."
                .to_owned(),
        );
    }
    let (actual, message) = match denies_plain_http {
        _ if !gaps.http && gaps.tls => {
            let version = asked.minimum_tls.map(version).unwrap_or_default();
            ("accepts old TLS versions".to_owned(), format!("Nothing in the policy refuses TLS below {version}."))
        }
        Answer::Yes => (expected(asked), String::new()),
        _ if !asked.deny_plain_http => (expected(asked), String::new()),
        Answer::No => ("accepts plain HTTP".to_owned(), sentence(gap, kind)),
        Answer::CannotTell => ("not proven to refuse plain HTTP".to_owned(), sentence(gap, kind)),
    };
    Words { expected: expected(asked), actual, message, notes }
}

fn sentence(gap: &str, kind: &str) -> String {
    let mut letters = gap.chars();
    let Some(first) = letters.next() else { return format!("Nothing in the {kind}'s policy refuses requests over plain HTTP.") };
    format!("{}{}.", first.to_uppercase(), letters.as_str().trim_end_matches('.'))
}

fn expected(asked: &Asked<'_>) -> String {
    wanted_words(asked.deny_plain_http, asked.minimum_tls)
}

/// What a rule asks of a document, in words.
pub(crate) fn wanted_words(deny_plain_http: bool, minimum_tls: Option<TlsVersion>) -> String {
    match (deny_plain_http, minimum_tls) {
        (_, None) => "refuses plain HTTP".to_owned(),
        (true, Some(minimum)) => format!("refuses plain HTTP and TLS below {}", version(minimum)),
        (false, Some(minimum)) => format!("refuses TLS below {}", version(minimum)),
    }
}

const fn version(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::V1_2 => "1.2",
        TlsVersion::V1_3 => "1.3",
    }
}

const fn kind(protected: Protected<'_>) -> &'static str {
    match protected {
        Protected::Bucket(_) => "bucket",
        Protected::Queue(_) => "queue",
        Protected::Topic(_) => "topic",
    }
}
