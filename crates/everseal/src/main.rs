//! Everseal's command line: wires policy, AWS and the loop together, and decides nothing itself.

mod args;
mod authorities;
mod commands;
mod consent;
mod demo;
mod exit;
mod http;
mod inventories;
mod ledgers;
mod live;
mod logging;
mod prober;
mod scopes;
mod sessions;
mod signals;
mod sources;
mod world;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The demo tells on the terminal what happens: the log would say it again.
    let log = if matches!(cli.command, Command::Demo(_)) && cli.log == args::DEFAULT_LOG { "warn" } else { &cli.log };
    logging::start(cli.log_format, log);
    let outcome = match &cli.command {
        Command::Validate(args) => commands::validate::run(args),
        Command::Schema => commands::schema::run(),
        Command::Plan(args) => commands::plan::run(args),
        Command::Explain(args) => commands::explain::run(args),
        Command::Paths(args) => commands::paths::run(args),
        Command::Migrations(args) => commands::migrations::run(args),
        Command::Observe(args) => commands::observe::run(args),
        Command::IamPolicy(args) => commands::iam_policy::run(args),
        Command::Apply(args) => commands::apply::run(args),
        Command::Changes(args) => commands::changes::run(args),
        Command::Run(args) => commands::run::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Sim(args) => commands::sim::run(args),
        Command::TlsProbe(args) => commands::tls_probe::run(args),
    };
    exit::code(outcome)
}
