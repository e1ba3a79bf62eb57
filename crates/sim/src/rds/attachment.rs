//! A parameter group on a database: which one is named, which one the running database has read, and what it read.

use super::groups::Group;

/// `ParameterApplyStatus` and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attachment {
    /// The group's name.
    pub(super) name: String,
    pub(super) status: ApplyStatus,
    /// The group that the running database has read; another than `name` until the reboot.
    loaded: String,
    /// Values that the running database has from it, where a user set them.
    values: Vec<(&'static str, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApplyStatus {
    InSync,
    Applying,
    PendingReboot,
}

impl ApplyStatus {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in-sync",
            Self::Applying => "applying",
            Self::PendingReboot => "pending-reboot",
        }
    }
}

impl Attachment {
    /// On a database that starts with the group.
    pub(super) fn loaded(group: &Group) -> Self {
        let mut new = Self { name: group.name.clone(), status: ApplyStatus::InSync, loaded: String::new(), values: Vec::new() };
        new.reboot(group);
        new
    }

    /// The database reads the group that is named.
    pub(super) fn reboot(&mut self, group: &Group) {
        group.name.clone_into(&mut self.loaded);
        self.values = group.values.iter().map(|(name, value)| (*name, value.clone())).collect();
        self.status = ApplyStatus::InSync;
    }

    /// Another group is named: nothing in it counts before a reboot, dynamic parameters included.
    /// [RDS: Working with DB parameter groups]
    pub(super) fn name(&mut self, group: &str, status: ApplyStatus) {
        group.clone_into(&mut self.name);
        self.status = status;
    }

    /// A value in the named group has changed, or gone.
    pub(super) fn changed(&mut self, name: &'static str, value: Option<&str>, at_once: bool) {
        if !at_once {
            self.status = ApplyStatus::PendingReboot;
        } else if self.loaded == self.name {
            self.values.retain(|(known, _)| *known != name);
            self.values.extend(value.map(|value| (name, value.to_owned())));
        }
    }

    /// Whether a group that was `Applying` has been read already.
    pub(super) fn settle(&mut self) {
        if self.status == ApplyStatus::Applying {
            self.status = if self.loaded == self.name { ApplyStatus::InSync } else { ApplyStatus::PendingReboot };
        }
    }

    /// A value that a user set and that the running database obeys.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}
