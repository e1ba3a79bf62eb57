//! Somebody who uses the simulated AWS by its wire: seeds an estate, produces and consumes data.
//!
//! What a user does is never struck by a fault and never counted: faults and counts are for the program under test.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde_json::Value;

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::xml::Element;
use crate::world::World;

/// Credentials and where they are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// An account id (its administrator), a session's access key, or empty for nobody.
    pub access_key: String,
    /// The region that requests are addressed to.
    pub region: String,
    /// Requests go over TLS.
    pub secure: bool,
}

impl User {
    /// The administrator of an account.
    pub fn administrator(account: &str, region: &str) -> Self {
        Self { access_key: account.to_owned(), region: region.to_owned(), secure: true }
    }

    /// Nobody in particular: requests are not signed.
    pub fn anonymous(region: &str) -> Self {
        Self { access_key: String::new(), region: region.to_owned(), secure: true }
    }

    /// The same over plain HTTP.
    #[must_use]
    pub fn in_clear(mut self) -> Self {
        self.secure = false;
        self
    }

    /// The same in another region.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    /// Becomes a role, which must trust this user.
    pub fn assume(&self, world: &mut World, role: &str) -> Result<Self, ApiError> {
        let session = [("RoleArn", role), ("RoleSessionName", "session")];
        let answer = self.query(world, "sts", "AssumeRole", &session)?;
        let access_key = answer.at("AssumeRoleResult/Credentials/AccessKeyId").unwrap_or_default().to_owned();
        Ok(Self { access_key, ..self.clone() })
    }

    /// An operation of a JSON service, by its target: `AmazonSQS.SendMessage`.
    pub fn json(&self, world: &mut World, target: &str, input: &Value) -> Result<Value, ApiError> {
        let reply = world.undisturbed(&self.json_call(target, input));
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        if reply.status < 300 {
            return Ok(body);
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = text("__type");
        Err(ApiError::new(reply.status, code.rsplit('#').next().unwrap_or_default().to_owned(), text("message")))
    }

    pub(crate) fn json_call(&self, target: &str, input: &Value) -> Call {
        let version = if target.starts_with("AmazonSQS") { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
        let service = target.split(['.', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let headers = [("x-amz-target", target), ("content-type", version)];
        self.call(&service, (Method::POST, "/", ""), &headers, Bytes::from(input.to_string()))
    }

    /// An operation of a query service (`sns`, `rds`, `iam`, `sts`). The answer is the response element.
    pub fn query(&self, world: &mut World, service: &str, action: &str, members: &[(&str, &str)]) -> Result<Element, ApiError> {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("Action", action).extend_pairs(members).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let reply = world.undisturbed(&self.call(service, (Method::POST, "/", ""), &headers, Bytes::from(body)));
        let answer = Element::parse(&reply.body).unwrap_or_default();
        if reply.status < 300 {
            return Ok(answer);
        }
        let text = |path: &str| answer.at(path).unwrap_or_default().to_owned();
        Err(ApiError::new(reply.status, text("Error/Code"), text("Error/Message")))
    }

    /// An operation of S3: method, path (`/bucket/key`) and query (`encryption`).
    pub fn s3(&self, world: &mut World, target: (Method, &str, &str), body: impl Into<Bytes>) -> Result<Reply, ApiError> {
        self.s3_with(world, target, &[], body)
    }

    /// The same with headers.
    pub fn s3_with(
        &self,
        world: &mut World,
        target: (Method, &str, &str),
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply, ApiError> {
        let reply = world.undisturbed(&self.call("s3", target, headers, body.into()));
        if reply.status < 400 {
            return Ok(reply);
        }
        let answer = Element::parse(&reply.body).unwrap_or_default();
        let text = |name: &str| answer.value(name).unwrap_or_default().to_owned();
        Err(ApiError::new(reply.status, text("Code"), text("Message")))
    }

    fn call(&self, service: &str, (method, path, query): (Method, &str, &str), headers: &[(&str, &str)], body: Bytes) -> Call {
        let mut all = HeaderMap::new();
        let mut put = |name: &str, value: &str| {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                all.insert(name, value);
            }
        };
        put("host", &format!("{service}.{}.amazonaws.com", self.region));
        if !self.access_key.is_empty() {
            let scope = format!("{}/20260101/{}/{service}/aws4_request", self.access_key, self.region);
            put("authorization", &format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"));
        }
        for (name, value) in headers {
            put(name, value);
        }
        Call { method, path: path.to_owned(), query: query.to_owned(), headers: all, body, secure: self.secure }
    }
}
