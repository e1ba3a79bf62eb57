//! Grants over the wire, and how long writes take to count.

use std::time::Duration;

use serde_json::{Value, json};

use super::{call, document, new_key, refusal, root_statement};
use crate::access::Caller;
use crate::kms::{KeyUse, use_key};
use crate::testing::{ACCOUNT, REGION, world};
use crate::world::World;

const ROLE: &str = "arn:aws:iam::111122223333:role/reader";

fn reads(world: &mut World, key: &str, context: &[(&str, &str)]) -> bool {
    let caller = Caller::role(ROLE, "s").unwrap();
    let usage =
        KeyUse { caller: &caller, action: "kms:Decrypt", key, account: ACCOUNT, region: REGION, via: None, encryption_context: context };
    use_key(world, &usage).is_ok()
}

fn grant(world: &mut World, key: &str, constraints: &Value) -> String {
    let input = json!({ "KeyId": key, "GranteePrincipal": ROLE, "Operations": ["Decrypt"], "Constraints": constraints });
    call(world, "CreateGrant", &input).unwrap()["GrantId"].as_str().unwrap().to_owned()
}

#[test]
fn a_grant_allows_what_it_names_until_it_is_revoked() {
    let mut world = world();
    let key = new_key(&mut world);
    assert!(!reads(&mut world, &key, &[]));
    let id = grant(&mut world, &key, &json!({}));
    assert!(reads(&mut world, &key, &[]));
    let listed = call(&mut world, "ListGrants", &json!({ "KeyId": key })).unwrap();
    assert_eq!(listed["Grants"][0]["GrantId"], json!(id));
    assert_eq!(listed["Grants"][0]["IssuingAccount"], "arn:aws:iam::111122223333:root");
    call(&mut world, "RevokeGrant", &json!({ "KeyId": key, "GrantId": id })).unwrap();
    assert!(!reads(&mut world, &key, &[]));
    assert_eq!(call(&mut world, "ListGrants", &json!({ "KeyId": key })).unwrap()["Grants"], json!([]));
    assert_eq!(refusal(&mut world, "RevokeGrant", &json!({ "KeyId": key, "GrantId": id })), "NotFoundException");
}

/// Subset: at least these pairs; equals: exactly these. [kms:GrantConstraints]
#[test]
fn constraints_look_at_the_encryption_context() {
    let mut world = world();
    let (subset, equals) = (new_key(&mut world), new_key(&mut world));
    grant(&mut world, &subset, &json!({ "EncryptionContextSubset": { "a": "1" } }));
    grant(&mut world, &equals, &json!({ "EncryptionContextEquals": { "a": "1" } }));
    for (context, by_subset, by_equals) in [
        (&[][..], false, false),
        (&[("a", "1")][..], true, true),
        (&[("a", "1"), ("b", "2")][..], true, false),
        (&[("a", "2")][..], false, false),
    ] {
        assert_eq!((reads(&mut world, &subset, context), reads(&mut world, &equals, context)), (by_subset, by_equals), "{context:?}");
    }
}

#[test]
fn an_explicit_deny_in_the_document_beats_a_grant() {
    let mut world = world();
    let key = new_key(&mut world);
    grant(&mut world, &key, &json!({}));
    let deny = json!({ "Effect": "Deny", "Principal": { "AWS": ROLE }, "Action": "kms:Decrypt", "Resource": "*" });
    call(&mut world, "PutKeyPolicy", &json!({ "KeyId": key, "Policy": document(&[root_statement(), deny]) })).unwrap();
    assert!(!reads(&mut world, &key, &[]));
}

#[test]
fn the_same_named_grant_twice_is_one() {
    let mut world = world();
    let key = new_key(&mut world);
    let input = json!({ "KeyId": key, "GranteePrincipal": ROLE, "Operations": ["Decrypt"], "Name": "once" });
    let first = call(&mut world, "CreateGrant", &input).unwrap();
    assert_eq!(call(&mut world, "CreateGrant", &input).unwrap(), first);
    let other = json!({ "KeyId": key, "GranteePrincipal": "nobody", "Operations": ["Decrypt"] });
    assert_eq!(refusal(&mut world, "CreateGrant", &other), "InvalidArnException");
}

/// [KMS: Eventual consistency; Grant token]
#[test]
fn documents_and_grants_count_only_after_their_propagation() {
    let mut world = world();
    world.settings.key_propagation = Duration::from_secs(5);
    let key = new_key(&mut world);
    let open = json!({ "Effect": "Allow", "Principal": { "AWS": ROLE }, "Action": "kms:Decrypt", "Resource": "*" });
    call(&mut world, "PutKeyPolicy", &json!({ "KeyId": key, "Policy": document(&[root_statement(), open]) })).unwrap();
    let shown = call(&mut world, "GetKeyPolicy", &json!({ "KeyId": key })).unwrap();
    assert!(shown["Policy"].as_str().unwrap().contains(ROLE), "it shows at once");
    assert!(!reads(&mut world, &key, &[]));
    world.advance(world.now() + Duration::from_secs(4));
    // A second write does not put the first one off.
    call(&mut world, "PutKeyPolicy", &json!({ "KeyId": key, "Policy": document(&[root_statement()]) })).unwrap();
    world.advance(world.now() + Duration::from_secs(1));
    assert!(reads(&mut world, &key, &[]));
    world.advance(world.now() + Duration::from_secs(4));
    assert!(!reads(&mut world, &key, &[]));
    let id = grant(&mut world, &key, &json!({}));
    assert!(!reads(&mut world, &key, &[]));
    world.advance(world.now() + Duration::from_secs(5));
    assert!(reads(&mut world, &key, &[]));
    call(&mut world, "RevokeGrant", &json!({ "KeyId": key, "GrantId": id })).unwrap();
    assert!(reads(&mut world, &key, &[]));
    world.advance(world.now() + Duration::from_secs(5));
    assert!(!reads(&mut world, &key, &[]));
}
