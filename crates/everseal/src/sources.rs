//! Policy files from disk, and how their errors are shown.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use everseal_planner::policy::{Diagnostic, Loaded, Severity, Source, load};

/// A policy file larger than this is refused before it is read.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// Seconds since the Unix epoch.
pub fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

/// Reads the given files, and the YAML files of the given folders in order of their names.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in paths {
        if path.is_dir() {
            let files = yaml_files(path)?;
            if files.is_empty() {
                bail!("{} holds no *.yaml or *.yml file: put a policy there, or name another folder with --policy", path.display());
            }
            for file in files {
                sources.push(read_file(&file)?);
            }
        } else {
            sources.push(read_file(path)?);
        }
    }
    Ok(sources)
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("can't read the folder {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("can't read the folder {}", folder.display()))?.path();
        // A mounted ConfigMap keeps its data in hidden folders beside the visible links.
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if yaml && !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<Source> {
    let shown = path.display();
    let size = fs::metadata(path).with_context(|| format!("can't read the policy {shown}"))?.len();
    if size > LARGEST_FILE {
        bail!("the policy {shown} is {size} bytes large; the limit is {LARGEST_FILE}");
    }
    let bytes = fs::read(path).with_context(|| format!("can't read the policy {shown}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| anyhow::anyhow!("the policy {shown} is not UTF-8 text (byte {})", error.utf8_error().valid_up_to()))?;
    Ok(Source { file: shown.to_string(), text })
}

/// Loads policies; all errors and warnings go to standard error, one a line.
pub fn load_policies(paths: &[PathBuf]) -> Result<Loaded> {
    match load(&read(paths)?, now()) {
        Ok(loaded) => {
            print_diagnostics(&loaded.warnings);
            Ok(loaded)
        }
        Err(diagnostics) => {
            print_diagnostics(&diagnostics);
            let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
            bail!("the policy has {errors} error{}: nothing was done", if errors == 1 { "" } else { "s" });
        }
    }
}

/// `file:line:column: error: spec.s3[0].atRest.key: what is wrong`
pub fn line(diagnostic: &Diagnostic) -> String {
    let Diagnostic { severity, file, line, column, path, message, suggestion } = diagnostic;
    let severity = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
    let suggestion = suggestion.as_ref().map_or_else(String::new, |word| format!(" (did you mean `{word}`?)"));
    format!("{file}:{line}:{column}: {severity}: {path}{message}{suggestion}")
}

/// Prints diagnostics to standard error; a closed standard error is nobody's concern.
pub fn print_diagnostics(diagnostics: &[Diagnostic]) {
    let mut out = io::stderr().lock();
    for diagnostic in diagnostics {
        let _ = writeln!(out, "{}", line(diagnostic));
    }
}
