//! What goes wrong on purpose: scripted rules, each with a chance that the world's seed decides.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::access::Caller;
use crate::error::ApiError;
use crate::moment::Moment;

/// What happens to a call that a rule strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Refused as throttled, in the service's own words (S3: 503 `SlowDown`).
    Throttle,
    /// 500 `InternalFailure`; nothing was done.
    ServerError,
    /// 503 `ServiceUnavailable`; nothing was done.
    Unavailable,
    /// Refused for lack of permission.
    Deny,
    /// Nothing is done and no answer ever comes.
    TimeOut,
    /// Nothing is done and the connection breaks.
    Drop,
    /// The call is done, and its answer never comes: the connection breaks.
    LostAnswer,
    /// A read is answered with what it said up to this long ago.
    Stale(Duration),
    /// The answer comes after this time.
    Delay(Duration),
    /// The client of this call dies before it is done.
    CrashBefore,
    /// The client of this call dies after it was done and before it hears so.
    CrashAfter,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    /// What happens.
    pub fault: Fault,
    /// The service's id (`sqs`); empty = every service.
    pub service: String,
    /// The operation, with `*`; empty = every operation.
    pub operation: String,
    /// Only calls that change something.
    pub writes_only: bool,
    /// Chance in a million for each call.
    pub chance_ppm: u32,
    /// From when (inclusive).
    pub from: Moment,
    /// Until when (exclusive).
    pub until: Moment,
    /// How often at most; `None` = no limit.
    pub times: Option<u32>,
}

impl FaultRule {
    /// Always, for every call, until it is taken back.
    pub fn always(fault: Fault) -> Self {
        Self {
            fault,
            service: String::new(),
            operation: String::new(),
            writes_only: false,
            chance_ppm: 1_000_000,
            from: Moment(0),
            until: Moment(u64::MAX),
            times: None,
        }
    }

    /// The same for one service's operation (with `*`).
    #[must_use]
    pub fn on(mut self, service: &str, operation: &str) -> Self {
        service.clone_into(&mut self.service);
        operation.clone_into(&mut self.operation);
        self
    }

    /// The same with a chance in a million.
    #[must_use]
    pub const fn with_chance(mut self, ppm: u32) -> Self {
        self.chance_ppm = ppm;
        self
    }

    /// The same at most so often.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same from `from` (inclusive) to `until` (exclusive).
    #[must_use]
    pub const fn during(mut self, from: Moment, until: Moment) -> Self {
        self.from = from;
        self.until = until;
        self
    }

    /// The same for calls that change something.
    #[must_use]
    pub const fn writes(mut self) -> Self {
        self.writes_only = true;
        self
    }

    fn concerns(&self, service: &str, operation: &str, now: Moment) -> bool {
        let empty_or = |pattern: &str, text: &str| pattern.is_empty() || crate::access::like(pattern, text);
        self.times != Some(0)
            && self.from <= now
            && now < self.until
            && empty_or(&self.service, service)
            && empty_or(&self.operation, operation)
            && (!self.writes_only || !is_read(operation))
    }
}

/// All rules; the first that strikes decides.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// The rules.
    pub rules: Vec<FaultRule>,
}

impl Faults {
    /// What happens to this call. Data-plane callers of tests go through other doors and are not struck.
    pub(crate) fn strike(&mut self, service: &str, operation: &str, now: Moment, rng: &mut fastrand::Rng) -> Option<Fault> {
        for rule in &mut self.rules {
            if rule.concerns(service, operation, now) && rng.u32(0..1_000_000) < rule.chance_ppm {
                rule.times = rule.times.map(|times| times - 1);
                return Some(rule.fault.clone());
            }
        }
        None
    }
}

/// Does the operation only read?
pub(crate) fn is_read(operation: &str) -> bool {
    ["Get", "List", "Describe", "Head"].iter().any(|verb| operation.starts_with(verb))
}

/// A fault that is an answer, in the service's words.
pub(crate) fn as_error(fault: &Fault, service: &str, caller: &Caller) -> Option<ApiError> {
    match fault {
        Fault::Throttle => Some(match service {
            "s3" => ApiError::new(503, "SlowDown", "Please reduce your request rate."),
            "sqs" => ApiError::new(403, "RequestThrottled", "Request is throttled."),
            "sns" | "rds" => ApiError::new(400, "Throttling", "Rate exceeded"),
            "firehose" | "kinesis" => ApiError::new(400, "LimitExceededException", "Rate exceeded for API"),
            _ => ApiError::new(400, "ThrottlingException", "Rate exceeded"),
        }),
        Fault::ServerError => Some(ApiError::new(
            500,
            if service == "s3" { "InternalError" } else { "InternalFailure" },
            "We encountered an internal error. Please try again.",
        )),
        Fault::Unavailable => Some(ApiError::new(503, "ServiceUnavailable", "Service is unable to handle request.")),
        Fault::Deny => {
            let message = format!("User: {} is not authorized to perform this operation", caller.arn());
            Some(ApiError::new(403, if service == "s3" { "AccessDenied" } else { "AccessDeniedException" }, message))
        }
        Fault::TimeOut | Fault::Drop | Fault::LostAnswer | Fault::Stale(_) | Fault::Delay(_) | Fault::CrashBefore | Fault::CrashAfter => {
            None
        }
    }
}
