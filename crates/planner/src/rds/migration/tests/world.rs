//! The AWS of these tests: the inventory after each call is that of [`crate::sim`]; here time passes, and rows are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::change::MigrationChange;
use super::super::observed::{DatabaseActivity, DatabaseSurroundings, InstanceSettings, TAG_OF};
use super::super::report::{MigrationReport, Stage};
use crate::fixtures::{KEY, inventory};
use crate::inventory::Reading;
use crate::plan::change::ParameterGroupKind;
use crate::plan::context::Past;
use crate::plan::{Change, Context, Gate, Plan, Step, plan};
use crate::policy::window::moment;
use crate::sim::{Standing, make, standing};
use crate::{Arn, Check, Inventory, PolicySet, State};

pub(super) const ORDERS_ID: &str = "db-ORDERS";
/// Two hours before the window of these tests opens, on a Sunday.
pub(super) const START: &str = "2026-11-29T00:00:00Z";
pub(super) const TICK: i64 = 600;
pub(super) const ISOLATION: &str = "sg-0a1b2c3d";

/// `rds:` rules with this migration.
pub(super) fn policy(migration: &str) -> PolicySet {
    crate::fixtures::policies(&format!("rds: [{{name: r, atRest: {{encrypted: true, key: alias/finance, migration: {migration}}}}}]"))
}

/// A switch by isolation, allowed to Ada.
pub(super) fn isolating() -> PolicySet {
    policy(
        "{action: cutover, method: snapshot, window: 'Sun 02:00-08:00 UTC', approvedBy: {orders: Ada}, writes: isolate, isolationSecurityGroup: sg-0a1b2c3d, keepOldFor: 7d}",
    )
}

pub(super) fn settings() -> Value {
    json!({"dbInstanceClass": "db.m6g.large", "dbParameterGroup": "own", "vpcSecurityGroups": ["sg-app", "sg-ops"], "dbSubnetGroup": "private",
        "optionGroup": "default:postgres-14", "multiAz": true, "availabilityZone": "us-east-1a", "port": 5432, "storageType": "gp3",
        "iops": 3000, "allocatedStorage": 100, "maxAllocatedStorage": 500, "backupRetentionPeriod": 14,
        "preferredBackupWindow": "04:00-04:30", "deletionProtection": true, "copyTagsToSnapshot": true,
        "cloudwatchLogsExports": ["postgresql"], "monitoringInterval": 60, "monitoringRoleArn": "arn:aws:iam::111122223333:role/monitor",
        "performanceInsights": true, "associatedRoles": {"s3Import": "arn:aws:iam::111122223333:role/import"}})
}

pub(super) fn database(name: &str, id: &str, overlay: &Value) -> Value {
    let arn = format!("arn:aws:rds:us-east-1:111122223333:db:{name}");
    let mut db = json!({"arn": arn, "identifier": name, "engine": "postgres", "engineVersion": "14.9", "status": "available",
        "class": "db.m6g.large", "storageEncrypted": false, "storageEncryptionType": "none", "resourceId": id, "createdAt": 1_700_000_000,
        "parameterGroups": [{"name": "own", "applyStatus": "in-sync"}], "tags": {"team": "red"}, "settings": settings()});
    for (field, value) in overlay.as_object().unwrap() {
        db[field] = value.clone();
    }
    json!({ arn: db })
}

pub(super) fn facts() -> Value {
    json!({"snapshots": {}, "blueGreenDeployments": {}})
}

/// One AWS account.
#[derive(Clone)]
pub(super) struct World {
    pub(super) inventory: Inventory,
    pub(super) policies: PolicySet,
    pub(super) now: i64,
    /// Clients want to write; they reach what is called `name` unless it is isolated.
    pub(super) clients: bool,
    pub(super) name: &'static str,
    /// Sessions that were open live on for this many ticks after isolation.
    pub(super) lingering: u32,
    last_connection: Option<i64>,
    /// End of the last minute in which the database wrote much, by whatever.
    pub(super) last_busy_write: Option<i64>,
    /// Rows by resource id, and by snapshot.
    pub(super) rows: BTreeMap<String, u64>,
    rows_of_snapshots: BTreeMap<String, u64>,
    /// All rows that clients have written.
    pub(super) written: u64,
    pub(super) log: Vec<String>,
    /// How many ticks creating and copying takes.
    pub(super) slowness: u32,
    waited: BTreeMap<String, u32>,
}

impl World {
    pub(super) fn new(policies: PolicySet) -> Self {
        let more = json!({"dbInstances": database("orders", ORDERS_ID, &json!({})), "migrations": facts()});
        Self::of(policies, &more)
    }

    pub(super) fn of(policies: PolicySet, more: &Value) -> Self {
        let mut world = Self {
            inventory: inventory(&json!([]), more),
            policies,
            now: moment(START).unwrap(),
            clients: true,
            name: "orders",
            lingering: 0,
            last_connection: None,
            last_busy_write: None,
            rows: BTreeMap::new(),
            rows_of_snapshots: BTreeMap::new(),
            written: 0,
            log: Vec::new(),
            slowness: 1,
            waited: BTreeMap::new(),
        };
        world.observe();
        world
    }

    pub(super) fn plan(&self) -> Plan {
        let past = Past::default();
        plan(&Context { policies: &self.policies, inventory: &self.inventory, now: self.now, past: &past })
    }

    pub(super) fn report(&self) -> MigrationReport {
        self.report_of(self.name)
    }

    pub(super) fn report_of(&self, name: &str) -> MigrationReport {
        let plan = self.plan();
        plan.migrations.into_iter().find(|report| report.name == name).unwrap_or_else(|| panic!("no migration of {name}"))
    }

    pub(super) fn stage(&self) -> Stage {
        self.report().stage
    }

    /// Steps of migrations that nothing stops.
    pub(super) fn open_steps(&self) -> Vec<Step> {
        let steps = self.plan().steps.into_iter();
        steps.filter(|step| step.check == Check::RdsEncryption && step.gate.is_none()).collect()
    }

    /// One pass: makes at most `most` steps; every step is what it says it is.
    pub(super) fn pass(&mut self, most: usize) -> usize {
        let steps = self.open_steps();
        let mut made = 0;
        for step in steps.into_iter().take(most) {
            let change = step.change.clone().unwrap();
            // A step may wait for what the one before it began.
            if standing(&self.inventory, &step.resource, &change) != Standing::Before {
                continue;
            }
            self.check(&step);
            self.make(&step.resource, &change, &step.summary);
            let after = standing(&self.inventory, &step.resource, &change);
            assert_eq!(after, Standing::After, "{} {}", step.id, step.summary);
            let again = self.open_steps();
            assert!(!again.iter().any(|next| next.change == step.change), "planned again though it was made: {}", step.id);
            made += 1;
        }
        made
    }

    /// What must never be made, whatever the stage.
    fn check(&self, step: &Step) {
        let Some(Change::Migration(change)) = &step.change else { panic!("{}", step.id) };
        match &**change {
            MigrationChange::DeleteDatabase { resource_id, final_snapshot, .. } => {
                let all = self.inventory.db_instances.values().map(|db| (&db.resource_id, &db.tags, &db.identifier));
                let clusters = self.inventory.db_clusters.values().map(|db| (&db.resource_id, &db.tags, &db.identifier));
                let (_, tags, identifier) = all.chain(clusters).find(|(id, ..)| id.as_deref() == Some(resource_id)).unwrap();
                let replaced = identifier.contains("-old");
                assert!(tags.contains_key(TAG_OF) || replaced, "{identifier} is not the migration's");
                assert!(
                    final_snapshot.is_some() || tags.contains_key(TAG_OF) || step.summary.contains("member"),
                    "{identifier} without a last snapshot"
                );
                assert_ne!(identifier, self.name, "clients use it");
            }
            MigrationChange::DeleteSnapshot { snapshot, .. } => {
                let all = self.inventory.migrations.snapshots.known().unwrap();
                assert!(all.values().any(|found| found.identifier == *snapshot && found.tags.contains_key(TAG_OF)));
            }
            MigrationChange::Rename { resource_id, .. } if resource_id == ORDERS_ID || resource_id == "cluster-LEDGER" => {
                assert!(!self.connected(), "renamed while clients are connected");
                assert_eq!(self.copy_rows(), self.written, "rows would be lost");
            }
            _ => {}
        }
    }

    fn copy_rows(&self) -> u64 {
        let is_copy = |tags: &BTreeMap<String, String>| tags.contains_key(TAG_OF);
        let instances =
            self.inventory.db_instances.values().filter(|db| db.cluster.is_none() && is_copy(&db.tags)).map(|db| &db.resource_id);
        let clusters = self.inventory.db_clusters.values().filter(|db| is_copy(&db.tags)).map(|db| &db.resource_id);
        instances.chain(clusters).filter_map(|id| self.rows.get(id.as_ref()?)).copied().max().unwrap_or(0)
    }

    fn make(&mut self, resource: &Arn, change: &Change, summary: &str) {
        self.log.push(format!("{} {}", change.action(), summary));
        let Change::Migration(one) = change else { panic!() };
        match &**one {
            MigrationChange::CreateSnapshot { kind, database, snapshot, .. } => {
                let rows = self.rows_under(*kind, database);
                self.rows_of_snapshots.insert(snapshot.clone(), rows);
            }
            MigrationChange::CopySnapshot { source, target, .. } => {
                let rows = self.rows_of_snapshots[source];
                self.rows_of_snapshots.insert(target.clone(), rows);
            }
            _ => {}
        }
        make(&mut self.inventory, resource, change);
        match &**one {
            MigrationChange::RestoreInstance { snapshot, instance, .. } => {
                self.rows.insert(format!("db-of-{instance}"), self.rows_of_snapshots[snapshot]);
                self.lose(instance);
            }
            MigrationChange::RestoreCluster { snapshot, cluster, .. } => {
                self.rows.insert(format!("cluster-of-{cluster}"), self.rows_of_snapshots[snapshot]);
            }
            _ => {}
        }
    }

    /// What a restore loses (AWS-FACTS §8.2, item 6).
    fn lose(&mut self, instance: &str) {
        let db = self.inventory.db_instances.values_mut().find(|db| db.identifier == instance).unwrap();
        let settings = db.settings.as_deref_mut().unwrap();
        let InstanceSettings {
            monitoring_interval,
            monitoring_role_arn,
            performance_insights,
            max_allocated_storage,
            associated_roles,
            ..
        } = settings;
        (*monitoring_interval, *monitoring_role_arn, *performance_insights, *max_allocated_storage) = (0, None, false, None);
        associated_roles.clear();
    }

    fn id_of(&self, kind: ParameterGroupKind, name: &str) -> Option<String> {
        match kind {
            ParameterGroupKind::Instance => self.inventory.db_instances.values().find(|db| db.identifier == name)?.resource_id.clone(),
            ParameterGroupKind::Cluster => self.inventory.db_clusters.values().find(|db| db.identifier == name)?.resource_id.clone(),
        }
    }

    pub(super) fn rows_under(&self, kind: ParameterGroupKind, name: &str) -> u64 {
        self.id_of(kind, name).and_then(|id| self.rows.get(&id)).copied().unwrap_or(0)
    }

    /// The groups of what clients know as `name`.
    pub(super) fn groups(&self) -> Option<&BTreeSet<String>> {
        let instance = self.inventory.db_instances.values().find(|db| db.identifier == self.name);
        let groups = instance.and_then(|db| db.settings.as_ref()).map(|settings| &settings.vpc_security_groups);
        let cluster = self.inventory.db_clusters.values().find(|db| db.identifier == self.name);
        groups.or_else(|| cluster.and_then(|db| db.settings.as_ref()).map(|settings| &settings.vpc_security_groups))
    }

    pub(super) fn is_isolated(&self) -> bool {
        self.groups().is_some_and(|groups| groups.contains(ISOLATION))
    }

    pub(super) fn connected(&self) -> bool {
        self.clients && self.groups().is_some() && (!self.is_isolated() || self.lingering > 0)
    }

    /// Ten minutes: clients write, and what AWS had begun is done.
    pub(super) fn tick(&mut self) {
        if self.connected() {
            let kind = if self.inventory.db_clusters.values().any(|db| db.identifier == self.name) {
                ParameterGroupKind::Cluster
            } else {
                ParameterGroupKind::Instance
            };
            if let Some(id) = self.id_of(kind, self.name) {
                *self.rows.entry(id).or_default() += 1;
                self.written += 1;
            }
            self.last_connection = Some(self.now + 60);
        }
        if self.is_isolated() {
            self.lingering = self.lingering.saturating_sub(1);
        }
        self.now += TICK;
        self.settle();
        self.observe();
    }

    fn due(&mut self, what: &str) -> bool {
        let waited = self.waited.entry(what.to_owned()).or_default();
        *waited += 1;
        if *waited >= self.slowness {
            self.waited.remove(what);
            return true;
        }
        false
    }

    fn settle(&mut self) {
        let now = self.now;
        let mut snapshots = std::mem::take(&mut self.inventory.migrations.snapshots);
        let mut backed_up = Vec::new();
        if let Reading::Known(all) = &mut snapshots {
            for snapshot in all.values_mut().filter(|snapshot| snapshot.status != "available" && snapshot.status != "failed") {
                if self.due(&snapshot.identifier) {
                    if snapshot.status == "creating" {
                        snapshot.data_of = Some(now);
                        backed_up.push(snapshot.database.clone());
                    }
                    snapshot.status = "available".into();
                    snapshot.created_at = Some(now);
                    snapshot.percent_progress = 100;
                } else {
                    snapshot.percent_progress = 50;
                }
            }
        }
        self.inventory.migrations.snapshots = snapshots;
        let names: Vec<(Arn, String)> = self.inventory.db_instances.values().map(|db| (db.arn.clone(), db.status.clone())).collect();
        for (arn, status) in names {
            let identifier = self.inventory.db_instances[&arn].identifier.clone();
            match status.as_str() {
                "deleting" => drop(self.inventory.db_instances.remove(&arn)),
                "backing-up" if !backed_up.contains(&identifier) => {}
                "creating" if !self.due(&identifier) => {}
                "available" | "failed" | "stopped" | "storage-full" => {}
                _ => {
                    let db = self.inventory.db_instances.get_mut(&arn).unwrap();
                    db.status = "available".into();
                    db.created_at = db.created_at.or(Some(now));
                }
            }
        }
        let live: BTreeSet<String> = self.inventory.db_instances.values().map(|db| db.identifier.clone()).collect();
        self.inventory.db_clusters.retain(|_, db| db.status != "deleting");
        for db in self.inventory.db_clusters.values_mut() {
            db.members.retain(|member| live.contains(&member.instance));
            if matches!(db.status.as_str(), "creating" | "renaming" | "modifying") {
                db.status = "available".into();
                db.created_at = db.created_at.or(Some(now));
            }
        }
        self.settle_deployments();
    }

    /// Green is built beside blue and follows it; a switch-over moves the names. [Blue/green deployments: switching]
    fn settle_deployments(&mut self) {
        let Reading::Known(mut all) = std::mem::take(&mut self.inventory.migrations.blue_green_deployments) else { return };
        all.retain(|_, deployment| deployment.status != "DELETING");
        for deployment in all.values_mut() {
            let source = Arn::parse(&deployment.source).unwrap();
            match deployment.status.as_str() {
                "PROVISIONING" => {
                    let blue = self.inventory.db_instances[&source].clone();
                    let mut green = blue.clone();
                    green.identifier = format!("{}-green-abc123", blue.identifier);
                    green.arn = self.inventory.scope.arn("rds", &format!("db:{}", green.identifier));
                    green.resource_id = Some("db-GREEN".into());
                    (green.storage.storage_encrypted, green.storage.storage_encryption_type) = (true, Some("sse-kms".into()));
                    green.storage.kms_key = Some(KEY.into());
                    if let Some(settings) = green.settings.as_deref_mut() {
                        settings.deletion_protection = false;
                    }
                    deployment.target = Some(green.arn.to_string());
                    deployment.status = "AVAILABLE".into();
                    deployment.created_at = Some(self.now);
                    self.inventory.db_instances.insert(green.arn.clone(), green);
                }
                "SWITCHOVER_IN_PROGRESS" => {
                    let target = Arn::parse(deployment.target.as_ref().unwrap()).unwrap();
                    let mut blue = self.inventory.db_instances.remove(&source).unwrap();
                    let mut green = self.inventory.db_instances.remove(&target).unwrap();
                    self.rows.insert("db-GREEN".into(), self.rows[&blue.resource_id.clone().unwrap()]);
                    green.identifier.clone_from(&blue.identifier);
                    green.arn = source.clone();
                    blue.identifier = format!("{}-old1", blue.identifier);
                    blue.arn = self.inventory.scope.arn("rds", &format!("db:{}", blue.identifier));
                    deployment.source = blue.arn.to_string();
                    deployment.target = Some(green.arn.to_string());
                    deployment.status = "SWITCHOVER_COMPLETED".into();
                    self.inventory.db_instances.insert(green.arn.clone(), green);
                    self.inventory.db_instances.insert(blue.arn.clone(), blue);
                }
                _ => {}
            }
        }
        self.inventory.migrations.blue_green_deployments = Reading::Known(all);
    }

    /// CloudWatch and what stands around each database, fresh.
    pub(super) fn observe(&mut self) {
        let now_connected = u32::from(self.connected()) * 5;
        let arns: Vec<(Arn, String)> = self.inventory.db_instances.values().map(|db| (db.arn.clone(), db.identifier.clone())).collect();
        let clusters = self.inventory.db_clusters.values().map(|db| (db.arn.clone(), db.identifier.clone()));
        for (arn, identifier) in arns.into_iter().chain(clusters.collect::<Vec<_>>()) {
            let known = self.inventory.migrations.databases.entry(arn).or_insert_with(|| DatabaseSurroundings {
                activity: Reading::NotRead,
                proxies: Reading::Known(Vec::new()),
                event_subscriptions: Reading::Known(BTreeSet::new()),
                alarms: Reading::Known(BTreeSet::new()),
                automated_backup_replications: Reading::Known(BTreeSet::new()),
            });
            let busy = identifier == self.name;
            known.activity = Reading::Known(DatabaseActivity {
                from: 0,
                to: self.now - 60,
                most_connections: if busy { 5 } else { 0 },
                last_connection_at: self.last_connection.filter(|_| busy),
                connections_now: if busy { now_connected } else { 0 },
                last_busy_write_at: self.last_busy_write.filter(|_| busy),
            });
        }
        self.inventory.observed_at = self.now;
    }

    /// Passes until nothing is made any more and AWS has nothing left to do, or `ticks` are over.
    pub(super) fn run(&mut self, ticks: usize, most: usize) {
        for _ in 0..ticks {
            self.pass(most);
            self.tick();
        }
    }

    /// Passes until the stage is reached.
    pub(super) fn run_to(&mut self, stage: Stage) {
        for _ in 0..400 {
            if self.stage() == stage {
                return;
            }
            self.pass(usize::MAX);
            self.tick();
        }
        panic!("{stage:?} was never reached: {:?}\n{}", self.report(), self.log.join("\n"));
    }

    pub(super) fn to(&mut self, time: &str) {
        self.now = moment(time).unwrap();
        self.observe();
    }

    pub(super) fn instance(&mut self, name: &str) -> &mut crate::inventory::DbInstance {
        let names: Vec<String> = self.inventory.db_instances.values().map(|db| db.identifier.clone()).collect();
        self.inventory.db_instances.values_mut().find(|db| db.identifier == name).unwrap_or_else(|| panic!("no {name} among {names:?}"))
    }

    pub(super) fn made(&self, action: &str) -> usize {
        self.log.iter().filter(|line| line.starts_with(action)).count()
    }

    /// The gate of the first step of a migration that is stopped, with its reason.
    pub(super) fn stop(&self) -> (Gate, String) {
        let steps = self.plan().steps;
        let step = steps.iter().find(|step| step.check == Check::RdsEncryption && step.gate.is_some());
        let block = step.and_then(|step| step.gate.clone()).unwrap_or_else(|| panic!("nothing is stopped: {steps:#?}"));
        (block.name, block.reason)
    }

    /// Every drift ends as a step or a block with a reason, and the plan is the same twice.
    pub(super) fn sound(&self) {
        let plan = self.plan();
        assert_eq!(plan, self.plan());
        for finding in plan.findings.iter().filter(|finding| finding.state == State::Drifted) {
            let own: Vec<&Step> =
                plan.steps.iter().filter(|step| step.resource == finding.resource && step.check == finding.check).collect();
            assert!(!own.is_empty(), "drift without a step: {finding:?}");
            assert!(own.iter().all(|step| step.change.is_some() || step.gate.is_some()), "{own:?}");
            assert!(own.iter().filter_map(|step| step.gate.as_ref()).all(|gate| !gate.reason.is_empty()));
        }
        let mut ids: Vec<_> = plan.steps.iter().map(|step| &step.id).collect();
        ids.sort();
        let all = ids.len();
        ids.dedup();
        assert_eq!(all, ids.len(), "step ids are unique: {ids:?}");
    }
}
