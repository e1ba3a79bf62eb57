//! Encryption as far as a caller can tell: a ciphertext opens with its key and its context, and with nothing else.
//!
//! The cipher is none: the material of a key is its id. Nothing here protects data.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::key::material;
use super::usage::{self, Request};
use super::{Input, key, resolve};
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::{Origin, World};

/// First byte of every ciphertext.
const VERSION: u8 = 1;
/// Length of an MD5.
const DIGEST: usize = 16;
/// Bytes that `Encrypt` takes. [kms:Encrypt `Plaintext`]
const LONGEST: usize = 4096;

type Context = Vec<(String, String)>;

/// `EncryptionContext` and its like, sorted.
fn context(input: &Input, member: &str) -> Result<Context, ApiError> {
    let Some(map) = input.get(member).filter(|map| !map.is_null()) else { return Ok(Context::new()) };
    let pairs = map.as_object().ok_or_else(|| super::invalid(format!("{member} is not a map")))?;
    let mut pairs: Context = pairs.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    pairs.sort();
    Ok(pairs)
}

fn bytes(input: &Input, member: &str) -> Result<Vec<u8>, ApiError> {
    let refused = |_| ApiError::bad_request("SerializationException", format!("{member} is not base64"));
    STANDARD.decode(wire::text(input, member)?).map_err(refused)
}

pub(super) fn grant_tokens(input: &Input) -> Vec<String> {
    let tokens = input.get("GrantTokens").and_then(Value::as_array).into_iter().flatten();
    tokens.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `DryRun`: permissions are looked at, and nothing is done. [kms:DryRunOperationException]
pub(super) fn dry_run(input: &Input) -> Result<(), ApiError> {
    if input.get("DryRun").and_then(Value::as_bool) == Some(true) {
        let message = "The request would have succeeded, but the DryRun option is set.";
        return Err(ApiError::new(412, "DryRunOperationException", message));
    }
    Ok(())
}

/// Everything that must hold before a key works on data. On success: its ARN.
fn opened(
    world: &mut World,
    origin: &Origin,
    input: &Input,
    (action, written): (&str, &str),
    context: &Context,
) -> Result<String, ApiError> {
    let arn = resolve::resolve(world, written, origin.account(), &origin.region)?;
    let (pairs, tokens): (Vec<(&str, &str)>, _) = (context.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect(), grant_tokens(input));
    let request = Request {
        caller: &origin.caller,
        action,
        key: &arn,
        written,
        via: None,
        encryption_context: &pairs,
        secure: origin.secure,
        grant_tokens: &tokens,
        more: &[],
    };
    let found = usage::authorize(world, &request)?;
    usage::usable(found, action)?;
    if !found.is_symmetric_encryption() {
        let message = format!("the simulator has no material for {} keys", found.spec);
        return Err(ApiError::bad_request("UnsupportedOperationException", message));
    }
    Ok(arn)
}

/// `Encrypt`
pub(super) fn encrypt(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let (context, plaintext) = (context(input, "EncryptionContext")?, bytes(input, "Plaintext")?);
    if plaintext.is_empty() || plaintext.len() > LONGEST {
        let message =
            "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and 4096";
        return Err(super::invalid(message.to_owned()));
    }
    let key = opened(world, origin, input, ("kms:Encrypt", wire::text(input, "KeyId")?), &context)?;
    dry_run(input)?;
    let blob = seal(world, &key, &context, &plaintext);
    Ok(json!({ "CiphertextBlob": blob, "KeyId": key, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }))
}

/// `GenerateDataKey`, `GenerateDataKeyWithoutPlaintext`
pub(super) fn generate_data_key(world: &mut World, origin: &Origin, input: &Input, plain: bool) -> Result<Value, ApiError> {
    let length = match (wire::optional(input, "KeySpec"), wire::number(input, "NumberOfBytes")) {
        (Some("AES_256"), None) => 32,
        (Some("AES_128"), None) => 16,
        (None, Some(bytes @ 1..=1024)) => usize::try_from(bytes).unwrap_or_default(),
        _ => return Err(super::invalid("Please specify either number of bytes or key spec.".to_owned())),
    };
    let context = context(input, "EncryptionContext")?;
    let action = if plain { "kms:GenerateDataKey" } else { "kms:GenerateDataKeyWithoutPlaintext" };
    let key = opened(world, origin, input, (action, wire::text(input, "KeyId")?), &context)?;
    dry_run(input)?;
    let data_key: Vec<u8> = std::iter::repeat_with(|| world.rng.u8(..)).take(length).collect();
    let mut answer = json!({ "CiphertextBlob": seal(world, &key, &context, &data_key), "KeyId": key, "KeyMaterialId": material(&key) });
    if plain {
        answer["Plaintext"] = json!(STANDARD.encode(&data_key));
    }
    Ok(answer)
}

/// `Decrypt`: the key is in the ciphertext; one that the caller names must be the same.
pub(super) fn decrypt(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let context = context(input, "EncryptionContext")?;
    let (key, plaintext) = open(world, origin, input, ("kms:Decrypt", "KeyId"), &context)?;
    dry_run(input)?;
    Ok(json!({
        "KeyId": key,
        "KeyMaterialId": material(&key),
        "Plaintext": STANDARD.encode(plaintext),
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }))
}

/// `ReEncrypt`
pub(super) fn re_encrypt(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let (from, to) = (context(input, "SourceEncryptionContext")?, context(input, "DestinationEncryptionContext")?);
    let (source, plaintext) = open(world, origin, input, ("kms:ReEncryptFrom", "SourceKeyId"), &from)?;
    let key = opened(world, origin, input, ("kms:ReEncryptTo", wire::text(input, "DestinationKeyId")?), &to)?;
    dry_run(input)?;
    let blob = seal(world, &key, &to, &plaintext);
    Ok(json!({
        "CiphertextBlob": blob,
        "SourceKeyId": source,
        "KeyId": key,
        "SourceKeyMaterialId": material(&source),
        "DestinationKeyMaterialId": material(&key),
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }))
}

fn open(
    world: &mut World,
    origin: &Origin,
    input: &Input,
    (action, member): (&str, &str),
    context: &Context,
) -> Result<(String, Vec<u8>), ApiError> {
    let blob = bytes(input, "CiphertextBlob")?;
    let sealed = Sealed::read(&blob).ok_or_else(invalid_ciphertext)?;
    let arn = key::arn(sealed.account, &origin.region, sealed.id);
    if !world.kms.keys.contains_key(&arn) {
        let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
        return Err(usage::denied(message));
    }
    if let Some(written) = wire::optional(input, member)
        && resolve::resolve(world, written, origin.account(), &origin.region)? != arn
    {
        let message = "The key ID in the request does not identify a CMK that can perform this operation.";
        return Err(ApiError::bad_request("IncorrectKeyException", message));
    }
    let key = opened(world, origin, input, (action, &arn), context)?;
    let plaintext = sealed.open(context).ok_or_else(invalid_ciphertext)?;
    Ok((key, plaintext))
}

fn invalid_ciphertext() -> ApiError {
    ApiError::bad_request("InvalidCiphertextException", "")
}

/// A ciphertext: version, account, length of the key's id, the id, a nonce, data, digest.
struct Sealed<'a> {
    account: &'a str,
    id: &'a str,
    nonce: &'a [u8],
    data: &'a [u8],
    digest: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn read(blob: &'a [u8]) -> Option<Self> {
        let rest = blob.strip_prefix(&[VERSION])?;
        let (account, rest) = rest.split_at_checked(12)?;
        let (length, rest) = rest.split_first()?;
        let (id, rest) = rest.split_at_checked(usize::from(*length))?;
        let (nonce, rest) = rest.split_at_checked(8)?;
        let (data, digest) = rest.split_at_checked(rest.len().checked_sub(DIGEST)?)?;
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).ok();
        Some(Self { account: text(account)?, id: text(id)?, nonce, data, digest })
    }

    fn open(&self, context: &Context) -> Option<Vec<u8>> {
        let plaintext = masked(self.id, self.nonce, self.data);
        (digest(self.id, self.nonce, context, &plaintext) == self.digest).then_some(plaintext)
    }
}

fn seal(world: &mut World, key: &str, context: &Context, plaintext: &[u8]) -> String {
    let id = key.rsplit('/').next().unwrap_or_default();
    let account = key.split(':').nth(4).unwrap_or_default();
    let nonce = world.rng.u64(..).to_be_bytes();
    let mut blob = vec![VERSION];
    blob.extend_from_slice(account.as_bytes());
    blob.push(u8::try_from(id.len()).unwrap_or_default());
    blob.extend_from_slice(id.as_bytes());
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(&masked(id, &nonce, plaintext));
    blob.extend_from_slice(&digest(id, &nonce, context, plaintext));
    STANDARD.encode(blob)
}

/// The same again undoes it.
fn masked(id: &str, nonce: &[u8], data: &[u8]) -> Vec<u8> {
    let seed = Md5::new().chain_update(id).chain_update(nonce).finalize();
    let mut stream = fastrand::Rng::with_seed(seed.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte)));
    data.iter().map(|byte| byte ^ stream.u8(..)).collect()
}

fn digest(id: &str, nonce: &[u8], context: &Context, plaintext: &[u8]) -> [u8; DIGEST] {
    let mut hash = Md5::new().chain_update(id).chain_update(nonce);
    for (name, value) in context {
        hash.update(u64::try_from(name.len()).unwrap_or_default().to_be_bytes());
        hash.update(name);
        hash.update(u64::try_from(value.len()).unwrap_or_default().to_be_bytes());
        hash.update(value);
    }
    hash.chain_update([0]).chain_update(plaintext).finalize().into()
}
