//! Writing an object, whoever writes it: permission, key, the object, and what follows from it.

use bytes::Bytes;
use md5::{Digest, Md5};

use super::bucket::{Algorithm, Versioning, arn};
use super::request::{access_denied, bucket_mut, invalid_argument, judge, no_such_bucket, permit};
use super::seal::{self, Purpose, Seal, Wish};
use super::versions::{Content, Object, Version};
use super::{announce, conditions, logs, replication};
use crate::access::RequestContext;
use crate::error::ApiError;
use crate::world::{Origin, World};

/// Encryption that a request names for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectEncryption {
    /// `AES256`, `aws:kms`, `aws:kms:dsse`.
    pub(crate) algorithm: String,
    /// The key as written.
    pub(crate) kms_key: Option<String>,
}

/// An object on its way in.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) body: Bytes,
    pub(super) headers: Vec<(String, String)>,
    pub(super) wish: Wish,
    pub(super) context: RequestContext,
    /// `ObjectCreated:…`.
    pub(super) event: &'static str,
}

/// What became of it.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) etag: String,
    pub(super) seal: Seal,
    pub(super) version: Option<String>,
}

/// Writes an object for a caller: checks bucket policy and key, and announces it. `encryption`: `None` = the bucket's default.
pub(crate) fn store(
    world: &mut World,
    origin: &Origin,
    bucket: &str,
    key: &str,
    body: Bytes,
    encryption: Option<&ObjectEncryption>,
) -> Result<(), ApiError> {
    let mut context = conditions::of_connection(origin);
    let wish = match encryption {
        None => Wish::Default,
        Some(ObjectEncryption { algorithm, kms_key }) => {
            context.insert("s3:x-amz-server-side-encryption".to_owned(), vec![algorithm.clone()]);
            if let Some(key) = kms_key {
                context.insert("s3:x-amz-server-side-encryption-aws-kms-key-id".to_owned(), vec![key.clone()]);
            }
            let algorithm = Algorithm::parse(algorithm).ok_or_else(|| {
                invalid_argument("The encryption method specified is not supported", "x-amz-server-side-encryption", algorithm)
            })?;
            Wish::Managed { algorithm, kms_key: kms_key.clone(), bucket_key: None }
        }
    };
    let incoming = Incoming { bucket, key, body, headers: Vec::new(), wish, context, event: "ObjectCreated:Put" };
    let stored = write(world, origin, incoming);
    logs::note_use(world, origin, bucket, ("REST.PUT.OBJECT", key), stored.as_ref().map_or_else(|error| error.status, |_| 200));
    stored.map(drop)
}

/// Writes an object, where its writer may.
pub(super) fn write(world: &mut World, origin: &Origin, incoming: Incoming<'_>) -> Result<Stored, ApiError> {
    let place = format!("{}/{}", arn(incoming.bucket), incoming.key);
    permit(world, origin, incoming.bucket, ("s3:PutObject", &place), incoming.context.clone())?;
    put_in(world, origin, incoming)
}

/// The same for a writer that the bucket's ACL lets in: documents can still keep it out.
pub(super) fn write_by_acl(world: &mut World, origin: &Origin, incoming: Incoming<'_>) -> Result<Stored, ApiError> {
    let bucket = world.s3.buckets.get(incoming.bucket).ok_or_else(|| no_such_bucket(incoming.bucket))?;
    let place = format!("{}/{}", arn(incoming.bucket), incoming.key);
    match judge(world, origin, bucket, ("s3:PutObject", &place), incoming.context.clone()) {
        Err(denial) if denial.explicit => Err(access_denied(&denial.message)),
        Ok(()) | Err(_) => put_in(world, origin, incoming),
    }
}

fn put_in(world: &mut World, origin: &Origin, incoming: Incoming<'_>) -> Result<Stored, ApiError> {
    let Incoming { bucket, key, body, headers, wish, context: _, event } = incoming;
    check_key(key)?;
    let seal = seal::seal(world, origin, Purpose { bucket, key, action: "kms:GenerateDataKey" }, &wish)?;
    let etag = etag_of(&body, &seal);
    let object = Object { body, etag: etag.clone(), modified: world.now(), seal: seal.clone(), headers, is_replica: false };
    let version = keep(world, origin, (bucket, key), object, event)?;
    Ok(Stored { etag, seal, version })
}

/// At most 1,024 bytes. [S3: Object key naming guidelines]
pub(super) fn check_key(key: &str) -> Result<(), ApiError> {
    if key.len() <= 1024 {
        return Ok(());
    }
    Err(ApiError::bad_request("KeyTooLongError", "Your key is too long").detail("MaxSizeAllowed", "1024"))
}

/// Of the data where SSE-S3 seals it, else of something that only depends on it. [S3: Object, `ETag`]
pub(super) fn etag_of(body: &[u8], seal: &Seal) -> String {
    let digest = match seal {
        Seal::Aes256 => Md5::digest(body),
        Seal::Kms { key, .. } => Md5::new().chain_update(key).chain_update(body).finalize(),
        Seal::Customer { md5 } => Md5::new().chain_update(md5).chain_update(body).finalize(),
    };
    digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Puts an object into its bucket, and lets follow what follows. On success: its version's id, where it has one.
pub(super) fn keep(
    world: &mut World,
    origin: &Origin,
    (bucket, key): (&str, &str),
    object: Object,
    event: &'static str,
) -> Result<Option<String>, ApiError> {
    let versioning = world.s3.buckets.get(bucket).ok_or_else(|| no_such_bucket(bucket))?.versioning;
    let id = (versioning == Versioning::Enabled).then(|| world.hex(32));
    let replica = object.is_replica;
    let subject = announce::Subject { bucket, key, size: Some(object.body.len()), etag: Some(object.etag.clone()), version: id.clone() };
    let version = Version { id: id.clone(), content: Content::Object(object) };
    let subject_event = announce::Happening { event, subject, requester: origin.caller.arn() };
    bucket_mut(world, bucket)?.objects.entry(key.to_owned()).or_default().put(version);
    announce::announce(world, &subject_event);
    if !replica {
        replication::schedule(world, bucket, key, id.as_deref());
    }
    Ok(match versioning {
        Versioning::Never => None,
        Versioning::Enabled => id,
        Versioning::Suspended => Some("null".to_owned()),
    })
}
