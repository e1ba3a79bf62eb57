//! Buckets: default encryption and refusal of plain HTTP.
//!
//! What must never happen here: a bucket that is better protected than asked is lowered, a setting that the
//! policy does not manage is lost, or a bucket is moved to a key under which somebody on its path goes silent.

mod bucket_key;
pub(crate) mod desired;
pub(crate) mod encryption;
pub(crate) mod gates;
pub(crate) mod key_context;
pub(crate) mod log_targets;
pub mod observed;
pub(crate) mod plan;
#[cfg(test)]
mod tests;

/// The KMS key that new objects are encrypted under today, as written.
fn key_today(bucket: &observed::Bucket) -> Option<&str> {
    let encryption = bucket.encryption.known()?.as_ref()?;
    let uses_kms = encryption.algorithm.starts_with("aws:kms");
    encryption.kms_key.as_deref().or(Some("alias/aws/s3")).filter(|_| uses_kms)
}
