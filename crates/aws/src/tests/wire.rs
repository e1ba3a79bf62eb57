use std::sync::atomic::{AtomicUsize, Ordering};

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use everseal_planner::inventory::ErrorClass;

use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::s3::operations::GET_BUCKET_POLICY;
use crate::sqs::operations::LIST_QUEUES;
use crate::testing::{Answer, Wire};

async fn policy(ctx: &ScopeContext) -> Result<(), AwsError> {
    ctx.call(&GET_BUCKET_POLICY, ctx.s3().get_bucket_policy().bucket("ledger").send()).await.map(drop)
}

async fn queues(ctx: &ScopeContext) -> Result<(), AwsError> {
    ctx.call(&LIST_QUEUES, ctx.sqs().list_queues().send()).await.map(drop)
}

/// `first` once, then a good answer.
fn once(first: Answer, then: &'static str) -> Wire {
    let calls = AtomicUsize::new(0);
    Wire::new(move |_| if calls.fetch_add(1, Ordering::Relaxed) == 0 { first.clone() } else { Answer::ok(then) })
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_counted_and_a_throttled_one_is_told_apart() {
    let slow_down = Answer::new(503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>");
    let wire = once(slow_down, "{}");
    policy(&wire.context()).await.unwrap();
    assert_eq!(wire.counted(), ["s3 GetBucketPolicy SlowDown", "s3 GetBucketPolicy throttled", "s3 GetBucketPolicy OK"]);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_seen_in_json_with_status_400() {
    let throttled = Answer::new(400, r#"{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate exceeded"}"#);
    let wire = once(throttled, "{}");
    queues(&wire.context()).await.unwrap();
    assert_eq!(wire.counted(), ["sqs ListQueues ThrottlingException", "sqs ListQueues throttled", "sqs ListQueues OK"]);
}

#[tokio::test(start_paused = true)]
async fn a_word_in_a_message_is_no_throttling() {
    let denied = Answer::new(400, r#"{"__type":"AccessDeniedException","message":"not even Throttling is allowed"}"#);
    let wire = Wire::new(move |_| denied.clone());
    let error = queues(&wire.context()).await.unwrap_err();
    assert_eq!(error.missing_action, Some("sqs:ListQueues"));
    assert_eq!(wire.counted(), ["sqs ListQueues AccessDeniedException"]);
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_the_operation_down_in_its_scope() {
    let throttled = Answer::new(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
    let wire = once(throttled, "{}");
    let (throttled, other) = (wire.context(), wire.context());
    queues(&throttled).await.unwrap();
    let took = |ctx: ScopeContext| async move {
        let start = tokio::time::Instant::now();
        for _ in 0..20 {
            queues(&ctx).await.unwrap();
        }
        start.elapsed().as_secs_f64()
    };
    assert!(took(throttled).await > 1.0, "what was tried is cut by half, the share that was throttled");
    assert!(took(other).await < 0.1, "another scope is not slowed down");
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded() {
    let wire = Wire::new(|_| Answer::new(500, "<Error><Code>InternalError</Code></Error>"));
    let error = policy(&wire.context()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Unavailable, "InternalError"));
    assert_eq!(wire.counted(), ["s3 GetBucketPolicy InternalError"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_xml_is_unavailable_and_not_absent() {
    let wire = Wire::new(|_| Answer::new(404, "<html>proxy</html>"));
    let error = policy(&wire.context()).await.unwrap_err();
    assert!(!error.has_code("NoSuchBucketPolicy"), "{error:?}");
}

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("nothing in the chain")))
    }
}

#[tokio::test(start_paused = true)]
async fn missing_credentials_are_said_and_not_counted_as_requests() {
    let wire = Wire::new(|_| Answer::ok("{}"));
    let sdk = wire.sdk().into_builder().credentials_provider(SharedCredentialsProvider::new(NoCredentials)).build();
    let ctx = ScopeContext::new(wire.context().scope().clone(), &sdk, std::sync::Arc::new(wire.clone()));
    let error = queues(&ctx).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str(), error.missing_action), (ErrorClass::Denied, "NoCredentials", None));
    assert!(error.message.contains("nothing in the chain"), "{}", error.message);
    assert!(wire.counted().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_endpoint_is_unavailable_and_counted() {
    let wire = Wire::unreachable();
    let error = queues(&wire.context()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Unavailable, "NoConnection"));
    assert_eq!(wire.counted(), ["sqs ListQueues Unreachable"; 3]);
}

#[tokio::test]
async fn clients_of_another_region_go_to_that_region() {
    let wire = Wire::new(|_| Answer::ok("{}"));
    let ctx = wire.context();
    queues(&ctx.in_region("eu-west-1")).await.unwrap();
    queues(&ctx.in_region("us-east-1")).await.unwrap();
    let hosts: Vec<_> = wire.seen().into_iter().map(|request| request.uri).collect();
    assert_eq!(hosts, ["sqs.eu-west-1.amazonaws.com/", "sqs.us-east-1.amazonaws.com/"]);
    assert_eq!(ctx.in_region("eu-west-1").scope().account, "111122223333");
}
