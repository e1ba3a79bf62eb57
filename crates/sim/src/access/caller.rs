//! Who calls.

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The account's root user.
    Root {
        /// Account id.
        account: String,
    },
    /// An IAM user.
    User {
        /// Account id.
        account: String,
        /// `arn:aws:iam::…:user/…`.
        arn: String,
    },
    /// A session of an IAM role.
    Role {
        /// Account id.
        account: String,
        /// `arn:aws:iam::…:role/…`.
        arn: String,
        /// The session's name.
        session: String,
    },
    /// A service that acts for a resource: `s3.amazonaws.com` for a bucket.
    Service {
        /// The service principal.
        name: String,
        /// `aws:SourceArn`, where the service sends it.
        source_arn: Option<String>,
        /// `aws:SourceAccount`, where the service sends it.
        source_account: Option<String>,
    },
    /// An unsigned request.
    Anonymous,
}

impl Caller {
    /// A service that sends both source keys.
    pub fn service(name: &str, source_arn: &str, source_account: &str) -> Self {
        Self::Service { name: name.to_owned(), source_arn: Some(source_arn.to_owned()), source_account: Some(source_account.to_owned()) }
    }

    /// A session of a role that a service has assumed; `None` where the text is no role's ARN.
    pub fn role(arn: &str, session: &str) -> Option<Self> {
        let account = arn.split(':').nth(4)?.to_owned();
        arn.contains(":role/").then(|| Self::Role { account, arn: arn.to_owned(), session: session.to_owned() })
    }

    /// The account; `None` for services and unsigned requests.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account } | Self::User { account, .. } | Self::Role { account, .. } => Some(account),
            Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// `aws:PrincipalArn`: of a session, its role's ARN.
    pub fn principal_arn(&self) -> Option<String> {
        match self {
            Self::Root { account } => Some(format!("arn:aws:iam::{account}:root")),
            Self::User { arn, .. } | Self::Role { arn, .. } => Some(arn.clone()),
            Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// As STS and error messages write it.
    pub fn arn(&self) -> String {
        match self {
            Self::Role { account, arn, session } => {
                let name = arn.rsplit('/').next().unwrap_or_default();
                format!("arn:aws:sts::{account}:assumed-role/{name}/{session}")
            }
            Self::Service { name, .. } => name.clone(),
            Self::Anonymous => "anonymous".to_owned(),
            Self::Root { .. } | Self::User { .. } => self.principal_arn().unwrap_or_default(),
        }
    }
}
