//! The world of a seed: accounts, roles, keys, and pipelines over them.

use everseal_sim::{User, World};
use serde_json::{Value, json};

use super::pipelines;
use super::traffic::Flow;

pub const HOME: &str = "111122223333";
pub const PARTNER: &str = "222233334444";
pub const REGION: &str = "us-east-1";

/// How a resource is encrypted before Everseal comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// As AWS makes it.
    Default,
    /// Under the service's own AWS-managed key.
    AwsManaged,
    /// Under the key that the policy does not list.
    Legacy,
    /// Under the key that the policy lists, where it exists.
    Listed,
}

/// Who acts: somebody with lasting credentials, or a role, whose sessions end.
#[derive(Debug, Clone)]
pub enum Actor {
    Lasting(User),
    Role { account: &'static str, name: &'static str },
}

impl Actor {
    /// With credentials that work now.
    pub fn user(&self, world: &mut World) -> User {
        match self {
            Self::Lasting(user) => user.clone(),
            Self::Role { account, name } => {
                User::administrator(account, REGION).assume(world, &format!("arn:aws:iam::{account}:role/{name}")).unwrap()
            }
        }
    }
}

/// Roles and keys that pipelines use.
#[derive(Debug, Clone)]
pub struct Estate {
    pub rng: fastrand::Rng,
    pub admin: User,
    /// Writes data.
    pub ingest: Actor,
    /// Reads data.
    pub settlement: Actor,
    /// A role of the other account.
    pub partner: Actor,
    /// ARN of the key behind `alias/legacy`.
    pub legacy: String,
    /// ARN of the key behind `alias/data`, where it exists already.
    pub listed: Option<String>,
    pub flows: Vec<Flow>,
    /// Every resource, by ARN.
    pub resources: Vec<String>,
    /// How every resource is encrypted, where chance does not decide.
    pub always: Option<Sealed>,
}

pub fn role(name: &str) -> String {
    format!("arn:aws:iam::{HOME}:role/{name}")
}

/// A role with a policy; whoever is in `trusts` may become it.
pub fn make_role(world: &mut World, account: &str, name: &str, trusts: &Value, policy: &Value) {
    let admin = User::administrator(account, REGION);
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": trusts, "Action": "sts:AssumeRole" }] });
    let trust = trust.to_string();
    admin.query(world, "iam", "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)]).unwrap();
    let policy = json!({ "Version": "2012-10-17", "Statement": policy }).to_string();
    admin.query(world, "iam", "PutRolePolicy", &[("RoleName", name), ("PolicyName", "own"), ("PolicyDocument", &policy)]).unwrap();
}

/// A key document: the account's delegation to IAM, and more statements.
pub fn key_document(more: &[Value]) -> String {
    let root = json!({ "Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{HOME}:root") }, "Action": "kms:*", "Resource": "*" });
    let statements: Vec<Value> = std::iter::once(root).chain(more.iter().cloned()).collect();
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// The services and roles that pipelines need on a key: a careful person's document.
pub fn everybody() -> Vec<Value> {
    let services = ["s3.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com"];
    vec![
        json!({ "Sid": "Services", "Effect": "Allow", "Principal": { "Service": services }, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*" }),
        json!({ "Sid": "Partner", "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{PARTNER}:root") }, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*" }),
    ]
}

/// A key with an alias.
pub fn make_key(world: &mut World, admin: &User, alias: &str, document: &str) -> String {
    let made = admin.json(world, "TrentService.CreateKey", &json!({ "Policy": document })).unwrap();
    let arn = made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    admin.json(world, "TrentService.CreateAlias", &json!({ "AliasName": alias, "TargetKeyId": arn })).unwrap();
    arn
}

impl Estate {
    /// Roles, and the key that no policy lists.
    pub fn founded(mut rng: fastrand::Rng, world: &mut World) -> Self {
        let admin = User::administrator(HOME, REGION);
        let data = ["s3:*", "sqs:*", "sns:*", "firehose:*", "kinesis:*", "events:*"];
        // A role that IAM lets use every key, or one that only key documents let in.
        let statement = |rng: &mut fastrand::Rng| {
            let mut actions: Vec<&str> = data.to_vec();
            if rng.u8(0..4) > 0 {
                actions.push("kms:*");
            }
            json!([{ "Effect": "Allow", "Action": actions, "Resource": "*" }])
        };
        let of_home = json!({ "AWS": format!("arn:aws:iam::{HOME}:root") });
        for name in ["ingest", "settlement"] {
            let policy = statement(&mut rng);
            make_role(world, HOME, name, &of_home, &policy);
        }
        let everything = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
        make_role(world, PARTNER, "partner", &json!({ "AWS": format!("arn:aws:iam::{PARTNER}:root") }), &everything);
        let [ingest, settlement] = ["ingest", "settlement"].map(|name| Actor::Role { account: HOME, name });
        let partner = Actor::Role { account: PARTNER, name: "partner" };
        let more = if rng.u8(0..4) > 0 { everybody() } else { Vec::new() };
        let legacy = make_key(world, &admin, "alias/legacy", &key_document(&more));
        Self { rng, admin, ingest, settlement, partner, legacy, listed: None, flows: Vec::new(), resources: Vec::new(), always: None }
    }

    /// Makes the estate of a seed in an empty world.
    pub fn raise(seed: u64, world: &mut World) -> Self {
        let mut estate = Self::founded(fastrand::Rng::with_seed(seed), world);
        let admin = estate.admin.clone();
        if !estate.chance(4) {
            let more = if estate.rng.bool() { everybody() } else { Vec::new() };
            estate.listed = Some(make_key(world, &admin, "alias/data", &key_document(&more)));
        }
        pipelines::lay(&mut estate, world);
        let ask = |key: &str| json!({ "KeyId": key });
        if let Some(key) = estate.listed.clone() {
            match estate.rng.u8(0..16) {
                0 | 1 => drop(admin.json(world, "TrentService.DisableKey", &ask(&key)).unwrap()),
                2 => drop(admin.json(world, "TrentService.ScheduleKeyDeletion", &ask(&key)).unwrap()),
                _ => {}
            }
        }
        if estate.chance(16) {
            admin.json(world, "TrentService.DisableKey", &ask(&estate.legacy)).unwrap();
        }
        estate
    }

    /// One of several, by chance.
    pub fn sealed(&mut self) -> Sealed {
        if let Some(always) = self.always {
            return always;
        }
        let all = [Sealed::Default, Sealed::Default, Sealed::AwsManaged, Sealed::Legacy, Sealed::Listed];
        all[self.rng.usize(0..all.len())]
    }

    /// The key's ARN, for a resource of a service; `None` = no key of its own.
    pub fn key(&self, sealed: Sealed, service: &str) -> Option<String> {
        match sealed {
            Sealed::Default => None,
            Sealed::AwsManaged => Some(format!("alias/aws/{service}")),
            Sealed::Legacy => Some(self.legacy.clone()),
            Sealed::Listed => self.listed.clone(),
        }
    }

    pub fn chance(&mut self, one_in: u8) -> bool {
        self.rng.u8(0..one_in) == 0
    }

    /// A resource of the home account.
    pub fn arn(service: &str, name: &str) -> String {
        if service == "s3" { format!("arn:aws:s3:::{name}") } else { format!("arn:aws:{service}:{REGION}:{HOME}:{name}") }
    }
}
