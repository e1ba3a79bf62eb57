//! Times that a person writes: weekly windows, durations, moments. All in UTC.
//!
//! A window is half open: it is open at its first second and closed at its last. What must never happen here: a text that
//! could be read in two ways and is read in one.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Nobody means a longer time than ten years.
const LONGEST: i64 = 3_660 * DAY;
/// In the order of the week; the epoch, 1 January 1970, was a Thursday.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const EPOCH_DAY: i64 = 3;

/// How a window is written, for words about one that is not.
pub const WINDOW_FORM: &str = "`Sun 02:00-04:00 UTC`, `Mon-Fri 22:00-02:00 UTC`, `Mon,Wed 01:00-02:00 UTC` or `daily 03:00-04:00 UTC`";

/// A time of the week that comes again, for example `Sun 02:00-04:00 UTC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Days on which it opens, from Monday.
    days: [bool; 7],
    /// Seconds after midnight at which it opens.
    from: i64,
    /// How long it stays open, in seconds; up to a day.
    lasts: i64,
}

impl Window {
    /// Reads `Sun 02:00-04:00 UTC`, `Mon-Fri 22:00-02:00 UTC` (over midnight: the day is that of the opening),
    /// `Mon,Wed 01:00-02:00 UTC`, `daily 03:00-04:00 UTC`. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [days, hours, zone] = words.as_slice() else { return Err("it has days, a time and `UTC`".to_owned()) };
        if *zone != "UTC" {
            return Err(format!("`{zone}` is not `UTC`: windows are in UTC, so that summer time moves none"));
        }
        let (from, to) = hours.split_once('-').ok_or_else(|| format!("`{hours}` is not a time from and to, like `02:00-04:00`"))?;
        let (from, to) = (time_of_day(from)?, time_of_day(to)?);
        if from == to {
            return Err("it closes when it opens; for a whole day write `00:00-24:00`".to_owned());
        }
        if from == DAY {
            return Err("it opens at `24:00`; write `00:00` of the next day".to_owned());
        }
        let lasts = if to > from { to - from } else { to + DAY - from };
        Ok(Self { days: days_of(days)?, from, lasts })
    }

    /// Open at this moment, in seconds since the Unix epoch?
    pub fn is_open(&self, now: i64) -> bool {
        self.closes_at(now).is_some()
    }

    /// When it closes, if it is open now. Windows that touch are one.
    pub fn closes_at(&self, now: i64) -> Option<i64> {
        let mut closes = self.closing_of(now)?;
        for _ in 0..7 {
            match self.closing_of(closes) {
                Some(later) => closes = later,
                None => return Some(closes),
            }
        }
        Some(closes)
    }

    /// When it opened, if it is open now. Windows that touch are one.
    pub fn opened_at(&self, now: i64) -> Option<i64> {
        let mut opened = self.opening_of(now)?;
        for _ in 0..7 {
            match self.opening_of(opened - 1) {
                Some(earlier) => opened = earlier,
                None => return Some(opened),
            }
        }
        Some(opened)
    }

    /// When it opens the next time; `now` where it is open.
    pub fn opens_at(&self, now: i64) -> i64 {
        if self.is_open(now) {
            return now;
        }
        let today = now.div_euclid(DAY);
        let openings = (today..=today + 7).filter(|day| self.opens_on(*day)).map(|day| day * DAY + self.from);
        openings.into_iter().find(|opening| *opening > now).unwrap_or(now)
    }

    /// The close of the opening that `now` falls into: today's, or yesterday's over midnight.
    fn closing_of(&self, now: i64) -> Option<i64> {
        self.openings_around(now).map(|opening| opening + self.lasts).max()
    }

    fn opening_of(&self, now: i64) -> Option<i64> {
        self.openings_around(now).min()
    }

    /// Openings that `now` falls into.
    fn openings_around(&self, now: i64) -> impl Iterator<Item = i64> {
        let today = now.div_euclid(DAY);
        let openings = [today - 1, today].into_iter().filter(|day| self.opens_on(*day)).map(|day| day * DAY + self.from);
        openings.filter(move |opening| (*opening..*opening + self.lasts).contains(&now))
    }

    fn opens_on(&self, day: i64) -> bool {
        let weekday = usize::try_from((day + EPOCH_DAY).rem_euclid(7)).unwrap_or_default();
        self.days[weekday]
    }
}

fn time_of_day(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not a time of the day; write two digits each, like `02:00`");
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let two = |digits: &str| match digits.as_bytes() {
        [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Some(i64::from(a - b'0') * 10 + i64::from(b - b'0')),
        _ => None,
    };
    let (hours, minutes) = (two(hours).ok_or_else(wrong)?, two(minutes).ok_or_else(wrong)?);
    if minutes > 59 || hours > 24 || (hours == 24 && minutes > 0) {
        return Err(wrong());
    }
    Ok(hours * HOUR + minutes * MINUTE)
}

fn days_of(text: &str) -> Result<[bool; 7], String> {
    if text == "daily" {
        return Ok([true; 7]);
    }
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day_of(first)?, day_of(last)?);
        let mut day = first;
        loop {
            days[day] = true;
            if day == last {
                break;
            }
            day = (day + 1) % 7;
        }
    }
    Ok(days)
}

fn day_of(text: &str) -> Result<usize, String> {
    DAYS.iter().position(|day| *day == text).ok_or_else(|| format!("`{text}` is none of {} and `daily`", DAYS.join(", ")))
}

/// Seconds of `90m`, `12h`, `7d`, `4w`; the error says what is wrong. More than nothing, and at most ten years.
pub fn duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not a length of time; write a number and `m`, `h`, `d` or `w`, like `12h` or `7d`");
    let unit = match text.chars().last() {
        Some('m') => MINUTE,
        Some('h') => HOUR,
        Some('d') => DAY,
        Some('w') => 7 * DAY,
        Some(_) | None => return Err(wrong()),
    };
    let number = &text[..text.len() - 1];
    if number.is_empty() || number.len() > 9 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds = number.parse::<i64>().map_err(|_| wrong())? * unit;
    match seconds {
        0 => Err("it is no time at all".to_owned()),
        seconds if seconds > LONGEST => Err("it is more than ten years".to_owned()),
        seconds => Ok(seconds),
    }
}

/// Seconds since the Unix epoch of `2026-11-29T02:05:00Z`; the error says what is wrong.
pub fn moment(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not a moment; write date and time in UTC, like `2026-11-29T02:05:00Z`");
    if !text.ends_with('Z') {
        return Err(wrong());
    }
    OffsetDateTime::parse(text, &Rfc3339).map(OffsetDateTime::unix_timestamp).map_err(|_| wrong())
}

/// A moment in words: `2026-11-29T02:05:00Z`.
pub fn moment_words(seconds: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|moment| moment.format(&Rfc3339).ok());
    moment.unwrap_or_else(|| format!("{seconds} seconds after 1970"))
}

/// A length of time in words: `2 h 5 min`, `3 d`.
pub fn duration_words(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (seconds / DAY, seconds % DAY / HOUR, seconds % HOUR / MINUTE);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min")];
    let said: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).take(2).map(|(number, unit)| format!("{number} {unit}")).collect();
    if said.is_empty() { "less than a minute".to_owned() } else { said.join(" ") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(text: &str) -> i64 {
        moment(text).unwrap()
    }

    fn window(text: &str) -> Window {
        Window::parse(text).unwrap()
    }

    /// 29 November 2026 is a Sunday.
    #[test]
    fn a_window_is_open_from_its_first_second_and_shut_at_its_last() {
        let sunday = window("Sun 02:00-04:00 UTC");
        for (moment, open) in [
            ("2026-11-29T01:59:59Z", false),
            ("2026-11-29T02:00:00Z", true),
            ("2026-11-29T03:59:59Z", true),
            ("2026-11-29T04:00:00Z", false),
            ("2026-11-28T03:00:00Z", false),
            ("2026-11-30T03:00:00Z", false),
        ] {
            assert_eq!(sunday.is_open(at(moment)), open, "{moment}");
        }
        assert_eq!(sunday.closes_at(at("2026-11-29T02:30:00Z")), Some(at("2026-11-29T04:00:00Z")));
        assert_eq!(sunday.closes_at(at("2026-11-29T04:30:00Z")), None);
        assert_eq!(sunday.opens_at(at("2026-11-24T22:31:00Z")), at("2026-11-29T02:00:00Z"));
        assert_eq!(sunday.opens_at(at("2026-11-29T04:00:00Z")), at("2026-12-06T02:00:00Z"));
        assert_eq!(sunday.opens_at(at("2026-11-29T02:30:00Z")), at("2026-11-29T02:30:00Z"));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_opens() {
        let nights = window("Mon-Fri 22:00-02:00 UTC");
        // 27 November 2026 is a Friday.
        for (moment, open) in [
            ("2026-11-27T22:00:00Z", true),
            ("2026-11-28T01:59:59Z", true),
            ("2026-11-28T02:00:00Z", false),
            ("2026-11-28T22:30:00Z", false),
            ("2026-11-30T01:00:00Z", false),
            ("2026-11-30T22:00:00Z", true),
        ] {
            assert_eq!(nights.is_open(at(moment)), open, "{moment}");
        }
        assert_eq!(nights.closes_at(at("2026-11-28T01:00:00Z")), Some(at("2026-11-28T02:00:00Z")));
        assert_eq!(nights.opens_at(at("2026-11-28T02:00:00Z")), at("2026-11-30T22:00:00Z"));
    }

    #[test]
    fn lists_ranges_and_every_day() {
        let listed = window("Mon,Wed 01:00-02:00 UTC");
        assert!(listed.is_open(at("2026-11-25T01:30:00Z")) && listed.is_open(at("2026-11-30T01:30:00Z")));
        assert!(!listed.is_open(at("2026-11-24T01:30:00Z")));
        let around = window("Sat-Mon,Wed 01:00-02:00 UTC");
        let open: Vec<bool> = (22..29).map(|day| around.is_open(at(&format!("2026-11-{day}T01:30:00Z")))).collect();
        assert_eq!(open, [true, true, false, true, false, false, true], "Sunday the 22nd to Saturday the 28th");
        assert!((22..29).all(|day| window("daily 03:00-04:00 UTC").is_open(at(&format!("2026-11-{day}T03:30:00Z")))));
    }

    #[test]
    fn windows_that_touch_are_one() {
        let weekend = window("Sat,Sun 00:00-24:00 UTC");
        assert_eq!(weekend.closes_at(at("2026-11-28T12:00:00Z")), Some(at("2026-11-30T00:00:00Z")));
        assert_eq!(weekend.opened_at(at("2026-11-29T12:00:00Z")), Some(at("2026-11-28T00:00:00Z")));
        assert_eq!(weekend.opened_at(at("2026-11-30T00:00:00Z")), None);
        assert!(window("daily 00:00-24:00 UTC").closes_at(at("2026-11-28T12:00:00Z")).is_some(), "one that never shuts ends the search");
    }

    #[test]
    fn before_the_epoch_the_week_goes_on() {
        // 31 December 1969 was a Wednesday.
        assert!(window("Wed 12:00-13:00 UTC").is_open(-12 * HOUR + 10));
    }

    #[test]
    fn what_is_no_window_says_why() {
        for (text, why) in [
            ("", "it has days, a time and `UTC`"),
            ("Sun 02:00-04:00", "it has days, a time and `UTC`"),
            ("Sun 02:00-04:00 CET", "`CET` is not `UTC`"),
            ("Sunday 02:00-04:00 UTC", "`Sunday` is none of"),
            ("sun 02:00-04:00 UTC", "`sun` is none of"),
            ("Sun 2:00-4:00 UTC", "`2:00` is not a time"),
            ("Sun 02:00 UTC", "`02:00` is not a time from and to"),
            ("Sun 02:60-04:00 UTC", "`02:60` is not a time"),
            ("Sun 24:01-25:00 UTC", "`24:01` is not a time"),
            ("Sun 02:00-02:00 UTC", "it closes when it opens"),
            ("Sun 24:00-02:00 UTC", "it opens at `24:00`"),
            ("Mon, 02:00-03:00 UTC", "`` is none of"),
        ] {
            let said = Window::parse(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn lengths_of_time() {
        for (text, seconds) in [("90m", 5_400), ("12h", 43_200), ("7d", 604_800), ("4w", 2_419_200)] {
            assert_eq!(duration(text), Ok(seconds), "{text}");
        }
        for text in ["", "7", "d", "-1d", "1.5h", "7 d", "0h", "999999999w", "1y", "7D", "١d"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for (seconds, words) in [(30, "less than a minute"), (5_400, "1 h 30 min"), (604_800, "7 d"), (90_061, "1 d 1 h")] {
            assert_eq!(duration_words(seconds), words);
        }
    }

    #[test]
    fn moments() {
        assert_eq!(moment("2026-11-29T02:05:00Z"), Ok(1_795_917_900));
        assert_eq!(moment_words(1_795_917_900), "2026-11-29T02:05:00Z");
        for text in ["2026-11-29", "2026-11-29T02:05:00", "2026-11-29T02:05:00+01:00", "2026-13-29T02:05:00Z", "soon", ""] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
