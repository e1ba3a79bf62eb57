//! Doors for those who set a world up and count what happened in it, without the wire.

use bytes::Bytes;

use super::bucket::{Algorithm, Bucket, DefaultEncryption, Logging, PublicAccessBlock, Versioning, arn};
use super::notification::{Kind, Notifications, Target};
use super::{documents, objects, store, website};
use crate::error::ApiError;
use crate::world::{Origin, World};

/// What a new bucket differs in from AWS's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BucketSetup {
    /// Default encryption as `aws:kms` with this key (as written: ARN, id or alias); `Some("")` = `aws/s3`.
    pub kms_key: Option<String>,
    /// A bucket key.
    pub bucket_key: bool,
    /// The bucket policy.
    pub document: Option<String>,
    /// Without Block Public Access, as website buckets are.
    pub public: bool,
    /// The index document of a website.
    pub website: Option<String>,
    /// Access logs go to this bucket.
    pub logs_to: Option<String>,
    /// Versions are kept.
    pub versioned: bool,
    /// Tags.
    pub tags: Vec<(String, String)>,
    /// Queues and topics (ARNs) that hear of created objects; they are not tried out.
    pub notifies: Vec<String>,
    /// `EventBridge` hears of all objects.
    pub event_bridge: bool,
}

impl World {
    /// Makes a bucket; one of that name is replaced. On success: its ARN.
    pub fn create_bucket(&mut self, account: &str, region: &str, name: &str, setup: &BucketSetup) -> Result<String, ApiError> {
        let BucketSetup { kms_key, bucket_key, document, public, website, logs_to, versioned, tags, notifies, event_bridge } = setup;
        let mut bucket = Bucket::new(account, region, self.now());
        if let Some(key) = kms_key {
            let kms_key = Some(key.clone()).filter(|key| !key.is_empty());
            bucket.encryption = DefaultEncryption { algorithm: Algorithm::Kms, kms_key, bucket_key: *bucket_key, ..bucket.encryption };
        }
        bucket.document = document.as_deref().map(|text| documents::read(text, &arn(name))).transpose()?;
        if *public {
            bucket.public_access = Some(PublicAccessBlock::default());
        }
        if let Some(index) = website {
            bucket.texts.insert("BucketWebsite".to_owned(), website_text(index));
        }
        bucket.logging = logs_to.clone().map(|target| Box::new(Logging { target, prefix: format!("{name}/") }));
        if *versioned {
            bucket.versioning = Versioning::Enabled;
        }
        bucket.tags.clone_from(tags);
        let targets: Vec<Target> = notifies.iter().map(|to| target(to)).collect();
        if !targets.is_empty() || *event_bridge {
            bucket.notifications = Some(Box::new(Notifications { targets, event_bridge: *event_bridge }));
        }
        self.s3.buckets.insert(name.to_owned(), bucket);
        Ok(arn(name))
    }

    /// Writes an object as a caller.
    pub fn put_object(&mut self, origin: &Origin, bucket: &str, key: &str, body: impl Into<Bytes>) -> Result<(), ApiError> {
        store::store(self, origin, bucket, key, body.into(), None)
    }

    /// Reads an object as a caller.
    pub fn get_object(&mut self, origin: &Origin, bucket: &str, key: &str) -> Result<Bytes, ApiError> {
        objects::fetch(self, origin, bucket, key)
    }

    /// Reads a page of a website as any visitor does: over plain HTTP, as nobody.
    pub fn visit_website(&mut self, bucket: &str, key: &str) -> Result<Bytes, ApiError> {
        website::visit(self, bucket, key)
    }

    /// Keys of a bucket's objects, in their order; none where there is no such bucket.
    pub fn object_keys(&self, bucket: &str) -> Vec<String> {
        let objects = self.s3.buckets.get(bucket).map(|bucket| bucket.objects.iter());
        let there = objects.into_iter().flatten().filter(|(_, versions)| versions.current().is_some());
        there.map(|(key, _)| key.clone()).collect()
    }

    /// How many objects a bucket holds.
    pub fn object_count(&self, bucket: &str) -> usize {
        let objects = self.s3.buckets.get(bucket).map(|bucket| bucket.objects.values());
        objects.into_iter().flatten().filter(|versions| versions.current().is_some()).count()
    }

    /// A bucket's region.
    pub fn bucket_region(&self, bucket: &str) -> Option<&str> {
        self.s3.buckets.get(bucket).map(|bucket| bucket.region.as_str())
    }

    /// A bucket's default encryption: algorithm, key as written, bucket key.
    pub fn bucket_encryption(&self, bucket: &str) -> Option<(&'static str, Option<&str>, bool)> {
        let DefaultEncryption { algorithm, kms_key, bucket_key, .. } = &self.s3.buckets.get(bucket)?.encryption;
        Some((algorithm.text(), kms_key.as_deref(), *bucket_key))
    }

    /// A bucket's policy, as S3 gives it back.
    pub fn bucket_document(&self, bucket: &str) -> Option<&str> {
        self.s3.buckets.get(bucket)?.document.as_ref().map(|document| &*document.text)
    }

    /// Replaces a bucket's policy, or removes it, as somebody else would: for the disorder of tests and demo.
    pub fn set_bucket_document(&mut self, bucket: &str, document: Option<&str>) -> Result<(), ApiError> {
        let document = document.map(|text| documents::read(text, &arn(bucket))).transpose()?;
        super::request::bucket_mut(self, bucket)?.document = document;
        Ok(())
    }

    /// Puts a bucket back to SSE-S3, as somebody else would: for the disorder of tests and demo.
    pub fn reset_bucket_encryption(&mut self, bucket: &str) -> Result<(), ApiError> {
        let bucket = super::request::bucket_mut(self, bucket)?;
        let blocks_customer_keys = bucket.encryption.blocks_customer_keys;
        bucket.encryption = DefaultEncryption { blocks_customer_keys, ..DefaultEncryption::default() };
        Ok(())
    }
}

fn website_text(index: &str) -> String {
    use crate::wire::xml::Element;
    let root = Element::new("WebsiteConfiguration").attribute("xmlns", super::NAMESPACE);
    root.child(Element::new("IndexDocument").text("Suffix", index)).document()
}

fn target(to: &str) -> Target {
    let kind = match to.split(':').nth(2) {
        Some("sns") => Kind::Topic,
        Some("lambda") => Kind::Function,
        _ => Kind::Queue,
    };
    let id = to.rsplit(':').next().unwrap_or_default().to_owned();
    let events = vec!["s3:ObjectCreated:*".to_owned()];
    Target { id, kind, arn: to.to_owned(), events, prefix: String::new(), suffix: String::new() }
}
