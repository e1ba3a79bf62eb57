//! AWS JSON 1.0 and 1.1.

use serde_json::{Map, Value, json};

use super::{Protocol, Route};
use crate::error::ApiError;
use crate::http::{Call, Reply};

/// The input: an object, empty where the body is.
pub fn input(call: &Call) -> Result<Map<String, Value>, ApiError> {
    if call.body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&call.body) {
        Ok(Value::Object(input)) => Ok(input),
        _ => Err(ApiError::bad_request("SerializationException", "The request body is not a JSON object.")),
    }
}

/// The answer of an operation, in the protocol of its request.
pub fn reply(route: &Route, result: Result<Value, ApiError>) -> Reply {
    let content_type = match route.protocol {
        Protocol::Json10 => "application/x-amz-json-1.0",
        Protocol::Json11 | Protocol::Query | Protocol::Cbor | Protocol::RestXml => "application/x-amz-json-1.1",
    };
    match result {
        Ok(Value::Null) => Reply::new(200, content_type, ""),
        Ok(output) => Reply::new(200, content_type, output.to_string()),
        Err(error) => self::error(&error),
    }
}

/// An error.
pub fn error(error: &ApiError) -> Reply {
    let mut body = json!({ "__type": error.code, "message": error.message });
    for (name, value) in &error.details {
        body[*name] = json!(value);
    }
    let reply = Reply::new(error.status, "application/x-amz-json-1.1", body.to_string()).header("x-amzn-errortype", &error.code);
    match &error.query_code {
        Some(code) => reply.header("x-amzn-query-error", &format!("{code};Sender")),
        None => reply,
    }
}

/// A required text member.
pub fn text<'a>(input: &'a Map<String, Value>, name: &str) -> Result<&'a str, ApiError> {
    input.get(name).and_then(Value::as_str).ok_or_else(|| missing(name))
}

/// An optional text member.
pub fn optional<'a>(input: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str)
}

/// An optional whole number.
pub fn number(input: &Map<String, Value>, name: &str) -> Option<i64> {
    input.get(name).and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()))
}

fn missing(name: &str) -> ApiError {
    let message = format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null");
    ApiError::bad_request("ValidationException", message)
}
