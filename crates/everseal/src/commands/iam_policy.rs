//! `everseal iam-policy`: the permissions, from the tables that the adapters' calls are made with.

use std::io::{self, Write};

use anyhow::Result;
use everseal_aws::permissions::{PermissionMode, iam_policy};

use crate::args::{IamMode, IamPolicyArgs};
use crate::exit::Outcome;

/// Prints the IAM policy document.
pub fn run(args: &IamPolicyArgs) -> Result<Outcome> {
    let mode = match args.mode {
        IamMode::Audit => PermissionMode::Audit,
        IamMode::Enforce => PermissionMode::Enforce,
    };
    writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&iam_policy(mode))?)?;
    Ok(Outcome::InSync)
}
