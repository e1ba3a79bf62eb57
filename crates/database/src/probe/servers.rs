//! The conversation with each kind of server, up to the point where a client would log in.

use everseal_planner::rds::live::{LiveOffer, LivePlain};
use everseal_planner::rds::observed::DbEndpoint;

use super::handshake::{Client, Framing};
use super::mysql::{self, Greeting};
use super::postgres::{self, SslAnswer, StartupAnswer};
use super::tds::{self, Encryption};
use super::wire::{Bounds, Wire, WireError, address};
use super::{Malformed, ProbeError};

/// Nobody's name: it stands in the server's log, and nobody ever logs in with it.
const NOBODY: &str = "everseal_probe_without_login";

type Met = (LiveOffer, LivePlain);

fn failed(endpoint: &DbEndpoint, protocol: &'static str, error: &WireError) -> ProbeError {
    let address = address(endpoint);
    match error {
        WireError::Malformed(Malformed(reason)) => ProbeError::OtherProtocol { address, protocol, reason: (*reason).to_owned() },
        WireError::Closed | WireError::TimedOut | WireError::TooMuch(_) | WireError::Io(_) => {
            ProbeError::Silent { address, reason: error.to_string() }
        }
    }
}

/// One connection that asks for TLS, and one that does not.
pub(super) async fn postgres(endpoint: &DbEndpoint, bounds: Bounds, client: &Client) -> Result<Met, ProbeError> {
    let other = |error: WireError| failed(endpoint, "PostgreSQL's protocol", &error);
    let mut wire = Wire::connect(endpoint, bounds).await?;
    wire.send(&postgres::SSL_REQUEST).await.map_err(other)?;
    let tls = match wire.answer(postgres::ssl_answer).await.map_err(other)? {
        SslAnswer::Tls => client.handshake(wire, Framing::Bare, None).await,
        SslAnswer::NoTls => {
            wire.close().await;
            LiveOffer::NotOffered
        }
        SslAnswer::Error(error) => {
            let reason = format!("{} {}", error.code, error.message);
            return Err(ProbeError::TurnedAway { address: address(endpoint), reason: reason.trim().to_owned() });
        }
    };
    let plain = match Wire::connect(endpoint, bounds).await {
        Ok(wire) => postgres_without_tls(wire).await.unwrap_or_else(|error| LivePlain::Unclear { reason: error.to_string() }),
        Err(error) => LivePlain::Unclear { reason: error.to_string() },
    };
    Ok((tls, plain))
}

/// The access rules are looked up before anybody is asked to prove who they are, so the first answer tells.
async fn postgres_without_tls(mut wire: Wire) -> Result<LivePlain, WireError> {
    wire.send(&postgres::startup_message(NOBODY, NOBODY)).await?;
    let answer = wire.answer(postgres::startup_answer).await?;
    wire.close().await;
    Ok(match answer {
        StartupAnswer::Authentication { kind: _ } => LivePlain::Accepted,
        StartupAnswer::Error(error) if error.is_of_access_rules() => LivePlain::Refused,
        // Past the access rules: the server looked for this user or database, or for a proof.
        StartupAnswer::Error(error) if error.code == "28P01" || error.code == "3D000" => LivePlain::Accepted,
        StartupAnswer::Error(error) if error.code == "28000" && error.message.contains(NOBODY) => LivePlain::Accepted,
        StartupAnswer::Error(error) => LivePlain::Unclear { reason: format!("the server answered {} {}", error.code, error.message) },
    })
}

/// The server speaks first; the one connection asks for TLS where that is offered.
pub(super) async fn mysql(endpoint: &DbEndpoint, bounds: Bounds, client: &Client) -> Result<Met, ProbeError> {
    let other = |error: WireError| failed(endpoint, "MySQL's protocol", &error);
    let mut wire = Wire::connect(endpoint, bounds).await?;
    let tls = match wire.answer(mysql::greeting).await.map_err(other)? {
        Greeting::Handshake { version: _, tls: true } => match wire.send(&mysql::ssl_request()).await {
            Ok(()) => client.handshake(wire, Framing::Bare, None).await,
            Err(error) => LiveOffer::Broken { reason: error.to_string() },
        },
        Greeting::Handshake { version: _, tls: false } => {
            wire.close().await;
            LiveOffer::NotOffered
        }
        Greeting::Error { code, message } => {
            return Err(ProbeError::TurnedAway { address: address(endpoint), reason: format!("error {code}: {message}") });
        }
    };
    Ok((tls, LivePlain::NeedsLogin))
}

/// Offers encryption of the login only, and sees whether the server wants more. A server that speaks TDS 8.0 alone hangs
/// up on that: it is met with TLS first.
pub(super) async fn sqlserver(endpoint: &DbEndpoint, bounds: Bounds, client: &Client) -> Result<Met, ProbeError> {
    let other = |error: WireError| failed(endpoint, "TDS (SQL Server's protocol)", &error);
    let mut wire = Wire::connect(endpoint, bounds).await?;
    wire.send(&tds::prelogin()).await.map_err(other)?;
    let plain = match wire.answer(tds::prelogin_answer).await {
        Ok(Encryption::NotSupported) => {
            wire.close().await;
            return Ok((LiveOffer::NotOffered, LivePlain::Accepted));
        }
        Ok(Encryption::Required) => LivePlain::Refused,
        Ok(Encryption::LoginOnly) => LivePlain::Accepted,
        Ok(Encryption::On) => {
            LivePlain::Unclear { reason: "the server answered ENCRYPT_ON to ENCRYPT_OFF, which the protocol does not know".to_owned() }
        }
        Err(WireError::Closed) => return strict(endpoint, bounds, client).await,
        Err(error) => return Err(other(error)),
    };
    Ok((client.handshake(wire, Framing::InPrelogin, None).await, plain))
}

async fn strict(endpoint: &DbEndpoint, bounds: Bounds, client: &Client) -> Result<Met, ProbeError> {
    let wire = Wire::connect(endpoint, bounds).await?;
    match client.handshake(wire, Framing::Bare, Some(tds::TDS_8)).await {
        offer @ (LiveOffer::Offered(_) | LiveOffer::Outdated { .. }) => Ok((offer, LivePlain::Refused)),
        LiveOffer::Broken { reason } => {
            Err(ProbeError::Silent { address: address(endpoint), reason: format!("it hung up on a PRELOGIN, and on TLS: {reason}") })
        }
        LiveOffer::NotOffered => Err(ProbeError::Silent { address: address(endpoint), reason: "it hung up on a PRELOGIN".to_owned() }),
    }
}
