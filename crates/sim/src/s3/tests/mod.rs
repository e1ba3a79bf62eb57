//! The tests of S3: by requests as SDKs send them, and by what arrives elsewhere.

#![allow(clippy::unwrap_used)]

mod deliveries;
mod documents;
mod keys;
mod objects;
mod settings;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::http::{Call, Reply};
use crate::testing::{ACCOUNT, REGION};
use crate::wire::xml::Element;
use crate::world::{Outcome, World};

/// Who calls, from where, over what.
#[derive(Clone, Copy)]
struct Client<'a> {
    access_key: &'a str,
    region: &'a str,
    secure: bool,
    host: &'a str,
}

const ADMINISTRATOR: Client<'static> = Client { access_key: ACCOUNT, region: REGION, secure: true, host: "s3.us-east-1.amazonaws.com" };
const NOBODY: Client<'static> = Client { access_key: "", ..ADMINISTRATOR };

impl Client<'_> {
    /// `PUT /bucket/key?query`, with headers and a body.
    fn send(self, world: &mut World, line: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_str(self.host).unwrap());
        if !self.access_key.is_empty() {
            let scope = format!("AWS4-HMAC-SHA256 Credential={}/20261124/{}/s3/aws4_request, Signature=0", self.access_key, self.region);
            map.insert("authorization", HeaderValue::from_str(&scope).unwrap());
        }
        for (name, value) in headers {
            map.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let call = Call {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: map,
            body: body.into(),
            secure: self.secure,
        };
        match world.call(&call) {
            Outcome::Answer(reply, _) => reply,
            other => panic!("no answer: {other:?}"),
        }
    }

    fn get(self, world: &mut World, target: &str) -> Reply {
        self.send(world, &format!("GET {target}"), &[], "")
    }

    fn put(self, world: &mut World, target: &str, body: &str) -> Reply {
        self.send(world, &format!("PUT {target}"), &[], body.to_owned())
    }
}

fn root(reply: &Reply) -> Element {
    Element::parse(&reply.body).unwrap()
}

/// Status and code of an error.
fn refusal(reply: &Reply) -> (u16, String) {
    (reply.status, root(reply).value("Code").unwrap_or_default().to_owned())
}

fn denied() -> (u16, String) {
    (403, "AccessDenied".to_owned())
}

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name).map(|value| value.to_str().unwrap())
}

/// Lets so much time pass.
fn pass(world: &mut World, seconds: u64) {
    let then = world.now() + Duration::from_secs(seconds);
    world.advance(then);
}

/// The statement that requires TLS, for a bucket.
fn deny_http(bucket: &str) -> String {
    format!(
        r#"{{"Sid":"AllowSSLRequestsOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"],"Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}"#
    )
}

/// A document of statements.
fn document(statements: &[&str]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}
