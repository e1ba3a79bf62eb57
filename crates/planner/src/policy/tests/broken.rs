//! Broken policies, and exactly what is said about each.

use super::*;

type Expected = (usize, usize, &'static str, &'static str);

/// Loads `text` and compares all its diagnostics: place, path, and part of what Display shows after them.
fn says(text: &str, expected: &[Expected]) {
    let found = match load_one(text) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    };
    let all = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(found.len(), expected.len(), "in\n{text}\nfound\n{all}");
    for (diagnostic, (line, column, path, fragment)) in found.iter().zip(expected) {
        assert_eq!((diagnostic.line, diagnostic.column, diagnostic.path.as_str()), (*line, *column, *path), "in\n{text}\nfound\n{all}");
        assert!(diagnostic.to_string().contains(fragment), "`{fragment}` is not in\n{diagnostic}\nof\n{text}");
    }
}

/// As [`says`], with a `spec` that begins on line 5.
fn spec_says(spec: &str, expected: &[Expected]) {
    says(&with_spec(spec), expected);
}

#[test]
fn files_that_are_not_yaml() {
    says("", &[(1, 1, "", "no policy in this file")]);
    says("# only a comment\n---\n---\n", &[(1, 1, "", "no policy in this file")]);
    says("apiVersion: everseal.io/v1\nspec:\n\ts3: []\n", &[(3, 2, "spec", "indent with spaces")]);
    says("apiVersion: \"everseal", &[(1, 13, "apiVersion", "a quote or bracket is opened here and never closed")]);
    says("metadata: name: x\n", &[(1, 15, "", "put a text that contains `: ` in quotes")]);
    says(
        "spec: { s3: [ { name: *nobody } ] }\n",
        &[(1, 23, "spec.s3[0].name", "needs an anchor (`&name`) before it in the same document")],
    );
}

#[test]
fn documents_that_are_no_policies() {
    says("just text\n", &[(1, 1, "", "a mapping (`field: value`) is wanted here, not text")]);
    says("- a\n", &[(1, 1, "", "is wanted here, not a list")]);
    says(
        "spec: {}\n",
        &[
            (1, 1, "", "`apiVersion` is missing: write `apiVersion: everseal.io/v1`"),
            (1, 1, "", "`kind` is missing: write `kind: EncryptionPolicy`"),
            (1, 1, "", "`metadata` is missing"),
        ],
    );
    says(
        "apiVersion: everseal.io/v2\nkind: EncryptionPolice\nmetadata: { name: x }\nspec: {}\n",
        &[
            (1, 13, "apiVersion", "`everseal.io/v2` is not known here; write `everseal.io/v1` (did you mean `everseal.io/v1`?)"),
            (2, 7, "kind", "write `EncryptionPolicy` (did you mean `EncryptionPolicy`?)"),
        ],
    );
}

#[test]
fn shapes_that_are_wrong() {
    spec_says(
        "  s3:\n    - name: a\n      atRest: { algorithm: aes256, bucketkey: true }\n      inTransit: { minimumTlsVersion: 1.2, denyInsecureTransport: yes }\n      bogus: 1",
        &[
            (7, 28, "spec.s3[0].atRest.algorithm", "write `AES256`, `aws:kms` or `aws:kms:dsse` (did you mean `AES256`?)"),
            (
                7,
                36,
                "spec.s3[0].atRest.bucketkey",
                "unknown field `bucketkey`; known here: algorithm, key, bucketKey, blockedEncryptionTypes (did you mean `bucketKey`?)",
            ),
            (8, 39, "spec.s3[0].inTransit.minimumTlsVersion", "put it in quotes: \"1.2\""),
            (
                8,
                67,
                "spec.s3[0].inTransit.denyInsecureTransport",
                "`true` or `false` is wanted, without quotes, not `yes` (did you mean `true`?)",
            ),
            (9, 7, "spec.s3[0].bogus", "unknown field `bogus`"),
        ],
    );
}
