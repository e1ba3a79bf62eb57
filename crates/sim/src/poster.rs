//! Posts SNS notifications for real to HTTP endpoints on this machine, for programs that run against the simulator.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use crate::shared::Sim;
use crate::sns::{Notification, PostResult, Posting};

/// SNS waits so long for an endpoint. [SNS: HTTP/S endpoints, "within 15 seconds"]
const PATIENCE: Duration = Duration::from_secs(15);

type HttpClient = Client<HttpConnector, Full<Bytes>>;

impl Sim {
    /// Posts what is published to `http://` endpoints on this machine, until it is dropped. Other endpoints are taken
    /// to have said 200, as all are while nobody posts.
    pub async fn post_notifications(&self) -> Infallible {
        let client: HttpClient = Client::builder(TokioExecutor::new()).build_http();
        self.with(crate::World::attend_outbox);
        let mut posts = JoinSet::new();
        loop {
            while let Some(posting) = self.with(crate::World::next_posting) {
                posts.spawn(post(self.clone(), client.clone(), posting));
            }
            tokio::select! {
                () = self.something_to_post() => {}
                Some(_) = posts.join_next() => {}
            }
        }
    }
}

async fn post(sim: Sim, client: HttpClient, posting: Posting) {
    let result = match request(&posting.notification) {
        Err(error) => PostResult::Unreachable(error.to_string()),
        Ok(request) => match tokio::time::timeout(PATIENCE, client.request(request)).await {
            Ok(Ok(response)) => PostResult::Status(response.status().as_u16()),
            Ok(Err(error)) => PostResult::Unreachable(error.to_string()),
            Err(_) => PostResult::Unreachable("no answer within 15 seconds".to_owned()),
        },
    };
    sim.with(|world| world.posting_done(&posting, &result));
}

/// [SNS: Message formats, HTTP/S headers]
fn request(notification: &Notification) -> Result<Request<Full<Bytes>>, http::Error> {
    let Notification { at: _, topic, subscription, endpoint, kind, id, body, raw } = notification;
    let mut request = Request::post(endpoint)
        .header("content-type", "text/plain; charset=UTF-8")
        .header("user-agent", "Amazon Simple Notification Service Agent")
        .header("x-amz-sns-message-type", kind.header())
        .header("x-amz-sns-message-id", id)
        .header("x-amz-sns-topic-arn", topic)
        .header("x-amz-sns-subscription-arn", subscription);
    if *raw {
        request = request.header("x-amz-sns-rawdelivery", "true");
    }
    request.body(Full::new(Bytes::from(body.clone())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http_body_util::BodyExt;
    use hyper::Response;
    use hyper::body::Incoming;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;
    use crate::testing::{ACCOUNT, REGION, administrator};
    use crate::{Clock, Settings};

    #[tokio::test]
    async fn an_endpoint_on_this_machine_gets_the_post() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/in", listener.local_addr().unwrap());
        let (heard, mut hear) = mpsc::channel(1);
        let serving = async {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(|request: http::Request<Incoming>| {
                let heard = heard.clone();
                async move {
                    let kind = request.headers()["x-amz-sns-message-type"].clone();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    heard.send((kind, body)).await.unwrap();
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
                }
            });
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.unwrap();
        };
        let sim = Sim::new(Settings::default(), Clock::real());
        let using = async {
            tokio::task::yield_now().await;
            let topic = sim.with(|world| {
                let topic = world.create_topic(ACCOUNT, REGION, "orders");
                world.subscribe(&topic, "http", &endpoint, &[("RawMessageDelivery", "true")]);
                world.publish_message(&administrator(ACCOUNT), &topic, "hello").unwrap();
                topic
            });
            let (kind, body) = hear.recv().await.unwrap();
            assert_eq!((kind.to_str().unwrap(), &body[..]), ("Notification", &b"hello"[..]));
            let hop = (topic, endpoint.clone());
            while sim.with(|world| world.tally.hops().get(&hop).is_none_or(|count| count.delivered == 0)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let never = async { tokio::join!(sim.drive(), sim.post_notifications(), serving) };
        tokio::select! {
            () = using => {}
            _ = never => {}
            () = tokio::time::sleep(Duration::from_secs(10)) => panic!("nothing was posted"),
        }
    }
}
