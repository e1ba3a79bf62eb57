//! What AWS offers: parameters of groups, engine versions, certificate authorities.

use super::filters::{Filters, Page};
use super::groups::{self, Group, GroupKind};
use super::parameters::{self, Parameter};
use super::{Answer, Request, engines, errors};
use crate::error::ApiError;
use crate::wire::xml::Element;
use crate::world::World;

/// Authorities, with the end of their validity. [RDS: Using SSL/TLS to encrypt a connection, certificate authorities]
const AUTHORITIES: &[(&str, &str)] = &[
    ("rds-ca-ecc384-g1", "2121-05-25T23:03:37.000Z"),
    ("rds-ca-rsa2048-g1", "2061-05-25T22:49:55.000Z"),
    ("rds-ca-rsa4096-g1", "2121-05-25T22:54:22.000Z"),
];

/// The authority exists. [rds:ModifyDBInstance: `CertificateNotFound`]
pub(super) fn check_authority(name: &str) -> Result<(), ApiError> {
    if AUTHORITIES.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    Err(ApiError::new(404, "CertificateNotFound", format!("Certificate not found: {name}")))
}

/// `CertificateDetails`: a server certificate ends with its authority here.
pub(super) fn certificate_details(authority: &str) -> Element {
    let till = AUTHORITIES.iter().find(|(known, _)| *known == authority).map(|(_, till)| *till);
    Element::new("CertificateDetails").text("CAIdentifier", authority).maybe("ValidTill", till)
}

pub(super) fn certificates(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    let overridden = world.rds.at(&request.place).authority.clone();
    Filters::of(form, &[])?;
    let wanted = form.get("CertificateIdentifier");
    wanted.map_or(Ok(()), check_authority)?;
    let region = &request.place.region;
    let shown = AUTHORITIES.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name)).map(|(name, till)| {
        Element::new("Certificate")
            .text("CertificateIdentifier", name)
            .text("CertificateType", "CA")
            .text("CertificateArn", format!("arn:aws:rds:{region}::cert:{name}"))
            .text("ValidFrom", "2021-05-25T22:00:00.000Z")
            .text("ValidTill", till)
            .text("CustomerOverride", overridden.as_deref() == Some(*name))
    });
    let list = Element::new("Certificates").children(shown);
    Ok(Element::default().text("DefaultCertificateForNewLaunches", world.rds.at(&request.place).authority()).child(list))
}

/// Another default for new instances, or AWS's own again. [rds:ModifyCertificates]
pub(super) fn modify_certificates(world: &mut World, request: &Request<'_>) -> Answer {
    let wanted = request.form.get("CertificateIdentifier");
    wanted.map_or(Ok(()), check_authority)?;
    let databases = world.rds.at(&request.place);
    databases.authority = if request.form.get("RemoveCustomerOverride") == Some("true") { None } else { wanted.map(str::to_owned) };
    let name = wanted.unwrap_or(super::instances::DEFAULT_CA).to_owned();
    let is_override = databases.authority.is_some();
    let shown = Element::new("Certificate").text("CertificateIdentifier", name).text("CertificateType", "CA");
    Ok(Element::default().child(shown.text("CustomerOverride", is_override)))
}

pub(super) fn engine_versions(request: &Request<'_>) -> Answer {
    let form = &request.form;
    let page = Page::of(form)?;
    let filters = Filters::of(form, &["db-parameter-group-family", "engine", "engine-mode", "engine-version", "status"])?;
    let (engine, version) = (form.get("Engine"), form.get("EngineVersion"));
    let family = form.get("DBParameterGroupFamily");
    let all = engines::MAJORS.iter().flat_map(|major| major.versions.iter().map(move |version| (major, *version)));
    let wanted = all.filter(|(major, offered)| {
        engine.is_none_or(|engine| engine == major.engine)
            && version.is_none_or(|version| version == *offered || version == major.number)
            && family.is_none_or(|family| family == major.family)
            && filters.pass(|name| match name {
                "engine" => major.engine.to_owned(),
                "engine-version" => (*offered).to_owned(),
                "db-parameter-group-family" => major.family.to_owned(),
                "status" => "available".to_owned(),
                _ => "provisioned".to_owned(),
            })
    });
    let elements = wanted.map(|(major, version)| {
        let element = Element::new("DBEngineVersion")
            .text("Engine", major.engine)
            .text("EngineVersion", version)
            .text("MajorEngineVersion", major.number)
            .text("DBParameterGroupFamily", major.family)
            .text("DBEngineDescription", major.engine)
            .text("Status", "available")
            .text("SupportsCertificateRotationWithoutRestart", engines::rotates_while_running(major.engine))
            .child(AUTHORITIES.iter().fold(Element::new("SupportedCACertificateIdentifiers"), |list, (name, _)| list.text("member", name)));
        (format!("{}/{version}", major.engine), element)
    });
    // The list's order is its own, not the alphabet's: a marker is found by being met.
    let marker = form.get("Marker").filter(|marker| !marker.is_empty());
    let rest = elements.skip_while(|(name, _)| marker.is_some_and(|marker| marker != name));
    let skip = usize::from(marker.is_some());
    Ok(page.listed("DBEngineVersions", rest.skip(skip)))
}

/// A group's parameters, at most 100 at a time: those of its family, with what a user set. [rds:DescribeDBParameters]
pub(super) fn parameters(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let form = &request.form;
    let name = match kind {
        GroupKind::Instance => form.need("DBParameterGroupName")?,
        GroupKind::Cluster => form.need("DBClusterParameterGroupName")?,
    };
    let source = form.get("Source").filter(|source| !source.is_empty());
    if let Some(source) = source.filter(|source| !["user", "system", "engine-default"].contains(source)) {
        return Err(errors::value(format!("Invalid source: {source}")));
    }
    let filters = Filters::of(form, &["parameter-name"])?;
    let page = Page::of(form)?;
    let group = groups::find(world.rds.at(&request.place), kind, name)?;
    let all = parameters::of(group.family, kind == GroupKind::Cluster);
    let after = form.get("Marker").filter(|marker| !marker.is_empty());
    let rows = all.iter().filter(|one| after.is_none_or(|after| one.name > after)).filter_map(|parameter| {
        let set = group.values.get(parameter.name);
        let from = if set.is_some() { "user" } else { parameter.source() };
        let wanted = source.is_none_or(|source| source == from) && filters.pass(|_| parameter.name.to_owned());
        wanted.then(|| (parameter.name.to_owned(), row(parameter, group, from)))
    });
    Ok(page.listed("Parameters", rows))
}

fn row(parameter: &Parameter, group: &Group, source: &str) -> Element {
    let set = group.values.get(parameter.name).map(String::as_str);
    let at_once = set.is_some() && !group.deferred.contains(parameter.name) && !parameter.is_static();
    Element::new("Parameter")
        .text("ParameterName", parameter.name)
        .maybe("ParameterValue", set.or(parameter.value))
        .text("Source", source)
        .text("ApplyType", parameter.apply_type())
        .text("DataType", parameter.data_type())
        .maybe("AllowedValues", (!parameter.allowed.is_empty()).then_some(parameter.allowed))
        .text("IsModifiable", parameter.is_modifiable())
        .text("ApplyMethod", if at_once { "immediate" } else { "pending-reboot" })
}
