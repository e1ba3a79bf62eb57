//! What a request chooses for an instance: read, filled in, and refused where AWS refuses it.

use super::instances::{Domain, Secret};
use super::members::Settings;
use super::{Place, Request, engines, errors, keys};
use crate::access::RequestContext;
use crate::error::ApiError;
use crate::wire::query::Form;
use crate::world::{Ask, World};

const STORAGE: &[&str] = &["gp2", "gp3", "io1", "io2", "standard", "aurora", "aurora-iopt1"];
const INTERVALS: &[&str] = &["0", "1", "5", "10", "15", "30", "60"];

/// Combinations that AWS refuses. [rds:CreateDBInstance, rds:ModifyDBInstance, member by member]
pub(super) fn check(settings: &Settings, engine: &str) -> Result<(), ApiError> {
    let kind = settings.get("StorageType").unwrap_or("gp2");
    if !STORAGE.contains(&kind) {
        return Err(errors::value(format!("Invalid storage type: {kind}")));
    }
    if ["io1", "io2"].contains(&kind) && settings.get("Iops").is_none() && !engines::is_clustered(engine) {
        return Err(errors::combination(format!("You must specify both the storage size and iops when using the storage type {kind}.")));
    }
    if kind != "gp3" && settings.get("StorageThroughput").is_some() {
        return Err(errors::combination("You can specify a storage throughput only when using the gp3 storage type."));
    }
    let interval = settings.get("MonitoringInterval").unwrap_or("0");
    if !INTERVALS.contains(&interval) {
        return Err(errors::value(format!("Invalid monitoring interval: {interval}. Valid values are 0, 1, 5, 10, 15, 30, 60")));
    }
    if interval != "0" && settings.get("MonitoringRoleArn").is_none() {
        return Err(errors::combination("A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."));
    }
    let size = settings.number("AllocatedStorage").unwrap_or(20);
    if settings.number("MaxAllocatedStorage").is_some_and(|most| most < size) {
        return Err(errors::combination("Max storage size must be greater than storage size"));
    }
    if settings.get("BackupRetentionPeriod").is_some_and(|days| !days.parse().is_ok_and(|days: u8| days <= 35)) {
        return Err(errors::value("Invalid backup retention period. Must be between 0 and 35."));
    }
    if !settings.is_on("PerformanceInsightsEnabled") {
        for name in ["PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod"] {
            if settings.get(name).is_some() {
                return Err(errors::combination(format!("{name} can't be specified when Performance Insights is not enabled.")));
            }
        }
    }
    if settings.get("DatabaseInsightsMode") == Some("advanced") && !settings.is_on("PerformanceInsightsEnabled") {
        return Err(errors::combination("To enable the Advanced mode of Database Insights, Performance Insights must be enabled."));
    }
    Ok(())
}

/// What AWS chooses where nobody says.
pub(super) fn fill(settings: &mut Settings, engine: &str, request: &Request<'_>) {
    settings.set_default("LicenseModel", engines::license(engine));
    settings.set_default("AvailabilityZone", &format!("{}a", request.place.region));
    // The default VPC has an internet gateway; subnet groups that are named here have none. [`PubliclyAccessible`]
    let is_public = request.form.get("DBSubnetGroupName").is_none_or(|name| name == "default");
    settings.set_default("PubliclyAccessible", if is_public { "true" } else { "false" });
    if ["mysql", "postgres"].contains(&engine) {
        settings.set_default("EngineLifecycleSupport", "open-source-rds-extended-support");
    }
    if settings.is_on("PerformanceInsightsEnabled") {
        settings.set_default("PerformanceInsightsRetentionPeriod", "7");
    }
}

/// The port; 1150 to 65535. [rds:CreateDBInstance `Port`]
pub(super) fn port(form: &Form, member: &str, default: u16) -> Result<u16, ApiError> {
    let Some(text) = form.get(member) else { return Ok(default) };
    text.parse().ok().filter(|port| *port >= 1150).ok_or_else(|| errors::value(format!("Invalid database port: {text}")))
}

/// The groups of a request, else the VPC's default one.
pub(super) fn security_groups(form: &Form, place: &Place) -> Result<Vec<String>, ApiError> {
    let named = form.values("VpcSecurityGroupIds.VpcSecurityGroupId");
    if let Some(bad) = named.iter().find(|group| !group.starts_with("sg-")) {
        return Err(errors::value(format!("Invalid security group , groupId= {bad}, groupName=.")));
    }
    Ok(if named.is_empty() { vec![super::storage::default_security_group(place)] } else { named })
}

pub(super) fn processor(form: &Form) -> Vec<(String, String)> {
    form.pairs("ProcessorFeatures.ProcessorFeature", "Name", "Value")
}

/// Members of requests with those of answers. [rds:DomainMembership]
const DOMAIN: &[(&str, &str)] = &[
    ("Domain", "Domain"),
    ("DomainFqdn", "FQDN"),
    ("DomainIAMRoleName", "IAMRoleName"),
    ("DomainOu", "OU"),
    ("DomainAuthSecretArn", "AuthSecretArn"),
];

pub(super) fn domain(form: &Form) -> Option<Domain> {
    let members: Vec<_> = DOMAIN.iter().filter_map(|(request, answer)| Some((*answer, form.get(request)?.to_owned()))).collect();
    let dns = form.values("DomainDnsIps.member");
    (!members.is_empty()).then_some(Domain { members, dns })
}

/// A secret that Secrets Manager keeps for the master user. [RDS: Password management with AWS Secrets Manager]
pub(super) fn secret(world: &mut World, request: &Request<'_>, resource_id: &str) -> Result<Option<Secret>, ApiError> {
    if request.form.get("ManageMasterUserPassword") != Some("true") {
        return Ok(None);
    }
    let key = match request.form.get("MasterUserSecretKmsKeyId") {
        Some(key) => keys::grant(world, request.origin, key, resource_id)?.0,
        None => "alias/aws/secretsmanager".to_owned(),
    };
    let Place { account, region } = &request.place;
    let arn = format!("arn:aws:secretsmanager:{region}:{account}:secret:rds!db-{}-{}", world.uuid(), world.hex(6));
    Ok(Some(Secret { arn, key }))
}

/// Who hands a role to RDS must be allowed to. [IAM: Granting a user permissions to pass a role]
pub(super) fn pass_role(world: &World, request: &Request<'_>, role: &str, to: &str) -> Result<(), ApiError> {
    let is_role = role.starts_with("arn:") && role.contains(":role/");
    if !is_role {
        return Err(errors::value(format!("The IAM role ARN {role} is not valid.")));
    }
    let mut context = RequestContext::new();
    context.insert("iam:passedtoservice".to_owned(), vec![to.to_owned()]);
    let ask = Ask { action: "iam:PassRole", resource: role, owner: &request.place.account, document: None, context };
    world.permit(request.origin, &ask).map_err(|denial| ApiError::new(403, "AccessDenied", denial.message))
}

/// The role of enhanced monitoring, which has a service of its own.
pub(super) fn pass_monitoring_role(world: &World, request: &Request<'_>) -> Result<(), ApiError> {
    let Some(role) = request.form.get("MonitoringRoleArn").filter(|role| !role.is_empty()) else { return Ok(()) };
    pass_role(world, request, role, "monitoring.rds.amazonaws.com")
}
