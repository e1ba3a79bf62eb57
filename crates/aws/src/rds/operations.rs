//! The API calls of this service.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::Rds;
}
