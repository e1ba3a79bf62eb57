//! Amazon S3: buckets with their settings, objects with the keys that seal them, and what leaves a bucket by itself.
//!
//! - A request's address becomes an operation in [`address`]; who may do it is decided in [`request`]; one file per theme
//!   does it.
//! - Every object is sealed as its bucket says when it is written ([`seal`]) and opened with its own key when it is read.
//! - Notifications, replicas and access logs leave later, as events on the schedule. What may not arrive is lost and
//!   counted: S3 tells nobody, which is why the simulator must.

use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, xml};
use crate::world::{Origin, World};

mod acl;
mod address;
mod announce;
mod body;
mod bucket;
mod buckets;
mod conditions;
mod copy;
mod documents;
mod encryption;
mod listing;
mod logs;
mod multipart;
mod notification;
mod objects;
mod public;
mod replication;
mod request;
mod seal;
mod seed;
mod settings;
mod store;
mod tags;
mod versions;
mod website;

#[cfg(test)]
mod tests;

pub(crate) use address::operation;
pub(crate) use objects::fetch;
pub use seed::BucketSetup;
pub(crate) use store::{ObjectEncryption, store};
pub(crate) use tags::tags_of;
pub(crate) use website::page;

use bucket::{Bucket, PublicAccessBlock};
use request::Request;

/// The namespace of all documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Everything this service holds. Names of buckets are everybody's.
#[derive(Debug, Default)]
pub(crate) struct State {
    buckets: BTreeMap<String, Bucket>,
    /// Block Public Access of whole accounts.
    account_blocks: BTreeMap<String, PublicAccessBlock>,
    /// Orders the events of all objects.
    sequence: u64,
}

/// What happens by itself.
#[derive(Debug)]
pub(crate) enum Event {
    /// A notification arrives, or not.
    Notify(Box<announce::Notice>),
    /// An object is copied to where a replication rule says.
    Replicate(Box<replication::Replica>),
    /// The access log of a bucket is delivered.
    DeliverLog {
        /// The bucket that was used.
        bucket: String,
    },
}

pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Notify(notice) => announce::deliver(world, *notice),
        Event::Replicate(replica) => replication::replicate(world, &replica),
        Event::DeliverLog { bucket } => logs::deliver(world, &bucket),
    }
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let request = Request::new(origin, &route.operation, call);
    let reply = match dispatch(world, &request) {
        Ok(reply) => reply,
        Err(error) => refusal(world, &request, &error),
    };
    logs::note(world, &request, reply.status);
    if call.method == http::Method::HEAD {
        // The length of what is not sent is kept; the body is not.
        return Reply { body: bytes::Bytes::new(), ..reply };
    }
    reply
}

/// S3 names the region of a bucket where it redirects, and always to `HeadBucket`. [s3:HeadBucket]
fn refusal(world: &World, request: &Request<'_>, error: &ApiError) -> Reply {
    let reply = xml::error(error);
    let tells_region = matches!(&*error.code, "PermanentRedirect" | "AuthorizationHeaderMalformed") || request.operation == "HeadBucket";
    match world.s3.buckets.get(&request.bucket).filter(|_| tells_region) {
        Some(bucket) => reply.header("x-amz-bucket-region", &bucket.region),
        None => reply,
    }
}

fn dispatch(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let find = |families: &[fn(&str) -> Option<Handler>]| families.iter().find_map(|family| family(request.operation));
    let handler = find(&[
        buckets::handler,
        encryption::handler,
        documents::handler,
        notification::handler,
        objects::handler,
        listing::handler,
        copy::handler,
        multipart::handler,
        settings::handler,
        acl::handler,
        tags::handler,
        replication::handler,
        logs::handler,
        website::handler,
    ]);
    match handler {
        Some(handler) => handler(world, request),
        None => Err(ApiError::unknown_operation(request.operation)),
    }
}

/// Does one operation.
type Handler = fn(&mut World, &Request<'_>) -> Result<Reply, ApiError>;
