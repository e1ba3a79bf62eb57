//! Settings that are kept and told again, and mean nothing else here.

use crate::wire::query::Form;
use crate::wire::xml::Element;

/// When a change of a setting counts. [RDS: Settings for DB instances]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Whatever the request says, and nobody sees it happen.
    Now,
    /// "Asynchronously, as soon as possible", whatever the request says: the instance shows `modifying` meanwhile.
    Soon,
    /// In the maintenance window, unless `ApplyImmediately` is set.
    Window,
}

/// A setting: its name in requests and in answers, what it is where nobody says, and when a change of it counts.
#[derive(Debug)]
pub(super) struct Member {
    request: &'static str,
    pub(super) answer: &'static str,
    default: &'static str,
    pub(super) when: When,
}

const fn now(name: &'static str, default: &'static str) -> Member {
    Member { request: name, answer: name, default, when: When::Now }
}

const fn soon(name: &'static str, default: &'static str) -> Member {
    Member { request: name, answer: name, default, when: When::Soon }
}

const fn window(name: &'static str, default: &'static str) -> Member {
    Member { request: name, answer: name, default, when: When::Window }
}

const fn renamed(request: &'static str, answer: &'static str, default: &'static str, when: When) -> Member {
    Member { request, answer, default, when }
}

/// What a request calls the switch for IAM authentication, and what an answer does.
const IAM: (&str, &str) = ("EnableIAMDatabaseAuthentication", "IAMDatabaseAuthenticationEnabled");

pub(super) const OF_INSTANCE: &[Member] = &[
    window("AllocatedStorage", "20"),
    now("AutoMinorVersionUpgrade", "true"),
    now("AvailabilityZone", ""),
    window("BackupRetentionPeriod", "1"),
    now("BackupTarget", "region"),
    now("CharacterSetName", ""),
    now("CopyTagsToSnapshot", "false"),
    renamed("EnableCustomerOwnedIp", "CustomerOwnedIpEnabled", "false", When::Window),
    soon("DatabaseInsightsMode", "standard"),
    now("DBName", ""),
    now("DBSystemId", ""),
    window("DedicatedLogVolume", "false"),
    now("DeletionProtection", "false"),
    renamed(IAM.0, IAM.1, "false", When::Window),
    renamed("EnablePerformanceInsights", "PerformanceInsightsEnabled", "false", When::Soon),
    now("EngineLifecycleSupport", ""),
    window("Iops", ""),
    window("LicenseModel", ""),
    now("MasterUsername", ""),
    now("MaxAllocatedStorage", ""),
    soon("MonitoringInterval", "0"),
    soon("MonitoringRoleArn", ""),
    window("MultiAZ", "false"),
    now("MultiTenant", ""),
    now("NcharCharacterSetName", ""),
    window("NetworkType", "IPV4"),
    now("PerformanceInsightsKMSKeyId", ""),
    now("PerformanceInsightsRetentionPeriod", ""),
    now("PreferredBackupWindow", "03:00-03:30"),
    now("PreferredMaintenanceWindow", "sun:05:00-sun:05:30"),
    now("PromotionTier", ""),
    now("PubliclyAccessible", "false"),
    soon("ReplicaMode", ""),
    window("StorageThroughput", ""),
    window("StorageType", "gp2"),
    now("Timezone", ""),
];

pub(super) const OF_CLUSTER: &[Member] = &[
    window("AllocatedStorage", "1"),
    now("AutoMinorVersionUpgrade", "true"),
    now("BacktrackWindow", ""),
    now("BackupRetentionPeriod", "1"),
    now("CopyTagsToSnapshot", "false"),
    now("DatabaseName", ""),
    now("DBClusterInstanceClass", ""),
    now("DBSystemId", ""),
    now("DatabaseInsightsMode", "standard"),
    now("DeletionProtection", "false"),
    renamed("EnableHttpEndpoint", "HttpEndpointEnabled", "false", When::Now),
    renamed(IAM.0, IAM.1, "false", When::Now),
    renamed("EnablePerformanceInsights", "PerformanceInsightsEnabled", "", When::Now),
    now("EngineLifecycleSupport", "open-source-rds-extended-support"),
    now("EngineMode", "provisioned"),
    now("Iops", ""),
    now("MasterUsername", ""),
    now("MonitoringInterval", ""),
    now("MonitoringRoleArn", ""),
    now("NetworkType", "IPV4"),
    now("PerformanceInsightsKMSKeyId", ""),
    now("PerformanceInsightsRetentionPeriod", ""),
    now("PreferredBackupWindow", "03:00-03:30"),
    now("PreferredMaintenanceWindow", "sun:05:00-sun:05:30"),
    now("PubliclyAccessible", ""),
    now("StorageType", ""),
];

/// What was set, by the answer's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings(Vec<(&'static str, String)>);

impl Settings {
    pub(super) fn of(form: &Form, members: &'static [Member]) -> Self {
        let mut settings = Self::default();
        for (member, value) in asked(form, members) {
            settings.set(member.answer, value);
        }
        settings
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// A number, where there is one.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.0.push((name, value.to_owned())),
        }
    }

    /// The same where nobody has set it.
    pub(super) fn set_default(&mut self, name: &'static str, value: &str) {
        if self.get(name).is_none() {
            self.set(name, value);
        }
    }

    /// Back to what it is where nobody says.
    pub(super) fn unset(&mut self, name: &str) {
        self.0.retain(|(known, _)| *known != name);
    }

    /// All settings of a kind, those that nobody set with their defaults.
    pub(super) fn members(&self, mut element: Element, members: &'static [Member]) -> Element {
        for member in members {
            let value = self.get(member.answer).unwrap_or(member.default);
            if !value.is_empty() {
                element = element.text(member.answer, value);
            }
        }
        element
    }
}

/// What a request sets of them.
pub(super) fn asked<'f>(form: &'f Form, members: &'static [Member]) -> impl Iterator<Item = (&'static Member, &'f str)> {
    members.iter().filter_map(|member| Some((member, form.get(member.request)?)))
}

/// What a setting is where nobody says.
pub(super) fn default_of(members: &'static [Member], name: &str) -> &'static str {
    members.iter().find(|member| member.answer == name).map_or("", |member| member.default)
}
