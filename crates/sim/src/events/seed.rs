//! Rules without the wire, for tests, the simulation harness and the demo.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{BusEvent, Place, Rule, pattern, put};
use crate::error::ApiError;
use crate::world::World;

impl World {
    /// An enabled rule on the default bus with one target for each ARN. On success: the rule's ARN.
    ///
    /// # Errors
    /// The pattern is not valid.
    pub fn create_rule(&mut self, account: &str, region: &str, name: &str, pattern: &Value, targets: &[&str]) -> Result<String, ApiError> {
        pattern::check(pattern).map_err(|reason| ApiError::bad_request("InvalidEventPatternException", reason))?;
        let place = Place { account: account.to_owned(), region: region.to_owned(), bus: "default".to_owned() };
        let target = |(index, arn): (usize, &&str)| (format!("target-{index}"), json!({ "Id": format!("target-{index}"), "Arn": arn }));
        let rule = Rule {
            arn: place.rule_arn(name),
            pattern: Some((pattern.to_string(), pattern.clone())),
            schedule: None,
            state: "ENABLED".to_owned(),
            description: None,
            role: None,
            targets: targets.iter().enumerate().map(target).collect(),
            tags: BTreeMap::new(),
        };
        let arn = rule.arn.clone();
        self.events.find(&place)?.rules.insert(name.to_owned(), rule);
        Ok(arn)
    }

    /// An event on the default bus, as a service puts it there.
    pub fn put_event(&mut self, account: &str, region: &str, source: &str, detail_type: &str, detail: Value) {
        let event = BusEvent { source: source.to_owned(), detail_type: detail_type.to_owned(), resources: Vec::new(), detail };
        put(self, account, region, "default", event);
    }
}
