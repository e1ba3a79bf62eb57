//! Several files and documents: order, revision, and what they must not have in common.

use std::fmt::Write as _;

use super::*;

fn document(name: &str, spec: &str) -> String {
    format!("apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: {{ name: {name} }}\nspec: {spec}\n")
}

fn files(texts: &[&str]) -> Result<Loaded, Vec<Diagnostic>> {
    let sources: Vec<Source> =
        texts.iter().enumerate().map(|(i, text)| Source { file: format!("{i}.yaml"), text: (*text).to_owned() }).collect();
    load(&sources, NOW)
}

fn shown(result: Result<Loaded, Vec<Diagnostic>>) -> Vec<String> {
    match result {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    }
    .iter()
    .map(ToString::to_string)
    .collect()
}

#[test]
fn policies_keep_the_order_of_files_and_documents() {
    let rules = |bucket: &str| format!("{{ s3: [ {{ name: r, match: {{ names: [{bucket}] }} }} ] }}");
    let first = format!("---\n{}---\n# nothing\n---\n{}...\n", document("a", &rules("a")), document("b", &rules("b")));
    let loaded = files(&[&first, &document("c", &rules("c"))]).unwrap();
    let names: Vec<&str> = loaded.set.policies.iter().map(|policy| policy.metadata.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn the_revision_is_twelve_digits_that_change_with_the_text() {
    let text = document("a", "{ s3: [ { name: r } ] }");
    let revision = |texts: &[&str]| files(texts).unwrap().set.revision;
    let one = revision(&[&text]);
    assert_eq!(one.len(), 12);
    assert!(one.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    assert_eq!(revision(&[&text]), one, "the same text has the same revision, whatever the time");
    assert_ne!(revision(&[&format!("{text}# comment\n")]), one);
    let other = document("b", "{ sqs: [ { name: r } ] }");
    assert_ne!(revision(&[&text, &other]), revision(&[&other, &text]), "the order decides which rule wins");
    // SHA-256 of the length (8 bytes) and the text, by coreutils: printf '\0\0\0\0\0\0\0\003abc' | sha256sum
    assert_eq!(super::super::revision(["abc"].into_iter()), "c3494ca1a2cf");
}

#[test]
fn all_errors_of_all_files_are_returned() {
    let found = files(&[&document("a", "{ s3: [ { nam: r } ] }"), "nonsense", &document("b", "{ mode: on, s4: [] }")]).unwrap_err();
    let places: Vec<(&str, usize, usize, &str)> = found.iter().map(|d| (d.file.as_str(), d.line, d.column, d.path.as_str())).collect();
    assert_eq!(
        places,
        [
            ("0.yaml", 4, 15, "spec.s3[0]"),
            ("0.yaml", 4, 17, "spec.s3[0].nam"),
            ("1.yaml", 1, 1, ""),
            ("2.yaml", 4, 15, "spec.mode"),
            ("2.yaml", 4, 19, "spec.s4"),
        ]
    );
}

#[test]
fn what_comes_before_a_syntax_error_is_judged_too() {
    let text = format!("{}---\na: [\n", document("a", "{ s3: [ { name: r, mode: auto } ] }"));
    let found = shown(files(&[&text]));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("0.yaml:4:32: error: spec.s3[0].mode: `auto` is not known here"), "{found:?}");
    assert!(found[1].contains("not valid YAML"), "{found:?}");
}

#[test]
fn nothing_given_is_an_error() {
    let found = load(&[], NOW).unwrap_err();
    assert!(found[0].message.contains("no policy was given"));
}

#[test]
fn names_of_policies_are_unique() {
    let text = document("a", "{ s3: [ { name: r, match: { names: [x] } } ] }");
    let same = document("a", "{ s3: [ { name: r, match: { names: [y] } } ] }");
    let found = shown(files(&[&text, &format!("{same}---\n{}", document("b", "{ sns: [ { name: r } ] }"))]));
    let [only] = found.as_slice() else { panic!("{found:?}") };
    assert!(only.starts_with("1.yaml:3:19: error: metadata.name: policy `a` is there already (0.yaml:3)"), "{only}");
}

#[test]
fn a_key_is_described_once_in_every_scope() {
    let with = |name: &str, scopes: &str| document(name, &format!("{{ scopes: {{ {scopes} }}, keys: [ {{ alias: alias/k }} ] }}"));
    for (one, other) in [("", ""), ("regions: [eu-west-1]", ""), ("regions: [eu-west-1, us-east-1]", "regions: [us-east-1]")] {
        let found = shown(files(&[&with("a", one), &with("b", other)]));
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert!(
            only.contains("1.yaml:4:")
                && only.contains("spec.keys[0].alias: alias/k is described in the same scope by another policy (0.yaml:4)"),
            "{only}"
        );
    }
    for (one, other) in [
        ("regions: [eu-west-1]", "regions: [us-east-1]"),
        ("accounts: [ { id: \"111122223333\" } ]", "accounts: [ { id: \"444455556666\" } ]"),
    ] {
        assert_eq!(shown(files(&[&with("a", one), &with("b", other)])), Vec::<String>::new());
    }
}

#[test]
fn a_rule_of_another_policy_can_hide_one() {
    let with = |name: &str, scopes: &str| document(name, &format!("{{ scopes: {{ {scopes} }}, s3: [ {{ name: {name}-rule }} ] }}"));
    let hidden = |one: &str, other: &str| shown(files(&[&with("a", one), &with("b", other)]));
    let found = hidden("", "regions: [eu-west-1]");
    assert!(found[0].contains("1.yaml:4:") && found[0].contains("rule `a-rule` (0.yaml:4) stands before it"), "{found:?}");
    assert_eq!(hidden("regions: [eu-west-1]", "regions: [eu-west-1]").len(), 1);
    assert_eq!(hidden("regions: [eu-west-1]", ""), Vec::<String>::new());
    assert_eq!(hidden("regions: [eu-west-1]", "regions: [eu-west-1, us-east-1]"), Vec::<String>::new());
    assert_eq!(hidden("accounts: [ { id: \"111122223333\" } ]", ""), Vec::<String>::new());
}

#[test]
fn columns_count_characters() {
    let found = shown(files(&[&document("a", "{ s3: [ { name: \"äöü€𝄞\", mod: audit } ] }")]));
    assert!(found[0].starts_with("0.yaml:4:32: error: spec.s3[0].mod:"), "{found:?}");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_no_harm() {
    let text = document("a", "{ s3: [ { name: r } ] }");
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(files(&[&windows]).unwrap().set.policies, files(&[&text]).unwrap().set.policies);
    let found = shown(files(&[&windows.replace("name: r", "nam: r")]));
    assert!(found[1].starts_with("0.yaml:4:17: error: spec.s3[0].nam:"), "{found:?}");
}

#[test]
fn aliases_are_expanded() {
    let text =
        document("a", "{ sqs: [ { name: r, inTransit: &tls { denyInsecureTransport: true } } ], s3: [ { name: r, inTransit: *tls } ] }");
    let policy = files(&[&text]).unwrap().set.policies.remove(0);
    assert!(policy.spec.s3[0].in_transit.as_ref().unwrap().deny_insecure_transport);
}

#[test]
fn anchor_bombs_are_refused_quickly() {
    let mut lists = "x0: &x0 [a, a, a, a, a, a, a, a, a]\n".to_owned();
    for level in 1..12 {
        let below = level - 1;
        let _ = writeln!(
            lists,
            "x{level}: &x{level} [*x{below}, *x{below}, *x{below}, *x{below}, *x{below}, *x{below}, *x{below}, *x{below}, *x{below}]"
        );
    }
    let found = shown(files(&[&lists]));
    assert!(found[0].contains("with its aliases expanded the file has more than"), "{found:?}");

    let text = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(1000));
    let found = shown(files(&[&text]));
    assert!(found[0].contains("with its aliases expanded the file has more than"), "{found:?}");
}

#[test]
fn depth_and_size_are_bounded() {
    for text in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000)] {
        let found = shown(files(&[&text]));
        assert!(found[0].contains("levels deep") || found[0].contains("not valid YAML"), "{found:?}");
    }
    let mut chain = "x0: &x0 [a]\n".to_owned();
    for level in 1..100 {
        let _ = writeln!(chain, "x{level}: &x{level} [*x{}]", level - 1);
    }
    let found = shown(files(&[&chain]));
    assert!(found[0].contains("levels deep"), "{found:?}");
    let found = shown(files(&["#".repeat((4 << 20) + 1).as_str()]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("0.yaml:1:1: error: the file has 4194305 bytes"), "{found:?}");
}

#[test]
#[allow(clippy::disallowed_methods, reason = "measuring is the point")]
fn a_thousand_rules_load_at_once() {
    let mut text = document("many", "");
    text.truncate(text.trim_end().len());
    text += "\n  s3:\n";
    for i in 0..1000 {
        let _ = write!(
            text,
            "    - name: rule-{i}\n      match: {{ names: [\"team-{i}-*\", \"*-shared-{i}\"], exclude: [\"*-logs\"] }}\n      atRest: {{ algorithm: \"aws:kms\", key: alias/team-{i}, bucketKey: true }}\n      inTransit: {{ denyInsecureTransport: true, minimumTlsVersion: \"1.2\" }}\n"
        );
    }
    let start = std::time::Instant::now();
    let loaded = files(&[&text]).unwrap();
    let took = start.elapsed();
    assert_eq!(loaded.set.policies[0].spec.s3.len(), 1000);
    assert_eq!(loaded.warnings, []);
    println!("1,000 rules: {took:?}");
    // Twenty times what it takes: only a mistake in the order of growth reaches it on a busy machine.
    assert!(took.as_secs() < 5, "{took:?}");
}
