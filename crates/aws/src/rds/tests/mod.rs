#![allow(clippy::unwrap_used)]

mod applying;
mod migration;
mod observing;
mod parameters;
mod proxies;

use std::collections::BTreeMap;

use everseal_planner::Arn;

use crate::testing::{Answer, Seen};

fn arn(resource: &str) -> Arn {
    Arn::new("aws", "rds", "us-east-1", "111122223333", resource)
}

/// The form that a request of the query protocol carries.
fn form(seen: &Seen) -> BTreeMap<String, String> {
    let plain = |text: &str| text.replace('+', " ").replace("%3A", ":").replace("%20", " ").replace("%2F", "/");
    seen.body.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (key.to_owned(), plain(value))).collect()
}

fn action(seen: &Seen) -> String {
    form(seen).remove("Action").unwrap()
}

fn actions(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(action).collect()
}

/// The form without what every request carries.
fn fields(seen: &Seen) -> Vec<(String, String)> {
    form(seen).into_iter().filter(|(key, _)| !["Action", "Version"].contains(&key.as_str())).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    pairs.sort();
    pairs
}

fn xml(action: &str, result: &str) -> Answer {
    Answer::ok(format!(
        "<{action}Response xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><{action}Result>{result}</{action}Result></{action}Response>"
    ))
}

fn refused(status: u16, code: &str) -> Answer {
    Answer::new(
        status,
        format!(
            "<ErrorResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>refused</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}

fn marker(next: Option<&str>) -> String {
    next.map_or_else(String::new, |next| format!("<Marker>{next}</Marker>"))
}
