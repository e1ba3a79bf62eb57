use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use everseal_controller::Account;
use everseal_planner::plan::{Reads, Target};
use everseal_planner::policy::model::AccountRef;
use everseal_planner::{Reading, Service};

use crate::call::ScopeContext;
use crate::connect::{Aws, ConnectError, ConnectOptions, RoleCredentials};
use crate::testing::{Answer, Seen, Wire};

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";
const ROLE: &str = "arn:aws:iam::444455556666:role/everseal";

fn sts(operation: &str, result: &str) -> Answer {
    Answer::ok(format!(
        r#"<{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{operation}Result>{result}</{operation}Result></{operation}Response>"#
    ))
}

fn identity(arn: &str, account: &str) -> Answer {
    sts("GetCallerIdentity", &format!("<Arn>{arn}</Arn><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>{account}</Account>"))
}

fn refused(status: u16, code: &str, message: &str) -> Answer {
    Answer::new(
        status,
        format!(
            r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"#
        ),
    )
}

fn own() -> Answer {
    identity("arn:aws:sts::111122223333:assumed-role/everseal/pod", OWN)
}

/// An organisation of two accounts, the other one behind a role.
fn two_accounts(request: &Seen) -> Answer {
    let signed_in_other = request.header("authorization").is_some_and(|signature| signature.contains("ASIAOTHER"));
    if request.body.starts_with("Action=AssumeRole") {
        sts(
            "AssumeRole",
            "<Credentials><AccessKeyId>ASIAOTHER</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>token-of-other</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>",
        )
    } else if request.body.starts_with("Action=GetCallerIdentity") {
        if signed_in_other { identity("arn:aws:sts::444455556666:assumed-role/everseal/everseal", OTHER) } else { own() }
    } else {
        Answer::ok("{}")
    }
}

async fn connect(wire: &Wire) -> Result<Aws, ConnectError> {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let options = ConnectOptions {
        fallback_region: Some("us-east-1".to_owned()),
        http_client: Some(wire.http_client()),
        credentials: Some(SharedCredentialsProvider::new(credentials)),
        time_source: None,
    };
    Aws::connect(options, Arc::new(wire.clone())).await
}

fn other() -> AccountRef {
    AccountRef { id: OTHER.to_owned(), role_arn: Some(ROLE.to_owned()), external_id: Some("x-4711".to_owned()) }
}

#[tokio::test]
async fn identity_and_partition_come_from_sts() {
    let wire = Wire::new(|_| identity("arn:aws-cn:iam::111122223333:user/everseal", OWN));
    let aws = connect(&wire).await.unwrap();
    assert_eq!((aws.identity().partition.as_str(), aws.identity().account.as_str()), ("aws-cn", OWN));
    let scopes = aws.account(None, &["cn-north-1".to_owned(), "cn-northwest-1".to_owned()]).await.unwrap();
    assert_eq!(scopes[1].scope().arn("sqs", "orders").as_str(), "arn:aws-cn:sqs:cn-northwest-1:111122223333:orders");
    assert_eq!(wire.counted(), ["sts GetCallerIdentity OK"]);
}

#[tokio::test]
async fn another_account_is_entered_once_with_session_name_and_external_id() {
    let wire = Wire::new(two_accounts);
    let aws = connect(&wire).await.unwrap();
    let scopes = aws.account(Some(&other()), &["us-east-1".to_owned(), "eu-west-1".to_owned()]).await.unwrap();
    let reads = Reads { services: [Service::Sqs].into(), ..Reads::everything() };
    for scope in &scopes {
        assert_eq!(scope.scope().account, OTHER);
        scope.observe(&Target::Everything, &reads).await;
    }
    let seen = wire.seen();
    let assumed: Vec<&Seen> = seen.iter().filter(|request| request.body.starts_with("Action=AssumeRole")).collect();
    assert_eq!(assumed.len(), 1, "both regions share the session");
    for part in ["RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Feverseal", "RoleSessionName=everseal", "ExternalId=x-4711"] {
        assert!(assumed[0].body.contains(part), "{}", assumed[0].body);
    }
    let lists: Vec<&Seen> = seen.iter().filter(|request| request.target == "ListQueues").collect();
    assert_eq!(lists.len(), 2);
    assert!(lists.iter().all(|request| request.header("x-amz-security-token") == Some("token-of-other")));
}

#[tokio::test]
async fn a_refused_role_is_that_accounts_failure_and_says_what_to_do() {
    let message = "User: x is not authorized to perform: sts:AssumeRole";
    let wire = Wire::new(move |request| {
        if request.body.starts_with("Action=AssumeRole") { refused(403, "AccessDenied", message) } else { two_accounts(request) }
    });
    let aws = connect(&wire).await.unwrap();
    let error = aws.account(Some(&other()), &["us-east-1".to_owned()]).await.unwrap_err();
    let caller = "arn:aws:sts::111122223333:assumed-role/everseal/pod".to_owned();
    assert_eq!(error, ConnectError::Role { role: ROLE.to_owned(), caller, message: message.to_owned() });
    assert!(error.to_string().contains("trust policy"));
    aws.account(None, &["us-east-1".to_owned()]).await.unwrap();
}

/// What a scope says whose role is refused once the daemon runs.
#[tokio::test]
async fn a_session_that_is_refused_later_is_named_on_what_could_not_be_read() {
    let wire = Wire::new(|request| {
        assert!(request.body.starts_with("Action=AssumeRole"), "nothing else can be signed");
        refused(403, "AccessDenied", "role was deleted")
    });
    let provider = RoleCredentials::new(wire.context(), ROLE.to_owned(), None);
    let sdk = wire.sdk().into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
    let ctx = ScopeContext::new(wire.context().scope().clone(), &sdk, Arc::new(wire.clone()));
    let part = crate::sqs::observe(&ctx, &Target::Everything, &Reads::everything()).await;
    let unlisted = &part.unlisted[&Service::Sqs];
    assert_eq!((unlisted.operation.as_str(), unlisted.missing_action.as_deref()), ("AssumeRole", Some("sts:AssumeRole")));
    assert_eq!(unlisted.message, "role was deleted");
}

#[tokio::test]
async fn a_session_is_kept_while_it_lasts_and_renewed_when_it_ends() {
    for (expires, sessions) in [("2999-01-01T00:00:00Z", 1), ("2001-01-01T00:00:00Z", 3)] {
        let wire = Wire::new(move |request| {
            if !request.body.starts_with("Action=AssumeRole") {
                return Answer::ok("{}");
            }
            let keys = "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>";
            sts("AssumeRole", &format!("<Credentials>{keys}<Expiration>{expires}</Expiration></Credentials>"))
        });
        let provider = RoleCredentials::new(wire.context(), ROLE.to_owned(), None);
        let cache = aws_config::identity::IdentityCache::lazy().build();
        let sdk = wire.sdk().into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).identity_cache(cache).build();
        let ctx = ScopeContext::new(wire.context().scope().clone(), &sdk, Arc::new(wire.clone()));
        for _ in 0..3 {
            crate::sqs::observe(&ctx, &Target::Everything, &Reads::everything()).await;
        }
        let assumed = wire.counted().iter().filter(|attempt| attempt.contains("AssumeRole")).count();
        assert_eq!(assumed, sessions, "{expires}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_the_one_wanted_is_refused() {
    let wire = Wire::new(two_accounts);
    let aws = connect(&wire).await.unwrap();
    let wrong = AccountRef { id: "777788889999".to_owned(), ..other() };
    let error = aws.account(Some(&wrong), &[]).await.unwrap_err();
    assert!(matches!(&error, ConnectError::WrongAccount { wanted, found, by } if wanted == "777788889999" && found == OTHER && by == ROLE));
    let no_role = AccountRef { id: OTHER.to_owned(), role_arn: None, external_id: None };
    let error = aws.account(Some(&no_role), &[]).await.unwrap_err();
    assert!(matches!(&error, ConnectError::WrongAccount { found, .. } if found == OWN));
    let own = AccountRef { id: OWN.to_owned(), role_arn: None, external_id: None };
    aws.account(Some(&own), &[]).await.unwrap();
}

#[tokio::test]
async fn refused_credentials_say_so() {
    let wire = Wire::new(|_| refused(403, "InvalidClientTokenId", "The security token included in the request is invalid."));
    let error = connect(&wire).await.unwrap_err();
    assert!(matches!(&error, ConnectError::BadCredentials { code, .. } if code == "InvalidClientTokenId"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_never_answers_is_unreachable_within_the_limit() {
    let wire = Wire::silent();
    let start = tokio::time::Instant::now();
    let error = connect(&wire).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_refuses_connections_is_named() {
    let start = tokio::time::Instant::now();
    let error = connect(&Wire::unreachable()).await.unwrap_err();
    assert!(error.to_string().starts_with("AWS does not answer at the STS endpoint of us-east-1: "), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn the_account_observes_services_at_once_and_never_fails_as_a_whole() {
    let wire = Wire::new(|request| {
        if request.body.starts_with("Action=GetCallerIdentity") {
            own()
        } else if request.target == "ListQueues" {
            Answer::new(400, r#"{"__type":"AccessDeniedException","message":"no"}"#)
        } else if request.body.starts_with("Action=ListTopics") {
            Answer::ok("<ListTopicsResponse><ListTopicsResult><Topics></Topics></ListTopicsResult></ListTopicsResponse>")
        } else {
            Answer::ok("{}")
        }
    });
    let aws = connect(&wire).await.unwrap();
    let scopes = aws.account(None, &["us-east-1".to_owned()]).await.unwrap();
    let reads = Reads { services: [Service::Sqs, Service::Sns].into(), subscriptions: false, tags_of: [].into(), ..Reads::everything() };
    let inventory = scopes[0].observe(&Target::Everything, &reads).await;
    assert_eq!(inventory.unlisted.keys().collect::<Vec<_>>(), [&Service::Sqs]);
    assert!(inventory.topics.is_empty() && inventory.subscriptions == Reading::NotRead);
    assert!(inventory.observed_at > 0);
}
