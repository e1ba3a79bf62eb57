//! Unencrypted databases get encrypted by moving to an encrypted copy: a state machine without a state of its own.
//!
//! Each pass recognises from names, tags and states what stage a migration is in ([`report::Stage`]) and proposes the next
//! single change ([`change::MigrationChange`]) or says what it waits for, or what stops it. Never here: a stage that cannot
//! be left again, a deletion of what the migration did not make (but for the replaced database, long after and with the
//! policy's word), a switch while anybody may still write to the old side.

pub mod change;
pub mod observed;
pub mod report;
