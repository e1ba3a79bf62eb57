//! The way in over TCP, for other programs: HTTP, plain or over TLS. `aws:SecureTransport` is what the listener is.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use crate::http::{Call, Reply};
use crate::shared::Sim;
use crate::tls::TlsIdentity;
use crate::world::Outcome;

/// A client that says nothing for so long while it should greet is gone.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A connection broke on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection breaks")]
struct Broken;

impl Sim {
    /// Answers plain HTTP on a listener until it is dropped; things that are due happen meanwhile.
    pub async fn serve(&self, listener: TcpListener) -> Infallible {
        let accepting = accept(listener, |stream| {
            tokio::spawn(connection(self.clone(), stream, false));
        });
        tokio::join!(self.drive(), self.post_notifications(), accepting).2
    }

    /// The same over TLS: what comes in here is `aws:SecureTransport`.
    pub async fn serve_tls(&self, listener: TcpListener, identity: &TlsIdentity) -> Infallible {
        let acceptor = identity.acceptor();
        let accepting = accept(listener, |stream| {
            let (sim, acceptor) = (self.clone(), acceptor.clone());
            tokio::spawn(async move {
                // A client that does not trust the certificate hangs up: its own log says why.
                if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    connection(sim, stream, true).await;
                }
            });
        });
        tokio::join!(self.drive(), self.post_notifications(), accepting).2
    }
}

async fn accept(listener: TcpListener, mut begin: impl FnMut(TcpStream)) -> Infallible {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others close some.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        begin(stream);
    }
}

async fn connection(sim: Sim, stream: impl AsyncRead + AsyncWrite + Unpin, secure: bool) {
    let service = service_fn(|request| answer(&sim, request, secure));
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    // A client that goes away, or a connection that a fault breaks: nothing to do about either.
    let _ = connection.await;
}

async fn answer(sim: &Sim, request: Request<Incoming>, secure: bool) -> Result<Response<Full<Bytes>>, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        secure,
    };
    match sim.answer(&call).await {
        Outcome::Answer(reply, after) => {
            if after > 0 {
                tokio::time::sleep(Duration::from_millis(after)).await;
            }
            Ok(response(reply))
        }
        Outcome::Silence => std::future::pending().await,
        Outcome::Broken | Outcome::Crash => Err(Broken),
    }
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let Reply { status, headers, body } = reply;
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}
