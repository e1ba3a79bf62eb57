//! Refusals that several operations share, in RDS's words. Codes and statuses are the API model's.

use crate::error::ApiError;

pub(super) fn instance_not_found(identifier: &str) -> ApiError {
    ApiError::new(404, "DBInstanceNotFound", format!("DBInstance {identifier} not found."))
}

pub(super) fn cluster_not_found(identifier: &str) -> ApiError {
    ApiError::new(404, "DBClusterNotFoundFault", format!("DBCluster {identifier} not found."))
}

pub(super) fn group_not_found(name: &str) -> ApiError {
    ApiError::new(404, "DBParameterGroupNotFound", format!("DBParameterGroup not found: {name}"))
}

pub(super) fn instance_exists() -> ApiError {
    ApiError::bad_request("DBInstanceAlreadyExists", "DB instance already exists")
}

pub(super) fn instance_state(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidDBInstanceState", message)
}

pub(super) fn cluster_state(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidDBClusterStateFault", message)
}

pub(super) fn value(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterValue", message)
}

pub(super) fn combination(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterCombination", message)
}
