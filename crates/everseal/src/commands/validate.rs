//! `everseal validate`: every error and warning of the policies, with file, line and column.

use std::io::{self, Write};

use anyhow::Result;
use everseal_planner::policy::{Diagnostic, Loaded, Severity, load};
use serde_json::json;

use crate::args::{Output, ValidateArgs};
use crate::exit::Outcome;
use crate::sources;

/// Checks the policies and prints what is wrong with them.
pub fn run(args: &ValidateArgs) -> Result<Outcome> {
    let files = sources::read(&args.policy.policies)?;
    let (loaded, diagnostics) = match load(&files, sources::now()) {
        Ok(Loaded { set, warnings }) => (Some(set), warnings),
        Err(diagnostics) => (None, diagnostics),
    };
    match args.output {
        Output::Json => {
            let names: Vec<&str> = loaded.iter().flat_map(|set| &set.policies).map(|policy| policy.metadata.name.as_str()).collect();
            let result = json!({
                "valid": loaded.is_some(),
                "policies": names,
                "revision": loaded.as_ref().map(|set| set.revision.as_str()),
                "diagnostics": diagnostics,
            });
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&result)?)?;
        }
        Output::Text => {
            sources::print_diagnostics(&diagnostics);
            let count = |severity: Severity| diagnostics.iter().filter(|found: &&Diagnostic| found.severity == severity).count();
            let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
            match &loaded {
                Some(set) => {
                    for policy in &set.policies {
                        writeln!(io::stdout(), "policy `{}` is valid", policy.metadata.name)?;
                    }
                    writeln!(
                        io::stdout(),
                        "{} file(s), {} policies, {warnings} warning(s), revision {}",
                        files.len(),
                        set.policies.len(),
                        set.revision
                    )?;
                }
                None => writeln!(io::stdout(), "{errors} error(s), {warnings} warning(s): this policy can't be used")?,
            }
        }
    }
    if loaded.is_some() { Ok(Outcome::InSync) } else { Ok(Outcome::Incomplete) }
}
