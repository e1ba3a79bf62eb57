//! What a service answers when it refuses.

use std::borrow::Cow;

/// An error as AWS names it; each protocol writes it in its own form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// For example `AccessDeniedException`, without a namespace.
    pub code: Cow<'static, str>,
    /// The query protocol's code where it differs from the modelled shape's name (`x-amzn-query-error`), e.g.
    /// `AWS.SimpleQueueService.NonExistentQueue` beside `QueueDoesNotExist`.
    pub query_code: Option<Cow<'static, str>>,
    /// AWS's words, as near as they are known.
    pub message: String,
    /// HTTP status.
    pub status: u16,
    /// More members of the error's shape or element, e.g. `BucketName`.
    pub details: Vec<(&'static str, String)>,
}

impl ApiError {
    /// A refusal with a status.
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), query_code: None, message: message.into(), status, details: Vec::new() }
    }

    /// The caller's fault: status 400.
    pub fn bad_request(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// The same with the query protocol's code.
    #[must_use]
    pub fn query_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.query_code = Some(code.into());
        self
    }

    /// The same with one more member.
    #[must_use]
    pub fn detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// An operation that this simulator does not have: never a silent success.
    pub fn unknown_operation(operation: &str) -> Self {
        Self::new(501, "NotImplemented", format!("the simulator does not have the operation {operation}"))
    }
}
