//! Doors for tests and simulations, where the wire would be clumsy.

use std::collections::{BTreeMap, BTreeSet};

use super::roles::{Role, trusted};
use crate::access::Document;
use crate::error::ApiError;
use crate::world::World;

impl World {
    /// Makes a role with a trust policy, or gives an existing one another. On success: its ARN.
    ///
    /// # Errors
    /// The text is no policy.
    pub fn create_role(&mut self, account: &str, name: &str, trust: &str) -> Result<String, ApiError> {
        let key = (account.to_owned(), name.to_owned());
        if let Some(role) = self.iam.roles.get_mut(&key) {
            role.trusted = trusted(trust)?;
            trust.clone_into(&mut role.trust);
            return Ok(role.arn());
        }
        let role = Role {
            account: account.to_owned(),
            path: "/".to_owned(),
            name: name.to_owned(),
            id: format!("AROA{}", self.hex(17).to_uppercase()),
            created: self.now(),
            description: None,
            longest_session: 43_200,
            trusted: trusted(trust)?,
            trust: trust.to_owned(),
            tags: Vec::new(),
            inline: BTreeMap::new(),
            attached: BTreeSet::new(),
            boundary: None,
        };
        let arn = role.arn();
        self.iam.roles.insert(key.clone(), role);
        self.iam.refresh(&key);
        Ok(arn)
    }

    /// Gives a role an inline policy, in the place of one of the same name.
    ///
    /// # Errors
    /// The role does not exist, or the text is no policy.
    pub fn put_role_policy(&mut self, account: &str, role: &str, name: &str, policy: &str) -> Result<(), ApiError> {
        if Document::parse(policy).is_none() {
            return Err(ApiError::bad_request("MalformedPolicyDocument", "Syntax errors in policy."));
        }
        let key = (account.to_owned(), role.to_owned());
        super::roles::found(self, &key)?.inline.insert(name.to_owned(), policy.to_owned());
        self.iam.refresh(&key);
        Ok(())
    }

    /// Takes an inline policy from a role. One that is not there stays away.
    pub fn delete_role_policy(&mut self, account: &str, role: &str, name: &str) {
        let key = (account.to_owned(), role.to_owned());
        if let Some(role) = self.iam.roles.get_mut(&key) {
            role.inline.remove(name);
        }
        self.iam.refresh(&key);
    }
}
