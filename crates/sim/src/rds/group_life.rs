//! Parameter groups are copied, and set back to what their family has. [rds:CopyDBParameterGroup, rds:ResetDBParameterGroup
//! and their cluster siblings]

use super::filters::identifier;
use super::groups::{self, GroupKind};
use super::parameters::{self, Parameter};
use super::{Answer, Request, errors, tags};
use crate::error::ApiError;
use crate::wire::xml::Element;
use crate::world::World;

/// "You can't copy a default parameter group." [rds:CopyDBParameterGroup]
pub(super) fn copy(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let form = &request.form;
    let element = kind.element();
    let source = identifier(form.need(&format!("Source{element}Identifier"))?);
    let target = form.need(&format!("Target{element}Identifier"))?.to_ascii_lowercase();
    let description = form.need(&format!("Target{element}Description"))?.to_owned();
    if source.starts_with("default.") {
        return Err(errors::value("Cannot copy a default parameter group. Create a new parameter group instead."));
    }
    let databases = world.rds.at(&request.place);
    let original = groups::find(databases, kind, &source)?.clone();
    let copy = original.copy(&target, description, tags::of(form)?);
    groups::keep(databases, &request.place, kind, copy)
}

/// A value that a user set goes; dynamic ones at once, static ones with the reboot.
pub(super) fn reset(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let form = &request.form;
    let name = form.need(kind.name_member())?.to_ascii_lowercase();
    if name.starts_with("default.") {
        return Err(ApiError::bad_request("InvalidDBParameterGroupState", "Cannot modify a default parameter group."));
    }
    let databases = world.rds.at(&request.place);
    let group = groups::find(databases, kind, &name)?;
    let is_all = form.get("ResetAllParameters") == Some("true");
    let named = form.list("Parameters.Parameter");
    if is_all != named.is_empty() {
        return Err(errors::combination("Specify either ResetAllParameters or Parameters."));
    }
    let all = parameters::of(group.family, kind == GroupKind::Cluster);
    let mut reset: Vec<(Parameter, bool)> = Vec::new();
    if is_all {
        let set = all.into_iter().filter(|parameter| group.values.contains_key(parameter.name));
        reset.extend(set.map(|parameter| (parameter, !parameter.is_static())));
    }
    for item in &named {
        let name = item.need("ParameterName")?;
        let parameter = parameters::find(group.family, kind == GroupKind::Cluster, name);
        let parameter = parameter.ok_or_else(|| errors::value(format!("Could not find parameter with name: {name}")))?;
        let at_once = item.get("ApplyMethod") != Some("pending-reboot");
        if at_once && parameter.is_static() {
            return Err(errors::combination("cannot use immediate apply method for static parameter"));
        }
        reset.push((parameter, at_once));
    }
    for (parameter, _) in &reset {
        group.values.remove(parameter.name);
        group.deferred.remove(parameter.name);
    }
    for (parameter, at_once) in &reset {
        groups::tell(databases, kind, &name, (parameter.name, None, *at_once));
    }
    Ok(Element::default().text(kind.name_member(), name))
}
