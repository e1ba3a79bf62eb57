//! The kinds of values that condition operators compare: numbers, dates and networks.

use std::net::IpAddr;

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, Time};

/// A decimal number as IAM writes it: digits, at most one point, perhaps a minus.
pub(super) fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.bytes().any(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Seconds since the epoch of an ISO 8601 date, with or without a time of day, or of epoch seconds.
/// [IAM: date condition operators]
pub(super) fn instant(text: &str) -> Option<f64> {
    if let Some(seconds) = number(text).filter(|_| !text.contains('-')) {
        return Some(seconds);
    }
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(seconds(moment));
    }
    let (day, clock) = text.split_once('T').map_or((text, None), |(day, clock)| (day, Some(clock)));
    let mut parts = day.splitn(3, '-').map(str::parse::<u16>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    let time = match clock {
        None => Time::MIDNIGHT,
        Some(clock) => {
            let (hour, minute) = clock.strip_suffix('Z')?.split_once(':')?;
            Time::from_hms(hour.parse().ok()?, minute.parse().ok()?, 0).ok()?
        }
    };
    Some(seconds(date.with_time(time).assume_utc()))
}

#[allow(clippy::cast_precision_loss, reason = "a double holds epoch seconds exactly for 285 million years")]
fn seconds(moment: OffsetDateTime) -> f64 {
    moment.unix_timestamp() as f64 + f64::from(moment.nanosecond()) / 1e9
}

/// Whether an address lies in a network (`203.0.113.0/24`, `2001:db8::/32`, or one address).
/// `None` where either can't be read. [IAM: IP address condition operators]
pub(super) fn in_network(address: &str, network: &str) -> Option<bool> {
    let address: IpAddr = address.parse().ok()?;
    let (base, length) = network.split_once('/').map_or((network, None), |(base, length)| (base, Some(length)));
    let base: IpAddr = base.parse().ok()?;
    let (address, base, width) = match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => (u128::from(address.to_bits()), u128::from(base.to_bits()), 32),
        (IpAddr::V6(address), IpAddr::V6(base)) => (address.to_bits(), base.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return Some(false),
    };
    let length: u32 = length.map_or(Ok(width), str::parse).ok().filter(|length| *length <= width)?;
    let ignored = width - length;
    Some(ignored == 128 || address >> ignored == base >> ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number("1.2"), Some(1.2));
        assert_eq!(number("-3"), Some(-3.0));
        for text in ["", "1e3", "inf", "NaN", "1.2.3", "+1", "0x1", ".", "-"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn instants() {
        for text in ["2020-04-01T00:00:00Z", "2020-04-01T00:00Z", "2020-04-01", "1585699200", "2020-04-01T02:00:00+02:00"] {
            assert_eq!(instant(text), Some(1_585_699_200.0), "{text}");
        }
        for text in ["", "yesterday", "2020-13-01", "2020-04", "2020-04-01T00", "2020-04-01T24:61Z"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn networks() {
        for (address, network, expected) in [
            ("203.0.113.7", "203.0.113.0/24", Some(true)),
            ("203.0.114.7", "203.0.113.0/24", Some(false)),
            ("203.0.113.7", "203.0.113.7", Some(true)),
            ("203.0.113.7", "0.0.0.0/0", Some(true)),
            ("2001:db8::1", "2001:db8::/32", Some(true)),
            ("2001:db9::1", "2001:db8::/32", Some(false)),
            ("2001:db8::1", "::/0", Some(true)),
            ("203.0.113.7", "::/0", Some(false)),
            ("203.0.113.7", "203.0.113.0/33", None),
            ("203.0.113.7", "here", None),
            ("somewhere", "203.0.113.0/24", None),
        ] {
            assert_eq!(in_network(address, network), expected, "{address} {network}");
        }
    }
}
