//! RDS Proxy: a proxy, its one target group, and the database in it. [rds:CreateDBProxy and its siblings]
//!
//! A target is a database, not a name: what is renamed stays the target. After a switch-over it is the green one.
//! [RDS: Blue/green deployments with RDS Proxy]

use std::time::Duration;

use super::create::check_name;
use super::filters::{Filters, Page};
use super::transitions::Event;
use super::{Answer, Databases, Place, Request, choices, errors, storage, tags};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::query::{self, Form};
use crate::wire::xml::Element;
use crate::world::{self, World};

/// A proxy.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    name: String,
    /// The ARN's last part.
    pub(super) id: String,
    pub(super) status: &'static str,
    family: String,
    role: String,
    subnets: Vec<String>,
    security_groups: Vec<String>,
    secrets: Vec<String>,
    require_tls: bool,
    idle: String,
    debug: bool,
    created: Moment,
    updated: Moment,
    /// The instance or the cluster behind it, by resource id.
    pub(super) target: Option<String>,
    pub(super) tags: Vec<(String, String)>,
}

fn not_found(name: &str) -> ApiError {
    ApiError::new(404, "DBProxyNotFoundFault", format!("DBProxy {name} not found."))
}

/// Engines of a family. [rds:CreateDBProxy `EngineFamily`]
fn family_of(engine: &str) -> &'static str {
    match engine {
        "mysql" | "mariadb" | "aurora-mysql" => "MYSQL",
        "postgres" | "aurora-postgresql" => "POSTGRESQL",
        _ if engine.starts_with("sqlserver") => "SQLSERVER",
        _ => "",
    }
}

/// The host name that clients of a proxy use.
pub(super) fn endpoint(place: &Place, name: &str) -> String {
    storage::endpoint(place, &format!("{name}.proxy")).replacen(".proxy.c", ".proxy-c", 1)
}

pub(super) fn create(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let name = form.need("DBProxyName")?.to_ascii_lowercase();
    check_name("DBProxyName", &name, 63)?;
    let family = form.need("EngineFamily")?.to_owned();
    if !["MYSQL", "POSTGRESQL", "SQLSERVER"].contains(&family.as_str()) {
        return Err(errors::value(format!("Invalid engine family: {family}")));
    }
    let role = form.need("RoleArn")?.to_owned();
    choices::pass_role(world, request, &role, "rds.amazonaws.com")?;
    let subnets = form.values("VpcSubnetIds.member");
    if subnets.is_empty() {
        return Err(ApiError::bad_request("MissingParameter", "The request must contain the parameter VpcSubnetIds."));
    }
    if world.rds.at(place).proxies.contains_key(&name) {
        return Err(ApiError::bad_request("DBProxyAlreadyExistsFault", format!("DBProxy {name} already exists.")));
    }
    let security_groups = form.values("VpcSecurityGroupIds.member");
    let now = world.now();
    let proxy = Proxy {
        name: name.clone(),
        id: format!("prx-{}", world.hex(17)),
        status: "creating",
        family,
        role,
        subnets,
        security_groups: if security_groups.is_empty() { vec![storage::default_security_group(place)] } else { security_groups },
        secrets: form.list("Auth.member").iter().filter_map(|auth| auth.get("SecretArn").map(str::to_owned)).collect(),
        require_tls: form.get("RequireTLS") == Some("true"),
        idle: form.get("IdleClientTimeout").unwrap_or("1800").to_owned(),
        debug: form.get("DebugLogging") == Some("true"),
        created: now,
        updated: now,
        target: None,
        tags: tags::of(form)?,
    };
    world.rds.at(place).proxies.insert(name.clone(), proxy);
    pass(world, place, &name, Duration::from_mins(5))
}

/// It is told of, and available after a while.
fn pass(world: &mut World, place: &Place, name: &str, takes: Duration) -> Answer {
    let after = world.transition(takes);
    world.later(after, world::Event::Rds(Event::Proxy { place: place.clone(), name: name.to_owned() }));
    let proxy = world.rds.at(place).proxies.get(name).ok_or_else(|| not_found(name))?;
    Ok(Element::default().child(element(place, proxy, "DBProxy")))
}

/// A transition ends.
pub(super) fn done(databases: &mut Databases, name: &str) {
    match databases.proxies.get_mut(name) {
        Some(proxy) if proxy.status == "deleting" => {
            databases.proxies.remove(name);
        }
        Some(proxy) => proxy.status = "available",
        None => {}
    }
}

fn find<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Proxy, ApiError> {
    let name = request.form.need("DBProxyName")?.to_ascii_lowercase();
    world.rds.at(&request.place).proxies.get_mut(&name).ok_or_else(|| not_found(&name))
}

fn available<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Proxy, ApiError> {
    let proxy = find(world, request)?;
    if proxy.status == "available" {
        return Ok(proxy);
    }
    Err(ApiError::bad_request("InvalidDBProxyStateFault", format!("DBProxy {} is not in available state.", proxy.name)))
}

/// A request speaks of the proxy's only target group.
fn check_group(form: &Form) -> Result<(), ApiError> {
    match form.get("TargetGroupName") {
        None | Some("default") => Ok(()),
        Some(other) => Err(ApiError::new(404, "DBProxyTargetGroupNotFoundFault", format!("DBProxyTargetGroup {other} not found."))),
    }
}

pub(super) fn modify(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let name = available(world, request)?.name.clone();
    if let Some(role) = form.get("RoleArn") {
        choices::pass_role(world, request, role, "rds.amazonaws.com")?;
    }
    let new = form.get("NewDBProxyName").map(str::to_ascii_lowercase).filter(|new| *new != name);
    if new.as_ref().is_some_and(|new| world.rds.at(place).proxies.contains_key(new)) {
        return Err(ApiError::bad_request("DBProxyAlreadyExistsFault", "A DBProxy with that name already exists."));
    }
    let now = world.now();
    let proxy = available(world, request)?;
    if let Some(required) = form.get("RequireTLS") {
        proxy.require_tls = required == "true";
    }
    if let Some(role) = form.get("RoleArn") {
        role.clone_into(&mut proxy.role);
    }
    if let Some(idle) = form.get("IdleClientTimeout") {
        idle.clone_into(&mut proxy.idle);
    }
    if let Some(debug) = form.get("DebugLogging") {
        proxy.debug = debug == "true";
    }
    let groups = form.values("SecurityGroups.member");
    if !groups.is_empty() {
        proxy.security_groups = groups;
    }
    (proxy.status, proxy.updated) = ("modifying", now);
    let mut shown = name.clone();
    if let Some(new) = new {
        let databases = world.rds.at(place);
        if let Some(mut proxy) = databases.proxies.remove(&name) {
            new.clone_into(&mut proxy.name);
            databases.proxies.insert(new.clone(), proxy);
        }
        shown = new;
    }
    pass(world, place, &shown, Duration::from_secs(30))
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Answer {
    let proxy = find(world, request)?;
    proxy.status = "deleting";
    let name = proxy.name.clone();
    pass(world, &request.place, &name, Duration::from_mins(5))
}

/// A proxy has one database behind it. [RDS: RDS Proxy quotas and limitations: "each proxy can be associated with a single
/// target DB instance"]
pub(super) fn register(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    check_group(form)?;
    let proxy = available(world, request)?.clone();
    let (id, engine) = named(world.rds.at(place), form)?;
    if proxy.target.as_ref() == Some(&id) {
        let message = format!("The target is already registered with DBProxy {}.", proxy.name);
        return Err(ApiError::bad_request("DBProxyTargetAlreadyRegisteredFault", message));
    }
    if proxy.target.is_some() {
        let message = format!("DBProxy {} has a target already: deregister it first.", proxy.name);
        return Err(ApiError::bad_request("InvalidDBProxyStateFault", message));
    }
    if family_of(engine) != proxy.family {
        return Err(errors::combination(format!("A database of {engine} can't be a target of a proxy of {}.", proxy.family)));
    }
    find(world, request)?.target = Some(id.clone());
    let list = Element::new("DBProxyTargets").children(targets(world.rds.at(place), place, &id));
    Ok(Element::default().child(list))
}

/// The one database that a request names: its resource id and engine.
fn named(databases: &Databases, form: &Form) -> Result<(String, &'static str), ApiError> {
    let instances = form.values("DBInstanceIdentifiers.member");
    let clusters = form.values("DBClusterIdentifiers.member");
    match (instances.as_slice(), clusters.as_slice()) {
        ([name], []) => {
            let name = name.to_ascii_lowercase();
            let found = databases.instances.get(&name).ok_or_else(|| errors::instance_not_found(&name))?;
            if found.cluster.is_some() {
                return Err(errors::instance_state(format!("DB instance {name} is a member of a cluster: register the cluster.")));
            }
            Ok((found.resource_id.clone(), found.engine))
        }
        ([], [name]) => {
            let name = name.to_ascii_lowercase();
            let found = databases.clusters.get(&name).ok_or_else(|| errors::cluster_not_found(&name))?;
            Ok((found.resource_id.clone(), found.engine))
        }
        _ => Err(errors::combination("Specify one DB instance or one DB cluster.")),
    }
}

pub(super) fn deregister(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    check_group(form)?;
    available(world, request)?;
    let (id, _) = named(world.rds.at(place), form)?;
    let proxy = find(world, request)?;
    if proxy.target.as_ref() != Some(&id) {
        let message = format!("The target is not registered with DBProxy {}.", proxy.name);
        return Err(ApiError::new(404, "DBProxyTargetNotFoundFault", message));
    }
    proxy.target = None;
    Ok(query::nothing())
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    Filters::of(form, &[])?;
    let page = Page::of(form)?;
    if form.get("DBProxyName").is_some() {
        let proxy = find(world, request)?;
        return Ok(Element::default().child(Element::new("DBProxies").child(element(place, proxy, "member"))));
    }
    let all = world.rds.at(place).proxies.range::<str, _>(page.from());
    Ok(page.listed("DBProxies", all.map(|(name, proxy)| (name.clone(), element(place, proxy, "member")))))
}

fn element(place: &Place, proxy: &Proxy, name: &'static str) -> Element {
    let list = |name: &'static str, all: &[String]| all.iter().fold(Element::new(name), |list, one| list.text("member", one));
    let auth = proxy
        .secrets
        .iter()
        .map(|secret| Element::new("member").text("AuthScheme", "SECRETS").text("SecretArn", secret).text("IAMAuth", "DISABLED"));
    Element::new(name)
        .text("DBProxyName", &proxy.name)
        .text("DBProxyArn", place.arn("db-proxy", &proxy.id))
        .text("Status", proxy.status)
        .text("EngineFamily", &proxy.family)
        .text("VpcId", storage::vpc_id(place))
        .child(list("VpcSecurityGroupIds", &proxy.security_groups))
        .child(list("VpcSubnetIds", &proxy.subnets))
        .child(Element::new("Auth").children(auth))
        .text("RoleArn", &proxy.role)
        .text("Endpoint", endpoint(place, &proxy.name))
        .text("RequireTLS", proxy.require_tls)
        .text("IdleClientTimeout", &proxy.idle)
        .text("DebugLogging", proxy.debug)
        .text("CreatedDate", proxy.created.iso8601())
        .text("UpdatedDate", proxy.updated.iso8601())
}

pub(super) fn describe_groups(world: &mut World, request: &Request<'_>) -> Answer {
    check_group(&request.form)?;
    let place = &request.place;
    let proxy = find(world, request)?;
    let pool = Element::new("ConnectionPoolConfig").text("MaxConnectionsPercent", 100).text("MaxIdleConnectionsPercent", 50);
    let group = Element::new("member")
        .text("DBProxyName", &proxy.name)
        .text("TargetGroupName", "default")
        .text("TargetGroupArn", place.arn("target-group", &proxy.id.replacen("prx-", "prx-tg-", 1)))
        .text("IsDefault", true)
        .text("Status", proxy.status)
        .child(pool.text("ConnectionBorrowTimeout", 120))
        .text("CreatedDate", proxy.created.iso8601())
        .text("UpdatedDate", proxy.updated.iso8601());
    Ok(Element::default().child(Element::new("TargetGroups").child(group)))
}

pub(super) fn describe_targets(world: &mut World, request: &Request<'_>) -> Answer {
    check_group(&request.form)?;
    let target = find(world, request)?.target.clone();
    let databases = world.rds.at(&request.place);
    let list = target.iter().flat_map(|id| targets(databases, &request.place, id));
    Ok(Element::default().child(Element::new("Targets").children(list)))
}

/// `DBProxyTarget`s: the instance, or the cluster with its members.
fn targets(databases: &Databases, place: &Place, id: &str) -> Vec<Element> {
    let health = |is_up: bool| {
        let health = Element::new("TargetHealth").text("State", if is_up { "AVAILABLE" } else { "UNAVAILABLE" });
        if is_up { health } else { health.text("Reason", "UNREACHABLE") }
    };
    let instance = |one: &super::Instance, cluster: Option<&str>| {
        Element::new("member")
            .text("Endpoint", storage::endpoint(place, &one.identifier))
            .maybe("TrackedClusterId", cluster)
            .text("RdsResourceId", &one.identifier)
            .text("Port", one.port)
            .text("Type", "RDS_INSTANCE")
            .text("Role", if one.follows.is_none() { "READ_WRITE" } else { "READ_ONLY" })
            .child(health(one.runs() && databases.lets_in(&one.identifier)))
    };
    if let Some(one) = databases.instance_of(id) {
        return vec![instance(one, None)];
    }
    let Some(cluster) = databases.clusters.values().find(|one| one.resource_id == id) else { return Vec::new() };
    let tracked = Element::new("member")
        .text("Endpoint", storage::cluster_endpoint(place, &cluster.identifier))
        .text("RdsResourceId", &cluster.identifier)
        .text("Port", cluster.port)
        .text("Type", "TRACKED_CLUSTER");
    let members = cluster.members.iter().filter_map(|name| databases.instances.get(name));
    [tracked].into_iter().chain(members.map(|one| instance(one, Some(&cluster.identifier)))).collect()
}
