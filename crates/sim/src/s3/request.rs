//! A request with its address, and whether its caller may do what it asks.

use super::address::Address;
use super::bucket::{Bucket, PublicAccessBlock, arn};
use super::conditions;
use crate::access::{Caller, Denial, RequestContext};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::xml::{self, Element};
use crate::world::{Ask, Origin, World};

/// A request.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) origin: &'a Origin,
    pub(super) operation: &'a str,
    pub(super) call: &'a Call,
    pub(super) bucket: String,
    pub(super) key: String,
    host_region: Option<String>,
}

impl<'a> Request<'a> {
    pub(super) fn new(origin: &'a Origin, operation: &'a str, call: &'a Call) -> Self {
        let Address { bucket, key, website: _, host_region } = Address::of(call);
        Self { origin, operation, call, bucket, key, host_region }
    }

    pub(super) fn bucket_arn(&self) -> String {
        arn(&self.bucket)
    }

    pub(super) fn object_arn(&self) -> String {
        format!("{}/{}", self.bucket_arn(), self.key)
    }

    /// A header, where it is there and not empty.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        Some(self.call.header(name)).filter(|value| !value.is_empty())
    }

    /// The body as a document.
    pub(super) fn document(&self) -> Result<Element, ApiError> {
        Element::parse(&self.call.body).ok_or_else(malformed_xml)
    }

    /// A number of the query, at most `most`; `most` where it is absent.
    pub(super) fn number(&self, name: &str, most: usize) -> Result<usize, ApiError> {
        let Some(text) = self.call.query_value(name) else { return Ok(most) };
        match text.parse::<usize>() {
            Ok(number) => Ok(number.min(most)),
            Err(_) => Err(invalid_argument(&format!("Provided {name} not an integer or within integer range"), name, &text)),
        }
    }

    /// The bucket, where it is there, in the request's region and the owner's that the request expects.
    pub(super) fn find<'w>(&self, world: &'w World) -> Result<&'w Bucket, ApiError> {
        let bucket = world.s3.buckets.get(&self.bucket).ok_or_else(|| no_such_bucket(&self.bucket))?;
        self.in_its_region(bucket)?;
        match self.header("x-amz-expected-bucket-owner") {
            Some(expected) if expected != bucket.owner => Err(access_denied("Access Denied")),
            _ => Ok(bucket),
        }
    }

    /// A wrong region's endpoint redirects; the global name of a bucket leads to its region, where the signature is wrong.
    fn in_its_region(&self, bucket: &Bucket) -> Result<(), ApiError> {
        let signed = !matches!(self.origin.caller, Caller::Anonymous);
        let asked = if signed { Some(self.origin.region.as_str()) } else { self.host_region.as_deref() };
        let Some(asked) = asked.filter(|region| *region != bucket.region) else { return Ok(()) };
        // GetBucketLocation is there to be asked by whoever does not know the region. [s3:GetBucketLocation]
        if self.operation == "GetBucketLocation" && asked == "us-east-1" {
            return Ok(());
        }
        let global = self.call.header("host").ends_with(".s3.amazonaws.com");
        if signed && global {
            let message = format!("The authorization header is malformed; the region '{asked}' is wrong; expecting '{}'", bucket.region);
            return Err(ApiError::bad_request("AuthorizationHeaderMalformed", message).detail("Region", &bucket.region));
        }
        let message = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                       Please send all future requests to this endpoint.";
        let endpoint = format!("{}.s3.{}.amazonaws.com", self.bucket, bucket.region);
        Err(ApiError::new(301, "PermanentRedirect", message).detail("Endpoint", endpoint).detail("Bucket", &self.bucket))
    }

    /// The bucket, where the caller may do this to it.
    pub(super) fn on_bucket<'w>(&self, world: &'w World, action: &str) -> Result<&'w Bucket, ApiError> {
        let bucket = self.find(world)?;
        self.permit(world, action, &self.bucket_arn())?;
        Ok(bucket)
    }

    /// The bucket, where the caller may do this to the request's object.
    pub(super) fn on_object<'w>(&self, world: &'w World, action: &str) -> Result<&'w Bucket, ApiError> {
        let bucket = self.find(world)?;
        self.permit(world, action, &self.object_arn())?;
        Ok(bucket)
    }

    /// May the caller do this to something in the request's bucket?
    pub(super) fn permit(&self, world: &World, action: &str, resource: &str) -> Result<(), ApiError> {
        permit(world, self.origin, &self.bucket, (action, resource), conditions::of_call(self.call, self.origin))
    }
}

/// May a caller do this to something in this bucket?
pub(super) fn permit(
    world: &World,
    origin: &Origin,
    bucket: &str,
    (action, resource): (&str, &str),
    context: RequestContext,
) -> Result<(), ApiError> {
    let found = world.s3.buckets.get(bucket).ok_or_else(|| no_such_bucket(bucket))?;
    if restricted(world, found, &origin.caller) {
        return Err(access_denied("Access Denied"));
    }
    judge(world, origin, found, (action, resource), context).map_err(|denial| match origin.caller {
        Caller::Anonymous => access_denied("Access Denied"),
        _ => access_denied(&denial.message),
    })
}

/// What documents say of this, without Block Public Access and ACLs.
pub(super) fn judge(
    world: &World,
    origin: &Origin,
    bucket: &Bucket,
    (action, resource): (&str, &str),
    context: RequestContext,
) -> Result<(), Denial> {
    let document = bucket.document.as_ref().map(|document| &document.parsed);
    world.permit(origin, &Ask { action, resource, owner: &bucket.owner, document, context })
}

/// Block Public Access as it counts for a bucket: the stricter of its own and its account's.
pub(super) fn effective_block(world: &World, bucket: &Bucket) -> PublicAccessBlock {
    let account = world.s3.account_blocks.get(&bucket.owner).copied().unwrap_or_default();
    bucket.public_access.unwrap_or_default().and(account)
}

/// `RestrictPublicBuckets`: a public policy lets in only AWS services and the owner's account. [s3:PutPublicAccessBlock]
fn restricted(world: &World, bucket: &Bucket, caller: &Caller) -> bool {
    let public = bucket.document.as_ref().is_some_and(|document| document.is_public);
    let inside = match caller {
        Caller::Service { .. } => true,
        Caller::Anonymous => false,
        Caller::Root { account } | Caller::User { account, .. } | Caller::Role { account, .. } => *account == bucket.owner,
    };
    public && !inside && effective_block(world, bucket).restrict_public_buckets
}

/// A document as an answer, in S3's namespace.
pub(super) fn answer(root: Element) -> Reply {
    xml::reply(200, &root.attribute("xmlns", super::NAMESPACE))
}

pub(super) fn no_such_bucket(bucket: &str) -> ApiError {
    ApiError::new(404, "NoSuchBucket", "The specified bucket does not exist").detail("BucketName", bucket)
}

pub(super) fn access_denied(message: &str) -> ApiError {
    ApiError::new(403, "AccessDenied", message)
}

pub(super) fn malformed_xml() -> ApiError {
    ApiError::bad_request("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

pub(super) fn invalid_argument(message: &str, name: &str, value: &str) -> ApiError {
    ApiError::bad_request("InvalidArgument", message).detail("ArgumentName", name).detail("ArgumentValue", value)
}

/// The bucket of a request that was let in already.
pub(super) fn bucket_mut<'w>(world: &'w mut World, name: &str) -> Result<&'w mut Bucket, ApiError> {
    world.s3.buckets.get_mut(name).ok_or_else(|| no_such_bucket(name))
}
