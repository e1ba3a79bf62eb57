//! Where the program under test is.

use std::path::{Path, PathBuf};

/// The built `everseal`: `EVERSEAL_BIN`, else the one beside the tests' own profile, else the release build.
pub fn everseal() -> PathBuf {
    if let Some(named) = std::env::var_os("EVERSEAL_BIN") {
        return PathBuf::from(named);
    }
    let tests = std::env::current_exe().expect("a running program has a path");
    let profile = tests.ancestors().nth(2).expect("tests run from target/<profile>/deps");
    let target = profile.parent().expect("a profile folder stands in the target folder");
    let candidates = [profile.join("everseal"), target.join("release").join("everseal")];
    candidates
        .iter()
        .find(|candidate| candidate.is_file())
        .cloned()
        .unwrap_or_else(|| panic!("{} is not built: `cargo build -p everseal` first (tests/run-all does)", candidates[0].display()))
}

/// The top of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the repository")
}
