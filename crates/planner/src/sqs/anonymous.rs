//! Callers without a signature: an encrypted queue refuses them, whichever key encrypts it. [SQS SSE: requests to encrypted
//! queues must use HTTPS and Signature Version 4]

use crate::document::{Condition, Document, Effect, PrincipalPattern, Selector, StatementView};
use crate::plan::{Block, Gate};

/// Why encrypting an open queue could cut somebody off: its document lets anybody in, signed or not.
pub(super) fn cut_off_by_encryption(document: Option<&str>) -> Option<Block> {
    let document = match Document::parse(document?) {
        Ok(document) => document,
        Err(error) => {
            let reason = format!("the queue's policy can't be read ({error}), so nobody can tell whether it lets unsigned requests in");
            return Some(Block { name: Gate::Unread, reason });
        }
    };
    let open = document.statements().into_iter().find(lets_unsigned_requests_in)?;
    let sid = open.sid.map_or_else(|| "a statement without Sid".to_owned(), |sid| format!("statement `{sid}`"));
    Some(Block {
        name: Gate::KeyUse,
        reason: format!(
            "{sid} of the queue's policy lets everybody (`*`) in, unsigned requests included, and an encrypted queue takes signed \
             requests only: whoever sends without a signature would be cut off. Name the principals in that statement, or encrypt the \
             queue by hand once nobody sends unsigned."
        ),
    })
}

fn lets_unsigned_requests_in(statement: &StatementView<'_>) -> bool {
    let everyone = match &statement.principals {
        Selector::In(principals) => principals.contains(&PrincipalPattern::Everyone),
        Selector::NotIn(_) => true,
        Selector::Absent => false,
    };
    statement.effect == Some(Effect::Allow) && everyone && !statement.conditions.iter().any(needs_a_signature)
}

/// Keys that only a signed request carries: who it is, or on whose behalf a service calls. [IAM: global condition keys]
fn needs_a_signature(condition: &Condition<'_>) -> bool {
    let key = condition.key.to_ascii_lowercase();
    let of_the_caller = ["aws:principal", "aws:source", "aws:userid", "aws:username"].iter().any(|prefix| key.starts_with(prefix));
    let of_the_network = ["aws:sourceip", "aws:sourcevpc", "aws:sourcevpce"].contains(&key.as_str());
    let operator = condition.operator.to_ascii_lowercase();
    let met_by_absence = operator.contains("not") || operator.ends_with("ifexists") || operator == "null";
    of_the_caller && !of_the_network && !met_by_absence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(principal: &str, condition: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Open","Effect":"Allow","Principal":{principal},"Action":"sqs:SendMessage","Resource":"*"{condition}}}]}}"#
        )
    }

    #[test]
    fn an_open_queue_is_held_and_a_named_one_is_not() {
        let block = cut_off_by_encryption(Some(&policy("\"*\"", ""))).map(|block| (block.name, block.reason.contains("`Open`")));
        assert_eq!(block, Some((Gate::KeyUse, true)));
        for condition in [
            r#","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
            r#","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"1"}}"#,
            r#","Condition":{"ArnLikeIfExists":{"aws:SourceArn":"arn:aws:s3:::b"}}"#,
        ] {
            assert!(cut_off_by_encryption(Some(&policy("\"*\"", condition))).is_some(), "{condition}");
        }
        assert_eq!(cut_off_by_encryption(None), None);
        assert_eq!(cut_off_by_encryption(Some(&policy(r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, ""))), None);
        let from_bucket = r#","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"}}"#;
        assert_eq!(cut_off_by_encryption(Some(&policy("\"*\"", from_bucket))), None, "S3 signs its requests");
    }

    #[test]
    fn a_policy_that_cannot_be_read_holds_the_step() {
        assert_eq!(cut_off_by_encryption(Some("{")).map(|block| block.name), Some(Gate::Unread));
    }
}
