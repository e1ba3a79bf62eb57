//! A bucket and its settings, as values.

use std::collections::BTreeMap;

use super::acl::Acl;
use super::multipart::Upload;
use super::notification::Notifications;
use super::replication::Replication;
use super::versions::Versions;
use crate::access::Document;
use crate::moment::Moment;

/// A bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The account that owns it.
    pub(super) owner: String,
    pub(super) region: String,
    pub(super) created: Moment,
    pub(super) encryption: DefaultEncryption,
    pub(super) document: Option<BucketDocument>,
    pub(super) public_access: Option<PublicAccessBlock>,
    pub(super) ownership: Ownership,
    /// `None`: the owner alone.
    pub(super) acl: Option<Box<Acl>>,
    pub(super) notifications: Option<Box<Notifications>>,
    pub(super) replication: Option<Box<Replication>>,
    pub(super) logging: Option<Box<Logging>>,
    pub(super) versioning: Versioning,
    pub(super) tags: Vec<(String, String)>,
    /// Settings that are only kept and given back, by their part of the query.
    pub(super) texts: BTreeMap<String, String>,
    pub(super) objects: BTreeMap<String, Versions>,
    pub(super) uploads: BTreeMap<String, Upload>,
    /// Lines of the access log that are not delivered yet.
    pub(super) log: Vec<String>,
}

impl Bucket {
    /// A new bucket: SSE-S3 by default (since January 2023), SSE-C blocked (since April 2026), public access blocked and
    /// ACLs disabled (since April 2023). [S3: Default encryption FAQ; Blocking SSE-C; Default settings for new buckets]
    pub(super) fn new(owner: &str, region: &str, created: Moment) -> Self {
        Self {
            owner: owner.to_owned(),
            region: region.to_owned(),
            created,
            encryption: DefaultEncryption { blocks_customer_keys: Some(true), ..DefaultEncryption::default() },
            document: None,
            public_access: Some(PublicAccessBlock::everything()),
            ownership: Ownership::BucketOwnerEnforced,
            acl: None,
            notifications: None,
            replication: None,
            logging: None,
            versioning: Versioning::Never,
            tags: Vec::new(),
            texts: BTreeMap::new(),
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
            log: Vec::new(),
        }
    }
}

/// The ARN of a bucket.
pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:s3:::{name}")
}

/// How an object can be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Algorithm {
    /// `AES256`: SSE-S3.
    #[default]
    Aes256,
    /// `aws:kms`.
    Kms,
    /// `aws:kms:dsse`.
    Dsse,
}

impl Algorithm {
    /// `None`: no algorithm that a request may name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "AES256" => Some(Self::Aes256),
            "aws:kms" => Some(Self::Kms),
            "aws:kms:dsse" => Some(Self::Dsse),
            _ => None,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms => "aws:kms",
            Self::Dsse => "aws:kms:dsse",
        }
    }
}

/// Default encryption of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct DefaultEncryption {
    pub(super) algorithm: Algorithm,
    /// The key as written.
    pub(super) kms_key: Option<String>,
    pub(super) bucket_key: bool,
    /// `BlockedEncryptionTypes`: absent, `NONE`, or `SSE-C`.
    pub(super) blocks_customer_keys: Option<bool>,
}

/// A bucket policy: as written, and read.
#[derive(Debug)]
pub(super) struct BucketDocument {
    pub(super) text: Box<str>,
    pub(super) parsed: Document,
    /// S3 calls it public. [S3: The meaning of "public"]
    pub(super) is_public: bool,
}

/// Block Public Access, of a bucket or an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PublicAccessBlock {
    pub(super) block_public_acls: bool,
    pub(super) ignore_public_acls: bool,
    pub(super) block_public_policy: bool,
    pub(super) restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    pub(super) const fn everything() -> Self {
        Self { block_public_acls: true, ignore_public_acls: true, block_public_policy: true, restrict_public_buckets: true }
    }

    /// The stricter of two settings counts.
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            block_public_acls: self.block_public_acls || other.block_public_acls,
            ignore_public_acls: self.ignore_public_acls || other.ignore_public_acls,
            block_public_policy: self.block_public_policy || other.block_public_policy,
            restrict_public_buckets: self.restrict_public_buckets || other.restrict_public_buckets,
        }
    }
}

/// Object ownership. ACLs count only where it is not `BucketOwnerEnforced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    BucketOwnerEnforced,
    BucketOwnerPreferred,
    ObjectWriter,
}

impl Ownership {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "BucketOwnerEnforced" => Some(Self::BucketOwnerEnforced),
            "BucketOwnerPreferred" => Some(Self::BucketOwnerPreferred),
            "ObjectWriter" => Some(Self::ObjectWriter),
            _ => None,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
    }
}

/// Where a bucket's access log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logging {
    pub(super) target: String,
    pub(super) prefix: String,
}

/// A bucket that was versioned once never becomes unversioned again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versioning {
    Never,
    Enabled,
    Suspended,
}
