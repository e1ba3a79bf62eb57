//! Paged listings as streams: resources are read while the next page is still to come, and never
//! more of them at a time than an API takes.

use std::collections::BTreeSet;

use everseal_planner::{Arn, Service};
use futures::stream::{self, Stream, StreamExt};

use crate::error::AwsError;

/// The targets that belong to a service.
pub(crate) fn targets_of(arns: &BTreeSet<Arn>, service: Service) -> Vec<Result<Arn, AwsError>> {
    arns.iter().filter(|arn| arn.service() == service.id()).cloned().map(Ok).collect()
}

/// What one page holds: items, and where the next page begins.
pub(crate) type Page<T> = (Vec<T>, Option<String>);

/// Items page by page; ends after the first error, which is its last item.
/// `fetch` gets the token of the page to read, `None` for the first. An empty token ends the listing
/// like an absent one.
pub(crate) fn pages<T, F, Answer>(fetch: F) -> impl Stream<Item = Result<T, AwsError>>
where
    F: Fn(Option<String>) -> Answer,
    Answer: Future<Output = Result<Page<T>, AwsError>>,
{
    let pages = stream::unfold(Some((fetch, None)), |state| async {
        let (fetch, token) = state?;
        Some(match fetch(token).await {
            Ok((items, next)) => {
                let next = next.filter(|token| !token.is_empty());
                (items.into_iter().map(Ok).collect(), next.map(|token| (fetch, Some(token))))
            }
            Err(error) => (vec![Err(error)], None),
        })
    });
    pages.flat_map(stream::iter)
}

/// Reads each listed item, `in_flight` at a time. `None` of `read` is a resource that is gone.
/// The error, if any, is the listing's own: what was listed before it is read all the same.
pub(crate) async fn read_all<T, R, F, Read>(
    listing: impl Stream<Item = Result<T, AwsError>>,
    in_flight: usize,
    read: F,
) -> (Vec<R>, Option<AwsError>)
where
    F: Fn(T) -> Read,
    Read: Future<Output = Option<R>>,
{
    let reads = listing.map(|item| {
        let read = item.map(&read);
        async {
            match read {
                Ok(read) => read.await.map(Ok),
                Err(error) => Some(Err(error)),
            }
        }
    });
    let (mut found, mut failed) = (Vec::new(), None);
    let mut outcomes = std::pin::pin!(reads.buffer_unordered(in_flight));
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Some(Ok(resource)) => found.push(resource),
            Some(Err(error)) => failed = Some(error),
            None => {}
        }
    }
    (found, failed)
}
