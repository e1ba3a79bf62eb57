//! What an AWS error means: the one place that turns codes, HTTP statuses and failures of the
//! connection into an [`ErrorClass`].
//!
//! A failure is never "absent": an adapter that treats a missing sub-resource as a value asks for
//! that very code ([`AwsError::has_code`]), everything else becomes `Unreadable` or an `ApplyError`.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use everseal_controller::ApplyError;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::{Reading, Unreadable};

use crate::operation::{Need, Operation};

/// Longest text of AWS that is kept.
const MESSAGE_LIMIT: usize = 400;

/// Code of a success without a body where the API documents one.
pub(crate) const EMPTY_RESPONSE: &str = "EmptyResponse";

/// A failed API call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct AwsError {
    /// What follows from it.
    pub class: ErrorClass,
    /// The API operation.
    pub operation: &'static str,
    /// AWS's error code; one of ours (`NoCredentials`, `Timeout` …) where AWS never answered.
    pub code: String,
    /// AWS's words, on one line, cut to a readable length.
    pub message: String,
    /// The IAM action to allow, where AWS said that it is not.
    pub missing_action: Option<&'static str>,
    /// The region that S3 says the bucket is in, where the call went to another one.
    pub bucket_region: Option<String>,
}

impl AwsError {
    /// Judges the outcome of `operation`.
    pub fn new<E>(operation: &'static Operation, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(service) => {
                let (meta, raw) = (service.err(), service.raw());
                if raw.status().is_success() {
                    return Self::unreadable(operation, raw);
                }
                let mut judged = Self::answered(operation, meta.code(), meta.message(), raw.status().as_u16());
                judged.bucket_region = raw.headers().get("x-amz-bucket-region").map(str::to_owned);
                judged
            }
            SdkError::ResponseError(response) => Self::unreadable(operation, response.raw()),
            SdkError::TimeoutError(_) => Self::unavailable(operation, "Timeout", "no answer in time"),
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(connector) => Self::not_sent(operation, connector, connector.is_timeout()),
                None => Self::not_sent(operation, error, false),
            },
            _ => Self::not_sent(operation, error, false),
        }
    }

    /// AWS answered with an error.
    pub(crate) fn answered(operation: &'static Operation, code: Option<&str>, message: Option<&str>, status: u16) -> Self {
        let (class, names_permission) = class_of(operation, code.unwrap_or_default(), status);
        Self {
            class,
            operation: operation.name,
            code: code.map_or_else(|| format!("Http{status}"), str::to_owned),
            message: match message.or(code) {
                Some(words) => readable(words),
                None => format!("HTTP status {status} without an explanation"),
            },
            missing_action: operation.action().filter(|_| class == ErrorClass::Denied && names_permission),
            bucket_region: None,
        }
    }

    /// An answer that is not what the API documents: a proxy's page, or nothing at all.
    fn unreadable(operation: &'static Operation, raw: &HttpResponse) -> Self {
        let code = if raw.body().bytes().is_some_and(<[u8]>::is_empty) { EMPTY_RESPONSE } else { "UnreadableResponse" };
        Self::unavailable(operation, code, &format!("cannot read the answer (HTTP status {})", raw.status().as_u16()))
    }

    /// The request never got an answer: no credentials, no connection, or a request that can't be built.
    fn not_sent(operation: &'static Operation, error: &(dyn Error + 'static), timed_out: bool) -> Self {
        let chain = || causes(error);
        if let Some(role) = chain().find_map(|cause| cause.downcast_ref::<Self>()) {
            return role.clone();
        }
        let words = readable(&chain().map(ToString::to_string).collect::<Vec<_>>().join(": "));
        match chain().find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
            Some(CredentialsError::ProviderTimedOut(_)) => Self::unavailable(operation, "CredentialsTimeout", &words),
            Some(_) => Self { class: ErrorClass::Denied, ..Self::unavailable(operation, "NoCredentials", &words) },
            None if timed_out => Self::unavailable(operation, "Timeout", &words),
            None => Self::unavailable(operation, "NoConnection", &words),
        }
    }

    pub(crate) fn unavailable(operation: &'static Operation, code: &str, message: &str) -> Self {
        Self {
            class: ErrorClass::Unavailable,
            operation: operation.name,
            code: code.to_owned(),
            message: readable(message),
            missing_action: None,
            bucket_region: None,
        }
    }

    /// A request that can't even be built.
    pub(crate) fn invalid(operation: &'static Operation, message: &str) -> Self {
        Self { class: ErrorClass::Invalid, ..Self::unavailable(operation, "InvalidRequest", message) }
    }

    /// An answer that lacks what AWS documents to be there.
    pub(crate) fn incomplete(operation: &'static Operation, missing: &str) -> Self {
        Self::unavailable(operation, "IncompleteResponse", &format!("the answer lacks {missing}"))
    }

    /// AWS gave this very code.
    pub fn has_code(&self, code: &str) -> bool {
        self.code == code
    }

    /// The resource is gone or never was.
    pub fn is_not_found(&self) -> bool {
        self.class == ErrorClass::NotFound
    }
}

/// A value, or why there is none.
pub(crate) fn reading<T>(outcome: Result<T, AwsError>) -> Reading<T> {
    match outcome {
        Ok(value) => Reading::Known(value),
        Err(error) => Reading::Unreadable { unreadable: error.into() },
    }
}

impl From<AwsError> for Unreadable {
    fn from(error: AwsError) -> Self {
        Self {
            class: error.class,
            operation: error.operation.to_owned(),
            missing_action: error.missing_action.map(str::to_owned),
            message: error.message,
        }
    }
}

impl From<AwsError> for ApplyError {
    fn from(error: AwsError) -> Self {
        Self {
            class: error.class,
            operation: error.operation.to_owned(),
            code: error.code,
            message: error.message,
            missing_action: error.missing_action.map(str::to_owned),
        }
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

fn readable(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Codes by which services say that there are too many requests.
/// [S3 SlowDown; SQS RequestThrottled; RDS and query APIs Throttling; JSON APIs ThrottlingException …]
pub(crate) const THROTTLING_CODES: &[&str] = &[
    "BandwidthLimitExceeded",
    "KMSThrottling",
    "KMSThrottlingException",
    "KmsThrottled",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
];

/// The class of an answer, and whether a missing permission (not bad credentials) is what it says.
fn class_of(operation: &Operation, code: &str, status: u16) -> (ErrorClass, bool) {
    let class = match code {
        // Nothing that an IAM policy of ours could cure: the credentials themselves, another account's
        // bucket, a key's own document, a subscription.
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidToken"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "UnrecognizedClientException"
        | "MethodNotAllowed"
        | "KMSAccessDenied"
        | "KMSAccessDeniedException"
        | "KmsAccessDenied"
        | "KMSOptInRequired"
        | "KmsOptInRequired"
        | "OptInRequired" => return (ErrorClass::Denied, false),
        "AccessDenied"
        | "AccessDeniedException"
        | "AllAccessDisabled"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "NotAuthorized"
        | "UnauthorizedOperation" => ErrorClass::Denied,
        // Kinesis and Firehose use the one code for too many reads a second and for a used-up budget of changes.
        "LimitExceededException" if operation.need == Need::Audit => ErrorClass::Throttled,
        "LimitExceededException" | "OverLimit" | "TooManyBuckets" => ErrorClass::LimitExceeded,
        "OperationAborted"
        | "ResourceInUseException"
        | "ConcurrentModificationException"
        | "ConcurrentAccess"
        | "ConcurrentAccessException"
        | "ConflictException"
        | "KMSInvalidStateException"
        | "KmsInvalidState"
        | "DisabledException"
        | "KMSDisabledException"
        | "KmsDisabled"
        | "AlreadyExistsException" => ErrorClass::Conflict,
        "DependencyTimeoutException"
        | "InternalError"
        | "InternalErrorException"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "KMSInternalException"
        | "KeyUnavailableException"
        | "RequestTimeout"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => ErrorClass::Unavailable,
        // The key is what was not found; the resource is still there.
        "KMSNotFoundException" | "KmsNotFound" => ErrorClass::Invalid,
        "AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist" | "NoSuchBucket" | "NotFound" => ErrorClass::NotFound,
        _ if THROTTLING_CODES.contains(&code) => ErrorClass::Throttled,
        _ => class_of_family(code, status),
    };
    (class, true)
}

/// Codes that follow a pattern (`DBInstanceNotFound`, `InvalidDBClusterStateFault` …), then the HTTP status.
fn class_of_family(code: &str, status: u16) -> ErrorClass {
    let stem = code.trim_end_matches("Exception").trim_end_matches("Fault");
    if stem.ends_with("NotFound") {
        ErrorClass::NotFound
    } else if stem.ends_with("QuotaExceeded") || stem.ends_with("LimitExceeded") {
        ErrorClass::LimitExceeded
    } else if stem.ends_with("AlreadyExists") || (stem.starts_with("Invalid") && stem.ends_with("State")) {
        ErrorClass::Conflict
    } else {
        match status {
            401 | 403 => ErrorClass::Denied,
            404 => ErrorClass::NotFound,
            409 | 412 => ErrorClass::Conflict,
            429 => ErrorClass::Throttled,
            500.. => ErrorClass::Unavailable,
            _ => ErrorClass::Invalid,
        }
    }
}
