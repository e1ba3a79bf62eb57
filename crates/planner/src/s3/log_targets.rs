//! Buckets that AWS services deliver logs to: some of these services can't write under a KMS key at all.

use crate::document::{Document, PrincipalPattern};
use crate::paths::grants::grants;

/// Server access logs. Only SSE-S3 is supported at the target. [S3: Setting default encryption]
const S3_LOGS: &str = "logging.s3.amazonaws.com";
/// ALB and Classic Load Balancer access logs. Only SSE-S3 is supported. [Enable access logs for your ALB]
const ELB_LOGS: &str = "logdelivery.elasticloadbalancing.amazonaws.com";

/// Accounts of Elastic Load Balancing, one for each region that is older than the service principal.
/// [Enable access logs for your ALB: regions available before August 2022]
const ELB_ACCOUNTS: [&str; 26] = [
    "127311923021", // us-east-1
    "033677994240", // us-east-2
    "027434742980", // us-west-1
    "797873946194", // us-west-2
    "098369216593", // af-south-1
    "754344448648", // ap-east-1
    "589379963580", // ap-southeast-3
    "718504428378", // ap-south-1
    "383597477331", // ap-northeast-3
    "600734575887", // ap-northeast-2
    "114774131450", // ap-southeast-1
    "783225319266", // ap-southeast-2
    "582318560864", // ap-northeast-1
    "985666609251", // ca-central-1
    "054676820928", // eu-central-1
    "156460612806", // eu-west-1
    "652711504416", // eu-west-2
    "635631232127", // eu-south-1
    "009996457667", // eu-west-3
    "897822967062", // eu-north-1
    "076674570225", // me-south-1
    "507241528517", // sa-east-1
    "048591011584", // us-gov-west-1
    "190560391635", // us-gov-east-1
    "638102146993", // cn-north-1
    "037604701340", // cn-northwest-1
];

/// Why logs would stop if the bucket were moved to a KMS key, as far as its document shows.
pub(crate) fn stops_logs(document: &Document) -> Option<String> {
    let what = |writer: &PrincipalPattern<'_>| match writer {
        PrincipalPattern::Service(S3_LOGS) => Some(("S3 server access logs", S3_LOGS.to_owned())),
        PrincipalPattern::Service(ELB_LOGS) => Some(("Load balancer access logs", ELB_LOGS.to_owned())),
        PrincipalPattern::Account(name) if is_elb_account(name) => Some(("Load balancer access logs", (*name).to_owned())),
        PrincipalPattern::Everyone
        | PrincipalPattern::Account(_)
        | PrincipalPattern::Aws(_)
        | PrincipalPattern::Service(_)
        | PrincipalPattern::Federated(_)
        | PrincipalPattern::CanonicalUser(_) => None,
    };
    let mut writers = grants(document).filter(|grant| grant.covers("s3:PutObject")).flat_map(|grant| grant.principals());
    writers.find_map(|writer| what(&writer)).map(|(logs, who)| reason(logs, &who))
}

/// Why logs would stop, where the bucket's access control list lets the log delivery group write.
pub(crate) fn stops_acl_logs() -> String {
    reason("S3 server access logs", "the log delivery group in its access control list")
}

fn reason(logs: &str, who: &str) -> String {
    format!(
        "{logs} arrive in this bucket ({who} may write), and that service delivers to SSE-S3 buckets only: under a KMS key the logs stop. Ask for AES256 for this bucket."
    )
}

fn is_elb_account(name: &str) -> bool {
    let account = match name.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", _, "iam", _, account, "root"] => account,
        _ => name,
    };
    ELB_ACCOUNTS.contains(&account)
}
