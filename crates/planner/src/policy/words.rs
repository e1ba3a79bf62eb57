//! The nearest right spelling of a misspelt word.

/// The known word that is most like `word`, if any is like it at all.
///
/// Case, hyphens, underscores and colons do not count, so that `bucket_key` finds `bucketKey`.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let plain = fold(word);
    // A word as long as a sentence resembles nothing, and comparing is quadratic.
    if plain.is_empty() || plain.len() > 64 {
        return None;
    }
    let best = known
        .into_iter()
        .map(|candidate| {
            let folded = fold(candidate);
            let length = folded.chars().count().max(plain.chars().count());
            (strsim::damerau_levenshtein(&plain, &folded), length, candidate)
        })
        .min_by_key(|(distance, _, _)| *distance)?;
    let (distance, length, candidate) = best;
    (distance <= (length / 3).max(1) && distance < length).then(|| candidate.to_owned())
}

/// `a`, `b` and `c`, each in backquotes.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn fold(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ':' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_right_word_across_case_punctuation_and_typing_errors() {
        let fields = ["algorithm", "key", "bucketKey", "blockedEncryptionTypes", "minimumTlsVersion"];
        for (word, right) in [
            ("bucket_key", Some("bucketKey")),
            ("BucketKey", Some("bucketKey")),
            ("algoritm", Some("algorithm")),
            ("kye", Some("key")),
            ("minTlsVersion", Some("minimumTlsVersion")),
            ("website", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, fields).as_deref(), right, "{word}");
        }
        assert_eq!(nearest("SSE_KMS", ["SSE-SQS", "SSE-KMS"]).as_deref(), Some("SSE-KMS"));
        assert_eq!(nearest("aws-kms", ["AES256", "aws:kms", "aws:kms:dsse"]).as_deref(), Some("aws:kms"));
        assert_eq!(nearest(&"x".repeat(10_000), ["xx"]), None);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(list([]), "nothing");
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
