//! Automated backups, of instances that are there and of those that went without theirs; maintenance that waits.
//! [rds:DescribeDBInstanceAutomatedBackups, rds:DescribePendingMaintenanceActions]

use super::filters::{Filters, Page};
use super::instances::Instance;
use super::{Answer, Place, Request};
use crate::error::ApiError;
use crate::wire::xml::Element;
use crate::world::World;

fn arn(place: &Place, instance: &Instance) -> String {
    place.arn("auto-backup", &format!("ab-{}", instance.resource_id.trim_start_matches("db-").to_ascii_lowercase()))
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let filters = Filters::of(form, &["status", "db-instance-id", "dbi-resource-id"])?;
    let page = Page::of(form)?;
    let databases = &*world.rds.at(place);
    let active = databases.instances.values().filter(|one| one.retention() > 0 && one.cluster.is_none()).map(|one| (one, "active"));
    let retained = databases.retained.values().map(|one| (one, "retained"));
    let mut found: Vec<_> = active
        .chain(retained)
        .filter(|(one, status)| {
            form.get("DbiResourceId").is_none_or(|id| id == one.resource_id)
                && form.get("DBInstanceIdentifier").is_none_or(|name| name.eq_ignore_ascii_case(&one.identifier))
                && form.get("DBInstanceAutomatedBackupsArn").is_none_or(|wanted| wanted == arn(place, one))
                && filters.pass(|name| match name {
                    "status" => (*status).to_owned(),
                    "db-instance-id" => one.identifier.clone(),
                    _ => one.resource_id.clone(),
                })
        })
        .collect();
    found.sort_by(|one, other| one.0.resource_id.cmp(&other.0.resource_id));
    if found.is_empty() && (form.get("DbiResourceId").is_some() || form.get("DBInstanceAutomatedBackupsArn").is_some()) {
        return Err(not_found());
    }
    let after = form.get("Marker").filter(|marker| !marker.is_empty());
    let rows = found.into_iter().filter(|(one, _)| after.is_none_or(|after| one.resource_id.as_str() > after));
    Ok(page.listed("DBInstanceAutomatedBackups", rows.map(|(one, status)| (one.resource_id.clone(), element(place, one, status)))))
}

fn not_found() -> ApiError {
    ApiError::new(404, "DBInstanceAutomatedBackupNotFound", "No automated backup for this DB instance was found.")
}

fn element(place: &Place, instance: &Instance, status: &str) -> Element {
    let settings = &instance.settings;
    let element = Element::new("DBInstanceAutomatedBackup")
        .text("DBInstanceArn", place.arn("db", &instance.identifier))
        .text("DbiResourceId", &instance.resource_id)
        .text("Region", &place.region)
        .text("DBInstanceIdentifier", &instance.identifier)
        .text("Status", status)
        .text("Engine", instance.engine)
        .text("EngineVersion", &instance.version)
        .text("Port", instance.port)
        .text("AllocatedStorage", settings.get("AllocatedStorage").unwrap_or("20"))
        .text("InstanceCreateTime", instance.created.iso8601())
        .text("BackupRetentionPeriod", instance.retention())
        .maybe("MasterUsername", settings.get("MasterUsername"))
        .text("DBInstanceAutomatedBackupsArn", arn(place, instance))
        .child(Element::new("DBInstanceAutomatedBackupsReplications"));
    instance.storage.members(element, "Encrypted")
}

/// Those of an instance that is gone. [rds:DeleteDBInstanceAutomatedBackup]
pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Answer {
    let id = request.form.need("DbiResourceId")?;
    let databases = world.rds.at(&request.place);
    if databases.instance_of(id).is_some() {
        let message = "The automated backups of a DB instance that is there can't be deleted.";
        return Err(ApiError::bad_request("InvalidDBInstanceAutomatedBackupState", message));
    }
    let backup = databases.retained.remove(id).ok_or_else(not_found)?;
    Ok(Element::default().child(element(&request.place, &backup, "deleting")))
}

/// Nothing waits for maintenance but what `PendingModifiedValues` tells: AWS plans none of its own here.
pub(super) fn pending_maintenance(request: &Request<'_>) -> Answer {
    Filters::of(&request.form, &["db-cluster-id", "db-instance-id"])?;
    Page::of(&request.form)?;
    Ok(Element::default().child(Element::new("PendingMaintenanceActions")))
}
