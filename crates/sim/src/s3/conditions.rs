//! Condition keys of a request, as documents see them. [S3: Actions, resources, and condition keys]

use crate::access::RequestContext;
use crate::http::Call;
use crate::world::Origin;

/// Headers that are condition keys of the same name after `s3:`.
const HEADERS: &[&str] = &[
    "x-amz-acl",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
];

/// Members of the query that are condition keys.
const QUERY: &[(&str, &str)] =
    &[("prefix", "s3:prefix"), ("delimiter", "s3:delimiter"), ("max-keys", "s3:max-keys"), ("versionId", "s3:versionid")];

/// TLS as S3 speaks it with SDKs of today. [S3: Protecting data in transit]
const TLS_VERSION: &str = "1.3";

/// Keys that a call carries.
pub(super) fn of_call(call: &Call, origin: &Origin) -> RequestContext {
    let mut context = of_connection(origin);
    for name in HEADERS {
        let value = call.header(name);
        if !value.is_empty() {
            context.insert(format!("s3:{name}"), vec![value.to_owned()]);
        }
    }
    for (name, value) in call.query_pairs() {
        if let Some((_, key)) = QUERY.iter().find(|(query, _)| *query == name) {
            context.insert((*key).to_owned(), vec![value]);
        }
    }
    context
}

/// Keys of a request that carries no headers of interest.
pub(super) fn of_connection(origin: &Origin) -> RequestContext {
    let mut context = RequestContext::new();
    if origin.secure {
        context.insert("s3:tlsversion".to_owned(), vec![TLS_VERSION.to_owned()]);
    }
    context
}
