//! The Secrets Manager call that Everseal makes.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::SecretsManager;
    /// The login of a monitoring user, where a policy names the secret.
    GET_SECRET_VALUE = "GetSecretValue", ["secretsmanager:GetSecretValue"], Need::Audit, Rate::Unpublished;
}
