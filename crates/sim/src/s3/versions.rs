//! Objects and their versions.

use bytes::Bytes;

use super::bucket::Versioning;
use super::seal::Seal;
use crate::moment::Moment;

/// An object, or one version of it.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) body: Bytes,
    /// Without quotation marks.
    pub(super) etag: String,
    pub(super) modified: Moment,
    pub(super) seal: Seal,
    /// Headers that are given back: type, metadata, checksums.
    pub(super) headers: Vec<(String, String)>,
    /// It came by replication, and is not replicated again.
    pub(super) is_replica: bool,
}

/// What stands under a key.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Object(Object),
    /// A delete marker, and when it was set.
    Marker(Moment),
}

/// One version; `None`: the null version.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) id: Option<String>,
    pub(super) content: Content,
}

impl Version {
    /// As S3 writes it.
    pub(super) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or("null")
    }

    pub(super) const fn object(&self) -> Option<&Object> {
        match &self.content {
            Content::Object(object) => Some(object),
            Content::Marker(_) => None,
        }
    }

    pub(super) const fn modified(&self) -> Moment {
        match &self.content {
            Content::Object(object) => object.modified,
            Content::Marker(at) => *at,
        }
    }
}

/// All versions under a key, the latest last; never empty.
#[derive(Debug, Default)]
pub(super) struct Versions(Vec<Version>);

/// What a deletion did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deleted {
    /// A marker hides the object now: its version's id.
    Hidden(String),
    /// A version, or an object without versions, is gone; whether it was a marker.
    Gone { marker: bool },
    /// There was nothing.
    Nothing,
}

impl Versions {
    /// The object, where the latest version is one.
    pub(super) fn current(&self) -> Option<&Object> {
        self.latest().and_then(Version::object)
    }

    pub(super) fn latest(&self) -> Option<&Version> {
        self.0.last()
    }

    /// A version by its id; the latest where none is named.
    pub(super) fn get(&self, id: Option<&str>) -> Option<&Version> {
        match id {
            None => self.latest(),
            Some(id) => self.0.iter().find(|version| version.id() == id),
        }
    }

    /// The latest first, each with whether it is the latest.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = (&Version, bool)> {
        self.0.iter().rev().enumerate().map(|(place, version)| (version, place == 0))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a version. Without an id it takes the null version's place.
    pub(super) fn put(&mut self, version: Version) {
        if version.id.is_none() {
            self.0.retain(|other| other.id.is_some());
        }
        self.0.push(version);
    }

    /// Deletes as a request without a version does. [S3: Deleting object versions]
    pub(super) fn delete(&mut self, versioning: Versioning, at: Moment, fresh_id: impl FnOnce() -> String) -> Deleted {
        let id = match versioning {
            Versioning::Never => {
                let gone = self.0.pop().is_some();
                return if gone { Deleted::Gone { marker: false } } else { Deleted::Nothing };
            }
            Versioning::Enabled => Some(fresh_id()),
            Versioning::Suspended => None,
        };
        let named = id.clone().unwrap_or_else(|| "null".to_owned());
        self.put(Version { id, content: Content::Marker(at) });
        Deleted::Hidden(named)
    }

    /// Deletes one version for good.
    pub(super) fn delete_version(&mut self, id: &str) -> Deleted {
        match self.0.iter().position(|version| version.id() == id) {
            Some(place) => Deleted::Gone { marker: self.0.remove(place).object().is_none() },
            None => Deleted::Nothing,
        }
    }
}
