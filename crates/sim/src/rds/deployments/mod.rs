//! Blue/green deployments: a green copy that follows, is switched to, or is given up. [rds:CreateBlueGreenDeployment and its
//! siblings; RDS: Using blue/green deployments]
//!
//! A deployment knows its databases by resource id, so that it tells of them by the names that they have now.

mod create;
mod green;
mod switchover;

use std::time::Duration;

pub(super) use create::create;
pub(crate) use switchover::Step;
pub(super) use switchover::{delete, happen, switch};

use super::filters::{Filters, Page};
use super::{Answer, Databases, Place, Request, tags};
use crate::access::RequestContext;
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::world::{Ask, World};

/// A blue/green deployment.
#[derive(Debug, Clone)]
pub(super) struct Deployment {
    identifier: String,
    name: String,
    status: Status,
    details: Option<String>,
    /// Blue and green databases; the first pair is the source's.
    pairs: Vec<Pair>,
    tasks: Vec<(&'static str, &'static str)>,
    created: Moment,
    deleted: Option<Moment>,
    pub(super) tags: Vec<(String, String)>,
    /// Of the present try to switch over: how many there have been.
    tries: u32,
}

/// A database and its copy: resource ids.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair {
    kind: Kind,
    blue: String,
    green: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Instance,
    Cluster,
}

/// [rds:BlueGreenDeployment `Status`]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Provisioning,
    Available,
    SwitchoverInProgress,
    SwitchoverCompleted,
    SwitchoverFailed,
    Deleting,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Available => "AVAILABLE",
            Self::SwitchoverInProgress => "SWITCHOVER_IN_PROGRESS",
            Self::SwitchoverCompleted => "SWITCHOVER_COMPLETED",
            Self::SwitchoverFailed => "SWITCHOVER_FAILED",
            Self::Deleting => "DELETING",
        }
    }
}

impl Databases {
    /// The database, by resource id, has a part in a deployment that isn't over.
    pub(super) fn is_deployed(&self, resource_id: &str) -> bool {
        let is_over = |one: &&Deployment| matches!(one.status, Status::SwitchoverCompleted | Status::Deleting);
        let live = self.deployments.values().filter(|one| !is_over(one));
        live.flat_map(|one| &one.pairs).any(|pair| pair.blue == resource_id || pair.green == resource_id)
    }

    /// Its ARN by the name that it has now.
    fn arn_of(&self, place: &Place, kind: Kind, resource_id: &str) -> Option<String> {
        match kind {
            Kind::Instance => self.instance_of(resource_id).map(|one| place.arn("db", &one.identifier)),
            Kind::Cluster => {
                let found = self.clusters.values().find(|one| one.resource_id == resource_id);
                found.map(|one| place.arn("cluster", &one.identifier))
            }
        }
    }
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let filters = Filters::of(form, &["blue-green-deployment-identifier", "blue-green-deployment-name", "source", "target"])?;
    let page = Page::of(form)?;
    let databases = &*world.rds.at(place);
    if let Some(name) = form.get("BlueGreenDeploymentIdentifier") {
        let name = name.to_ascii_lowercase();
        let deployment = databases.deployments.get(&name).ok_or_else(|| not_found(&name))?;
        let list = Element::new("BlueGreenDeployments").child(element(place, databases, deployment, "member"));
        return Ok(Element::default().child(list));
    }
    let wanted = databases.deployments.range::<str, _>(page.from()).filter(|(_, one)| {
        let end = |pick: fn(&Pair) -> &String| {
            one.pairs.first().and_then(|pair| databases.arn_of(place, pair.kind, pick(pair))).unwrap_or_default()
        };
        filters.pass(|name| match name {
            "blue-green-deployment-identifier" => one.identifier.clone(),
            "blue-green-deployment-name" => one.name.clone(),
            "source" => end(|pair| &pair.blue),
            _ => end(|pair| &pair.green),
        })
    });
    Ok(page.listed("BlueGreenDeployments", wanted.map(|(name, one)| (name.clone(), element(place, databases, one, "member")))))
}

fn not_found(name: &str) -> ApiError {
    ApiError::new(404, "BlueGreenDeploymentNotFoundFault", format!("BlueGreenDeployment {name} not found."))
}

fn wrong_state(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidBlueGreenDeploymentStateFault", message)
}

fn shown(world: &mut World, place: &Place, name: &str) -> Answer {
    let databases = &*world.rds.at(place);
    let deployment = databases.deployments.get(name).ok_or_else(|| not_found(name))?;
    Ok(Element::default().child(element(place, databases, deployment, "BlueGreenDeployment")))
}

fn element(place: &Place, databases: &Databases, deployment: &Deployment, name: &'static str) -> Element {
    let Deployment { identifier, name: given, status, details, pairs, tasks, created, deleted, tags, tries: _ } = deployment;
    let source = pairs.first().and_then(|pair| databases.arn_of(place, pair.kind, &pair.blue));
    let target = pairs.first().and_then(|pair| databases.arn_of(place, pair.kind, &pair.green));
    let detail = |pair: &Pair| {
        let (blue, green) = (databases.arn_of(place, pair.kind, &pair.blue), databases.arn_of(place, pair.kind, &pair.green));
        let state = match (&blue, &green) {
            (None, _) => "MISSING_SOURCE",
            (_, None) => "MISSING_TARGET",
            _ if *status == Status::Deleting => Status::Available.as_str(),
            _ => status.as_str(),
        };
        Element::new("member").maybe("SourceMember", blue).maybe("TargetMember", green).text("Status", state)
    };
    let task = |(name, status): &(&str, &str)| Element::new("member").text("Name", *name).text("Status", *status);
    Element::new(name)
        .text("BlueGreenDeploymentIdentifier", identifier)
        .text("BlueGreenDeploymentName", given)
        .maybe("Source", source)
        .maybe("Target", target)
        .child(Element::new("SwitchoverDetails").children(pairs.iter().map(detail)))
        .child(Element::new("Tasks").children(tasks.iter().map(task)))
        .text("Status", status.as_str())
        .maybe("StatusDetails", details.as_ref())
        .text("CreateTime", created.iso8601())
        .maybe("DeleteTime", deleted.map(Moment::iso8601))
        .child(tags::element(tags))
}

/// What a deployment does to databases its caller must be allowed to do. [RDS: Authorizing access to blue/green deployment
/// operations]
fn permit(world: &World, request: &Request<'_>, actions: &[&str], resource: &str) -> Result<(), ApiError> {
    for action in actions {
        let ask = Ask { action, resource, owner: &request.place.account, document: None, context: RequestContext::new() };
        world.permit(request.origin, &ask).map_err(|denial| ApiError::new(403, "AccessDenied", denial.message))?;
    }
    Ok(())
}

/// Half of what it takes until the green side is there.
const PROVISIONING: Duration = Duration::from_mins(25);

impl World {
    /// Whether an account's region takes `TargetKmsKeyId` of a blue/green deployment: it does, until it is told not to, as
    /// regions that don't have this yet are.
    pub fn set_target_key_support(&mut self, account: &str, region: &str, is_supported: bool) {
        let place = Place { account: account.to_owned(), region: region.to_owned() };
        self.rds.at(&place).refuses_target_key = !is_supported;
    }
}
