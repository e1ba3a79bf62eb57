//! Saved inventories: what `observe` writes and `plan --inventory` reads.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use everseal_planner::Inventory;
use serde::{Deserialize, Serialize};

/// One scope's inventory stands by itself; those of several scopes in a list.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Saved {
    Many(Vec<Inventory>),
    One(Box<Inventory>),
}

/// Reads saved inventories.
pub fn read(path: &Path) -> Result<Vec<Inventory>> {
    let text = fs::read_to_string(path).with_context(|| format!("can't read the inventory {}", path.display()))?;
    // Parsed by shape first: an untagged enum would answer "no variant matched" instead of saying what is wrong.
    let list = text.trim_start().starts_with('[');
    let inventories =
        if list { serde_json::from_str::<Vec<Inventory>>(&text) } else { serde_json::from_str::<Inventory>(&text).map(|one| vec![one]) };
    inventories.with_context(|| format!("{} is not an inventory that `everseal observe` has saved", path.display()))
}

/// The text to save.
pub fn text(mut inventories: Vec<Inventory>) -> Result<String> {
    let saved = match (inventories.len(), inventories.pop()) {
        (1, Some(one)) => Saved::One(Box::new(one)),
        (_, last) => {
            inventories.extend(last);
            Saved::Many(inventories)
        }
    };
    Ok(serde_json::to_string_pretty(&saved)?)
}
