//! Calls to STS.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::Sts;
    /// Who the credentials belong to; IAM allows it to everybody, whatever policies say.
    GET_CALLER_IDENTITY = "GetCallerIdentity", ["sts:GetCallerIdentity"], Need::Audit, Rate::Unpublished;
    /// Into the accounts of the policy.
    ASSUME_ROLE = "AssumeRole", ["sts:AssumeRole"], Need::Audit, Rate::Unpublished;
}
