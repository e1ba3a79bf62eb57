//! The file of authorities that a database's certificate is verified with.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use everseal_database::probe::Authorities;

/// Read each time that it is needed: AWS adds authorities, and bundles are replaced. `Err`: why it can't be used, in words.
pub async fn read(file: &Path) -> Result<Arc<Authorities>, String> {
    let wrong = |error: &dyn Display| format!("the bundle of authorities {} can't be used: {error}", file.display());
    let bundle = tokio::fs::read(file).await.map_err(|error| wrong(&error))?;
    Authorities::from_pem(&bundle).map(Arc::new).map_err(|error| wrong(&error))
}
