//! Which rules were looked at for a resource, in order, and why each does or does not decide: the heart
//! of `everseal explain`.

use std::collections::BTreeMap;

use super::context::Context;
use super::select::{Rule, glob};
use crate::policy::model::EncryptionPolicy;
use crate::{Arn, Reading};

type Tags = Reading<BTreeMap<String, String>>;

/// What rules look at.
struct Looked<'a> {
    name: &'a str,
    engine: &'a str,
    tags: &'a Tags,
}

impl Context<'_> {
    /// One line for each rule of the resource's service, up to the one that decides. Empty for keys: they are listed, not matched.
    pub fn rules_considered(&self, resource: &Arn) -> Vec<String> {
        let inventory = self.inventory;
        let mut lines = Vec::new();
        if let Some(bucket) = inventory.buckets.get(resource) {
            let looked = Looked { name: &bucket.name, engine: "", tags: &bucket.tags };
            self.consider(&looked, |policy| policy.spec.s3.as_slice(), &mut lines);
        } else if let Some(queue) = inventory.queues.get(resource) {
            let looked = Looked { name: resource.name(), engine: "", tags: &queue.tags };
            self.consider(&looked, |policy| policy.spec.sqs.as_slice(), &mut lines);
        } else if let Some(topic) = inventory.topics.get(resource) {
            let looked = Looked { name: resource.name(), engine: "", tags: &topic.tags };
            self.consider(&looked, |policy| policy.spec.sns.as_slice(), &mut lines);
        } else if let Some(stream) = inventory.delivery_streams.get(resource) {
            let looked = Looked { name: &stream.name, engine: "", tags: &stream.tags };
            self.consider(&looked, |policy| policy.spec.firehose.as_slice(), &mut lines);
        } else if let Some(stream) = inventory.data_streams.get(resource) {
            let looked = Looked { name: &stream.name, engine: "", tags: &stream.tags };
            self.consider(&looked, |policy| policy.spec.kinesis.as_slice(), &mut lines);
        } else if let Some(instance) = inventory.db_instances.get(resource) {
            let tags = Reading::Known(instance.tags.clone());
            let looked = Looked { name: &instance.identifier, engine: &instance.engine, tags: &tags };
            self.consider(&looked, |policy| policy.spec.rds.as_slice(), &mut lines);
        } else if let Some(cluster) = inventory.db_clusters.get(resource) {
            let tags = Reading::Known(cluster.tags.clone());
            let looked = Looked { name: &cluster.identifier, engine: &cluster.engine, tags: &tags };
            self.consider(&looked, |policy| policy.spec.rds.as_slice(), &mut lines);
        }
        lines
    }

    fn consider<R: Rule>(&self, looked: &Looked<'_>, rules: impl Fn(&EncryptionPolicy) -> &[R], lines: &mut Vec<String>) {
        for policy in self.policies_in_scope() {
            for rule in rules(policy) {
                let place = format!("policy `{}`, rule `{}`", policy.metadata.name, rule.name());
                let Some(why) = mismatch(rule, looked) else {
                    lines.push(format!("{place} decides: it is the first that matches"));
                    return;
                };
                lines.push(format!("{place} does not match: {why}"));
            }
        }
        lines.push("no rule matches: the resource is unmanaged".to_owned());
    }
}

/// Why a rule does not match; `None` where it does, or would if the tags could be read.
fn mismatch<R: Rule>(rule: &R, looked: &Looked<'_>) -> Option<String> {
    let Looked { name, engine, tags } = looked;
    if let Some(patterns) = rule.names().filter(|patterns| !patterns.iter().any(|pattern| glob(pattern, name))) {
        return Some(format!("`{name}` is none of {}", patterns.join(", ")));
    }
    if let Some(pattern) = rule.exclude().iter().find(|pattern| glob(pattern, name)) {
        return Some(format!("`{name}` is excluded by `{pattern}`"));
    }
    if let Some(patterns) = rule.engines().filter(|patterns| !patterns.iter().any(|pattern| glob(pattern, engine))) {
        return Some(format!("engine `{engine}` is none of {}", patterns.join(", ")));
    }
    let tags = tags.known()?;
    rule.tags().iter().find_map(|(key, pattern)| match tags.get(key) {
        Some(value) if glob(pattern, value) => None,
        Some(value) => Some(format!("tag {key} is `{value}`, not `{pattern}`")),
        None => Some(format!("it has no tag {key}")),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::inventory::Topic;
    use crate::plan::Past;
    use crate::policy::{Source, load};
    use crate::{Inventory, Scope};

    #[test]
    fn rules_are_named_up_to_the_one_that_decides() {
        let text = "\
apiVersion: everseal.io/v1
kind: EncryptionPolicy
metadata: { name: p }
spec:
  sns:
    - { name: tagged, match: { names: [\"a*\"], tags: { team: red } }, inTransit: { denyInsecureTransport: true } }
    - { name: others, match: { names: [\"b*\"] }, inTransit: { denyInsecureTransport: true } }
    - { name: rest, match: { names: [\"a*\"], exclude: [\"*-x\"] }, inTransit: { denyInsecureTransport: true } }
    - { name: never, inTransit: { denyInsecureTransport: true } }
";
        let policies = load(&[Source { file: "p.yaml".into(), text: text.into() }], 0).unwrap().set;
        let scope = Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() };
        let mut inventory = Inventory::empty(scope.clone(), 0);
        let arn = scope.arn("sns", "alerts");
        let tags = Reading::Known(BTreeMap::from([("team".to_owned(), "blue".to_owned())]));
        inventory.topics.insert(arn.clone(), Topic { arn: arn.clone(), attributes: Reading::NotRead, tags });
        let past = Past::default();
        let cx = Context { policies: &policies, inventory: &inventory, now: 0, past: &past };
        assert_eq!(
            cx.rules_considered(&arn),
            [
                "policy `p`, rule `tagged` does not match: tag team is `blue`, not `red`",
                "policy `p`, rule `others` does not match: `alerts` is none of b*",
                "policy `p`, rule `rest` decides: it is the first that matches",
            ]
        );
        assert!(cx.rules_considered(&scope.arn("kms", "key/1")).is_empty());
    }
}
