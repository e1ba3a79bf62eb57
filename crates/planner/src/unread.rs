//! What an inventory could not read, in lines for people: a plan made without it is incomplete, and says so.

use crate::inventory::{ErrorClass, MigrationFacts, PathFacts, Unreadable};
use crate::{Arn, Inventory, Reading};

impl Inventory {
    /// One line for each reading that failed: resource, operation, cause, and the IAM action that is missing.
    pub fn unread(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.unlisted.iter().map(|(service, why)| line(&format!("{service} in {}", self.scope), why)).collect();
        let mut note = |arn: &Arn, why: Option<&Unreadable>| lines.extend(why.map(|why| line(arn.as_str(), why)));
        for bucket in self.buckets.values() {
            note(&bucket.arn, why(&bucket.encryption));
            note(&bucket.arn, why(&bucket.document));
            note(&bucket.arn, why(&bucket.tags));
        }
        for queue in self.queues.values() {
            note(&queue.arn, why(&queue.attributes));
            note(&queue.arn, why(&queue.tags));
        }
        for topic in self.topics.values() {
            note(&topic.arn, why(&topic.attributes));
            note(&topic.arn, why(&topic.tags));
        }
        for stream in self.delivery_streams.values() {
            note(&stream.arn, why(&stream.description));
            note(&stream.arn, why(&stream.tags));
            note(&stream.arn, why(&stream.kms_errors));
        }
        for stream in self.data_streams.values() {
            note(&stream.arn, why(&stream.summary));
            note(&stream.arn, why(&stream.tags));
        }
        for key in self.keys.values() {
            note(&key.arn, why(&key.metadata));
            note(&key.arn, why(&key.document));
            note(&key.arn, why(&key.rotation));
        }
        let groups = self.db_parameter_groups.iter().chain(&self.db_cluster_parameter_groups);
        lines.extend(groups.filter_map(|(name, group)| why(group).map(|why| line(&format!("parameter group {name}"), why))));
        let sessions = self.sessions.iter().filter_map(|(database, count)| Some(line(database.as_str(), why(count)?)));
        lines.extend(sessions);
        let MigrationFacts { snapshots, blue_green_deployments, databases: _ } = &self.migrations;
        lines.extend(why(snapshots).map(|why| line(&format!("snapshots of databases in {}", self.scope), why)));
        lines.extend(why(blue_green_deployments).map(|why| line(&format!("blue/green deployments in {}", self.scope), why)));
        lines.extend(self.live_tls.iter().filter_map(|(database, met)| Some(line(database.as_str(), why(met)?))));
        lines.extend(why(&self.db_proxies).map(|why| line(&format!("RDS proxies in {}", self.scope), why)));
        for proxy in self.db_proxies.known().into_iter().flat_map(|proxies| proxies.values()) {
            lines.extend(why(&proxy.databases).into_iter().chain(why(&proxy.clients)).map(|why| line(proxy.arn.as_str(), why)));
        }
        lines.extend(why(&self.subscriptions).map(|why| line(&format!("subscriptions in {}", self.scope), why)));
        lines.extend(why(&self.aliases).map(|why| line(&format!("key aliases in {}", self.scope), why)));
        lines.extend(why(&self.keys_awaiting_alias).map(|why| line(&format!("key tags in {}", self.scope), why)));
        lines
    }

    /// The same of what only paths need: no plan is incomplete without it, but a saved inventory is.
    pub fn unread_path_facts(&self) -> Vec<String> {
        let PathFacts { event_rules, distributions, channels, roles, all_roles: _, unlisted_roles: _ } = &self.path_facts;
        let place = &self.scope;
        let beside = [
            (format!("event rules in {place}"), why(event_rules)),
            (format!("CloudFront distributions of {}", place.account), why(distributions)),
            (format!("Kinesis channels in {place}"), why(channels)),
            (format!("IAM roles of {}", place.account), why(roles)),
        ];
        let logging = self.buckets.values().map(|bucket| (bucket.arn.to_string(), why(&bucket.logging_target)));
        beside.into_iter().chain(logging).filter_map(|(what, why)| why.map(|why| line(&what, why))).collect()
    }
}

const fn why<T>(reading: &Reading<T>) -> Option<&Unreadable> {
    match reading {
        Reading::Unreadable { unreadable } => Some(unreadable),
        Reading::Known(_) | Reading::NotRead => None,
    }
}

fn line(what: &str, why: &Unreadable) -> String {
    let Unreadable { class, operation, missing_action, message } = why;
    let advice = match (class, missing_action) {
        (ErrorClass::Denied, Some(action)) => format!("; allow {action}"),
        _ => String::new(),
    };
    format!("{what}: {operation}: {message}{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;

    fn denied<T>(operation: &str, action: &str) -> Reading<T> {
        let (operation, missing_action) = (operation.to_owned(), Some(action.to_owned()));
        Reading::Unreadable { unreadable: Unreadable { class: ErrorClass::Denied, operation, missing_action, message: "no".to_owned() } }
    }

    #[test]
    fn path_facts_that_could_not_be_read_are_named_apart_from_what_plans_need() {
        let scope = Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() };
        let mut inventory = Inventory::empty(scope, 1);
        assert!(inventory.unread_path_facts().is_empty(), "what nobody asked for is not missing");
        inventory.path_facts = PathFacts {
            all_roles: false,
            unlisted_roles: None,
            event_rules: denied("ListRules", "events:ListRules"),
            distributions: Reading::Known(Vec::new()),
            channels: Reading::NotRead,
            roles: denied("GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails"),
        };
        let lines = inventory.unread_path_facts();
        assert_eq!(
            lines,
            [
                "event rules in 111122223333/us-east-1: ListRules: no; allow events:ListRules",
                "IAM roles of 111122223333: GetAccountAuthorizationDetails: no; allow iam:GetAccountAuthorizationDetails",
            ]
        );
        assert!(inventory.unread().is_empty());
    }

    /// Without them nobody knows whether a migration has begun: that is no detail of a single database.
    #[test]
    fn listings_of_migrations_that_could_not_be_read_are_told_with_the_missing_permission() {
        let scope = Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() };
        let mut inventory = Inventory::empty(scope, 1);
        inventory.migrations.snapshots = denied("DescribeDBSnapshots", "rds:DescribeDBSnapshots");
        inventory.migrations.blue_green_deployments = denied("DescribeBlueGreenDeployments", "rds:DescribeBlueGreenDeployments");
        let expected = [
            "snapshots of databases in 111122223333/us-east-1: DescribeDBSnapshots: no; allow rds:DescribeDBSnapshots",
            "blue/green deployments in 111122223333/us-east-1: DescribeBlueGreenDeployments: no; allow rds:DescribeBlueGreenDeployments",
        ];
        assert_eq!(inventory.unread(), expected);
    }
}
