//! Settings that are kept and told again, and mean nothing else here.

use crate::wire::query::Form;
use crate::wire::xml::Element;

/// A setting: its name in requests and in answers, what it is where nobody says, and whether a change of it waits for
/// the maintenance window unless `ApplyImmediately` is set. [rds:ModifyDBInstance]
#[derive(Debug)]
pub(super) struct Member {
    request: &'static str,
    pub(super) answer: &'static str,
    default: &'static str,
    waits: bool,
}

const fn member(name: &'static str, default: &'static str, waits: bool) -> Member {
    Member { request: name, answer: name, default, waits }
}

const fn renamed(request: &'static str, answer: &'static str, default: &'static str) -> Member {
    Member { request, answer, default, waits: false }
}

pub(super) const OF_INSTANCE: &[Member] = &[
    member("AllocatedStorage", "20", true),
    member("AutoMinorVersionUpgrade", "true", false),
    member("AvailabilityZone", "", false),
    member("BackupRetentionPeriod", "1", true),
    member("CharacterSetName", "", false),
    member("CopyTagsToSnapshot", "false", false),
    member("DBName", "", false),
    member("DeletionProtection", "false", false),
    renamed("EnableIAMDatabaseAuthentication", "IAMDatabaseAuthenticationEnabled", "false"),
    renamed("EnablePerformanceInsights", "PerformanceInsightsEnabled", "false"),
    member("Iops", "", true),
    member("LicenseModel", "", true),
    member("MasterUsername", "", false),
    member("MaxAllocatedStorage", "", false),
    member("MonitoringInterval", "0", false),
    member("MultiAZ", "false", true),
    member("NetworkType", "IPV4", false),
    member("PreferredBackupWindow", "03:00-03:30", false),
    member("PreferredMaintenanceWindow", "sun:05:00-sun:05:30", false),
    member("PromotionTier", "", false),
    member("PubliclyAccessible", "false", false),
    member("StorageThroughput", "", true),
    member("StorageType", "gp2", true),
];

pub(super) const OF_CLUSTER: &[Member] = &[
    member("AllocatedStorage", "1", true),
    member("AutoMinorVersionUpgrade", "true", false),
    member("BackupRetentionPeriod", "1", false),
    member("CopyTagsToSnapshot", "false", false),
    member("DatabaseName", "", false),
    member("DeletionProtection", "false", false),
    renamed("EnableHttpEndpoint", "HttpEndpointEnabled", "false"),
    renamed("EnableIAMDatabaseAuthentication", "IAMDatabaseAuthenticationEnabled", "false"),
    member("EngineMode", "provisioned", false),
    member("MasterUsername", "", false),
    member("NetworkType", "IPV4", false),
    member("PreferredBackupWindow", "03:00-03:30", false),
    member("PreferredMaintenanceWindow", "sun:05:00-sun:05:30", false),
    member("StorageType", "", false),
];

/// Answers' names with values.
type Values = Vec<(&'static str, String)>;

/// What was set, by the answer's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings(Vec<(&'static str, String)>);

impl Settings {
    pub(super) fn of(form: &Form, members: &'static [Member]) -> Self {
        let mut settings = Self::default();
        for member in members {
            if let Some(value) = form.get(member.request) {
                settings.set(member.answer, value);
            }
        }
        settings
    }

    /// Changes of a request: those that count at once, and those that wait.
    pub(super) fn changes(form: &Form, members: &'static [Member]) -> (Values, Values) {
        let asked = members.iter().filter_map(|member| Some((member, form.get(member.request)?.to_owned())));
        let (waiting, at_once): (Vec<_>, Vec<_>) = asked.partition(|(member, _)| member.waits);
        let named = |list: Vec<(&Member, String)>| list.into_iter().map(|(member, value)| (member.answer, value)).collect();
        (named(at_once), named(waiting))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.0.push((name, value.to_owned())),
        }
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
