//! `everseal explain`: why a resource is or is not compliant.

use anyhow::Result;

use crate::args::ExplainArgs;
use crate::exit::Outcome;

/// Explains one resource.
pub fn run(args: &ExplainArgs) -> Result<Outcome> {
    let _ = args;
    Ok(Outcome::InSync)
}
