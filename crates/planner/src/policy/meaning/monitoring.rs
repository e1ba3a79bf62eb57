//! Where a monitoring login is found. What stands there is never shown: somebody may have written the login itself.

use crate::Arn;
use crate::policy::model::Monitoring;
use crate::policy::place::Place;
use crate::policy::report::Report;

/// Judges `inTransit.monitoring`; `place` is its own.
pub(super) fn judge(report: &mut Report<'_>, place: &Place<'_>, monitoring: &Monitoring) {
    let Monitoring { secrets_manager, environment } = monitoring;
    match (secrets_manager, environment) {
        (Some(_), Some(_)) => {
            place.field("environment").error(report, "one login is enough: remove `environment`, or `secretsManager`");
        }
        (None, None) if place.lacks("secretsManager") && place.lacks("environment") => {
            place.error(
                report,
                "say where the login is found: `secretsManager: NAME`, or `environment: NAME` for NAME_USERNAME and NAME_PASSWORD",
            );
        }
        (Some(_), None) | (None, Some(_) | None) => {}
    }
    if secrets_manager.as_deref().is_some_and(|text| !is_secret(text)) {
        let message =
            "this is neither a secret's name nor its ARN (letters, digits and `/_+=.@-!`); the login itself never stands in a policy";
        place.field("secretsManager").error(report, message);
    }
    if environment.as_deref().is_some_and(|text| !is_variable(text)) {
        let message = "this is no name of environment variables (letters, digits and `_`, not a digit first); write NAME for NAME_USERNAME and NAME_PASSWORD";
        place.field("environment").error(report, message);
    }
}

/// [secretsmanager:CreateSecret, `Name`]; secrets that AWS manages for a database have a `!` as well (`rds!db-…`).
fn is_secret(text: &str) -> bool {
    if let Ok(arn) = Arn::parse(text) {
        return arn.service() == "secretsmanager" && arn.resource().strip_prefix("secret:").is_some_and(is_name);
    }
    is_name(text)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 512 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&b))
}

fn is_variable(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
