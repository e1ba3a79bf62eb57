//! Doors for tests and simulations, where the wire would be clumsy.

use serde_json::json;

use super::key::KeyState;
use super::{aliases, found, keys, resolve};
use crate::access::Caller;
use crate::error::ApiError;
use crate::world::{Origin, World};

/// The account's root user: may do everything there.
fn owner(account: &str, region: &str) -> Origin {
    Origin { caller: Caller::Root { account: account.to_owned() }, region: region.to_owned(), secure: true }
}

impl World {
    /// A symmetric key with a document, or with KMS's default one. On success: its ARN.
    ///
    /// # Errors
    /// What `CreateKey` answers to such a document.
    pub fn create_key(&mut self, account: &str, region: &str, document: Option<&str>) -> Result<String, ApiError> {
        let mut input = serde_json::Map::new();
        if let Some(document) = document {
            input.insert("Policy".to_owned(), json!(document));
            input.insert("BypassPolicyLockoutSafetyCheck".to_owned(), json!(true));
        }
        let created = keys::create(self, &owner(account, region), &input)?;
        Ok(created["KeyMetadata"]["Arn"].as_str().unwrap_or_default().to_owned())
    }

    /// An alias (`alias/…`) of a key, in the key's account and region.
    ///
    /// # Errors
    /// What `CreateAlias` answers.
    pub fn create_alias(&mut self, alias: &str, key_arn: &str) -> Result<(), ApiError> {
        let key = found(self, key_arn)?;
        let (account, region) = (key.account.clone(), key.region.clone());
        let mut input = serde_json::Map::new();
        input.insert("AliasName".to_owned(), json!(alias));
        input.insert("TargetKeyId".to_owned(), json!(key_arn));
        // The document may leave the root user out: whoever builds a world asks nobody.
        aliases::create_unasked(self, &owner(&account, &region), &input)
    }

    /// Puts a document on a key without asking anybody. It decides at once.
    ///
    /// # Errors
    /// The key does not exist, or the text is no document.
    pub fn put_key_document(&mut self, key_arn: &str, document: &str) -> Result<(), ApiError> {
        let parsed = super::documents::parse(document)?;
        let now = self.now();
        found(self, key_arn)?.put_document(document.to_owned(), parsed, now, std::time::Duration::ZERO);
        Ok(())
    }

    /// A key's document as it was last written.
    pub fn key_document(&self, key_arn: &str) -> Option<&str> {
        self.kms.keys.get(key_arn).map(|key| key.document.as_str())
    }

    /// Puts a key into a state, also into one that no call here leads to (`Unavailable`).
    ///
    /// # Errors
    /// The key does not exist.
    pub fn set_key_state(&mut self, key_arn: &str, state: KeyState) -> Result<(), ApiError> {
        let now = self.now();
        let key = found(self, key_arn)?;
        key.state = state;
        if state == KeyState::PendingDeletion {
            let wait = keys::DAY * 30;
            key.waiting_days = 30;
            key.deletion = Some(now + wait);
            self.later(wait, crate::world::Event::Kms(super::Event::Delete { key: key_arn.to_owned() }));
        } else {
            key.deletion = None;
        }
        crate::rds::keys_changed(self);
        Ok(())
    }

    /// A key's state; `None`: there is no such key.
    pub fn key_state(&self, key_arn: &str) -> Option<KeyState> {
        self.kms.keys.get(key_arn).map(|key| key.state)
    }

    /// The key behind an id, ARN, alias or alias ARN as an account and region see it.
    ///
    /// # Errors
    /// Nothing bears that name there.
    pub fn resolve_key(&mut self, reference: &str, account: &str, region: &str) -> Result<String, ApiError> {
        resolve::resolve(self, reference, account, region)
    }
}
