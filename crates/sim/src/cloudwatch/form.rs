//! One plain form for three protocols: JSON values, in which a time is written as [`time`] says.
//!
//! RPC v2 CBOR is what the Rust SDK speaks, JSON 1.0 what boto3 1.43 does (its model names all three), query what older
//! clients do.

use std::io::Read;

use bytes::Bytes;
use ciborium::Value as Cbor;
use flate2::read::GzDecoder;
use serde_json::{Map, Number, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::wire::query;
use crate::wire::xml::Element;
use crate::wire::{Protocol, Route, cbor, json as plain};
use crate::world::World;

const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";
/// Bytes of a request's body, decompressed. [cloudwatch:PutMetricData: 1 MB compressed; what it unpacks to is bounded here]
const MOST: u64 = 16 << 20;
/// The one member of a structure that is a time.
const TIME: &str = "\u{0}time";

/// A time in an output.
pub(super) fn time(at: Moment) -> Value {
    json!({ TIME: at.0 })
}

/// The input, whatever it was written in. Times are seconds since the epoch, or text in query.
pub(super) fn input(route: &Route, call: &Call) -> Result<Map<String, Value>, ApiError> {
    if call.header("content-encoding").eq_ignore_ascii_case("gzip") {
        let mut plain = call.clone();
        plain.body = decompressed(&call.body)?;
        plain.headers.remove("content-encoding");
        return input(route, &plain);
    }
    match route.protocol {
        Protocol::Cbor => match of_cbor(&cbor::input(call)?) {
            Value::Object(input) => Ok(input),
            _ => Err(ApiError::bad_request("SerializationException", "The request body is not a map.")),
        },
        Protocol::Query => Ok(of_form(call)),
        Protocol::Json10 | Protocol::Json11 | Protocol::RestXml => plain::input(call),
    }
}

/// The answer in the protocol of its request.
pub(super) fn reply(world: &mut World, route: &Route, result: Result<Value, ApiError>) -> Reply {
    match route.protocol {
        Protocol::Cbor => {
            let code = result.as_ref().err().and_then(|error| error.query_code.clone());
            let reply = cbor::reply(result.map(|output| to_cbor(&output)));
            // The query protocol's code, for clients that knew the service by it. [Smithy: awsQueryCompatible]
            match code {
                Some(code) => reply.header("x-amzn-query-error", &format!("{code};Sender")),
                None => reply,
            }
        }
        Protocol::Query => {
            let output = result.map(|output| to_element(Element::default(), &output));
            query::reply(&route.operation, NAMESPACE, &world.uuid(), output)
        }
        Protocol::Json10 | Protocol::Json11 | Protocol::RestXml => plain::reply(route, result.map(|output| to_json(&output))),
    }
}

/// SDKs compress large `PutMetricData`. [Smithy: requestCompression]
fn decompressed(body: &[u8]) -> Result<Bytes, ApiError> {
    let mut plain = Vec::new();
    let mut reader = GzDecoder::new(body).take(MOST);
    reader.read_to_end(&mut plain).map_err(|_| ApiError::bad_request("SerializationException", "The request body is not gzip."))?;
    Ok(Bytes::from(plain))
}

fn of_cbor(value: &Cbor) -> Value {
    match value {
        Cbor::Bool(value) => json!(value),
        Cbor::Integer(value) => i64::try_from(*value).map_or(Value::Null, |value| json!(value)),
        Cbor::Float(value) => json!(value),
        Cbor::Text(value) => json!(value),
        Cbor::Array(values) => values.iter().map(of_cbor).collect(),
        Cbor::Map(members) => {
            let member = |(name, value): &(Cbor, Cbor)| Some((name.as_text()?.to_owned(), of_cbor(value)));
            Value::Object(members.iter().filter_map(member).collect())
        }
        // Tag 1 is a time in seconds.
        Cbor::Tag(_, value) => of_cbor(value),
        _ => Value::Null,
    }
}

fn as_time(value: &Value) -> Option<Moment> {
    value.get(TIME)?.as_u64().map(Moment)
}

fn to_cbor(value: &Value) -> Cbor {
    if let Some(at) = as_time(value) {
        return Cbor::Tag(1, Box::new(Cbor::Float(at.epoch_seconds())));
    }
    match value {
        Value::Null => Cbor::Map(Vec::new()),
        Value::Bool(value) => Cbor::Bool(*value),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Cbor::Float(number.as_f64().unwrap_or_default()), |value| Cbor::Integer(value.into()))
        }
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Array(values) => Cbor::Array(values.iter().map(to_cbor).collect()),
        Value::Object(members) => Cbor::Map(members.iter().map(|(name, value)| (Cbor::Text(name.clone()), to_cbor(value))).collect()),
    }
}

fn to_json(value: &Value) -> Value {
    if let Some(at) = as_time(value) {
        return json!(at.epoch_seconds());
    }
    match value {
        Value::Array(values) => values.iter().map(to_json).collect(),
        Value::Object(members) => Value::Object(members.iter().map(|(name, value)| (name.clone(), to_json(value))).collect()),
        other => other.clone(),
    }
}

fn to_element(element: Element, value: &Value) -> Element {
    let Value::Object(members) = value else { return element };
    members.iter().fold(element, |element, (name, value)| element.child(named(name, value)))
}

fn named(name: &str, value: &Value) -> Element {
    let text = |text: String| Element::default().text(name.to_owned(), text);
    if let Some(at) = as_time(value) {
        return first(&text(at.iso8601()), name);
    }
    match value {
        Value::Array(values) => Element::new(name.to_owned()).children(values.iter().map(|value| named("member", value))),
        Value::Object(_) => to_element(Element::new(name.to_owned()), value),
        Value::String(value) => first(&text(value.clone()), name),
        other => first(&text(other.to_string()), name),
    }
}

/// An element that holds text can only be made inside another.
fn first(outer: &Element, name: &str) -> Element {
    outer.first(name).cloned().unwrap_or_default()
}

/// `Dimensions.member.1.Name=…` as nested lists and structures.
fn of_form(call: &Call) -> Map<String, Value> {
    let mut root = Map::new();
    for (name, value) in form_urlencoded::parse(&call.body) {
        let path: Vec<&str> = name.split('.').filter(|part| *part != "member").collect();
        put(&mut root, &path, &value);
    }
    root.into_iter().map(|(name, value)| (name, lists(value))).collect()
}

fn put(members: &mut Map<String, Value>, path: &[&str], value: &str) {
    match path {
        [] => {}
        [name] => {
            members.insert((*name).to_owned(), json!(value));
        }
        [name, rest @ ..] => {
            let inner = members.entry((*name).to_owned()).or_insert_with(|| json!({}));
            if let Some(inner) = inner.as_object_mut() {
                put(inner, rest, value);
            }
        }
    }
}

/// A structure whose members are all numbers is a list.
fn lists(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let numbered: Option<Vec<(u32, Value)>> =
        members.iter().map(|(name, value)| Some((name.parse().ok()?, lists(value.clone())))).collect();
    match numbered {
        Some(mut items) if !items.is_empty() => {
            items.sort_by_key(|(number, _)| *number);
            items.into_iter().map(|(_, value)| value).collect()
        }
        _ => Value::Object(members.into_iter().map(|(name, value)| (name, lists(value))).collect()),
    }
}

/// A number, written as one or as text.
pub(super) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// A whole number, written as one or as text.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A boolean, written as one or as text.
pub(super) fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.parse().ok())
}

/// A time: seconds since the epoch, or RFC 3339.
pub(super) fn moment(value: &Value) -> Option<Moment> {
    let seconds = match value.as_str() {
        Some(text) => {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit into 53 bits")]
            let of = |at: OffsetDateTime| (at.unix_timestamp_nanos() / 1_000_000) as f64 / 1000.0;
            OffsetDateTime::parse(text, &Rfc3339).map(of).ok()?
        }
        None => value.as_f64()?,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative times become the epoch")]
    (seconds.is_finite()).then(|| Moment((seconds.max(0.0) * 1000.0).round() as u64))
}

/// A double in an output, which stays one where it is whole.
pub(super) fn double(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
