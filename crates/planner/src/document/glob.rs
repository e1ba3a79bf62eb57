//! IAM's wildcards: does a pattern match a text, cover another pattern, or share anything with it?
//!
//! `*` stands for any characters, `?` for exactly one. Every "yes" here is proven; what the documentation
//! leaves open is [`Answer::CannotTell`]. [IAM JSON policy elements: Resource, "Using wildcards in resource ARNs"]

use super::Answer;

/// How the right-hand side of a comparison is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As a text: its `*` and `?` are ordinary characters.
    Text,
    /// As a pattern: everything that it can match must be matched.
    Pattern,
}

/// Whether `pattern` matches all of `other`; `fold` ignores ASCII case.
pub(super) fn covers(pattern: &str, other: &str, reading: Reading, fold: bool) -> bool {
    let (p, t) = (pattern.as_bytes(), other.as_bytes());
    let (mut i, mut j) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while j < t.len() {
        let other_wild = reading == Reading::Pattern && matches!(t[j], b'*' | b'?');
        let other_any = reading == Reading::Pattern && t[j] == b'*';
        match p.get(i) {
            Some(b'*') => {
                i += 1;
                retry = Some((i, j));
                continue;
            }
            Some(b'?') if !other_any => {
                i += 1;
                j += width(t[j]);
                continue;
            }
            Some(&byte) if !other_wild && same(byte, t[j], fold) => {
                i += 1;
                j += 1;
                continue;
            }
            _ => {}
        }
        let Some((after_star, from)) = retry else { return false };
        j = from + width(t[from]);
        i = after_star;
        retry = Some((after_star, j));
    }
    p[i..].iter().all(|&byte| byte == b'*')
}

fn same(a: u8, b: u8, fold: bool) -> bool {
    a == b || fold && a.eq_ignore_ascii_case(&b)
}

/// Bytes of the UTF-8 character that starts with `lead`.
fn width(lead: u8) -> usize {
    match lead {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}

/// Whether some text matches both patterns.
pub(super) fn intersect(a: &str, b: &str, fold: bool) -> bool {
    let letters = |text: &str| -> Vec<char> { if fold { text.to_ascii_lowercase().chars().collect() } else { text.chars().collect() } };
    let (a, b) = (letters(a), letters(b));
    // `later[j]`: the rest of `a` behind the current letter and `b[j..]` share a text.
    let mut later: Vec<bool> = (0..=b.len()).map(|j| b[j..].iter().all(|&c| c == '*')).collect();
    for i in (0..a.len()).rev() {
        let mut now = vec![false; b.len() + 1];
        now[b.len()] = a[i..].iter().all(|&c| c == '*');
        for j in (0..b.len()).rev() {
            now[j] = match (a[i], b[j]) {
                ('*', _) | (_, '*') => later[j] || now[j + 1],
                ('?', _) | (_, '?') => later[j + 1],
                (x, y) => x == y && later[j + 1],
            };
        }
        later = now;
    }
    later[0]
}

/// Whether an ARN pattern covers an ARN (or a pattern of ARNs).
///
/// Wildcards hold within one colon-separated segment; a `*` that ends the pattern goes on over colons. Whether
/// one inside reaches over a colon is not for us to guess.
pub(super) fn arn_covers(pattern: &str, other: &str, reading: Reading) -> Answer {
    if !pattern.contains(['*', '?']) {
        return (pattern == other).into();
    }
    let segments = pattern.splitn(6, ':').count();
    let by_segment = other.splitn(segments, ':').count() == segments
        && pattern.splitn(segments, ':').zip(other.splitn(segments, ':')).all(|(p, o)| covers(p, o, reading, false));
    if by_segment {
        Answer::Yes
    } else if covers(pattern, other, reading, false) {
        Answer::CannotTell
    } else {
        Answer::No
    }
}

/// As [`arn_covers`], for a `Resource` element, where a wildcard can't stand for the service.
pub(super) fn resource_covers(pattern: &str, other: &str, reading: Reading) -> Answer {
    let wild_service = pattern.split(':').nth(2).is_some_and(|service| service.contains(['*', '?']));
    match arn_covers(pattern, other, reading) {
        Answer::Yes if wild_service => Answer::CannotTell,
        answer => answer,
    }
}

/// The pattern with every policy variable (`${aws:username}`) widened to `*`; `None` where it has none.
///
/// Whatever the variable turns out to be, the text matched is matched by the widened pattern too.
pub(super) fn widen_variables(pattern: &str) -> Option<String> {
    let first = pattern.find("${")?;
    let mut wide = String::with_capacity(pattern.len());
    wide.push_str(&pattern[..first]);
    let mut rest = &pattern[first..];
    while let Some(start) = rest.find("${") {
        wide.push_str(&rest[..start]);
        wide.push('*');
        rest = rest[start..].find('}').map_or("", |end| &rest[start + end + 1..]);
    }
    wide.push_str(rest);
    Some(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_texts() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*c", "ac", true),
            ("a*b*c", "a--b--b-c", true),
            ("a*b*c", "a--b--b-d", false),
            ("a?", "aé", true),
            ("a??", "aé", false),
            ("*é?", "aaéz", true),
            ("ab", "abc", false),
            ("abc", "ab", false),
        ] {
            assert_eq!(covers(pattern, text, Reading::Text, false), expected, "{pattern} {text}");
        }
        assert!(covers("S3:Get*", "s3:getObject", Reading::Text, true));
        assert!(!covers("S3:Get*", "s3:getObject", Reading::Text, false));
    }

    #[test]
    fn a_pattern_covers_patterns() {
        for (pattern, other, expected) in [
            ("s3:*", "s3:?*", true),
            ("s3:?*", "s3:?*", true),
            ("s3:Get*", "s3:?*", false),
            ("*", "s3:?*", true),
            ("s?:*", "s3:?*", true),
            ("s3:?", "s3:?*", false),
            ("s3:?", "s3:*", false),
            ("s3:Get*", "s3:GetObject*", true),
            ("s3:Get?bject*", "s3:Get*", false),
        ] {
            assert_eq!(covers(pattern, other, Reading::Pattern, true), expected, "{pattern} {other}");
        }
    }

    #[test]
    fn patterns_that_share_a_text() {
        for (a, b, expected) in [
            ("s3:Get*", "s3:*Object", true),
            ("s3:Get*", "s3:Put*", false),
            ("a?c", "abc", true),
            ("a?c", "a*", true),
            ("", "*", true),
            ("", "?", false),
            ("arn:aws:s3:::b/?*", "arn:aws:s3:::b/", false),
            ("arn:aws:s3:::b/?*", "arn:aws:s3:::b/x*", true),
        ] {
            assert_eq!(intersect(a, b, false), expected, "{a} {b}");
            assert_eq!(intersect(b, a, false), expected, "{b} {a}");
        }
    }

    #[test]
    fn wildcards_in_arns_stay_within_a_segment() {
        for (pattern, arn, expected) in [
            ("*", "arn:aws:sqs:us-east-1:111122223333:q", Answer::Yes),
            ("arn:aws:sqs:*", "arn:aws:sqs:us-east-1:111122223333:q", Answer::Yes),
            ("arn:aws:sqs:*:*:q", "arn:aws:sqs:us-east-1:111122223333:q", Answer::Yes),
            ("arn:aws:sqs:*:q", "arn:aws:sqs:us-east-1:111122223333:q", Answer::CannotTell),
            ("arn:aws:s*:us-east-1:111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q", Answer::CannotTell),
            ("arn:aws:sqs:us-east-1:111122223333:other", "arn:aws:sqs:us-east-1:111122223333:q", Answer::No),
            ("arn:aws:s3:::b*", "arn:aws:s3:::b/key:with:colons", Answer::Yes),
        ] {
            assert_eq!(resource_covers(pattern, arn, Reading::Text), expected, "{pattern}");
        }
        assert_eq!(arn_covers("arn:*:*:*:*:q", "arn:aws:sqs:us-east-1:111122223333:q", Reading::Text), Answer::Yes);
    }

    #[test]
    fn variables_widen() {
        assert_eq!(widen_variables("a/${aws:username}/b").as_deref(), Some("a/*/b"));
        assert_eq!(widen_variables("${a}${b}").as_deref(), Some("**"));
        assert_eq!(widen_variables("x${open").as_deref(), Some("x*"));
        assert_eq!(widen_variables("plain"), None);
    }
}
