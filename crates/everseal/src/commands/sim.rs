//! `everseal sim`: the simulator on a port, for boto3, the AWS command line, other programs and our own.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;

use anyhow::{Context, Result};
use everseal_sim::{Clock, Settings, Sim, TlsIdentity};
use tokio::net::TcpListener;

use crate::args::SimArgs;
use crate::exit::Outcome;
use crate::{http, signals};

/// Answers until a signal. One thread: the world stands behind one lock anyway.
pub fn run(args: &SimArgs) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start the async runtime")?;
    let result = runtime.block_on(serve(args));
    // Open connections have nothing to lose: the world ends with them.
    runtime.shutdown_background();
    result
}

async fn serve(args: &SimArgs) -> Result<Outcome> {
    // Where there is HTTPS, S3 refuses objects under KMS keys over plain HTTP as AWS does; else nobody could use any.
    let kms_objects_in_clear = args.tls_listen.is_none();
    let settings = Settings { account: args.account.clone(), seed: args.seed, kms_objects_in_clear, ..Settings::default() };
    let sim = Sim::new(settings, Clock::real().faster(args.speed));
    let listener = http::listen(args.listen, "--listen").await?;
    let plain = listener.local_addr()?;
    let tls = tls(args).await?;
    let secure = tls.as_ref().map(|(listener, _)| listener.local_addr()).transpose()?;
    say(&introduction(args, plain, secure))?;

    let over_tls = async {
        match tls {
            Some((listener, identity)) => sim.serve_tls(listener, &identity).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        never = sim.serve(listener) => match never {},
        never = over_tls => match never {},
        () = signals::asked_to_stop() => {}
    }
    let (calls, writes) = sim.with(|world| (world.calls().values().sum::<u64>(), world.writes()));
    say(&format!("stopped after {calls} calls, {writes} of them writes\n"))?;
    Ok(Outcome::InSync)
}

/// Listens over TLS and writes down whom to trust.
async fn tls(args: &SimArgs) -> Result<Option<(TcpListener, TlsIdentity)>> {
    let (Some(address), Some(file)) = (args.tls_listen, &args.tls_ca) else { return Ok(None) };
    let identity = TlsIdentity::made(&[address.ip()])?;
    let listener = http::listen(address, "--tls-listen").await?;
    std::fs::write(file, identity.trust()).with_context(|| format!("can't write {}", file.display()))?;
    Ok(Some((listener, identity)))
}

/// The first line is for programs that start this one with port 0.
fn introduction(args: &SimArgs, plain: SocketAddr, secure: Option<SocketAddr>) -> String {
    let (account, seed) = (&args.account, args.seed);
    let plain = format!("http://{}", reachable(plain));
    let mut text = format!("{plain}\n");
    let (endpoint, trust, note) = if let (Some(secure), Some(file)) = (secure, &args.tls_ca) {
        let secure = format!("https://{}", reachable(secure));
        text.push_str(&secure);
        text.push('\n');
        (secure, format!("  export SSL_CERT_FILE={0} AWS_CA_BUNDLE={0}\n", file.display()), "")
    } else {
        let note = "\nThis endpoint is plain HTTP, and aws:SecureTransport is false here: what denies plain HTTP denies it to clients of \
                        this\naddress, and encrypted queues and topics take no messages. --tls-listen adds HTTPS.\n";
        (plain, String::new(), note)
    };
    // Writing to a string can't fail.
    let _ = write!(
        text,
        "
An AWS of its own in memory, empty, with home account {account} and seed {seed}. Use it from another terminal:

  export AWS_ENDPOINT_URL={endpoint} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=any
{trust}  aws sqs create-queue --queue-name orders
  everseal plan --policy policy.yaml
{note}
Ctrl-C ends it; nothing is kept.
"
    );
    text
}

/// An address to connect to: `0.0.0.0` is none.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let loopback = if address.is_ipv4() { std::net::Ipv4Addr::LOCALHOST.into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
    SocketAddr::new(loopback, address.port())
}

/// Whoever started it may have closed the pipe after the first line: the simulator goes on.
fn say(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
