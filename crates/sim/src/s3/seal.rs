//! How an object is sealed when it is written, and opened when it is read.
//!
//! The key is the request's, or else the bucket's default; whoever calls needs the key through S3, with the object's ARN
//! as encryption context, or the bucket's where a bucket key is used. [S3: Using SSE-KMS; S3 Bucket Keys]

use super::bucket::{Algorithm, Bucket, arn};
use super::request::{access_denied, invalid_argument};
use crate::access::Caller;
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::kms::{self, KeyRefusal, KeyUse};
use crate::world::{Origin, World};

/// How an object is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seal {
    /// SSE-S3.
    Aes256,
    /// SSE-KMS or DSSE-KMS.
    Kms {
        dual: bool,
        /// The key's ARN.
        key: String,
        bucket_key: bool,
    },
    /// SSE-C: the digest of the customer's key.
    Customer { md5: String },
}

/// What a request says of encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing: the bucket's default.
    Default,
    /// The bucket's default, with or without a bucket key.
    BucketKey(bool),
    /// An algorithm of S3's.
    Managed { algorithm: Algorithm, kms_key: Option<String>, bucket_key: Option<bool> },
    /// A key in the request: the digest of it.
    Customer { md5: String },
}

const SSE: &str = "x-amz-server-side-encryption";
const SSE_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const SSE_BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const SSE_C: &str = "x-amz-server-side-encryption-customer-algorithm";
const SSE_C_KEY: &str = "x-amz-server-side-encryption-customer-key";
const SSE_C_MD5: &str = "x-amz-server-side-encryption-customer-key-md5";

impl Wish {
    /// Reads the headers of a request that writes.
    pub(super) fn of(call: &Call) -> Result<Self, ApiError> {
        let header = |name: &str| Some(call.header(name)).filter(|value| !value.is_empty()).map(str::to_owned);
        if let Some(md5) = customer_key(call)? {
            return match header(SSE) {
                None => Ok(Self::Customer { md5 }),
                Some(both) => Err(invalid_argument(
                    "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
                    SSE,
                    &both,
                )),
            };
        }
        let (kms_key, bucket_key) = (header(SSE_KEY), header(SSE_BUCKET_KEY).map(|text| text.eq_ignore_ascii_case("true")));
        let Some(name) = header(SSE) else {
            return match kms_key {
                None => Ok(bucket_key.map_or(Self::Default, Self::BucketKey)),
                Some(key) => Err(invalid_argument(
                    "x-amz-server-side-encryption header is required when x-amz-server-side-encryption-aws-kms-key-id is present",
                    SSE_KEY,
                    &key,
                )),
            };
        };
        let algorithm =
            Algorithm::parse(&name).ok_or_else(|| invalid_argument("The encryption method specified is not supported", SSE, &name))?;
        if let (Algorithm::Aes256, Some(key)) = (algorithm, &kms_key) {
            let message = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
            return Err(invalid_argument(message, SSE_KEY, key));
        }
        Ok(Self::Managed { algorithm, kms_key, bucket_key })
    }
}

/// The digest of a key that the request carries (SSE-C).
pub(super) fn customer_key(call: &Call) -> Result<Option<String>, ApiError> {
    let algorithm = call.header(SSE_C);
    let (key, md5) = (call.header(SSE_C_KEY), call.header(SSE_C_MD5));
    match (algorithm, key.is_empty() || md5.is_empty()) {
        ("", true) => Ok(None),
        ("AES256", false) => Ok(Some(md5.to_owned())),
        ("" | "AES256", _) => {
            let message = "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.";
            Err(invalid_argument(message, SSE_C_KEY, "null"))
        }
        (other, _) => Err(invalid_argument("The requested encryption algorithm is not valid, must be AES256.", SSE_C, other)),
    }
}

/// What a key is wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purpose<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) action: &'a str,
}

/// Seals an object that is about to be written: uses the key that counts.
pub(super) fn seal(world: &mut World, origin: &Origin, purpose: Purpose<'_>, wish: &Wish) -> Result<Seal, ApiError> {
    let bucket = world.s3.buckets.get(purpose.bucket).ok_or_else(|| super::request::no_such_bucket(purpose.bucket))?;
    let default = &bucket.encryption;
    let (algorithm, key, bucket_key) = match wish {
        Wish::Customer { .. } if default.blocks_customer_keys == Some(true) => {
            return Err(access_denied("Server-side encryption with customer-provided keys (SSE-C) is blocked for this bucket."));
        }
        Wish::Customer { md5 } => return Ok(Seal::Customer { md5: md5.clone() }),
        Wish::Default => (default.algorithm, default.kms_key.clone(), default.bucket_key),
        Wish::BucketKey(bucket_key) => (default.algorithm, default.kms_key.clone(), *bucket_key),
        Wish::Managed { algorithm, kms_key, bucket_key } => (*algorithm, kms_key.clone(), bucket_key.unwrap_or(default.bucket_key)),
    };
    let dual = match algorithm {
        Algorithm::Aes256 => return Ok(Seal::Aes256),
        Algorithm::Kms => false,
        Algorithm::Dsse => true,
    };
    // Bucket keys are not for DSSE. [S3 Bucket Keys]
    let bucket_key = bucket_key && !dual;
    let key = key.unwrap_or_else(|| "alias/aws/s3".to_owned());
    let key = use_key(world, origin, purpose, &key, bucket_key)?;
    Ok(Seal::Kms { dual, key, bucket_key })
}

/// Opens an object: uses the key that it was sealed with, whatever the bucket's default is by now.
pub(super) fn open(world: &mut World, origin: &Origin, purpose: Purpose<'_>, seal: &Seal, customer: Option<&str>) -> Result<(), ApiError> {
    match (seal, customer) {
        (Seal::Aes256 | Seal::Kms { .. }, Some(_)) => {
            Err(ApiError::bad_request("InvalidRequest", "The encryption parameters are not applicable to this object."))
        }
        (Seal::Customer { md5 }, Some(given)) if md5 == given => Ok(()),
        (Seal::Customer { .. }, Some(_)) => Err(access_denied("Access Denied")),
        (Seal::Customer { .. }, None) => {
            let message = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
                           retrieve the object.";
            Err(ApiError::bad_request("InvalidRequest", message))
        }
        (Seal::Aes256, None) => Ok(()),
        (Seal::Kms { dual: _, key, bucket_key }, None) => use_key(world, origin, purpose, key, *bucket_key).map(drop),
    }
}

/// The caller uses a key through S3; a service that calls S3 itself uses it in its own name.
pub(super) fn use_key(world: &mut World, origin: &Origin, purpose: Purpose<'_>, key: &str, bucket_key: bool) -> Result<String, ApiError> {
    let Purpose { bucket, key: object, action } = purpose;
    let Bucket { owner, region, .. } = world.s3.buckets.get(bucket).ok_or_else(|| super::request::no_such_bucket(bucket))?;
    let (owner, region) = (owner.clone(), region.clone());
    let via = match origin.caller {
        // Neither nobody nor an origin access identity signs so that KMS would know them. [CloudFront: Restrict access to S3]
        Caller::Anonymous => return Err(unsigned()),
        Caller::User { ref account, .. } if account == "cloudfront" => return Err(unsigned()),
        Caller::Service { .. } => None,
        Caller::Root { .. } | Caller::User { .. } | Caller::Role { .. } if !(origin.secure || world.settings.kms_objects_in_clear) => {
            return Err(in_clear());
        }
        Caller::Root { .. } | Caller::User { .. } | Caller::Role { .. } => Some("s3"),
    };
    let context = if bucket_key { arn(bucket) } else { format!("{}/{object}", arn(bucket)) };
    let usage = KeyUse {
        caller: &origin.caller,
        action,
        key,
        // An alias is resolved in the requester's account. [s3:ServerSideEncryptionByDefault]
        account: origin.caller.account().unwrap_or(&owner),
        region: &region,
        via,
        encryption_context: &[("aws:s3:arn", &context)],
    };
    kms::use_key(world, &usage).map_err(refused)
}

/// [re:Post: Requests require AWS Signature Version 4; s3:PutObject `SSEKMSKeyId`]
fn in_clear() -> ApiError {
    let message = "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.";
    ApiError::bad_request("InvalidArgument", message)
}

fn unsigned() -> ApiError {
    let message = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";
    invalid_argument(message, "Authorization", "null")
}

fn refused(refusal: KeyRefusal) -> ApiError {
    match refusal {
        KeyRefusal::AccessDenied(message) => access_denied(&message),
        KeyRefusal::Disabled(message) => ApiError::bad_request("KMS.DisabledException", message),
        KeyRefusal::InvalidState(message) => ApiError::bad_request("KMS.KMSInvalidStateException", message),
        KeyRefusal::NotFound(message) => ApiError::bad_request("KMS.NotFoundException", message),
    }
}

impl Seal {
    /// Headers that tell how an object is sealed.
    pub(super) fn describe(&self, reply: Reply) -> Reply {
        match self {
            Self::Aes256 => reply.header(SSE, "AES256"),
            Self::Kms { dual, key, bucket_key } => {
                let algorithm = if *dual { Algorithm::Dsse } else { Algorithm::Kms };
                let reply = reply.header(SSE, algorithm.text()).header(SSE_KEY, key);
                if *bucket_key { reply.header(SSE_BUCKET_KEY, "true") } else { reply }
            }
            Self::Customer { md5 } => reply.header(SSE_C, "AES256").header(SSE_C_MD5, md5),
        }
    }
}
