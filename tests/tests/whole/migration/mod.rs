//! Databases move to encrypted copies, from the policy to the last name: the daemon with the real SDK clients on the
//! simulated AWS, with applications that write all the while.
//!
//! What must never happen is checked in every one of these: an acknowledged row that the database which clients reach in the
//! end does not hold, a client that stays cut off, anything left behind, anything deleted that the migration did not make.

mod aurora;
mod blue_green;
mod crashes;
mod estate;
mod rig;
mod snapshot;
mod ways_back;
