//! What the policy wants of databases, compared with what AWS says.

use std::collections::BTreeMap;

use super::desired::is_of_rds;
use super::observed::{DbCluster, DbEndpoint, DbInstance, StorageEncryption};
use super::{ca, encryption, live_check, migration, proxy_tls, tls};
use crate::inventory::Reading;
use crate::plan::change::ParameterGroupKind;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Subject, Words};
use crate::plan::select::{Selected, Selection};
use crate::policy::model::{DatabaseInTransit, DatabaseRule};
use crate::{Arn, Check, Service};

/// A database on its own or a cluster, as far as both are alike.
#[derive(Clone, Copy)]
pub(super) struct Database<'a> {
    pub(super) arn: &'a Arn,
    pub(super) identifier: &'a str,
    pub(super) engine: &'a str,
    pub(super) engine_version: &'a str,
    pub(super) status: &'a str,
    /// Empty for clusters.
    pub(super) class: &'a str,
    pub(super) storage: &'a StorageEncryption,
    pub(super) kind: ParameterGroupKind,
    instance: Option<&'a DbInstance>,
    cluster: Option<&'a DbCluster>,
}

impl<'a> Database<'a> {
    pub(super) fn of_instance(instance: &'a DbInstance) -> Self {
        let DbInstance { arn, identifier, engine, engine_version, status, class, storage, .. } = instance;
        let kind = ParameterGroupKind::Instance;
        Self { arn, identifier, engine, engine_version, status, class, storage, kind, instance: Some(instance), cluster: None }
    }

    pub(super) fn of_cluster(cluster: &'a DbCluster) -> Self {
        let DbCluster { arn, identifier, engine, engine_version, status, storage, .. } = cluster;
        let kind = ParameterGroupKind::Cluster;
        Self { arn, identifier, engine, engine_version, status, class: "", storage, kind, instance: None, cluster: Some(cluster) }
    }

    /// Every database that has its own parameter group of the kind: members of clusters obey their cluster's.
    pub(super) fn all(cx: &'a Context<'_>) -> impl Iterator<Item = Self> + use<'a> {
        let inventory = cx.inventory;
        let alone = inventory.db_instances.values().filter(|instance| instance.cluster.is_none()).map(Self::of_instance);
        alone.chain(inventory.db_clusters.values().map(Self::of_cluster)).filter(|database| is_of_rds(database.engine))
    }

    pub(super) const fn is_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// What AWS says of it: an instance on its own, or a cluster.
    pub(super) const fn parts(&self) -> (Option<&'a DbInstance>, Option<&'a DbCluster>) {
        (self.instance, self.cluster)
    }

    /// `database` or `cluster`, with its name.
    pub(super) fn name(&self) -> String {
        format!("{} {}", if self.is_cluster() { "cluster" } else { "database" }, self.identifier)
    }

    /// Where clients connect; of a cluster the writer endpoint.
    pub(super) fn endpoint(&self) -> Option<&'a DbEndpoint> {
        let alone = self.instance.and_then(|instance| instance.endpoint.as_ref());
        alone.or_else(|| self.cluster.and_then(|cluster| cluster.endpoint.as_ref()))
    }

    /// The parameter group that decides TLS.
    pub(super) fn parameter_group(&self) -> Option<&'a str> {
        match (self.instance, self.cluster) {
            (Some(instance), _) => instance.parameter_groups.first().map(|group| group.name.as_str()),
            (None, Some(cluster)) => Some(cluster.parameter_group.as_str()).filter(|name| !name.is_empty()),
            (None, None) => None,
        }
    }

    /// Whether the group's values are in force: the statuses of the instance, or of each member of the cluster.
    pub(super) fn apply_statuses(&self) -> Vec<&'a str> {
        let alone = self.instance.and_then(|instance| instance.parameter_groups.first()).map(|group| group.apply_status.as_str());
        let members = self.cluster.into_iter().flat_map(|cluster| &cluster.members).map(|member| member.parameter_group_status.as_str());
        alone.into_iter().chain(members).collect()
    }

    /// The rule that the database falls under.
    pub(super) fn rule<'p>(&self, cx: &Context<'p>) -> Option<Selected<'p, DatabaseRule>> {
        let tags = match (self.instance, self.cluster) {
            (Some(instance), _) => &instance.tags,
            (None, Some(cluster)) => &cluster.tags,
            (None, None) => return None,
        };
        selected(cx, self.identifier, self.engine, tags)
    }
}

pub(super) fn selected<'p>(
    cx: &Context<'p>,
    name: &str,
    engine: &str,
    tags: &BTreeMap<String, String>,
) -> Option<Selected<'p, DatabaseRule>> {
    match cx.select(|spec| &spec.rds, name, engine, &Reading::Known(tags.clone())) {
        // Tags come with the description, so they are always known here.
        Selection::Rule(selected) | Selection::CannotTell(selected, _) => Some(selected),
        Selection::Unmanaged => None,
    }
}

/// When the server certificates of the instances that a rule covers end, in seconds since the Unix epoch, by
/// `DBInstanceIdentifier`. [rds:CertificateDetails `ValidTill`]
pub fn certificate_ends(cx: &Context<'_>) -> BTreeMap<String, i64> {
    let covered = |instance: &&DbInstance| {
        is_of_rds(&instance.engine) && selected(cx, &instance.identifier, &instance.engine, &instance.tags).is_some()
    };
    let instances = cx.inventory.db_instances.values().filter(covered);
    instances.filter_map(|instance| Some((instance.identifier.clone(), instance.ca_valid_till?))).collect()
}

/// Judges every database of the inventory.
pub(crate) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    let migrated = migration::judge(cx, draft);
    draft.managed.extend(migrated.iter().cloned());
    for database in Database::all(cx) {
        let Some(selected) = database.rule(cx) else {
            draft.unmanaged.insert(database.arn.clone());
            continue;
        };
        draft.managed.insert(database.arn.clone());
        let subject = Subject::new(database.arn, Service::Rds, &cx.inventory.scope, &selected);
        let at_rest = selected.rule.at_rest.as_ref().filter(|at_rest| at_rest.encrypted);
        if let Some(at_rest) = at_rest.filter(|_| !migrated.contains(database.arn)) {
            encryption::judge(cx, &subject, &database, at_rest, draft);
        }
        if let Some(in_transit) = &selected.rule.in_transit {
            judge_in_transit(cx, (&subject, &database), in_transit, draft);
        }
    }
    for instance in cx.inventory.db_instances.values().filter(|instance| is_of_rds(&instance.engine)) {
        judge_instance(cx, instance, draft);
    }
    proxy_tls::plan(cx, draft);
    for foreign in cx.inventory.db_instances.values().filter(|instance| !is_of_rds(&instance.engine)) {
        draft.unmanaged.insert(foreign.arn.clone());
    }
    for foreign in cx.inventory.db_clusters.values().filter(|cluster| !is_of_rds(&cluster.engine)) {
        draft.unmanaged.insert(foreign.arn.clone());
    }
    // A replaced database is under the rule of the name that it had.
    draft.unmanaged.retain(|arn| !migrated.contains(arn));
}

fn judge_in_transit(cx: &Context<'_>, (subject, database): (&Subject, &Database<'_>), wanted: &DatabaseInTransit, draft: &mut Draft) {
    let DatabaseInTransit { require_tls, plain_clients: _, reboot: _, window: _, ca_certificate: _, verify, ca_bundle: _, monitoring: _ } =
        wanted;
    if *require_tls {
        tls::judge(cx, subject, database, draft);
    }
    if *verify {
        live_check::judge(cx, subject, &live_check::Judged::database(cx, database), draft);
    }
}

/// What only an instance has, members of clusters included: its certificate, and an endpoint of its own.
fn judge_instance(cx: &Context<'_>, instance: &DbInstance, draft: &mut Draft) {
    let Some(selected) = selected(cx, &instance.identifier, &instance.engine, &instance.tags) else {
        draft.unmanaged.insert(instance.arn.clone());
        return;
    };
    draft.managed.insert(instance.arn.clone());
    let subject = Subject::new(&instance.arn, Service::Rds, &cx.inventory.scope, &selected);
    judge_by_unread_cluster(cx, &subject, instance, selected.rule, draft);
    if let Some(cluster) = &instance.cluster
        && selected.rule.in_transit.as_ref().is_some_and(|in_transit| in_transit.verify)
    {
        live_check::judge(cx, &subject, &live_check::Judged::member(cx, instance, cluster), draft);
    }
    if let Some(in_transit) = &selected.rule.in_transit
        && let Some(wanted) = in_transit.ca_certificate.as_deref()
    {
        ca::judge(cx, (&subject, instance), (wanted, in_transit), draft);
    }
}

/// A member obeys its cluster; where that was not read, nothing can be said of the member either.
fn judge_by_unread_cluster(cx: &Context<'_>, subject: &Subject, instance: &DbInstance, rule: &DatabaseRule, draft: &mut Draft) {
    let Some(cluster) = &instance.cluster else { return };
    if cx.inventory.db_clusters.values().any(|read| read.identifier == *cluster) {
        return;
    }
    let words = |expected: &str| Words {
        expected: expected.to_owned(),
        actual: "not known".to_owned(),
        message: format!("It is a member of cluster {cluster}, which was not read."),
        notes: Vec::new(),
    };
    if rule.at_rest.as_ref().is_some_and(|at_rest| at_rest.encrypted) {
        draft.unknown(subject, Check::RdsEncryption, words("encrypted"));
    }
    if rule.in_transit.as_ref().is_some_and(|in_transit| in_transit.require_tls) {
        draft.unknown(subject, Check::RdsRequireTls, words("connections without TLS are refused"));
    }
}
