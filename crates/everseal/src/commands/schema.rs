//! `everseal schema`.

use std::io::{self, Write};

use anyhow::Result;

use crate::exit::Outcome;

/// Prints the JSON Schema of the policy language.
pub fn run() -> Result<Outcome> {
    let schema = serde_json::to_string_pretty(&everseal_planner::policy::schema())?;
    writeln!(io::stdout(), "{schema}")?;
    Ok(Outcome::InSync)
}
