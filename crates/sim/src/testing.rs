//! What tests of services share: a world, and calls to it as a client makes them.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;

use crate::access::Caller;
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::world::{Origin, Outcome, Settings, World};

/// The home account.
pub(crate) const ACCOUNT: &str = "111122223333";
/// Another account.
pub(crate) const OTHER: &str = "444455556666";
/// The region of calls.
pub(crate) const REGION: &str = "us-east-1";

/// An empty world.
pub(crate) fn world() -> World {
    World::new(Settings::default(), Moment(1_800_000_000_000))
}

fn call(world: &mut World, access_key: &str, region: &str, service: &str, mut headers: HeaderMap, body: Bytes) -> Reply {
    if !access_key.is_empty() {
        let scope = format!("AWS4-HMAC-SHA256 Credential={access_key}/20261124/{region}/{service}/aws4_request, Signature=0");
        headers.insert("authorization", HeaderValue::from_str(&scope).unwrap());
    }
    let call = Call { method: Method::POST, path: "/".to_owned(), query: String::new(), headers, body, secure: true };
    match world.call(&call) {
        Outcome::Answer(reply, _) => reply,
        other => panic!("no answer: {other:?}"),
    }
}

/// A call in AWS JSON 1.1 to `target` (`TrentService.CreateKey`). The access key is an account's id, or a session's. On
/// failure: the error's code and message.
pub(crate) fn json(world: &mut World, access_key: &str, region: &str, target: &str, input: &Value) -> Result<Value, (String, String)> {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", HeaderValue::from_str(target).unwrap());
    headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.1"));
    let reply = call(world, access_key, region, "any", headers, Bytes::from(input.to_string()));
    let output: Value = if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap() };
    if reply.status == 200 {
        return Ok(output);
    }
    Err((output["__type"].as_str().unwrap().to_owned(), output["message"].as_str().unwrap_or_default().to_owned()))
}

/// A call of the query protocol. The answer's status and root element.
pub(crate) fn form(world: &mut World, access_key: &str, region: &str, service: &str, members: &[(&str, &str)]) -> (u16, Element) {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    let reply = call(world, access_key, region, service, headers, Bytes::from(body));
    (reply.status, Element::parse(&reply.body).unwrap())
}

/// An account's administrator, over TLS.
pub(crate) fn administrator(account: &str) -> Origin {
    let caller = Caller::User { arn: format!("arn:aws:iam::{account}:user/administrator"), account: account.to_owned() };
    Origin { caller, region: REGION.to_owned(), secure: true }
}
