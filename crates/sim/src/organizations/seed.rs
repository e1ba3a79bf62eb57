//! Doors for tests and simulations, where the wire would be clumsy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::Organization;
use super::policies::{Kind, Policy};
use crate::access::Document;
use crate::world::World;

/// What both allow.
const TEXT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
static FULL: LazyLock<Document> = LazyLock::new(|| Document::parse(TEXT).expect("the text is a document"));

/// Ids of AWS's own policies.
const FULL_ACCESS: [(&str, &str, Kind); 2] =
    [("p-FullAWSAccess", "FullAWSAccess", Kind::Service), ("p-RCPFullAWSAccess", "RCPFullAWSAccess", Kind::Resource)];

impl World {
    /// Makes an organization with all features, in the place of any before it. Its first account manages it.
    pub fn create_organization(&mut self, management: &str) {
        let (id, root) = (format!("o-{}", self.hex(10)), format!("r-{}", self.hex(4)));
        let policies = FULL_ACCESS.iter().map(|(id, name, kind)| {
            let description = "Allows access to every operation".to_owned();
            (
                (*id).to_owned(),
                Policy { kind: *kind, name: (*name).to_owned(), description, text: TEXT.to_owned(), document: FULL.clone(), aws: true },
            )
        });
        let policies = policies.collect();
        let mut organization = Organization {
            id,
            attached: BTreeMap::from([(root.clone(), everything())]),
            root,
            management: management.to_owned(),
            accounts: BTreeMap::new(),
            policies,
        };
        join(&mut organization, management, "management");
        self.organizations.organization = Some(organization);
    }

    /// Lets an account join the organization, if there is one.
    pub fn join_organization(&mut self, account: &str, name: &str) {
        if let Some(organization) = self.organizations.organization.as_mut() {
            join(organization, account, name);
        }
    }
}

fn everything() -> BTreeSet<String> {
    FULL_ACCESS.iter().map(|(id, ..)| (*id).to_owned()).collect()
}

fn join(organization: &mut Organization, account: &str, name: &str) {
    organization.accounts.insert(account.to_owned(), name.to_owned());
    organization.attached.entry(account.to_owned()).or_insert_with(everything);
}
