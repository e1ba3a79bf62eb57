//! Default encryption of a bucket. Keys are not looked at when it is written. [s3:PutBucketEncryption]

use super::Handler;
use super::bucket::{Algorithm, DefaultEncryption};
use super::buckets::{change, need};
use super::request::{Request, answer, invalid_argument, malformed_xml};
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::World;

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "GetBucketEncryption" => Some(get),
        "PutBucketEncryption" => Some(put),
        "DeleteBucketEncryption" => Some(delete),
        _ => None,
    }
}

fn get(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetEncryptionConfiguration")?;
    let DefaultEncryption { algorithm, kms_key, bucket_key, blocks_customer_keys } = &bucket.encryption;
    let by_default =
        Element::new("ApplyServerSideEncryptionByDefault").text("SSEAlgorithm", algorithm.text()).maybe("KMSMasterKeyID", kms_key.as_ref());
    let mut rule = Element::new("Rule").child(by_default).text("BucketKeyEnabled", bucket_key);
    if let Some(blocks) = blocks_customer_keys {
        rule = rule.child(Element::new("BlockedEncryptionTypes").text("EncryptionType", if *blocks { "SSE-C" } else { "NONE" }));
    }
    Ok(answer(Element::new("ServerSideEncryptionConfiguration").child(rule)))
}

fn put(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.find(world)?;
    let read = read(&request.document()?)?;
    change(world, request, "s3:PutEncryptionConfiguration", |bucket| bucket.encryption = read)?;
    Ok(Reply::empty(200))
}

/// One rule, whole: what it leaves out is gone.
fn read(configuration: &Element) -> Result<DefaultEncryption, ApiError> {
    let mut rules = configuration.all("Rule");
    let (Some(rule), None) = (rules.next(), rules.next()) else { return Err(malformed_xml()) };
    let blocks_customer_keys = rule.first("BlockedEncryptionTypes").map(blocked).transpose()?;
    let bucket_key = match rule.value("BucketKeyEnabled") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(malformed_xml()),
    };
    let Some(by_default) = rule.first("ApplyServerSideEncryptionByDefault") else {
        return match blocks_customer_keys {
            Some(_) => Ok(DefaultEncryption { bucket_key, blocks_customer_keys, ..DefaultEncryption::default() }),
            None => Err(malformed_xml()),
        };
    };
    let algorithm = Algorithm::parse(need(by_default, "SSEAlgorithm")?).ok_or_else(malformed_xml)?;
    let kms_key = by_default.value("KMSMasterKeyID").filter(|key| !key.is_empty()).map(str::to_owned);
    if let (Algorithm::Aes256, Some(key)) = (algorithm, &kms_key) {
        let message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
        return Err(invalid_argument(message, "KMSMasterKeyID", key));
    }
    Ok(DefaultEncryption { algorithm, kms_key, bucket_key, blocks_customer_keys })
}

/// `SSE-C` blocks, `NONE` allows; nothing else can be blocked. [S3: Blocking SSE-C]
fn blocked(element: &Element) -> Result<bool, ApiError> {
    let types: Vec<&str> = element.all("EncryptionType").map(Element::content).collect();
    match types.as_slice() {
        ["SSE-C"] => Ok(true),
        ["NONE"] => Ok(false),
        _ => Err(malformed_xml()),
    }
}

/// Back to SSE-S3, never to nothing. [s3:DeleteBucketEncryption]
fn delete(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    change(world, request, "s3:PutEncryptionConfiguration", |bucket| {
        let blocks_customer_keys = bucket.encryption.blocks_customer_keys;
        bucket.encryption = DefaultEncryption { blocks_customer_keys, ..DefaultEncryption::default() };
    })?;
    Ok(Reply::empty(204))
}
