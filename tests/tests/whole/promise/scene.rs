//! Lives that chance does not bring: built by hand, judged like all others.

use std::time::Duration;

use everseal_sim::World;
use serde_json::json;

use super::estate::{Estate, HOME, key_document, make_key};
use super::pipelines;

/// A life that was built by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// A delivery stream whose wanted key lets nobody make grants: each change of its encryption is taken and then fails.
    StubbornStream,
}

impl Scene {
    /// Every one.
    pub const ALL: [Self; 1] = [Self::StubbornStream];

    /// Between two passes.
    pub const fn interval(self) -> Duration {
        match self {
            Self::StubbornStream => Duration::from_mins(20),
        }
    }

    /// How long producers send: less than a day, in which Firehose forgets no call.
    pub const fn ticks(self) -> u32 {
        match self {
            Self::StubbornStream => 40,
        }
    }

    pub const fn policy(self) -> &'static str {
        match self {
            Self::StubbornStream => STUBBORN_STREAM,
        }
    }

    pub fn raise(self, world: &mut World) -> Estate {
        let mut estate = Estate::founded(fastrand::Rng::with_seed(1), world);
        match self {
            Self::StubbornStream => {
                let no_grants = json!({ "Sid": "NoGrants", "Effect": "Deny", "Principal": { "AWS": format!("arn:aws:iam::{HOME}:root") }, "Action": "kms:CreateGrant", "Resource": "*" });
                let admin = estate.admin.clone();
                estate.listed = Some(make_key(world, &admin, "alias/stubborn", &key_document(&[no_grants])));
                let flow = pipelines::delivery_stream_to_bucket(&mut estate, world, "p0");
                estate.flows.push(flow);
            }
        }
        estate
    }
}

const STUBBORN_STREAM: &str = "\
apiVersion: everseal.io/v1
kind: EncryptionPolicy
metadata: { name: stubborn-stream }
spec:
  mode: enforce
  scopes: { regions: [us-east-1] }
  keys:
    - alias: alias/stubborn
      usableBy: { producers: [\"arn:aws:iam::111122223333:role/ingest\"] }
  firehose:
    - { name: streams, atRest: { keyType: CUSTOMER_MANAGED_CMK, key: alias/stubborn } }
";
