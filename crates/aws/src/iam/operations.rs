//! The IAM calls that Everseal makes: reading alone.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::Iam;
    /// Path fact: all roles and what their policies say.
    GET_ACCOUNT_AUTHORIZATION_DETAILS =
        "GetAccountAuthorizationDetails", ["iam:GetAccountAuthorizationDetails"], Need::Audit, Rate::Unpublished;
    /// Gate fact: a role that a step hangs on, and its permissions boundary.
    GET_ROLE = "GetRole", ["iam:GetRole"], Need::Audit, Rate::Unpublished;
    /// Gate fact: names of its inline policies.
    LIST_ROLE_POLICIES = "ListRolePolicies", ["iam:ListRolePolicies"], Need::Audit, Rate::Unpublished;
    /// Gate fact: one of them.
    GET_ROLE_POLICY = "GetRolePolicy", ["iam:GetRolePolicy"], Need::Audit, Rate::Unpublished;
    /// Gate fact: its managed policies.
    LIST_ATTACHED_ROLE_POLICIES = "ListAttachedRolePolicies", ["iam:ListAttachedRolePolicies"], Need::Audit, Rate::Unpublished;
    /// The version of a managed policy that is in force.
    GET_POLICY = "GetPolicy", ["iam:GetPolicy"], Need::Audit, Rate::Unpublished;
    /// What that version says.
    GET_POLICY_VERSION = "GetPolicyVersion", ["iam:GetPolicyVersion"], Need::Audit, Rate::Unpublished;
}
