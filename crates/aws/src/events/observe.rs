//! Reads the rules of all event buses with their targets.

use everseal_planner::inventory::{EventRule, EventTarget};
use futures::{Stream, StreamExt, TryStreamExt};

use super::{convert, operations as ops};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::listing::pages;
use crate::operation::Api;

/// All of them or none: a part of the listing would hide a path. A bus or rule that is deleted meanwhile is left out.
pub(crate) async fn rules(ctx: &ScopeContext) -> Result<Vec<EventRule>, AwsError> {
    let buses: Vec<String> = buses(ctx).try_collect().await?;
    let mut found = Vec::new();
    for bus in buses {
        let listed: Vec<EventRule> = match rules_of(ctx, &bus).try_collect().await {
            Err(error) if error.is_not_found() => continue,
            listed => listed?,
        };
        found.extend(listed);
    }
    let with_targets = futures::stream::iter(found).map(|rule| with_targets(ctx, rule)).buffered(Api::Events.in_flight());
    with_targets.try_filter_map(|rule| async { Ok(rule) }).try_collect().await
}

fn buses(ctx: &ScopeContext) -> impl Stream<Item = Result<String, AwsError>> {
    pages(move |token| async move {
        let page = ctx.call(&ops::LIST_EVENT_BUSES, ctx.events().list_event_buses().set_next_token(token).send()).await?;
        Ok((page.event_buses.unwrap_or_default().into_iter().filter_map(|bus| bus.name).collect(), page.next_token))
    })
}

fn rules_of<'a>(ctx: &'a ScopeContext, bus: &'a str) -> impl Stream<Item = Result<EventRule, AwsError>> + 'a {
    let listed = pages(move |token| async move {
        let request = ctx.events().list_rules().event_bus_name(bus).set_next_token(token);
        let page = ctx.call(&ops::LIST_RULES, request.send()).await?;
        Ok((page.rules.unwrap_or_default(), page.next_token))
    });
    listed.map(move |rule| rule.and_then(|rule| convert::rule(bus, rule)))
}

/// `None`: the rule is gone.
async fn with_targets(ctx: &ScopeContext, rule: EventRule) -> Result<Option<EventRule>, AwsError> {
    let (bus, name) = (rule.bus.as_str(), rule.arn.name());
    let listed = pages(move |token| async move {
        let request = ctx.events().list_targets_by_rule().event_bus_name(bus).rule(name).set_next_token(token);
        let page = ctx.call(&ops::LIST_TARGETS_BY_RULE, request.send()).await?;
        Ok((page.targets.unwrap_or_default(), page.next_token))
    });
    let targets: Result<Vec<EventTarget>, AwsError> = listed.map(|target| target.and_then(convert::target)).try_collect().await;
    match targets {
        Ok(targets) => Ok(Some(EventRule { targets, ..rule })),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
