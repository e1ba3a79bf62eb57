//! Ciphertexts open with their key and context and with nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{call, new_key, refusal};
use crate::testing::world;

#[test]
fn what_was_encrypted_opens_with_its_context_only() {
    let mut world = world();
    let key = new_key(&mut world);
    let plaintext = STANDARD.encode("settlement file");
    let context = json!({ "aws:sqs:arn": "arn:aws:sqs:us-east-1:111122223333:q", "purpose": "test" });
    let sealed = call(&mut world, "Encrypt", &json!({ "KeyId": key, "Plaintext": plaintext, "EncryptionContext": context })).unwrap();
    let blob = sealed["CiphertextBlob"].as_str().unwrap().to_owned();
    assert!(!String::from_utf8_lossy(&STANDARD.decode(&blob).unwrap()).contains("settlement"));
    let opened = call(&mut world, "Decrypt", &json!({ "CiphertextBlob": blob, "EncryptionContext": context })).unwrap();
    assert_eq!((&opened["Plaintext"], &opened["KeyId"]), (&json!(plaintext), &json!(key)));
    assert_eq!(refusal(&mut world, "Decrypt", &json!({ "CiphertextBlob": blob })), "InvalidCiphertextException");
    let other = new_key(&mut world);
    let with_other = json!({ "CiphertextBlob": blob, "EncryptionContext": context, "KeyId": other });
    assert_eq!(refusal(&mut world, "Decrypt", &with_other), "IncorrectKeyException");
    let mut broken = STANDARD.decode(&blob).unwrap();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    let broken = json!({ "CiphertextBlob": STANDARD.encode(broken), "EncryptionContext": context });
    assert_eq!(refusal(&mut world, "Decrypt", &broken), "InvalidCiphertextException");
    call(&mut world, "DisableKey", &json!({ "KeyId": key })).unwrap();
    assert_eq!(refusal(&mut world, "Decrypt", &json!({ "CiphertextBlob": blob, "EncryptionContext": context })), "DisabledException");
}

#[test]
fn data_keys_come_in_both_forms_and_open_again() {
    let mut world = world();
    let key = new_key(&mut world);
    let made = call(&mut world, "GenerateDataKey", &json!({ "KeyId": key, "KeySpec": "AES_256" })).unwrap();
    assert_eq!(STANDARD.decode(made["Plaintext"].as_str().unwrap()).unwrap().len(), 32);
    let opened = call(&mut world, "Decrypt", &json!({ "CiphertextBlob": made["CiphertextBlob"] })).unwrap();
    assert_eq!(opened["Plaintext"], made["Plaintext"]);
    let blind = call(&mut world, "GenerateDataKeyWithoutPlaintext", &json!({ "KeyId": key, "NumberOfBytes": 7 })).unwrap();
    assert!(blind.get("Plaintext").is_none());
    let both = json!({ "KeyId": key, "KeySpec": "AES_256", "NumberOfBytes": 7 });
    assert_eq!(refusal(&mut world, "GenerateDataKey", &both), "ValidationException");
    let dry = json!({ "KeyId": key, "KeySpec": "AES_256", "DryRun": true });
    assert_eq!(refusal(&mut world, "GenerateDataKey", &dry), "DryRunOperationException");
}

#[test]
fn keys_for_signing_make_no_data_keys() {
    let mut world = world();
    for (spec, usage) in [
        ("RSA_2048", "SIGN_VERIFY"),
        ("ECC_NIST_P256", "SIGN_VERIFY"),
        ("HMAC_256", "GENERATE_VERIFY_MAC"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
    ] {
        let made = call(&mut world, "CreateKey", &json!({ "KeySpec": spec, "KeyUsage": usage })).unwrap();
        let input = json!({ "KeyId": made["KeyMetadata"]["Arn"], "KeySpec": "AES_256" });
        assert_eq!(refusal(&mut world, "GenerateDataKey", &input), "InvalidKeyUsageException", "{spec} {usage}");
    }
    assert_eq!(refusal(&mut world, "CreateKey", &json!({ "KeySpec": "RSA_2048" })), "ValidationException", "a usage is needed");
}

#[test]
fn a_ciphertext_moves_to_another_key_and_context() {
    let mut world = world();
    let (from, to) = (new_key(&mut world), new_key(&mut world));
    let sealed =
        call(&mut world, "Encrypt", &json!({ "KeyId": from, "Plaintext": "AAECAw==", "EncryptionContext": { "a": "1" } })).unwrap();
    let input = json!({ "CiphertextBlob": sealed["CiphertextBlob"], "SourceEncryptionContext": { "a": "1" },
        "DestinationKeyId": to, "DestinationEncryptionContext": { "b": "2" } });
    let moved = call(&mut world, "ReEncrypt", &input).unwrap();
    assert_eq!((&moved["SourceKeyId"], &moved["KeyId"]), (&json!(from), &json!(to)));
    let opened =
        call(&mut world, "Decrypt", &json!({ "CiphertextBlob": moved["CiphertextBlob"], "EncryptionContext": { "b": "2" } })).unwrap();
    assert_eq!(opened["Plaintext"], "AAECAw==");
}
