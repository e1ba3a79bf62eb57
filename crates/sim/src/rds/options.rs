//! Option groups: kept by name, without options. [rds:CreateOptionGroup and its siblings]

use super::create::check_name;
use super::engines::{self, Major};
use super::filters::{Filters, Page};
use super::{Answer, Databases, Place, Request, errors, tags};
use crate::error::ApiError;
use crate::wire::xml::Element;
use crate::world::World;

/// An option group.
#[derive(Debug, Clone)]
pub(super) struct OptionGroup {
    name: String,
    engine: String,
    major: String,
    description: String,
    pub(super) tags: Vec<(String, String)>,
}

/// `default:mysql-8-0`: what a database has where nobody says. [RDS: Working with option groups]
pub(super) fn default_of(major: &Major) -> String {
    format!("default:{}-{}", major.engine, major.number.replace('.', "-"))
}

/// The group exists and is for the engine.
pub(super) fn check(databases: &Databases, name: &str, major: &Major) -> Result<(), ApiError> {
    if name == default_of(major) {
        return Ok(());
    }
    let group = databases.option_groups.get(&name.to_ascii_lowercase()).ok_or_else(|| not_found(name))?;
    if group.engine == major.engine && group.major == major.number {
        return Ok(());
    }
    Err(errors::combination(format!("The option group {name} is for {} {}.", group.engine, group.major)))
}

fn not_found(name: &str) -> ApiError {
    ApiError::new(404, "OptionGroupNotFoundFault", format!("Specified OptionGroupName: {name} not found."))
}

pub(super) fn create(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    let (engine, major) = (form.need("EngineName")?, form.need("MajorEngineVersion")?);
    if !engines::MAJORS.iter().any(|one| one.engine == engine && one.number == major) {
        return Err(errors::value(format!("Invalid engine {engine} {major}")));
    }
    let group = OptionGroup {
        name: form.need("OptionGroupName")?.to_ascii_lowercase(),
        engine: engine.to_owned(),
        major: major.to_owned(),
        description: form.need("OptionGroupDescription")?.to_owned(),
        tags: tags::of(form)?,
    };
    keep(world, request, group)
}

/// A default group can't be copied. [rds:CopyOptionGroup]
pub(super) fn copy(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    let source = form.need("SourceOptionGroupIdentifier")?;
    let found = world.rds.at(&request.place).option_groups.get(&super::filters::identifier(source)).cloned();
    let mut group = found.ok_or_else(|| not_found(source))?;
    group.name = form.need("TargetOptionGroupIdentifier")?.to_ascii_lowercase();
    form.need("TargetOptionGroupDescription")?.clone_into(&mut group.description);
    group.tags = tags::of(form)?;
    keep(world, request, group)
}

fn keep(world: &mut World, request: &Request<'_>, group: OptionGroup) -> Answer {
    check_name("OptionGroupName", &group.name, 255)?;
    let groups = &mut world.rds.at(&request.place).option_groups;
    if groups.contains_key(&group.name) {
        return Err(ApiError::bad_request(
            "OptionGroupAlreadyExistsFault",
            format!("An option group with the name {} already exists.", group.name),
        ));
    }
    let shown = element(&request.place, &group);
    groups.insert(group.name.clone(), group);
    Ok(Element::default().child(shown))
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Answer {
    let name = request.form.need("OptionGroupName")?.to_ascii_lowercase();
    let databases = world.rds.at(&request.place);
    if databases.instances.values().any(|one| one.option_group == name) || name.starts_with("default:") {
        return Err(ApiError::bad_request("InvalidOptionGroupStateFault", format!("The option group {name} is in use or a default one.")));
    }
    databases.option_groups.remove(&name).map(|_| Element::default()).ok_or_else(|| not_found(&name))
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    Filters::of(form, &[])?;
    let page = Page::of(form)?;
    let groups = &world.rds.at(&request.place).option_groups;
    if let Some(name) = form.get("OptionGroupName") {
        let group = groups.get(&name.to_ascii_lowercase()).ok_or_else(|| not_found(name))?;
        return Ok(Element::default().child(Element::new("OptionGroupsList").child(element(&request.place, group))));
    }
    let (engine, major) = (form.get("EngineName"), form.get("MajorEngineVersion"));
    let wanted = groups
        .range::<str, _>(page.from())
        .filter(|(_, group)| engine.is_none_or(|engine| engine == group.engine) && major.is_none_or(|major| major == group.major));
    Ok(page.listed("OptionGroupsList", wanted.map(|(name, group)| (name.clone(), element(&request.place, group)))))
}

fn element(place: &Place, group: &OptionGroup) -> Element {
    Element::new("OptionGroup")
        .text("OptionGroupName", &group.name)
        .text("OptionGroupDescription", &group.description)
        .text("EngineName", &group.engine)
        .text("MajorEngineVersion", &group.major)
        .child(Element::new("Options"))
        .text("AllowsVpcAndNonVpcInstanceMemberships", true)
        .text("OptionGroupArn", place.arn("og", &group.name))
}
