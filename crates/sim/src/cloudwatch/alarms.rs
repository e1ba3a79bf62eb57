//! Alarms: kept, described, and published to topics as `cloudwatch.amazonaws.com` when their state is set.
//!
//! They are not evaluated against metrics: a state changes where `SetAlarmState` or the seeding door says so.

use serde_json::{Map, Value, json};

use super::form::{time, truth, whole};
use super::{invalid, missing, permit, validation};
use crate::access::Caller;
use crate::error::ApiError;
use crate::moment::Moment;
use crate::sns::{self, Publication};
use crate::tally::Undelivered;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// An alarm.
#[derive(Debug)]
pub(crate) struct Alarm {
    name: String,
    /// As given, with defaults.
    configuration: Map<String, Value>,
    state: String,
    reason: String,
    configured: Moment,
    changed: Moment,
}

fn arn_of(origin: &Origin, name: &str) -> String {
    origin.arn("cloudwatch", &format!("alarm:{name}"))
}

/// Making one anew keeps its state. [cloudwatch:PutMetricAlarm]
pub(super) fn put(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let name = input_of::optional(input, "AlarmName").filter(|name| !name.is_empty()).ok_or_else(|| missing("AlarmName"))?;
    let arn = arn_of(origin, name);
    permit(world, origin, "PutMetricAlarm", &arn)?;
    for member in ["EvaluationPeriods", "ComparisonOperator"] {
        if !input.contains_key(member) {
            return Err(validation(format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
            )));
        }
    }
    let known = ["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"];
    let operator = input_of::optional(input, "ComparisonOperator").unwrap_or_default();
    if !known.contains(&operator) {
        return Err(invalid(format!("The value {operator} for parameter ComparisonOperator is invalid.")));
    }
    let mut configuration = input.clone();
    configuration.retain(|member, _| !matches!(member.as_str(), "Action" | "Version" | "Tags" | "AlarmName"));
    // What a form writes as text.
    for member in ["Period", "EvaluationPeriods", "DatapointsToAlarm"] {
        if let Some(number) = configuration.get(member).and_then(whole) {
            configuration.insert(member.to_owned(), json!(number));
        }
    }
    if let Some(threshold) = configuration.get("Threshold").and_then(super::form::number) {
        configuration.insert("Threshold".to_owned(), super::form::double(threshold));
    }
    let enabled = configuration.get("ActionsEnabled").and_then(truth).unwrap_or(true);
    configuration.insert("ActionsEnabled".to_owned(), json!(enabled));
    for member in ["AlarmActions", "OKActions", "InsufficientDataActions", "Dimensions"] {
        configuration.entry(member).or_insert_with(|| json!([]));
    }
    let now = world.now();
    let alarm = world.cloudwatch.alarms.entry(arn).or_insert_with(|| Alarm {
        name: name.to_owned(),
        configuration: Map::new(),
        state: "INSUFFICIENT_DATA".to_owned(),
        reason: "Unchecked: Initial alarm creation".to_owned(),
        configured: now,
        changed: now,
    });
    alarm.configuration = configuration;
    alarm.configured = now;
    Ok(Value::Null)
}

pub(super) fn describe(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    permit(world, origin, "DescribeAlarms", &arn_of(origin, "*"))?;
    let names: Vec<&str> = input.get("AlarmNames").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let prefix = input_of::optional(input, "AlarmNamePrefix").unwrap_or_default();
    let state = input_of::optional(input, "StateValue");
    let most = input.get("MaxRecords").and_then(whole).unwrap_or(50).clamp(1, 100);
    let after = input_of::optional(input, "NextToken").unwrap_or_default();
    let ours = arn_of(origin, "");
    let mut matching = world.cloudwatch.alarms.iter().filter(|(arn, alarm)| {
        arn.starts_with(&ours)
            && alarm.name.as_str() > after
            && (names.is_empty() || names.contains(&alarm.name.as_str()))
            && alarm.name.starts_with(prefix)
            && state.is_none_or(|state| state == alarm.state)
    });
    let page: Vec<(&String, &Alarm)> = matching.by_ref().take(usize::try_from(most).unwrap_or(50)).collect();
    let mut output =
        json!({ "MetricAlarms": page.iter().map(|(arn, alarm)| described(arn, alarm)).collect::<Vec<_>>(), "CompositeAlarms": [] });
    if let (Some((_, last)), Some(_)) = (page.last(), matching.next()) {
        output["NextToken"] = json!(last.name);
    }
    Ok(output)
}

fn described(arn: &str, alarm: &Alarm) -> Value {
    let mut described = Value::Object(alarm.configuration.clone());
    described["AlarmName"] = json!(alarm.name);
    described["AlarmArn"] = json!(arn);
    described["StateValue"] = json!(alarm.state);
    described["StateReason"] = json!(alarm.reason);
    described["AlarmConfigurationUpdatedTimestamp"] = time(alarm.configured);
    described["StateUpdatedTimestamp"] = time(alarm.changed);
    described["StateTransitionedTimestamp"] = time(alarm.changed);
    described
}

/// Where one of several is not there, none is deleted. [cloudwatch:DeleteAlarms]
pub(super) fn delete(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let names = input.get("AlarmNames").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let arns: Vec<String> = names.map(|name| arn_of(origin, name)).collect();
    for arn in &arns {
        permit(world, origin, "DeleteAlarms", arn)?;
        if !world.cloudwatch.alarms.contains_key(arn) {
            return Err(not_found(arn));
        }
    }
    for arn in &arns {
        world.cloudwatch.alarms.remove(arn);
    }
    Ok(Value::Null)
}

fn not_found(arn: &str) -> ApiError {
    ApiError::new(404, "ResourceNotFound", format!("Unknown alarm: {arn}"))
}

pub(super) fn set_state(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let name = input_of::optional(input, "AlarmName").ok_or_else(|| missing("AlarmName"))?;
    let state = input_of::optional(input, "StateValue").ok_or_else(|| missing("StateValue"))?;
    let reason = input_of::optional(input, "StateReason").ok_or_else(|| missing("StateReason"))?;
    let arn = arn_of(origin, name);
    permit(world, origin, "SetAlarmState", &arn)?;
    if !["OK", "ALARM", "INSUFFICIENT_DATA"].contains(&state) {
        return Err(validation(format!(
            "1 validation error detected: Value '{state}' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
        )));
    }
    change(world, &arn, state, reason)?;
    Ok(Value::Null)
}

/// An alarm changes its state, and says so where its actions are.
pub(super) fn change(world: &mut World, arn: &str, state: &str, reason: &str) -> Result<(), ApiError> {
    let now = world.now();
    let alarm = world.cloudwatch.alarms.get_mut(arn).ok_or_else(|| not_found(arn))?;
    let old = std::mem::replace(&mut alarm.state, state.to_owned());
    reason.clone_into(&mut alarm.reason);
    if old == state {
        return Ok(());
    }
    alarm.changed = now;
    let actions = match state {
        "ALARM" => "AlarmActions",
        "OK" => "OKActions",
        _ => "InsufficientDataActions",
    };
    let enabled = alarm.configuration.get("ActionsEnabled") == Some(&json!(true));
    let topics: Vec<String> = alarm
        .configuration
        .get(actions)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|action| enabled && action.contains(":sns:"))
        .map(str::to_owned)
        .collect();
    let message = message(arn, alarm, &old);
    let subject = format!("{state}: \"{}\" in {}", alarm.name, arn.split(':').nth(3).unwrap_or_default());
    for topic in topics {
        publish(world, arn, &topic, Publication { message: message.clone(), subject: Some(subject.clone()), ..Publication::default() });
    }
    Ok(())
}

fn message(arn: &str, alarm: &Alarm, old: &str) -> String {
    let of = |member: &str| alarm.configuration.get(member).cloned().unwrap_or(Value::Null);
    json!({
        "AlarmName": alarm.name,
        "AlarmDescription": of("AlarmDescription"),
        "AWSAccountId": arn.split(':').nth(4),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": alarm.changed.iso8601(),
        "Region": arn.split(':').nth(3),
        "AlarmArn": arn,
        "OldStateValue": old,
        "Trigger": {
            "MetricName": of("MetricName"), "Namespace": of("Namespace"), "Statistic": of("Statistic"), "Dimensions": of("Dimensions"),
            "Period": of("Period"), "EvaluationPeriods": of("EvaluationPeriods"), "ComparisonOperator": of("ComparisonOperator"),
            "Threshold": of("Threshold"),
        },
    })
    .to_string()
}

/// `CloudWatch` publishes as itself and does not try again. [`CloudWatch`: Notifying users on alarm changes]
fn publish(world: &mut World, arn: &str, topic: &str, publication: Publication) {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let region = topic.split(':').nth(3).unwrap_or_default().to_owned();
    let origin = Origin { caller: Caller::service("cloudwatch.amazonaws.com", arn, account), region, secure: true };
    match sns::publish(world, &origin, topic, publication) {
        Ok(_) => world.tally.delivered(arn, topic),
        Err(error) => {
            let at = world.now();
            world.tally.undelivered(Undelivered { at, from: arn.to_owned(), to: topic.to_owned(), why: error.to_string(), lost: true });
        }
    }
}

/// An alarm that publishes to a topic, in no state yet.
pub(super) fn seed(world: &mut World, arn: &str, topic: &str) {
    let now = world.now();
    let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
    let configuration = json!({
        "ActionsEnabled": true, "AlarmActions": [topic], "OKActions": [topic], "InsufficientDataActions": [], "Dimensions": [],
        "MetricName": "KMSKeyAccessDenied", "Namespace": "AWS/Firehose", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    let configuration = configuration.as_object().cloned().unwrap_or_default();
    let alarm = Alarm { name, configuration, state: "OK".to_owned(), reason: String::new(), configured: now, changed: now };
    world.cloudwatch.alarms.insert(arn.to_owned(), alarm);
}
