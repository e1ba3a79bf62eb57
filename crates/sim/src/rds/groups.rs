//! Parameter groups. Default groups exist as soon as somebody names them and can't be changed.
//! [rds:CreateDBParameterGroup, rds:ModifyDBParameterGroup; RDS: Parameter groups]

use std::collections::{BTreeMap, BTreeSet};

use super::create::check_name;
use super::filters::{Filters, Page};
use super::parameters::{self, Parameter};
use super::{Answer, Databases, Place, Request, engines, errors, tags};
use crate::error::ApiError;
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::world::World;

/// Parameters of one call. [rds:ModifyDBParameterGroup "A maximum of 20 parameters can be modified in a single request"]
const MOST_PER_CALL: usize = 20;

/// Whose parameters; also: whose snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupKind {
    Instance,
    Cluster,
}

impl GroupKind {
    pub(super) const fn name_member(self) -> &'static str {
        match self {
            Self::Instance => "DBParameterGroupName",
            Self::Cluster => "DBClusterParameterGroupName",
        }
    }

    /// Whose it is.
    const fn of(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Cluster => "cluster",
        }
    }

    pub(super) const fn arn_kind(self) -> &'static str {
        match self {
            Self::Instance => "pg",
            Self::Cluster => "cluster-pg",
        }
    }

    pub(super) const fn element(self) -> &'static str {
        match self {
            Self::Instance => "DBParameterGroup",
            Self::Cluster => "DBClusterParameterGroup",
        }
    }
}

/// A parameter group.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) family: &'static str,
    description: String,
    /// What a user set.
    pub(super) values: BTreeMap<&'static str, String>,
    /// Those of them that were set to be applied at the next reboot.
    pub(super) deferred: BTreeSet<&'static str>,
    pub(super) tags: Vec<(String, String)>,
}

/// The group of a name; a default one is made where its family is known.
pub(super) fn find<'w>(databases: &'w mut Databases, kind: GroupKind, name: &str) -> Result<&'w mut Group, ApiError> {
    let name = name.to_ascii_lowercase();
    if !databases.groups(kind).contains_key(&name) {
        let default = name.strip_prefix("default.").and_then(engines::of_family);
        let engine = default.ok_or_else(|| errors::group_not_found(&name))?;
        let description = format!("Default parameter group for {}", engine.family);
        let group = Group {
            name: name.clone(),
            family: engine.family,
            description,
            values: BTreeMap::new(),
            deferred: BTreeSet::new(),
            tags: Vec::new(),
        };
        databases.groups_mut(kind).insert(name.clone(), group);
    }
    databases.groups_mut(kind).get_mut(&name).ok_or_else(|| errors::group_not_found(&name))
}

/// The same, where it fits a database of a family.
pub(super) fn of_family<'w>(databases: &'w mut Databases, kind: GroupKind, name: &str, family: &str) -> Result<&'w mut Group, ApiError> {
    let group = find(databases, kind, name)?;
    if group.family == family {
        return Ok(group);
    }
    Err(errors::combination(format!(
        "The Parameter Group {} with DBParameterGroupFamily {} cannot be used for this {}. Please use a Parameter Group with \
         DBParameterGroupFamily {family}",
        group.name,
        group.family,
        kind.of()
    )))
}

pub(super) fn create(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let form = &request.form;
    let name = form.need(kind.name_member())?.to_ascii_lowercase();
    let family = form.need("DBParameterGroupFamily")?;
    let description = form.need("Description")?.to_owned();
    let Some(engine) = engines::of_family(family) else {
        return Err(errors::value(format!("ParameterGroupFamily {family} is not a valid parameter group family")));
    };
    let group =
        Group { name, family: engine.family, description, values: BTreeMap::new(), deferred: BTreeSet::new(), tags: tags::of(form)? };
    keep(world.rds.at(&request.place), &request.place, kind, group)
}

/// A new group.
pub(super) fn keep(databases: &mut Databases, place: &Place, kind: GroupKind, group: Group) -> Answer {
    check_name(kind.name_member(), &group.name, 255)?;
    if databases.groups(kind).contains_key(&group.name) {
        let message = format!("Parameter group {} already exists", group.name);
        return Err(ApiError::bad_request("DBParameterGroupAlreadyExists", message));
    }
    let element = element(kind, place, &group);
    databases.groups_mut(kind).insert(group.name.clone(), group);
    Ok(Element::default().child(element))
}

impl Group {
    /// The same under another name.
    pub(super) fn copy(&self, name: &str, description: String, tags: Vec<(String, String)>) -> Self {
        Self { name: name.to_owned(), description, tags, ..self.clone() }
    }
}

pub(super) fn delete(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let name = request.form.need(kind.name_member())?.to_ascii_lowercase();
    let databases = world.rds.at(&request.place);
    if name.starts_with("default.") {
        let message = format!("Default DBParameterGroup cannot be deleted: {name}");
        return Err(ApiError::bad_request("InvalidDBParameterGroupState", message));
    }
    let in_use = match kind {
        GroupKind::Instance => databases.instances.values().any(|instance| instance.group.name == name),
        GroupKind::Cluster => databases.clusters.values().any(|cluster| cluster.group == name),
    };
    if in_use {
        let message = "One or more database instances are still members of this parameter group, so the group cannot be deleted";
        return Err(ApiError::bad_request("InvalidDBParameterGroupState", message));
    }
    databases.groups_mut(kind).remove(&name).map(|_| Element::default()).ok_or_else(|| errors::group_not_found(&name))
}

pub(super) fn describe(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let form = &request.form;
    Filters::of(form, &[])?;
    let page = Page::of(form)?;
    let databases = world.rds.at(&request.place);
    let list = match kind {
        GroupKind::Instance => "DBParameterGroups",
        GroupKind::Cluster => "DBClusterParameterGroups",
    };
    if let Some(name) = form.get(kind.name_member()) {
        let group = find(databases, kind, name)?;
        let element = element(kind, &request.place, group);
        return Ok(Element::default().child(Element::new(list).child(element)));
    }
    let groups = databases.groups(kind).range::<str, _>(page.from());
    Ok(page.listed(list, groups.map(|(name, group)| (name.clone(), element(kind, &request.place, group)))))
}

fn element(kind: GroupKind, place: &Place, group: &Group) -> Element {
    Element::new(kind.element())
        .text(kind.name_member(), &group.name)
        .text("DBParameterGroupFamily", group.family)
        .text("Description", &group.description)
        .text(format!("{}Arn", kind.element()), place.arn(kind.arn_kind(), &group.name))
}

/// A parameter that a request sets.
struct Setting {
    parameter: Parameter,
    value: String,
    at_once: bool,
}

/// All or nothing.
pub(super) fn modify(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let name = request.form.need(kind.name_member())?.to_ascii_lowercase();
    let databases = world.rds.at(&request.place);
    let group = find(databases, kind, &name)?;
    if name.starts_with("default.") {
        return Err(errors::value("Cannot modify a default parameter group."));
    }
    let settings = settings(&request.form, group.family, kind)?;
    for setting in &settings {
        group.values.insert(setting.parameter.name, setting.value.clone());
        if setting.at_once {
            group.deferred.remove(setting.parameter.name);
        } else {
            group.deferred.insert(setting.parameter.name);
        }
    }
    for setting in &settings {
        tell(databases, kind, &name, (setting.parameter.name, Some(&setting.value), setting.at_once));
    }
    Ok(Element::default().text(kind.name_member(), name))
}

fn settings(form: &Form, family: &str, kind: GroupKind) -> Result<Vec<Setting>, ApiError> {
    let asked = form.list("Parameters.Parameter");
    if asked.is_empty() {
        return Err(ApiError::bad_request("MissingParameter", "The request must contain the parameter Parameters."));
    }
    if asked.len() > MOST_PER_CALL {
        return Err(errors::value(format!("A maximum of {MOST_PER_CALL} parameters can be modified in a single request.")));
    }
    asked.iter().map(|item| setting(item, family, kind)).collect()
}

fn setting(item: &Form, family: &str, kind: GroupKind) -> Result<Setting, ApiError> {
    let (name, value) = (item.need("ParameterName")?, item.need("ParameterValue")?);
    let Some(parameter) = parameters::find(family, kind == GroupKind::Cluster, name) else {
        return Err(errors::value(format!("Could not find parameter with name: {name}")));
    };
    if !parameter.is_modifiable() {
        return Err(errors::value(format!("The parameter {name} cannot be modified.")));
    }
    if !parameter.allows(value) {
        let allowed = parameter.allowed;
        return Err(errors::value(format!("Invalid parameter value: {value} for: {name} allowed values are: {allowed}")));
    }
    let at_once = match item.need("ApplyMethod")? {
        "immediate" => true,
        "pending-reboot" => false,
        other => return Err(errors::value(format!("Invalid apply method: {other}"))),
    };
    if at_once && parameter.is_static() {
        return Err(errors::combination("cannot use immediate apply method for static parameter"));
    }
    // "You can't use pending-reboot with dynamic parameters on RDS for SQL Server DB instances." [rds:Parameter ApplyMethod]
    if !at_once && !parameter.is_static() && family.starts_with("sqlserver") {
        return Err(errors::combination("cannot use pending-reboot apply method for dynamic parameter"));
    }
    Ok(Setting { parameter, value: value.to_owned(), at_once })
}

/// Databases that have the group hear of the change: of which parameter, to what (none: the family's own), at once or not.
pub(super) fn tell(databases: &mut Databases, kind: GroupKind, group: &str, change: (&'static str, Option<&str>, bool)) {
    let (parameter, value, at_once) = change;
    for instance in databases.instances.values_mut() {
        let attachment = match kind {
            GroupKind::Instance => Some(&mut instance.group),
            GroupKind::Cluster => instance.cluster_group.as_mut(),
        };
        if let Some(attachment) = attachment.filter(|attachment| attachment.name == group) {
            attachment.changed(parameter, value, at_once);
        }
    }
}
