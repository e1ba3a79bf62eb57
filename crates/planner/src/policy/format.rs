//! How names that AWS gives must look.
//!
//! The schema carries the same as regular expressions; a test holds the two together.

use crate::Arn;

/// A region's name, e.g. `eu-west-1`, `us-gov-west-1`.
pub(super) const REGION: &str = "^[a-z]{2,5}(-[a-z]+){1,3}-[1-9][0-9]?$";
/// An account's id.
pub(super) const ACCOUNT: &str = "^[0-9]{12}$";
/// A key's alias: 1 to 256 letters, digits, `/`, `_`, `-` [kms:CreateAlias].
pub(super) const ALIAS: &str = "^alias/[a-zA-Z0-9/_-]{1,250}$";
/// An external id: 2 to 1224 characters [sts:AssumeRole].
pub(super) const EXTERNAL_ID: &str = "^[a-zA-Z0-9_+=,.@:/-]{2,1224}$";
/// A day.
pub(super) const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., number] = parts.as_slice() else { return false };
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let counts = (2..=5).contains(&first.len()) && (1..=3).contains(&middle.len()) && (1..=2).contains(&number.len());
    counts
        && letters(first)
        && middle.iter().all(|part| letters(part))
        && number.bytes().all(|b| b.is_ascii_digit())
        && !number.starts_with('0')
}

pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn is_alias(text: &str) -> bool {
    let valid = |name: &str| (1..=250).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b));
    text.strip_prefix("alias/").is_some_and(valid)
}

pub(super) fn is_external_id(text: &str) -> bool {
    (2..=1224).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b))
}

/// What is wrong with the ARN of somebody who uses a key, if anything.
///
/// A key document names users, roles and sessions one by one: it takes no patterns [IAM: Principal element].
pub(super) fn principal_problem(text: &str) -> Option<String> {
    let example = "arn:aws:iam::111122223333:role/ingest";
    if text.contains(['*', '?']) {
        return Some(format!("`{text}` is a pattern, and a key document takes no patterns for principals; name each one, e.g. {example}"));
    }
    let Ok(arn) = Arn::parse(text) else {
        return Some(format!("`{text}` is not the ARN of a principal; write one like {example}"));
    };
    let kinds: &[&str] = match arn.service() {
        "iam" => &["role/", "user/"],
        "sts" => &["assumed-role/", "federated-user/"],
        _ => return Some(format!("`{text}` names something of {}, not a user or role; write an ARN like {example}", arn.service())),
    };
    if let Some(problem) = account_problem(&arn) {
        return Some(problem);
    }
    let named = kinds.iter().any(|kind| arn.resource().strip_prefix(kind).is_some_and(|name| !name.is_empty()));
    let root = arn.service() == "iam" && arn.resource() == "root";
    (!named && !root).then(|| format!("`{}` is no user, role or session; write an ARN like {example}", arn.resource()))
}

/// What is wrong with the account, region and partition of an IAM ARN, if anything.
pub(super) fn account_problem(arn: &Arn) -> Option<String> {
    if !is_account(arn.account()) {
        return Some(format!("`{}` in this ARN is not an account id of twelve digits", arn.account()));
    }
    if !arn.region().is_empty() {
        return Some(format!("IAM is global: leave the region (`{}`) of this ARN empty", arn.region()));
    }
    (!arn.partition().starts_with("aws"))
        .then(|| format!("`{}` is not a partition; write `aws`, `aws-cn`, `aws-us-gov` …", arn.partition()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A regular expression, the function that says the same, and texts with what both must answer.
    type Case = (&'static str, fn(&str) -> bool, &'static [(&'static str, bool)]);

    const CASES: &[Case] = &[
        (
            REGION,
            is_region,
            &[
                ("us-east-1", true),
                ("ap-southeast-3", true),
                ("us-gov-west-1", true),
                ("us-iso-east-1", true),
                ("eusc-de-east-1", true),
                ("cn-north-1", true),
                ("us-east-1a", false),
                ("us-east", false),
                ("useast1", false),
                ("US-EAST-1", false),
                ("us-east-0", false),
                ("us--1", false),
                ("global", false),
                ("", false),
            ],
        ),
        (
            ACCOUNT,
            is_account,
            &[("111122223333", true), ("000000000000", true), ("1111222233334", false), ("11112222333", false), ("11112222333x", false)],
        ),
        (
            ALIAS,
            is_alias,
            &[
                ("alias/finance", true),
                ("alias/a/b_c-D9", true),
                ("alias/aws/s3", true),
                ("alias/", false),
                ("finance", false),
                ("alias/a b", false),
                ("alias/ä", false),
            ],
        ),
        (EXTERNAL_ID, is_external_id, &[("ab", true), ("a+b=c,d.e@f:g/h-i_j", true), ("a", false), ("a b", false)]),
        (
            DATE,
            |text| super::super::exemption::parse_date(text).is_some(),
            &[("2027-05-31", true), ("2027-5-31", false), ("31.05.2027", false)],
        ),
    ];

    #[test]
    fn patterns_of_the_schema_say_what_the_code_says() {
        for (pattern, function, texts) in CASES {
            let pattern = regex_lite::Regex::new(pattern).unwrap();
            for (text, expected) in *texts {
                assert_eq!(function(text), *expected, "{text}");
                assert_eq!(pattern.is_match(text), *expected, "{pattern} on {text}");
            }
        }
    }

    #[test]
    fn principals() {
        for good in [
            "arn:aws:iam::111122223333:role/ingest",
            "arn:aws:iam::111122223333:role/team/ingest",
            "arn:aws-cn:iam::111122223333:user/ada",
            "arn:aws:iam::111122223333:root",
            "arn:aws:sts::111122223333:assumed-role/ingest/session",
        ] {
            assert_eq!(principal_problem(good), None, "{good}");
        }
        for (bad, fragment) in [
            ("ingest", "is not the ARN of a principal"),
            ("arn:aws:iam::111122223333:role/*", "takes no patterns"),
            ("*", "takes no patterns"),
            ("arn:aws:iam::1111:role/ingest", "not an account id"),
            ("arn:aws:iam:us-east-1:111122223333:role/ingest", "IAM is global"),
            ("arn:foo:iam::111122223333:role/ingest", "not a partition"),
            ("arn:aws:s3:::bucket", "names something of s3"),
            ("arn:aws:iam::111122223333:group/admins", "no user, role or session"),
            ("arn:aws:iam::111122223333:role/", "no user, role or session"),
        ] {
            assert!(principal_problem(bad).is_some_and(|problem| problem.contains(fragment)), "{bad}: {:?}", principal_problem(bad));
        }
    }
}
