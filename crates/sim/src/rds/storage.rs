//! Encryption at rest as the API tells it, for instances, clusters and snapshots.

use super::{Place, Request, errors, keys};
use crate::error::ApiError;
use crate::wire::xml::Element;
use crate::world::World;

/// How storage is encrypted. It never changes in a resource's life. [RDS: Encrypting Amazon RDS resources]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Storage {
    /// Not at all.
    Plain,
    /// Under a key of AWS's own.
    Owned,
    /// Under a KMS key.
    Kms {
        /// The key's ARN.
        key: String,
        /// Of RDS's grant on it.
        grant: String,
    },
}

impl Storage {
    /// What a new instance or cluster asks for; `owned`: unencrypted is not to be had.
    pub(super) fn of(world: &mut World, request: &Request<'_>, resource_id: &str, owned: bool) -> Result<Self, ApiError> {
        let form = &request.form;
        let key = form.get("KmsKeyId").filter(|key| !key.is_empty());
        match (form.get("StorageEncrypted") == Some("true"), key) {
            (true, key) => Self::under(world, request, key.unwrap_or("alias/aws/rds"), resource_id),
            (false, Some(_)) => Err(errors::combination("KmsKeyId can be used only with StorageEncrypted.")),
            (false, None) if owned => Ok(Self::Owned),
            (false, None) => Ok(Self::Plain),
        }
    }

    /// Under a key that the caller may let RDS use.
    pub(super) fn under(world: &mut World, request: &Request<'_>, key: &str, resource_id: &str) -> Result<Self, ApiError> {
        keys::grant(world, request.origin, key, resource_id).map(|(key, grant)| Self::Kms { key, grant })
    }

    /// The same storage again, for a copy or a restored database: with a grant of its own.
    pub(super) fn again(&self, world: &mut World, request: &Request<'_>, resource_id: &str) -> Result<Self, ApiError> {
        match self {
            Self::Plain | Self::Owned => Ok(self.clone()),
            Self::Kms { key, .. } => Self::under(world, request, key, resource_id),
        }
    }

    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Kms { key, .. } => Some(key),
            Self::Plain | Self::Owned => None,
        }
    }

    /// Gives back what it holds.
    pub(super) fn forget(&self, world: &mut World) {
        if let Self::Kms { key, grant } = self {
            crate::kms::retire_grant(world, key, grant);
        }
    }

    /// `StorageEncrypted` says "KMS": it is false under AWS's own key, though the data is encrypted.
    /// [rds:DBCluster `StorageEncrypted`, `StorageEncryptionType`]
    pub(super) fn members(&self, element: Element, encrypted: &'static str) -> Element {
        let (is_kms, kind) = match self {
            Self::Plain => (false, "none"),
            Self::Owned => (false, "sse-rds"),
            Self::Kms { .. } => (true, "sse-kms"),
        };
        element.text(encrypted, is_kms).text("StorageEncryptionType", kind).maybe("KmsKeyId", self.key())
    }
}

/// `db-` or `cluster-` and 26 letters and digits, as AWS makes resource ids.
pub(super) fn resource_id(world: &mut World, prefix: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letters: String = (0..26).map(|_| char::from(LETTERS[world.rng.usize(0..LETTERS.len())])).collect();
    format!("{prefix}-{letters}")
}

/// What is an account's own in a region, as a number.
fn own(place: &Place) -> u64 {
    place.account.bytes().chain(place.region.bytes()).fold(5381_u64, |sum, byte| sum.wrapping_mul(33) ^ u64::from(byte))
}

/// The host name's middle part is an account's own in a region.
pub(super) fn endpoint(place: &Place, identifier: &str) -> String {
    format!("{identifier}.c{:011x}.{}.rds.amazonaws.com", own(place) & 0xfff_ffff_ffff, place.region)
}

/// Of a cluster's writer.
pub(super) fn cluster_endpoint(place: &Place, identifier: &str) -> String {
    format!("{identifier}.cluster-c{:011x}.{}.rds.amazonaws.com", own(place) & 0xfff_ffff_ffff, place.region)
}

/// Of a cluster's readers.
pub(super) fn reader_endpoint(place: &Place, identifier: &str) -> String {
    format!("{identifier}.cluster-ro-c{:011x}.{}.rds.amazonaws.com", own(place) & 0xfff_ffff_ffff, place.region)
}

/// The default security group of the account's VPC.
pub(super) fn default_security_group(place: &Place) -> String {
    format!("sg-{:017x}", own(place))
}

/// `DBSubnetGroup`. Every name is one: subnets are not modelled.
pub(super) fn subnet_group(place: &Place, name: &str) -> Element {
    Element::new("DBSubnetGroup")
        .text("DBSubnetGroupName", name)
        .text("DBSubnetGroupDescription", name)
        .text("VpcId", vpc_id(place))
        .text("SubnetGroupStatus", "Complete")
        .text("DBSubnetGroupArn", place.arn("subgrp", name))
        .child(Element::new("Subnets"))
}

/// `VpcId`.
pub(super) fn vpc_id(place: &Place) -> String {
    format!("vpc-{:017x}", own(place))
}
