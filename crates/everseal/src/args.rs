//! The command line (DESIGN.md §7). Every flag has an `EVERSEAL_…` variable.

// Doc comments are the help texts that people read on a terminal: names stand there without backticks.
#![allow(clippy::doc_markdown)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod tls_probe;

pub use tls_probe::TlsProbeArgs;

const AFTER_HELP: &str = "\
Exit codes: 0 in sync or done, 1 error, 2 drift found, 3 a step failed or was stopped.

Credentials, region and endpoint come from the AWS SDK's standard chain (environment, profile, IAM Identity Center, \
IRSA, EKS Pod Identity, ECS task role). AWS_ENDPOINT_URL points everything at another endpoint.

Start with:  everseal validate --policy policy.yaml
             everseal plan     --policy policy.yaml     (changes nothing)
             everseal apply    --policy policy.yaml     (asks first)";

const SIM_HELP: &str = "\
It begins empty and forgets everything when it ends. Any AWS client can fill it and use it:

  everseal sim --listen 127.0.0.1:4599
  export AWS_ENDPOINT_URL=http://127.0.0.1:4599 AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=111122223333 AWS_SECRET_ACCESS_KEY=any
  aws sqs create-queue --queue-name orders
  everseal plan --policy policy.yaml

A policy that denies plain HTTP shuts out clients of the plain address: add --tls-listen and give them that one, with
SSL_CERT_FILE (Everseal) or AWS_CA_BUNDLE (aws, boto3) set to the file of --tls-ca.

An access key of twelve digits is that account's administrator; any other one is the home account's. Signatures are \
not verified. Key documents, grants, key states, resource documents and aws:SecureTransport (true on --tls-listen, \
false on --listen) are enforced on every call and every delivery.";

const DEMO_HELP: &str = "\
A finance pipeline (Firehose → S3 → SQS, SNS → SQS, a queue with a dead-letter queue, a database) runs on an AWS in \
memory that enforces key documents and delivers data. Its key waits to be deleted, most of it is not sealed, and \
traffic flows. The daemon looks at it every five seconds:

  everseal demo                      what it finds; nothing is changed
  everseal demo --enforce            heals it, and the counter of delivered messages never stops
  everseal demo --enforce --chaos    somebody keeps undoing settings";

/// The SDK's warnings repeat what our own errors say in words.
pub const DEFAULT_LOG: &str = "info,aws_config=error";

/// Keeps the encryption of AWS data paths at its desired state, without ever breaking one.
#[derive(Debug, Parser)]
#[command(name = "everseal", version, about, after_help = AFTER_HELP, propagate_version = true, max_term_width = 120)]
pub struct Cli {
    /// Log format; by default human-readable on a terminal, JSON elsewhere. Logs go to standard error.
    #[arg(long, global = true, env = "EVERSEAL_LOG_FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,
    /// What to log, in tracing's filter language, e.g. `info` or `everseal_aws=debug`.
    #[arg(long, global = true, env = "EVERSEAL_LOG", default_value = DEFAULT_LOG, value_name = "FILTER")]
    pub log: String,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line of text an event.
    Human,
    /// One JSON object an event.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The daemon: reconcile for ever, serve metrics, health and API.
    Run(RunArgs),
    /// Observe and show what apply would do; changes nothing.
    Plan(PlanArgs),
    /// One pass: plan, ask, execute, verify.
    Apply(ApplyArgs),
    /// The ledger: what was changed, from what, to what, when.
    Changes(ChangesArgs),
    /// Check policies, offline.
    Validate(ValidateArgs),
    /// Save what AWS says (JSON); `plan --inventory FILE` then works offline.
    Observe(ObserveArgs),
    /// The IAM permissions Everseal needs, from the adapters' own lists.
    IamPolicy(IamPolicyArgs),
    /// Why a resource is or is not compliant, which rule decides, which paths run through it.
    Explain(ExplainArgs),
    /// Where data flows, whether it is encrypted all the way, and what its hops need: now and after the plan.
    Paths(PathsArgs),
    /// Where the migrations of unencrypted databases to encrypted copies stand; abort one, or resume it.
    Migrations(MigrationsArgs),
    /// The JSON Schema of the policy language.
    Schema,
    /// The whole product on a simulated AWS with a pipeline in use: no AWS account needed.
    #[command(after_help = DEMO_HELP)]
    Demo(DemoArgs),
    /// A small AWS in memory to try policies and programs on: it enforces key documents and delivers data.
    #[command(after_help = SIM_HELP)]
    Sim(SimArgs),
    /// Look at a database's TLS from outside, as a client meets it: no login, no AWS.
    TlsProbe(TlsProbeArgs),
}

/// Where the policies are.
#[derive(Debug, Clone, Args)]
pub struct PolicyArgs {
    /// Policy file, or folder whose *.yaml and *.yml files are read in order of their names; may be given several times.
    #[arg(long = "policy", short = 'p', env = "EVERSEAL_POLICY", required = true, value_name = "FILE|DIR", value_delimiter = ',')]
    pub policies: Vec<PathBuf>,
}

/// Where the ledger is.
#[derive(Debug, Clone, Args)]
pub struct LedgerArgs {
    /// Where changes are recorded: a folder, or s3://BUCKET/PREFIX.
    #[arg(long, env = "EVERSEAL_LEDGER", default_value = ".everseal/ledger", value_name = "DIR|s3://…")]
    pub ledger: String,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Time between two full resyncs of a scope, e.g. `30s`, `5m`, `1h`.
    #[arg(long, env = "EVERSEAL_INTERVAL", default_value = "5m", value_parser = duration, value_name = "DURATION")]
    pub interval: Duration,
    /// Address of metrics, health endpoints and API.
    #[arg(long, env = "EVERSEAL_LISTEN", default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Plan and report, whatever the policies' modes say; change nothing.
    #[arg(long, env = "EVERSEAL_DRY_RUN")]
    pub dry_run: bool,
    /// Time between two polls of the Firehose KMS error counters (CloudWatch bills each metric asked for); at least 60s.
    #[arg(long, env = "EVERSEAL_FIREHOSE_ERRORS_INTERVAL", default_value = "5m", value_parser = poll_interval, value_name = "DURATION")]
    pub firehose_errors_interval: Duration,
    /// Time between two reads of what lies beside resources on data paths (EventBridge rules, CloudFront distributions, Kinesis
    /// channels, IAM roles, and where every bucket sends): some calls for each bucket, at the next full pass. 0: never.
    #[arg(long, env = "EVERSEAL_PATHS_INTERVAL", default_value = "1h", value_parser = duration_or_never, value_name = "DURATION")]
    pub paths_interval: Duration,
    /// Each database that a rule wants verified is connected to at most once in this time, without a login, to look at its TLS
    /// (rds-tls-live). 0: never.
    #[arg(long, env = "EVERSEAL_TLS_PROBE_INTERVAL", default_value = "1h", value_parser = duration_or_never, value_name = "DURATION")]
    pub tls_probe_interval: Duration,
    /// Certificate authorities that databases' clients trust (PEM), e.g. the RDS bundle; wins over the policy's caBundle.
    #[arg(long, env = "EVERSEAL_CA_BUNDLE", value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,
    #[command(flatten)]
    pub ledger: LedgerArgs,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Plan from saved inventories (see `everseal observe`) instead of asking AWS.
    #[arg(long, env = "EVERSEAL_INVENTORY", value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Show compliant findings too.
    #[arg(long, env = "EVERSEAL_ALL")]
    pub all: bool,
    /// Form of the result.
    #[arg(long, short = 'o', env = "EVERSEAL_OUTPUT", value_enum, default_value_t)]
    pub output: Output,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Do not ask before changing.
    #[arg(long, short = 'y', env = "EVERSEAL_YES")]
    pub yes: bool,
    #[command(flatten)]
    pub ledger: LedgerArgs,
}

/// Arguments of `changes`.
#[derive(Debug, Args)]
pub struct ChangesArgs {
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// Only changes to this resource.
    #[arg(long, env = "EVERSEAL_RESOURCE", value_name = "ARN")]
    pub resource: Option<String>,
    /// Only changes of the last …, e.g. `24h`, `7d`.
    #[arg(long, env = "EVERSEAL_SINCE", value_parser = duration, value_name = "DURATION")]
    pub since: Option<Duration>,
    /// At most this many, the latest.
    #[arg(long, env = "EVERSEAL_LIMIT", default_value_t = 100, value_name = "N")]
    pub limit: usize,
    /// Form of the result.
    #[arg(long, short = 'o', env = "EVERSEAL_OUTPUT", value_enum, default_value_t)]
    pub output: Output,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Form of the result.
    #[arg(long, short = 'o', env = "EVERSEAL_OUTPUT", value_enum, default_value_t)]
    pub output: Output,
}

/// Arguments of `observe`.
#[derive(Debug, Args)]
pub struct ObserveArgs {
    /// Observe the scopes of these policies and what their rules and gates need; without it, everything in the
    /// credentials' own account and region.
    #[arg(long = "policy", short = 'p', env = "EVERSEAL_POLICY", value_name = "FILE|DIR", value_delimiter = ',')]
    pub policies: Vec<PathBuf>,
    /// Where to write; standard output by default.
    #[arg(long, short = 'o', env = "EVERSEAL_OUTPUT_FILE", value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `iam-policy`.
#[derive(Debug, Args)]
pub struct IamPolicyArgs {
    /// Reading only, or changing too.
    #[arg(long, env = "EVERSEAL_IAM_MODE", value_enum)]
    pub mode: IamMode,
}

/// Which permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IamMode {
    /// Reading only.
    Audit,
    /// Reading and changing.
    Enforce,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The resource.
    #[arg(value_name = "ARN")]
    pub arn: String,
    /// Explain from saved inventories instead of asking AWS.
    #[arg(long, env = "EVERSEAL_INVENTORY", value_name = "FILE")]
    pub inventory: Option<PathBuf>,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Address of metrics, health endpoints and API; port 0 takes a free one and says which.
    #[arg(long, env = "EVERSEAL_DEMO_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Address of the simulated AWS, for other AWS clients; port 0 takes a free one and says which.
    #[arg(long, env = "EVERSEAL_DEMO_SIM_LISTEN", default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub sim_listen: SocketAddr,
    /// Put in order what is found, instead of only looking.
    #[arg(long, env = "EVERSEAL_DEMO_ENFORCE")]
    pub enforce: bool,
    /// Let somebody undo a setting every 20 seconds.
    #[arg(long, env = "EVERSEAL_DEMO_CHAOS")]
    pub chaos: bool,
    /// Decides every generated id of the simulated AWS.
    #[arg(long, env = "EVERSEAL_DEMO_SEED", default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// Arguments of `sim`.
#[derive(Debug, Args)]
pub struct SimArgs {
    /// Address of the plain HTTP endpoint; port 0 takes a free one and says which.
    #[arg(long, env = "EVERSEAL_SIM_LISTEN", default_value = "127.0.0.1:4599", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Address of an HTTPS endpoint beside it, with a certificate made at start.
    #[arg(long, env = "EVERSEAL_SIM_TLS_LISTEN", value_name = "ADDRESS", requires = "tls_ca")]
    pub tls_listen: Option<SocketAddr>,
    /// Where to write the authority that clients of the HTTPS endpoint must trust (AWS_CA_BUNDLE, SSL_CERT_FILE).
    #[arg(long, env = "EVERSEAL_SIM_TLS_CA", value_name = "FILE", requires = "tls_listen")]
    pub tls_ca: Option<PathBuf>,
    /// Decides every generated id: the same calls in the same order give the same ids.
    #[arg(long, env = "EVERSEAL_SIM_SEED", default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// The home account: whose administrator an access key is that is no account id.
    #[arg(long, env = "EVERSEAL_SIM_ACCOUNT", default_value = "111122223333", value_parser = account, value_name = "ID")]
    pub account: String,
    /// So many times faster than real time: retention, buffering, transitions and schedules.
    #[arg(long, env = "EVERSEAL_SIM_SPEED", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    pub speed: u32,
}

const PATHS_HELP: &str = "\
A path begins where nothing flows in (a producer, a stream, a bucket …) and takes every way on from there: event \
notifications, EventBridge rules, subscriptions, Firehose sources and destinations, Kinesis channels, CloudFront, \
replication, access logs, dead-letter queues, and principals that documents or the policy's usableBy name.

  sealed   every resource is encrypted at rest, every hop in transit, and everybody on it gets through
  exposed  data lies or travels somewhere unencrypted, or a resource accepts plain HTTP that the policy wants refused
  broken   data does not get through: somebody lacks a use of a key; the statement to add is shown
  unknown  something that decides was not read or can't be proven; never counted as sealed or as exposed

Each path is shown as it is now and as it will be after the steps of the plan that no gate stops. Nothing is changed.
Reading paths takes more calls than a plan (see `everseal iam-policy`); saved inventories of `everseal observe` work offline.

Exit codes: 0 every path is sealed now, 2 something is exposed or broken, 1 an error, or something is unknown.

Examples:
  everseal paths --policy policy.yaml
  everseal paths --policy policy.yaml --inventory inventory.json
  everseal paths --policy policy.yaml --dot | dot -Tsvg > paths.svg
  everseal paths --policy policy.yaml --json | jq '.paths[] | select(.now != \"sealed\")'";

/// Arguments of `paths`.
#[derive(Debug, Args)]
#[command(after_help = PATHS_HELP)]
pub struct PathsArgs {
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Draw the paths of saved inventories (see `everseal observe`) instead of asking AWS.
    #[arg(long, env = "EVERSEAL_INVENTORY", value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Print the graph in Graphviz's language.
    #[arg(long, env = "EVERSEAL_DOT", conflicts_with = "json")]
    pub dot: bool,
    /// Print paths, nodes and hops as JSON.
    #[arg(long, env = "EVERSEAL_JSON")]
    pub json: bool,
}

const MIGRATIONS_HELP: &str = "\
The storage of an RDS instance or cluster can't be encrypted in place. Where a rule says `migration`, Everseal builds an
encrypted copy and, if it may, switches to it: by a blue/green deployment, or by snapshot, copy, restore and a swap of names.
Every stage is recognised from what AWS shows, so nothing is lost when a run is cut off. `everseal run` goes from stage to
stage by itself; `everseal apply` makes the next step only.

  planned       nothing was made yet
  isolating     the old database is cut off from its clients, so that nothing is written after the snapshot
  snapshotting, copying, restoring, configuring    the encrypted copy is being built
  prepared      the copy stands and is verified; it waits for approval, window, and proof that nobody writes
  switching     names move; clients reach the encrypted database within minutes
  finishing     proxies, event subscriptions and tags follow
  keeping-old   done; the old database is kept for keepOldFor, and longer unless the policy says oldAfterwards: delete
  stuck         AWS failed, or a stage takes too long: the lines below it say what to do
  aborted       a person stopped it; it stays stopped until `everseal migrations resume`

Exit codes: 0 nothing is open, 2 a migration is open, 1 an error, or something could not be read, 3 a step failed.

Examples:
  everseal migrations --policy policy.yaml
  everseal migrations --policy policy.yaml --output json | jq '.migrations[] | {name, stage, blocked}'
  everseal migrations --policy policy.yaml --inventory inventory.json
  everseal migrations abort  orders --policy policy.yaml
  everseal migrations resume orders --policy policy.yaml";

const ABORT_HELP: &str = "\
Before the switch there is always a way back. The database gets its security groups again, the snapshots, the copy and the
blue/green deployment that the migration made are removed, and the database is left alone, whatever the policy says, until
`everseal migrations resume`. Nothing else is ever removed: not the database, not what somebody else made.

Once clients reach the encrypted database it is too late: what they wrote since is there alone. The old one is kept under its
new name for as long as the policy says, and the answer says how to go back by hand.

Exit codes: 0 done, 1 an error (among them: too late), 3 a step failed or was stopped: the same command goes on.";

const RESUME_HELP: &str = "\
Takes back the note that `everseal migrations abort` left on the database. The migration begins anew, under the policy that is
in force now: with its window, its approval, and a new snapshot.

Exit codes: 0 done, 1 an error, 3 a step failed or was stopped.";

/// Arguments of `migrations`.
#[derive(Debug, Args)]
#[command(after_help = MIGRATIONS_HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct MigrationsArgs {
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Show the migrations of saved inventories (see `everseal observe`) instead of asking AWS.
    #[arg(long, env = "EVERSEAL_INVENTORY", value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Form of the result.
    #[arg(long, short = 'o', env = "EVERSEAL_OUTPUT", value_enum, default_value_t)]
    pub output: Output,
    /// Steers one migration instead of showing all.
    #[command(subcommand)]
    pub command: Option<MigrationsCommand>,
}

/// What to do with one migration.
#[derive(Debug, Subcommand)]
pub enum MigrationsCommand {
    /// The way back: let clients in again, remove what the migration made, leave the database alone.
    #[command(after_help = ABORT_HELP)]
    Abort(SteerArgs),
    /// Begin an aborted migration anew.
    #[command(after_help = RESUME_HELP)]
    Resume(SteerArgs),
}

/// Arguments of `migrations abort` and `migrations resume`.
#[derive(Debug, Args)]
pub struct SteerArgs {
    /// The database: its identifier, or its ARN where several scopes have one of that name.
    #[arg(value_name = "DATABASE")]
    pub database: String,
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Do not ask before changing.
    #[arg(long, short = 'y', env = "EVERSEAL_YES")]
    pub yes: bool,
    #[command(flatten)]
    pub ledger: LedgerArgs,
}

/// A year: longer than anybody waits on purpose.
const LONGEST_SECONDS: u64 = 365 * 86_400;

/// `90s`, `5m`, `24h`, `7d`; a bare number is refused, so that nobody means another unit than we do.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a duration: write a whole number and s, m, h or d, e.g. 5m"))?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(format!("`{text}` needs a unit: s, m, h or d, e.g. 5m")),
    };
    match number.checked_mul(seconds) {
        Some(seconds @ 1..=LONGEST_SECONDS) => Ok(Duration::from_secs(seconds)),
        Some(_) | None => Err(format!("`{text}` is out of range: from 1s to 365d")),
    }
}

fn account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err(format!("`{text}` is not an account id: twelve digits")) }
}

fn duration_or_never(text: &str) -> Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { duration(text) }
}

fn poll_interval(text: &str) -> Result<Duration, String> {
    let wanted = duration(text)?;
    if wanted < Duration::from_mins(1) { Err("CloudWatch's data points are one minute apart: at least 60s".to_owned()) } else { Ok(wanted) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::{Command, CommandFactory};

    use super::{Command as Chosen, *};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_its_variable() {
        let all = Cli::command();
        let nested = all.get_subcommands().flat_map(Command::get_subcommands);
        for command in all.get_subcommands().chain(nested) {
            for flag in command.get_arguments().filter(|flag| flag.get_long().is_some_and(|name| name != "help" && name != "version")) {
                let variable = flag.get_env().and_then(|name| name.to_str()).unwrap_or_default();
                assert!(variable.starts_with("EVERSEAL_"), "{} --{:?}", command.get_name(), flag.get_long());
            }
        }
    }

    #[test]
    fn a_migration_is_steered_by_a_command_of_its_own_and_shown_without_one() {
        let parsed = |words: &[&str]| Cli::try_parse_from([&["everseal", "migrations"], words].concat()).map(|cli| cli.command);
        let shown = parsed(&["--policy", "p.yaml", "-o", "json"]).unwrap();
        assert!(matches!(shown, Chosen::Migrations(MigrationsArgs { command: None, output: Output::Json, .. })), "{shown:?}");
        let aborted = parsed(&["abort", "orders", "--policy", "p.yaml", "--yes"]).unwrap();
        let Chosen::Migrations(MigrationsArgs { command: Some(MigrationsCommand::Abort(args)), .. }) = aborted else {
            panic!("{aborted:?}")
        };
        assert_eq!((args.database.as_str(), args.yes, args.policy.policies), ("orders", true, vec![PathBuf::from("p.yaml")]));
        for wrong in [&[][..], &["abort", "--policy", "p.yaml"], &["resume", "orders"]] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn durations_need_a_unit_and_a_positive_number() {
        assert_eq!(duration("5m"), Ok(Duration::from_mins(5)));
        assert_eq!(duration("7d"), Ok(Duration::from_hours(168)));
        for wrong in ["", "5", "m", "0s", "-1s", "5 m", "1w", "366d", "99999999999999999999s", "9999999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(poll_interval("59s").is_err());
        assert_eq!(duration_or_never("0"), Ok(Duration::ZERO));
        assert!(duration_or_never("0s").is_err());
    }

    #[test]
    fn accounts_are_twelve_digits() {
        assert_eq!(account("111122223333"), Ok("111122223333".to_owned()));
        for wrong in ["", "11112222333", "1111222233334", "11112222333a", "-11122223333"] {
            assert!(account(wrong).is_err(), "{wrong}");
        }
    }
}
