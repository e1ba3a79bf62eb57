//! Migrations of unencrypted databases: what AWS shows of them, and the calls that move them on.
//!
//! Which call comes next, and whether it may, the planner decides: here each change is one call, with what must be looked at
//! right before it. What must never be here: a deletion or a renaming of a database by its name alone, and a success told
//! where somebody else's resource bears the wanted name.

mod activity;
mod apply;
mod blue_green;
mod configure;
mod create;
mod identity;
mod observe;
mod proxies;
mod remove;
pub(super) mod settings;
mod snapshots;
mod surroundings;
mod words;

pub(super) use apply::apply;
pub(super) use observe::{Concerned, observe};
pub(super) use surroundings::{Replications, surroundings};
