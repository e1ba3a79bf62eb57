//! Exemptions: patterns that can match, checks that exist, days that are still to come.

use super::duplicates;
use crate::policy::exemption::{days_since, parse_date};
use crate::policy::model::Exemption;
use crate::policy::place::Place;
use crate::policy::report::Report;
use crate::policy::words;
use crate::{Arn, Check, Service};

pub(super) fn judge(report: &mut Report<'_>, place: &Place<'_>, exemptions: &[Exemption], now: i64) {
    for (index, exemption) in exemptions.iter().enumerate() {
        judge_one(report, &place.item(index), exemption, now);
    }
}

fn judge_one(report: &mut Report<'_>, place: &Place<'_>, exemption: &Exemption, now: i64) {
    let Exemption { resource, checks, reason: _, expires } = exemption;
    let service = match service_of(resource) {
        Ok(service) => service,
        Err(problem) => {
            place.field("resource").error(report, problem);
            None
        }
    };
    let at = place.field("checks");
    for (index, id) in checks.iter().enumerate() {
        judge_check(report, &at.item(index), id, service);
    }
    for (index, _) in duplicates(checks.iter().map(String::as_str)) {
        at.item(index).error(report, format!("`{}` is listed twice; keep one", checks[index]));
    }
    let Some(expires) = expires else { return };
    match parse_date(expires) {
        None => place.field("expires").error(report, format!("`{expires}` is not a day; write it as YYYY-MM-DD, e.g. 2027-05-31")),
        Some(last) if !exemption.holds(now) => {
            let days = days_since(last, now);
            let ago = if days == 1 { "yesterday".to_owned() } else { format!("{days} days ago") };
            let message = format!("this exemption ended {ago} and no longer holds; remove it, or give it a later day");
            place.field("expires").warning(report, message);
        }
        Some(_) => {}
    }
}

fn judge_check(report: &mut Report<'_>, place: &Place<'_>, id: &str, service: Option<Service>) {
    let Some(check) = Check::from_id(id) else {
        let known: Vec<&str> = Check::ALL.iter().map(|check| check.id()).collect();
        let message = format!("`{id}` is no check; known are {}", known.join(", "));
        place.misspelt(report, message, words::nearest(id, known.iter().copied()));
        return;
    };
    let (Some(wanted), Some(service)) = (check.service(), service) else { return };
    if wanted != service {
        let known: Vec<&str> = Check::ALL.iter().filter(|check| check.service() == Some(service)).map(|check| check.id()).collect();
        place.error(report, format!("`{id}` never judges a resource of {service}; its checks are {}", known.join(", ")));
    }
}

/// The one service whose resources a pattern can match; `None` if there may be several.
fn service_of(pattern: &str) -> Result<Option<Service>, String> {
    let example = "`arn:aws:s3:::legacy-site`, or a pattern such as `arn:aws:sqs:*:*:legacy-*`";
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let open = parts.iter().position(|part| part.contains('*'));
    // A `*` also stands for colons, so the parts after one may be left out.
    let whole = Arn::parse(pattern).is_ok();
    let fixed = &pattern[..pattern.find(['*', '?']).unwrap_or(pattern.len())];
    let begins = "arn:".starts_with(fixed) || fixed.starts_with("arn:");
    if !whole && (open.is_none() || !begins) {
        return Err(format!("`{pattern}` is not an ARN; write {example}"));
    }
    let Some(service) = parts.get(2).filter(|part| open.is_none_or(|open| open > 1) && !part.contains(['*', '?'])) else {
        return Ok(None);
    };
    match Service::from_id(service) {
        Some(service) => Ok(Some(service)),
        None => Err(format!("Everseal judges nothing of `{service}`; write {example}")),
    }
}
