//! Lists of objects and versions, page by page. [s3:ListObjectsV2]

use std::ops::Bound;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::acl::canonical_id;
use super::bucket::Bucket;
use super::request::{Request, answer, invalid_argument};
use super::versions::{Content, Object, Versions};
use super::{Handler, body};
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::World;

/// The most that a page holds.
const PAGE: usize = 1000;
/// What `encoding-type=url` leaves as it is.
const UNESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "ListObjectsV2" => Some(list_v2),
        "ListObjects" => Some(list_v1),
        "ListObjectVersions" => Some(list_versions),
        _ => None,
    }
}

/// What a listing asks for.
struct Asked {
    prefix: String,
    delimiter: Option<String>,
    most: usize,
    encodes: bool,
}

impl Asked {
    fn of(request: &Request<'_>) -> Result<Self, ApiError> {
        let query = |name: &str| request.call.query_value(name);
        Ok(Self {
            prefix: query("prefix").unwrap_or_default(),
            delimiter: query("delimiter").filter(|text| !text.is_empty()),
            most: request.number("max-keys", PAGE)?,
            encodes: query("encoding-type").as_deref() == Some("url"),
        })
    }

    fn write(&self, text: &str) -> String {
        if self.encodes { utf8_percent_encode(text, UNESCAPED).to_string() } else { text.to_owned() }
    }

    /// What all answers say again of the request.
    fn head(&self, root: Element, request: &Request<'_>) -> Element {
        let delimiter = self.delimiter.as_ref().map(|text| self.write(text));
        let encoding = self.encodes.then_some("url");
        let root = root.text("Name", &request.bucket).text("Prefix", self.write(&self.prefix)).maybe("Delimiter", delimiter);
        root.text("MaxKeys", self.most).maybe("EncodingType", encoding)
    }

    /// The prefix that a key falls under, up to and with the delimiter.
    fn common(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.as_ref()?;
        let rest = &key[self.prefix.len()..];
        rest.find(delimiter.as_str()).map(|at| format!("{}{}", self.prefix, &rest[..at + delimiter.len()]))
    }
}

enum Entry<'a> {
    Key(&'a str, &'a Versions),
    Prefix(String),
}

impl Entry<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Key(key, _) => key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

/// A page of entries after a name, and whether there are more.
fn page<'a>(bucket: &'a Bucket, asked: &Asked, after: &str, shown: impl Fn(&Versions) -> bool) -> (Vec<Entry<'a>>, bool) {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let start = if after < asked.prefix.as_str() { asked.prefix.as_str() } else { after };
    for (key, versions) in bucket.objects.range::<str, _>((Bound::Included(start), Bound::Unbounded)) {
        if !key.starts_with(&asked.prefix) {
            break;
        }
        if key.as_str() <= after && !after.is_empty() || !shown(versions) {
            continue;
        }
        let entry = match asked.common(key) {
            // A page that ended with this prefix has shown all that falls under it.
            Some(prefix) if prefix == after || entries.last().is_some_and(|last| last.name() == prefix) => continue,
            Some(prefix) => Entry::Prefix(prefix),
            None => Entry::Key(key, versions),
        };
        if entries.len() == asked.most {
            return (entries, asked.most > 0);
        }
        entries.push(entry);
    }
    (entries, false)
}

fn is_there(versions: &Versions) -> bool {
    versions.current().is_some()
}

fn contents(asked: &Asked, entries: &[Entry<'_>], owner: Option<&str>) -> Vec<Element> {
    let mut elements = Vec::new();
    for entry in entries {
        match entry {
            Entry::Key(key, versions) => elements.extend(versions.current().map(|object| content(asked, key, object, owner))),
            Entry::Prefix(prefix) => elements.push(Element::new("CommonPrefixes").text("Prefix", asked.write(prefix))),
        }
    }
    elements
}

fn content(asked: &Asked, key: &str, object: &Object, owner: Option<&str>) -> Element {
    let element = Element::new("Contents")
        .text("Key", asked.write(key))
        .text("LastModified", object.modified.iso8601())
        .text("ETag", format!("\"{}\"", object.etag))
        .text("Size", object.body.len())
        .text("StorageClass", "STANDARD");
    let algorithms = body::checksum_algorithms(&object.headers);
    let kind = (!algorithms.is_empty()).then_some("FULL_OBJECT");
    let element = algorithms.into_iter().fold(element, |element, name| element.text("ChecksumAlgorithm", name)).maybe("ChecksumType", kind);
    match owner {
        Some(owner) => element.child(Element::new("Owner").text("ID", owner)),
        None => element,
    }
}

fn list_v2(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:ListBucket")?;
    let asked = Asked::of(request)?;
    let query = |name: &str| request.call.query_value(name);
    let (token, start_after) = (query("continuation-token"), query("start-after"));
    let after = match &token {
        Some(token) => {
            let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            name.ok_or_else(|| invalid_argument("The continuation token provided is incorrect", "continuation-token", token))?
        }
        None => start_after.clone().unwrap_or_default(),
    };
    let (entries, more) = page(bucket, &asked, &after, is_there);
    let next = entries.last().filter(|_| more).map(|entry| URL_SAFE_NO_PAD.encode(entry.name()));
    let owner = (query("fetch-owner").as_deref() == Some("true")).then(|| canonical_id(&bucket.owner));
    let root = asked.head(Element::new("ListBucketResult"), request).text("KeyCount", entries.len()).text("IsTruncated", more);
    let root = root.maybe("ContinuationToken", token).maybe("NextContinuationToken", next);
    let root = root.maybe("StartAfter", start_after.map(|text| asked.write(&text)));
    Ok(answer(root.children(contents(&asked, &entries, owner.as_deref()))))
}

fn list_v1(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:ListBucket")?;
    let asked = Asked::of(request)?;
    let marker = request.call.query_value("marker").unwrap_or_default();
    let (entries, more) = page(bucket, &asked, &marker, is_there);
    // Without a delimiter the last key is the next marker. [s3:ListObjects]
    let next = entries.last().filter(|_| more && asked.delimiter.is_some()).map(|entry| asked.write(entry.name()));
    let root = asked.head(Element::new("ListBucketResult"), request).text("Marker", asked.write(&marker)).text("IsTruncated", more);
    let owner = canonical_id(&bucket.owner);
    Ok(answer(root.maybe("NextMarker", next).children(contents(&asked, &entries, Some(&owner)))))
}

/// Whole keys fill a page: all versions of its last key are on it, so that a page may hold more than asked for.
fn list_versions(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:ListBucketVersions")?;
    let asked = Asked::of(request)?;
    let marker = request.call.query_value("key-marker").unwrap_or_default();
    let (entries, more) = page(bucket, &asked, &marker, |_| true);
    let next = entries.last().filter(|_| more).map(|entry| asked.write(entry.name()));
    let root = asked.head(Element::new("ListVersionsResult"), request).text("KeyMarker", asked.write(&marker));
    let root = root.text("VersionIdMarker", request.call.query_value("version-id-marker").unwrap_or_default()).text("IsTruncated", more);
    let last = entries.last().filter(|_| more).map(|entry| match entry {
        Entry::Key(_, versions) => versions.newest_first().last().map_or("null", |(version, _)| version.id()).to_owned(),
        Entry::Prefix(_) => String::new(),
    });
    let root = root.maybe("NextKeyMarker", next).maybe("NextVersionIdMarker", last.filter(|id| !id.is_empty()));
    let owner = canonical_id(&bucket.owner);
    Ok(answer(root.children(entries.iter().flat_map(|entry| versions_of(&asked, entry, &owner)))))
}

fn versions_of(asked: &Asked, entry: &Entry<'_>, owner: &str) -> Vec<Element> {
    let (key, versions) = match entry {
        Entry::Prefix(prefix) => return vec![Element::new("CommonPrefixes").text("Prefix", asked.write(prefix))],
        Entry::Key(key, versions) => (key, versions),
    };
    let write = |(version, latest): (&super::versions::Version, bool)| {
        let name = if version.object().is_some() { "Version" } else { "DeleteMarker" };
        let element = Element::new(name)
            .text("Key", asked.write(key))
            .text("VersionId", version.id())
            .text("IsLatest", latest)
            .text("LastModified", version.modified().iso8601())
            .child(Element::new("Owner").text("ID", owner));
        match &version.content {
            Content::Marker(_) => element,
            Content::Object(object) => {
                element.text("ETag", format!("\"{}\"", object.etag)).text("Size", object.body.len()).text("StorageClass", "STANDARD")
            }
        }
    };
    versions.newest_first().map(write).collect()
}
