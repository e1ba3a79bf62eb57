//! What lies beside the managed resources on data paths: read, shown and reckoned with, never changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::inventory::{Reading, Unreadable};

/// Neighbours of the managed resources. Read only where a path is asked for ([`crate::plan::Reads::path_facts`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PathFacts {
    /// `EventBridge` rules of the scope's event buses, with their targets.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub event_rules: Reading<Vec<EventRule>>,
    /// `CloudFront` distributions of the account (the service is global: every scope of the account shows all of them).
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub distributions: Reading<Vec<Distribution>>,
    /// Kinesis channels: delivery from a data stream straight to a bucket.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub channels: Reading<Vec<Channel>>,
    /// IAM roles of the account, by ARN, with what their policies say: all of them where paths are asked for, else those
    /// that steps hang on. A role that was asked for and does not exist is in it with no policies; one that could not be
    /// read makes the whole reading unreadable.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub roles: Reading<BTreeMap<Arn, Role>>,
    /// `roles` holds every role of the account; else only those that were asked for by name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_roles: bool,
    /// Why AWS did not list the account's roles when it was asked for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted_roles: Option<Unreadable>,
}

impl PathFacts {
    /// True where nothing was read.
    pub const fn is_empty(&self) -> bool {
        let Self { event_rules, distributions, channels, roles, all_roles: _, unlisted_roles } = self;
        event_rules.is_not_read()
            && distributions.is_not_read()
            && channels.is_not_read()
            && roles.is_not_read()
            && unlisted_roles.is_none()
    }

    /// Paths were asked for: what lies beside resources was read, or could not be.
    pub const fn tell_of_paths(&self) -> bool {
        let Self { event_rules, distributions, channels, roles: _, all_roles: _, unlisted_roles: _ } = self;
        !(event_rules.is_not_read() && distributions.is_not_read() && channels.is_not_read())
    }

    /// Drops everything but roles, which gates rest on as well.
    pub(crate) fn forget_neighbours(&mut self) {
        let Self { event_rules, distributions, channels, roles: _, all_roles: _, unlisted_roles: _ } = self;
        (*event_rules, *distributions, *channels) = (Reading::NotRead, Reading::NotRead, Reading::NotRead);
    }

    /// Takes in a newer reading; what it did not read stays.
    pub(crate) fn refresh(&mut self, newer: Self) {
        let Self { event_rules, distributions, channels, roles, all_roles, unlisted_roles } = newer;
        self.all_roles |= all_roles;
        self.unlisted_roles = if self.all_roles { None } else { unlisted_roles.or_else(|| self.unlisted_roles.take()) };
        self.event_rules.refresh(event_rules);
        self.distributions.refresh(distributions);
        self.channels.refresh(channels);
        // Roles are read a few at a time, as steps ask for them.
        match (&mut self.roles, roles) {
            (Reading::Known(ours), Reading::Known(newer)) => ours.extend(newer),
            (ours, newer) => ours.refresh(newer),
        }
    }
}

/// One `EventBridge` rule. [events:Rule, events:Target]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventRule {
    /// The rule's ARN.
    pub arn: Arn,
    /// The event bus it listens on (`default` or a name).
    pub bus: String,
    /// `ENABLED` or `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.
    pub enabled: bool,
    /// The event pattern's text; `None` for scheduled rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Where matching events go.
    #[serde(default)]
    pub targets: Vec<EventTarget>,
}

/// One target of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventTarget {
    /// The target's id within its rule.
    pub id: String,
    /// The target's ARN.
    pub arn: Arn,
    /// The role `EventBridge` assumes to reach it, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Arn>,
    /// Where undeliverable events go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_queue: Option<Arn>,
}

/// One `CloudFront` distribution. [cloudfront:DistributionSummary]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Distribution {
    /// The distribution's ARN.
    pub arn: Arn,
    /// `d111111abcdef8.cloudfront.net`.
    pub domain: String,
    /// It serves requests.
    pub enabled: bool,
    /// Its origins.
    #[serde(default)]
    pub origins: Vec<Origin>,
    /// Viewer protocol policies of all cache behaviours, each once: `allow-all`, `redirect-to-https`, `https-only`.
    #[serde(default)]
    pub viewer_protocol_policies: Vec<String>,
}

/// One origin of a distribution. [cloudfront:Origin]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Origin {
    /// `DomainName`: `bucket.s3.us-east-1.amazonaws.com` (REST) or `bucket.s3-website-us-east-1.amazonaws.com` (website).
    pub domain: String,
    /// `OriginAccessControlId`: requests are signed and sent over HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_control: Option<String>,
    /// `S3OriginConfig.OriginAccessIdentity`, where it is not empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_identity: Option<String>,
    /// `CustomOriginConfig.OriginProtocolPolicy`: `http-only`, `https-only`, `match-viewer`; `None` for an S3 origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_policy: Option<String>,
}

/// One Kinesis channel. [kinesis:ChannelDescription]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Channel {
    /// The channel's ARN.
    pub arn: Arn,
    /// The data stream it reads.
    pub stream: Arn,
    /// The bucket it writes to; `None` for S3 Tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<Arn>,
    /// The role it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Arn>,
    /// `ChannelEncryptionConfiguration.KeyId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}

/// One IAM role: whatever its policies allow or deny. [iam:RoleDetail]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// Texts (decoded) of its inline and attached policies, in the order AWS returned them.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Text (decoded) of its permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
}
