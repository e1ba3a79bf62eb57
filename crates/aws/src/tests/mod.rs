//! What holds for all services: errors, pace, counting, connecting, permissions, the account as a whole.

mod account;
mod connect;
mod errors;
mod house;
mod pace;
mod permissions;
mod tags;
mod wire;
