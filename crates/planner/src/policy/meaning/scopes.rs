//! Where a policy holds: regions and accounts.

use super::duplicates;
use crate::Arn;
use crate::policy::format::{account_problem, is_account, is_external_id, is_region};
use crate::policy::model::{AccountRef, Scopes};
use crate::policy::place::Place;
use crate::policy::report::Report;

pub(super) fn judge(report: &mut Report<'_>, place: &Place<'_>, scopes: &Scopes) {
    let Scopes { regions: names, accounts } = scopes;
    regions(report, &place.field("regions"), names);
    let place = place.field("accounts");
    for (index, account) in accounts.iter().enumerate() {
        judge_account(report, &place.item(index), account);
    }
    for (index, earlier) in duplicates(accounts.iter().map(|account| account.id.as_str())) {
        let line = place.item(earlier).field("id").at.line;
        place.item(index).field("id").error(report, format!("account {} is listed on line {line} already; keep one", accounts[index].id));
    }
}

/// A list of regions: names that look like one, each once.
pub(super) fn regions(report: &mut Report<'_>, place: &Place<'_>, names: &[String]) {
    for (index, name) in names.iter().enumerate() {
        if is_region(name) {
            continue;
        }
        let zone_of = name.strip_suffix(|c: char| c.is_ascii_lowercase()).filter(|region| is_region(region));
        let lower = name.to_ascii_lowercase().replace(['_', ' '], "-");
        let suggestion = zone_of.map(str::to_owned).or_else(|| is_region(&lower).then_some(lower));
        let message = match zone_of {
            Some(_) => format!("`{name}` is an availability zone; write its region"),
            None => format!("`{name}` is not a region's name; write one like `eu-west-1`"),
        };
        place.item(index).misspelt(report, message, suggestion);
    }
    for (index, _) in duplicates(names.iter().map(String::as_str)) {
        place.item(index).error(report, format!("region {} is listed twice; keep one", names[index]));
    }
}

fn judge_account(report: &mut Report<'_>, place: &Place<'_>, account: &AccountRef) {
    let AccountRef { id, role_arn, external_id } = account;
    if !is_account(id) {
        place.field("id").error(report, format!("`{id}` is not an account id: twelve digits, in quotes"));
    }
    if let Some(problem) = role_arn.as_ref().and_then(|role| role_problem(role, id)) {
        place.field("roleArn").error(report, problem);
    }
    let Some(external_id) = external_id else { return };
    if !is_external_id(external_id) {
        let message = "an external id has 2 to 1224 letters, digits or `_+=,.@:/-`, no spaces";
        place.field("externalId").error(report, message);
    }
    if place.lacks("roleArn") {
        place.field("externalId").warning(report, "without `roleArn` no role is assumed, and the external id does nothing");
    }
}

fn role_problem(text: &str, account: &str) -> Option<String> {
    let example = "arn:aws:iam::111122223333:role/everseal";
    let Ok(arn) = Arn::parse(text) else {
        return Some(format!("`{text}` is not the ARN of a role; write one like {example}"));
    };
    if arn.service() != "iam" || arn.resource().strip_prefix("role/").is_none_or(|name| name.is_empty() || name.contains(['*', '?'])) {
        return Some(format!("`{text}` is not the ARN of a role; write one like {example}"));
    }
    account_problem(&arn).or_else(|| {
        let elsewhere = is_account(account) && arn.account() != account;
        elsewhere.then(|| format!("this role belongs to account {}, and would get into that one, not into {account}", arn.account()))
    })
}
