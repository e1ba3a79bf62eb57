//! Subscriptions that deliver over plain HTTP. A subscription's protocol can't be changed: only the endpoint's owner can
//! confirm a new one, so this is always work for a person. [SNS: Subscribe]

use super::observed::Subscription;
use crate::plan::draft::{Remedy, Words};

/// Judges a topic's subscriptions. `Err`: the words of a drift and its remedy.
pub(crate) fn judge(subscriptions: &[&Subscription]) -> Result<Words, Box<(Words, Remedy)>> {
    let mut words = Words { expected: "no subscription over plain HTTP".to_owned(), ..Words::default() };
    let http: Vec<_> = subscriptions.iter().filter(|subscription| subscription.protocol == "http").collect();
    if http.is_empty() {
        words.actual = "none".into();
        return Ok(words);
    }
    let endpoints: Vec<_> = http.iter().map(|subscription| shown(&subscription.endpoint)).collect();
    let endpoints = endpoints.join(", ");
    words.actual = format!("{} over plain HTTP: {endpoints}", http.len());
    words.message = "Messages leave in clear text to these endpoints.".into();
    if http.iter().any(|subscription| subscription.id == "PendingConfirmation") {
        words.notes.push("Among them are subscriptions that nobody has confirmed yet.".to_owned());
    }
    let reason = format!(
        "A subscription's protocol can't be changed. Subscribe the https address of {endpoints}, let its owner confirm, then unsubscribe the http one."
    );
    let remedy = Remedy::manual(format!("replace {} http subscription(s) by https", http.len()), reason);
    Err(Box::new((words, remedy)))
}

/// The endpoint without what may be secret in it: user, password, path and query.
fn shown(endpoint: &str) -> String {
    let Some((scheme, rest)) = endpoint.split_once("://") else { return "an endpoint".to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}
