//! When an exemption holds, and for what.

use time::{Date, Duration, OffsetDateTime};

use super::model::Exemption;
use crate::plan::select::glob;
use crate::{Arn, Check};

impl Exemption {
    /// Whether it holds at `now` (seconds since the Unix epoch): to the end, in UTC, of the day in `expires`.
    /// A date that is none never holds.
    pub fn holds(&self, now: i64) -> bool {
        let Some(expires) = &self.expires else { return true };
        let today = OffsetDateTime::from_unix_timestamp(now).map(OffsetDateTime::date);
        matches!((parse_date(expires), today), (Some(last), Ok(today)) if today <= last)
    }

    /// Whether it is for this check of this resource, as long as it holds.
    pub fn covers(&self, resource: &Arn, check: Check) -> bool {
        self.checks.iter().any(|id| id == check.id()) && glob(&self.resource, resource.as_str())
    }
}

/// The day that `YYYY-MM-DD` names, if it is written so and there is such a day.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let shaped = text.len() == 10 && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    if !shaped {
        return None;
    }
    Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()
}

/// The day after, for words about when something ended.
pub(super) fn days_since(last: Date, now: i64) -> i64 {
    OffsetDateTime::from_unix_timestamp(now).map_or(0, |now| Duration::whole_days(now.date() - last))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn exemption(resource: &str, expires: Option<&str>) -> Exemption {
        Exemption {
            resource: resource.to_owned(),
            checks: vec!["s3-secure-transport".to_owned()],
            reason: "test".to_owned(),
            expires: expires.map(str::to_owned),
        }
    }

    fn at(text: &str) -> i64 {
        OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap().unix_timestamp()
    }

    #[test]
    fn holds_to_the_last_second_of_its_last_day_in_utc() {
        let until = |day| exemption("*", Some(day));
        assert!(until("2027-05-31").holds(at("2026-11-24T12:00:00Z")));
        assert!(until("2027-05-31").holds(at("2027-05-31T00:00:00Z")));
        assert!(until("2027-05-31").holds(at("2027-05-31T23:59:59Z")));
        assert!(!until("2027-05-31").holds(at("2027-06-01T00:00:00Z")));
        assert!(until("2028-02-29").holds(at("2028-02-29T12:00:00Z")));
        assert!(exemption("*", None).holds(i64::MAX));
    }

    #[test]
    fn a_date_that_is_none_never_holds() {
        for text in ["2027-02-29", "2027-13-01", "31.05.2027", "2027-5-31", "+027-05-31", "2027-05-31T00:00:00Z", "soon", ""] {
            assert!(!exemption("*", Some(text)).holds(0), "{text}");
        }
        assert!(!exemption("*", Some("2027-05-31")).holds(i64::MAX), "a time that is none");
    }

    #[test]
    fn covers_what_the_pattern_and_the_checks_name() {
        let bucket = Arn::parse("arn:aws:s3:::legacy-site").unwrap();
        let holds = |pattern: &str, check| exemption(pattern, None).covers(&bucket, check);
        assert!(holds("arn:aws:s3:::legacy-site", Check::S3SecureTransport));
        assert!(holds("arn:aws:s3:::legacy-*", Check::S3SecureTransport));
        assert!(holds("arn:*:s3:::legacy-????", Check::S3SecureTransport));
        assert!(!holds("arn:aws:s3:::legacy", Check::S3SecureTransport));
        assert!(!holds("arn:aws:s3:::Legacy-site", Check::S3SecureTransport));
        assert!(!holds("arn:aws:s3:::legacy-site", Check::S3Encryption));
    }
}
