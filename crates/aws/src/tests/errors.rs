use everseal_controller::ApplyError;
use everseal_planner::Unreadable;
use everseal_planner::inventory::ErrorClass::{self, Conflict, Denied, Invalid, LimitExceeded, NotFound, Throttled, Unavailable};

use crate::error::AwsError;
use crate::kinesis::operations::{DESCRIBE_STREAM_SUMMARY as READ, START_STREAM_ENCRYPTION as WRITE};

fn class(code: &str, status: u16) -> ErrorClass {
    AwsError::answered(&WRITE, Some(code), None, status).class
}

/// Code, HTTP status and class, as the services document them (S3 error responses; errors of the
/// operations that Everseal calls).
const DOCUMENTED: &[(&str, u16, ErrorClass)] = &[
    // S3
    ("AccessDenied", 403, Denied),
    ("MethodNotAllowed", 405, Denied),
    ("NoSuchBucket", 404, NotFound),
    ("NoSuchBucketPolicy", 404, NotFound),
    ("OperationAborted", 409, Conflict),
    ("MalformedPolicy", 400, Invalid),
    ("PermanentRedirect", 301, Invalid),
    ("SlowDown", 503, Throttled),
    ("ServiceUnavailable", 503, Unavailable),
    ("InternalError", 500, Unavailable),
    ("RequestTimeout", 400, Unavailable),
    // SQS
    ("AWS.SimpleQueueService.NonExistentQueue", 400, NotFound),
    ("QueueDoesNotExist", 400, NotFound),
    ("InvalidAttributeValue", 400, Invalid),
    ("InvalidAttributeName", 400, Invalid),
    ("UnsupportedOperation", 400, Invalid),
    ("OverLimit", 403, LimitExceeded),
    ("RequestThrottled", 403, Throttled),
    // SNS
    ("AuthorizationError", 403, Denied),
    ("NotFound", 404, NotFound),
    ("InvalidParameter", 400, Invalid),
    ("Throttled", 429, Throttled),
    ("KMSThrottling", 400, Throttled),
    ("KMSAccessDenied", 400, Denied),
    // Firehose, Kinesis
    ("ResourceNotFoundException", 400, NotFound),
    ("ResourceInUseException", 400, Conflict),
    ("ConcurrentModificationException", 400, Conflict),
    ("LimitExceededException", 400, LimitExceeded),
    ("InvalidArgumentException", 400, Invalid),
    ("InvalidKMSResourceException", 400, Invalid),
    ("KMSNotFoundException", 400, Invalid),
    ("KMSDisabledException", 400, Conflict),
    ("KMSThrottlingException", 400, Throttled),
    // KMS
    ("AccessDeniedException", 400, Denied),
    ("NotFoundException", 400, NotFound),
    ("DisabledException", 400, Conflict),
    ("KMSInvalidStateException", 400, Conflict),
    ("AlreadyExistsException", 400, Conflict),
    ("MalformedPolicyDocumentException", 400, Invalid),
    ("UnsupportedOperationException", 400, Invalid),
    ("DependencyTimeoutException", 500, Unavailable),
    ("KMSInternalException", 500, Unavailable),
    ("KeyUnavailableException", 500, Unavailable),
    ("ThrottlingException", 400, Throttled),
    // RDS
    ("DBInstanceNotFound", 404, NotFound),
    ("DBClusterNotFoundFault", 404, NotFound),
    ("DBParameterGroupNotFound", 404, NotFound),
    ("DBParameterGroupAlreadyExists", 400, Conflict),
    ("DBParameterGroupQuotaExceeded", 400, LimitExceeded),
    ("InvalidDBInstanceState", 400, Conflict),
    ("InvalidDBClusterStateFault", 400, Conflict),
    ("InvalidDBParameterGroupState", 400, Conflict),
    ("InvalidParameterCombination", 400, Invalid),
    ("Throttling", 400, Throttled),
    ("RequestLimitExceeded", 503, Throttled),
    // credentials
    ("ExpiredToken", 403, Denied),
    ("InvalidClientTokenId", 403, Denied),
];

#[test]
fn documented_codes_have_their_class() {
    for (code, status, expected) in DOCUMENTED {
        assert_eq!(class(code, *status), *expected, "{code}");
    }
}

#[test]
fn an_unknown_code_follows_its_http_status() {
    for (status, expected) in [
        (400, Invalid),
        (401, Denied),
        (403, Denied),
        (404, NotFound),
        (409, Conflict),
        (429, Throttled),
        (500, Unavailable),
        (503, Unavailable),
    ] {
        assert_eq!(class("SomethingNew", status), expected, "{status}");
        assert_eq!(AwsError::answered(&WRITE, None, None, status).class, expected, "{status} without a code");
    }
}

#[test]
fn one_code_is_a_rate_for_reads_and_a_used_up_budget_for_writes() {
    assert_eq!(AwsError::answered(&READ, Some("LimitExceededException"), None, 400).class, Throttled);
    assert_eq!(AwsError::answered(&WRITE, Some("LimitExceededException"), None, 400).class, LimitExceeded);
}

#[test]
fn a_missing_permission_is_named_and_bad_credentials_are_not_taken_for_one() {
    let action = |code: &str| AwsError::answered(&READ, Some(code), None, 403).missing_action;
    assert_eq!(action("AccessDeniedException"), Some("kinesis:DescribeStreamSummary"));
    for code in ["ExpiredToken", "UnrecognizedClientException", "KMSAccessDeniedException"] {
        assert_eq!(action(code), None, "{code}");
    }
}

#[test]
fn words_of_aws_are_kept_on_one_line_of_readable_length() {
    let long = format!("User: x\n   is not\tauthorized {}", "é".repeat(1000));
    let error = AwsError::answered(&READ, Some("AccessDeniedException"), Some(&long), 400);
    assert!(error.message.starts_with("User: x is not authorized é"));
    assert_eq!(error.message.chars().count(), 401);
    assert!(error.message.ends_with('…'));
}

#[test]
fn both_sides_get_class_operation_and_permission() {
    let error = AwsError::answered(&READ, Some("AccessDeniedException"), Some("no"), 400);
    let unreadable = Unreadable::from(error.clone());
    assert_eq!((unreadable.class, unreadable.operation.as_str(), unreadable.message.as_str()), (Denied, "DescribeStreamSummary", "no"));
    assert_eq!(unreadable.missing_action.as_deref(), Some("kinesis:DescribeStreamSummary"));
    let apply = ApplyError::from(error);
    assert_eq!((apply.class, apply.code.as_str()), (Denied, "AccessDeniedException"));
    assert_eq!(apply.missing_action.as_deref(), Some("kinesis:DescribeStreamSummary"));
    assert_eq!(apply.to_string(), "DescribeStreamSummary: no; allow kinesis:DescribeStreamSummary");
}
