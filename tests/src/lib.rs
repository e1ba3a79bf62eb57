//! What the tests share: golden scenarios and how they are compared.
//!
//! Scenarios are judged twice with the same rules: in this process against the planner (a second, no
//! SDK), and through the real command. Nothing here may know what a scenario is about.

pub mod binary;
pub mod scenario;
