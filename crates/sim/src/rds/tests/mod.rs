//! Databases as a client meets them: forms in, XML out. Expected values are the API's and the user guides'.

#![allow(clippy::unwrap_used)]

mod clients;
mod clusters;
mod company;
mod deployments;
mod groups;
mod instances;
mod keys;
mod migration;
mod permissions;
mod snapshots;

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};

use super::ClientError;
use crate::http::Call;
use crate::testing::{ACCOUNT, OTHER, REGION, world};
use crate::wire::xml::Element;
use crate::world::{Outcome, World};

/// A call; on failure the status and the code.
fn call(world: &mut World, account: &str, operation: &str, members: &[(&str, &str)]) -> Result<Element, (u16, String)> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", operation).append_pair("Version", "2014-10-31").extend_pairs(members);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    let scope = format!("AWS4-HMAC-SHA256 Credential={account}/20261124/{REGION}/rds/aws4_request, Signature=0");
    headers.insert("authorization", HeaderValue::from_str(&scope).unwrap());
    let body = form.finish().into();
    let call = Call { method: Method::POST, path: "/".to_owned(), query: String::new(), headers, body, secure: true };
    world.advance(world.now());
    let Outcome::Answer(reply, _) = world.call(&call) else { panic!("no answer") };
    let document = Element::parse(&reply.body).unwrap();
    if reply.status == 200 {
        let result = document.first(&format!("{operation}Result")).cloned();
        return Ok(result.unwrap_or_default());
    }
    Err((reply.status, document.at("Error/Code").unwrap().to_owned()))
}

fn ok(world: &mut World, operation: &str, members: &[(&str, &str)]) -> Element {
    call(world, ACCOUNT, operation, members).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn refused(world: &mut World, operation: &str, members: &[(&str, &str)]) -> (u16, String) {
    call(world, ACCOUNT, operation, members).expect_err("it is refused")
}

fn pass(world: &mut World, time: Duration) {
    world.advance(world.now() + time);
}

const HOUR: Duration = Duration::from_hours(1);

fn create(world: &mut World, name: &str, engine: &str, more: &[(&str, &str)]) -> Element {
    let mut members = vec![("DBInstanceIdentifier", name), ("DBInstanceClass", "db.t3.medium"), ("Engine", engine)];
    if !engine.starts_with("aurora") {
        members.extend([("MasterUsername", "root"), ("MasterUserPassword", "not-a-secret")]);
    }
    members.extend(more);
    let created = ok(world, "CreateDBInstance", &members);
    pass(world, HOUR);
    created
}

fn instance(world: &mut World, name: &str) -> Element {
    let listed = ok(world, "DescribeDBInstances", &[("DBInstanceIdentifier", name)]);
    listed.first("DBInstances").unwrap().first("DBInstance").unwrap().clone()
}

fn apply_status(world: &mut World, name: &str) -> String {
    instance(world, name).at("DBParameterGroups/DBParameterGroup/ParameterApplyStatus").unwrap().to_owned()
}

fn arn(name: &str) -> String {
    format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:{name}")
}

fn group(world: &mut World, name: &str, family: &str) {
    ok(world, "CreateDBParameterGroup", &[("DBParameterGroupName", name), ("DBParameterGroupFamily", family), ("Description", "ours")]);
}

fn set(world: &mut World, group: &str, (name, value, method): (&str, &str, &str)) -> Result<Element, (u16, String)> {
    let members = [
        ("DBParameterGroupName", group),
        ("Parameters.Parameter.1.ParameterName", name),
        ("Parameters.Parameter.1.ParameterValue", value),
        ("Parameters.Parameter.1.ApplyMethod", method),
    ];
    call(world, ACCOUNT, "ModifyDBParameterGroup", &members)
}

fn attach(world: &mut World, name: &str, group: &str) {
    ok(world, "ModifyDBInstance", &[("DBInstanceIdentifier", name), ("DBParameterGroupName", group)]);
    pass(world, HOUR);
}

const MINUTE: Duration = Duration::from_mins(1);

fn snapshot_arn(name: &str) -> String {
    format!("arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:{name}")
}

fn host(world: &mut World, name: &str) -> String {
    instance(world, name).at("Endpoint/Address").unwrap().to_owned()
}

/// `DatabaseConnections`, `WriteIOPS` … of a name in the last minutes, by the minute, as `GetMetricStatistics` tells them.
fn metric(world: &mut World, name: &str, metric: &str, minutes: u32) -> Vec<f64> {
    let (start, end) = (crate::Moment(world.now().0 - u64::from(minutes) * 60_000).iso8601(), world.now().iso8601());
    let members = [
        ("Action", "GetMetricStatistics"),
        ("Namespace", "AWS/RDS"),
        ("MetricName", metric),
        ("Dimensions.member.1.Name", "DBInstanceIdentifier"),
        ("Dimensions.member.1.Value", name),
        ("StartTime", &start),
        ("EndTime", &end),
        ("Period", "60"),
        ("Statistics.member.1", "Maximum"),
    ];
    let (status, answer) = crate::testing::form(world, ACCOUNT, REGION, "monitoring", &members);
    assert_eq!(status, 200, "{answer:?}");
    let points = answer.first("GetMetricStatisticsResult").unwrap().first("Datapoints");
    points.into_iter().flat_map(|list| list.all("member")).map(|point| point.value("Maximum").unwrap().parse().unwrap()).collect()
}
