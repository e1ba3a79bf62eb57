//! Data paths: who sends to a resource and who reads from it, and what each of them needs of its key.

pub(crate) mod grants;
pub mod hops;
pub mod observed;
#[cfg(test)]
mod properties;
pub(crate) mod roles;
pub(crate) mod sources;
#[cfg(test)]
mod tests;
pub(crate) mod users;

pub(crate) use users::{delivery_keys_of_bucket, unread_deliveries, users_of_bucket, users_of_queue, users_of_topic};
