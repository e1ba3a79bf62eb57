//! Condition keys that requests to all services carry. [IAM: AWS global condition context keys]

use crate::access::{Caller, RequestContext};
use crate::organizations;
use crate::world::{Origin, World};

/// Whoever calls is on this machine.
const SOURCE_IP: &str = "127.0.0.1";

impl World {
    /// Keys of a request that its caller itself sends, in lower case.
    pub(crate) fn keys_of(&self, origin: &Origin) -> RequestContext {
        let Origin { caller, region, secure } = origin;
        let mut context = self.global_keys(caller, region, *secure);
        // Services call from inside.
        if !matches!(caller, Caller::Service { .. }) {
            context.insert("aws:sourceip".to_owned(), vec![SOURCE_IP.to_owned()]);
        }
        context
    }

    /// Keys of a request that a service may send on somebody's behalf, in lower case.
    pub(crate) fn global_keys(&self, caller: &Caller, region: &str, secure: bool) -> RequestContext {
        let now = self.now();
        let mut context = RequestContext::from([
            ("aws:securetransport".to_owned(), vec![secure.to_string()]),
            ("aws:requestedregion".to_owned(), vec![region.to_owned()]),
            ("aws:currenttime".to_owned(), vec![now.iso8601()]),
            ("aws:epochtime".to_owned(), vec![now.seconds().to_string()]),
        ]);
        if let Some(id) = caller.account().and_then(|account| organizations::id_of(self, account)) {
            context.insert("aws:principalorgid".to_owned(), vec![id.to_owned()]);
        }
        context
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use crate::access::Document;
    use crate::testing::{ACCOUNT, OTHER, administrator, json, world};
    use crate::world::{Ask, Origin, World};
    use crate::{Caller, access::RequestContext};

    /// Is the other account let in by a document that allows it under this condition?
    fn lets(world: &World, origin: &Origin, condition: &serde_json::Value) -> bool {
        let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition });
        let document = Document::parse(&json!({ "Version": "2012-10-17", "Statement": statement }).to_string()).unwrap();
        let (action, resource) = ("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q");
        let ask = Ask { action, resource, owner: ACCOUNT, document: Some(&document), context: RequestContext::new() };
        world.permit(origin, &ask).is_ok()
    }

    /// [IAM: AWS global condition context keys]
    #[test]
    fn requests_carry_the_time_and_where_they_come_from() {
        let mut world = world();
        let (person, service) = (
            administrator(OTHER),
            Origin { caller: Caller::service("s3.amazonaws.com", "arn:aws:s3:::b", ACCOUNT), ..administrator(ACCOUNT) },
        );
        // The world begins on 2027-01-15.
        let before = |day: &str| json!({ "DateLessThan": { "aws:CurrentTime": day } });
        assert!(lets(&world, &person, &before("2027-02-01T00:00:00Z")) && lets(&world, &service, &before("2027-02-01T00:00:00Z")));
        assert!(!lets(&world, &person, &before("2027-01-01T00:00:00Z")));
        world.advance(world.now() + std::time::Duration::from_hours(40 * 24));
        assert!(!lets(&world, &person, &before("2027-02-01T00:00:00Z")), "time has passed");
        let epoch = json!({ "NumericGreaterThan": { "aws:EpochTime": "1800000000" } });
        assert!(lets(&world, &person, &epoch));
        let near = json!({ "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } });
        assert!(lets(&world, &person, &near) && !lets(&world, &service, &near), "a service's own request has no address");
    }

    /// [IAM: `aws:PrincipalOrgID`: present only for principals of an organization's member]
    #[test]
    fn members_of_the_organization_carry_its_id() {
        let mut world = world();
        let with_id = |id: &str| json!({ "StringEquals": { "aws:PrincipalOrgID": id } });
        let absent = json!({ "Null": { "aws:PrincipalOrgID": "true" } });
        assert!(lets(&world, &administrator(ACCOUNT), &absent));
        world.create_organization(ACCOUNT);
        world.join_organization(OTHER, "other");
        let told = json(&mut world, ACCOUNT, "us-east-1", "AWSOrganizationsV20161128.DescribeOrganization", &json!({})).unwrap();
        let id = told["Organization"]["Id"].as_str().unwrap().to_owned();
        assert!(lets(&world, &administrator(OTHER), &with_id(&id)));
        assert!(!lets(&world, &administrator(OTHER), &with_id("o-another")));
        assert!(!lets(&world, &administrator("777788889999"), &with_id(&id)));
    }
}
