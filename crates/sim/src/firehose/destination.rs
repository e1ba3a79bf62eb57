//! Destinations: each has its own shape, and each has a part that is a bucket.
//!
//! A configuration is kept as it was written, its secrets left out and its defaults filled in, and described back.

use serde_json::{Map, Value, json};

use super::delivery::Lane;
use super::invalid;
use crate::error::ApiError;

/// What differs from one type of destination to the next. [firehose:CreateDeliveryStream]
#[derive(Debug)]
pub(crate) struct Kind {
    /// The members' common beginning: `…DestinationConfiguration`, `…DestinationDescription`, `…DestinationUpdate`.
    pub(crate) name: &'static str,
    /// Members that must be there.
    required: &'static [&'static str],
    /// Members that are never described.
    secrets: &'static [&'static str],
    /// The main destination is a bucket itself.
    is_bucket: bool,
    /// It can have a second bucket (`S3Backup…`).
    backup: bool,
    /// The S3 part's member in an update.
    s3_update: &'static str,
    /// `S3BackupMode` where nothing is said.
    backup_mode: Option<&'static str>,
}

const fn endpoint(name: &'static str, required: &'static [&'static str], backup_mode: &'static str) -> Kind {
    Kind { name, required, secrets: &[], is_bucket: false, backup: false, s3_update: "S3Update", backup_mode: Some(backup_mode) }
}

/// Every type.
static KINDS: &[Kind] = &[
    Kind {
        name: "ExtendedS3",
        required: &["RoleARN", "BucketARN"],
        secrets: &[],
        is_bucket: true,
        backup: true,
        s3_update: "",
        backup_mode: Some("Disabled"),
    },
    Kind {
        name: "S3",
        required: &["RoleARN", "BucketARN"],
        secrets: &[],
        is_bucket: true,
        backup: false,
        s3_update: "",
        backup_mode: None,
    },
    Kind {
        name: "Redshift",
        required: &["RoleARN", "ClusterJDBCURL", "CopyCommand", "S3Configuration"],
        secrets: &["Password"],
        is_bucket: false,
        backup: true,
        s3_update: "S3Update",
        backup_mode: Some("Disabled"),
    },
    endpoint("Elasticsearch", &["RoleARN", "IndexName", "S3Configuration"], "FailedDocumentsOnly"),
    endpoint("Amazonopensearchservice", &["RoleARN", "IndexName", "S3Configuration"], "FailedDocumentsOnly"),
    endpoint("AmazonOpenSearchServerless", &["RoleARN", "IndexName", "S3Configuration"], "FailedDocumentsOnly"),
    endpoint("Splunk", &["HECEndpoint", "HECEndpointType", "S3Configuration"], "FailedEventsOnly"),
    endpoint("HttpEndpoint", &["EndpointConfiguration", "S3Configuration"], "FailedDataOnly"),
    Kind {
        secrets: &["PrivateKey", "KeyPassphrase"],
        ..endpoint("Snowflake", &["AccountUrl", "Database", "Schema", "Table", "RoleARN", "S3Configuration"], "FailedDataOnly")
    },
    Kind { s3_update: "S3Configuration", ..endpoint("Iceberg", &["RoleARN", "CatalogConfiguration", "S3Configuration"], "FailedDataOnly") },
];

/// A stream's destination, in the words of its description.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) kind: &'static Kind,
    description: Map<String, Value>,
}

/// A part that is a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) bucket_arn: String,
    pub(crate) role: String,
    pub(crate) prefix: String,
    /// Bytes at which a buffer is full.
    pub(crate) full: usize,
    /// Seconds after which a buffer is old enough.
    pub(crate) interval: u64,
    pub(crate) key: Option<String>,
    /// Objects are compressed with GZIP.
    pub(crate) gzip: bool,
}

impl Destination {
    /// The one destination of a request; `suffix`: `Configuration` or `Update`.
    pub(crate) fn find<'a>(input: &'a Map<String, Value>, suffix: &str) -> Result<(&'static Kind, &'a Map<String, Value>), ApiError> {
        let mut found = KINDS.iter().filter_map(|kind| Some((kind, input.get(&format!("{}Destination{suffix}", kind.name))?.as_object()?)));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(invalid(format!("Exactly one destination {} is supported for a Firehose", suffix.to_ascii_lowercase()))),
            (Some(_), Some(_)) => Err(invalid("Only one destination is supported for a Firehose")),
        }
    }

    /// From a whole configuration.
    pub(crate) fn new(kind: &'static Kind, configuration: &Map<String, Value>) -> Result<Self, ApiError> {
        for name in kind.required {
            if !configuration.contains_key(*name) {
                return Err(missing(&format!("{}DestinationConfiguration.{name}", kind.name)));
            }
        }
        let mut description = Map::new();
        for (name, value) in configuration {
            match name.as_str() {
                "S3Configuration" => insert(&mut description, "S3DestinationDescription", s3_part(&Map::new(), value)?),
                "S3BackupConfiguration" if kind.backup => insert(&mut description, "S3BackupDescription", s3_part(&Map::new(), value)?),
                "VpcConfiguration" => insert(&mut description, "VpcConfigurationDescription", value.clone()),
                secret if kind.secrets.contains(&secret) => {}
                _ => insert(&mut description, name, without_access_key(value)),
            }
        }
        if kind.is_bucket {
            let whole = s3_part(&Map::new(), &Value::Object(description))?;
            description = whole.as_object().cloned().unwrap_or_default();
        }
        if let Some(mode) = kind.backup_mode {
            description.entry("S3BackupMode").or_insert_with(|| json!(mode));
        }
        if description.get("S3BackupMode") == Some(&json!("Enabled")) && !description.contains_key("S3BackupDescription") {
            return Err(invalid("S3BackupConfiguration must be provided when S3BackupMode is Enabled"));
        }
        Ok(Self { kind, description })
    }

    /// What an update of the same type leaves: members that it does not name stay. [firehose:UpdateDestination]
    pub(crate) fn updated(&self, update: &Map<String, Value>) -> Result<Self, ApiError> {
        let mut description = self.description.clone();
        let old_part =
            |description: &Map<String, Value>, name: &str| description.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, value) in update {
            match name.as_str() {
                part if part == self.kind.s3_update => {
                    let merged = s3_part(&old_part(&description, "S3DestinationDescription"), value)?;
                    insert(&mut description, "S3DestinationDescription", merged);
                }
                "S3BackupUpdate" if self.kind.backup => {
                    let merged = s3_part(&old_part(&description, "S3BackupDescription"), value)?;
                    insert(&mut description, "S3BackupDescription", merged);
                }
                secret if self.kind.secrets.contains(&secret) => {}
                _ => insert(&mut description, name, without_access_key(value)),
            }
        }
        if self.kind.is_bucket {
            check_part(&description)?;
        }
        Ok(Self { kind: self.kind, description })
    }

    /// `DestinationDescription`. The description of an extended bucket has the plain one beside it.
    pub(crate) fn describe(&self, id: &str) -> Value {
        let mut description = json!({ "DestinationId": id });
        if self.kind.is_bucket {
            let plain = |name: &&String| {
                matches!(
                    name.as_str(),
                    "RoleARN"
                        | "BucketARN"
                        | "Prefix"
                        | "ErrorOutputPrefix"
                        | "BufferingHints"
                        | "CompressionFormat"
                        | "EncryptionConfiguration"
                        | "CloudWatchLoggingOptions"
                )
            };
            let s3: Map<String, Value> =
                self.description.iter().filter(|(name, _)| plain(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
            description["S3DestinationDescription"] = Value::Object(s3);
            description["ExtendedS3DestinationDescription"] = Value::Object(self.description.clone());
        } else {
            description[format!("{}DestinationDescription", self.kind.name)] = Value::Object(self.description.clone());
        }
        description
    }

    /// Roles that it names.
    pub(crate) fn roles(&self) -> Vec<&str> {
        let nested = ["S3DestinationDescription", "S3BackupDescription"];
        let parts = nested.iter().filter_map(|name| self.description.get(*name)?.get("RoleARN")?.as_str());
        let mut roles: Vec<&str> = self.description.get("RoleARN").and_then(Value::as_str).into_iter().chain(parts).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// Records also go to a second bucket.
    pub(crate) fn has_backup(&self) -> bool {
        self.kind.backup && self.description.get("S3BackupMode") == Some(&json!("Enabled"))
    }

    /// The bucket at a lane's end.
    pub(crate) fn part(&self, lane: Lane) -> Option<Part> {
        let description = match lane {
            Lane::Main if self.kind.is_bucket => &self.description,
            Lane::Main => self.description.get("S3DestinationDescription")?.as_object()?,
            Lane::Backup => self.description.get("S3BackupDescription")?.as_object()?,
        };
        let text = |name: &str| description.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let hint = |name: &str| description.get("BufferingHints").and_then(|hints| hints.get(name)?.as_u64());
        let key =
            description.get("EncryptionConfiguration").and_then(|encryption| encryption.get("KMSEncryptionConfig")?.get("AWSKMSKeyARN"));
        Some(Part {
            bucket_arn: text("BucketARN"),
            role: text("RoleARN"),
            prefix: text("Prefix"),
            full: usize::try_from(hint("SizeInMBs").unwrap_or(5)).unwrap_or(5) << 20,
            interval: hint("IntervalInSeconds").unwrap_or(300),
            key: key.and_then(Value::as_str).map(str::to_owned),
            gzip: text("CompressionFormat") == "GZIP",
        })
    }
}

fn insert(description: &mut Map<String, Value>, name: &str, value: Value) {
    description.insert(name.to_owned(), value);
}

/// An HTTP endpoint's access key is never described.
fn without_access_key(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(members) = value.as_object_mut() {
        members.remove("AccessKey");
    }
    value
}

/// An S3 part: what was there, what is new, and defaults for the rest. [firehose:S3DestinationDescription]
fn s3_part(old: &Map<String, Value>, new: &Value) -> Result<Value, ApiError> {
    let Some(new) = new.as_object() else { return Err(invalid("An S3 configuration must be a structure")) };
    let mut part = old.clone();
    for (name, value) in new {
        let value = if name == "S3BackupConfiguration" { s3_part(&Map::new(), value)? } else { value.clone() };
        part.insert(if name == "S3BackupConfiguration" { "S3BackupDescription".to_owned() } else { name.clone() }, value);
    }
    part.entry("BufferingHints").or_insert_with(|| json!({ "SizeInMBs": 5, "IntervalInSeconds": 300 }));
    part.entry("CompressionFormat").or_insert_with(|| json!("UNCOMPRESSED"));
    part.entry("EncryptionConfiguration").or_insert_with(|| json!({ "NoEncryptionConfig": "NoEncryption" }));
    part.entry("CloudWatchLoggingOptions").or_insert_with(|| json!({ "Enabled": false }));
    check_part(&part)?;
    Ok(Value::Object(part))
}

fn check_part(part: &Map<String, Value>) -> Result<(), ApiError> {
    let text = |name: &str| part.get(name).and_then(Value::as_str).ok_or_else(|| missing(name));
    if !text("BucketARN")?.contains(":s3:::") {
        return Err(invalid("BucketARN is not the ARN of a bucket"));
    }
    let role = text("RoleARN")?;
    if !role.contains(":iam::") || !role.contains(":role/") {
        return Err(invalid("RoleARN is not the ARN of a role"));
    }
    let hints = part.get("BufferingHints");
    let within = |name: &str, least: u64, most: u64| {
        let value = hints.and_then(|hints| hints.get(name)).and_then(Value::as_u64);
        if value.is_none_or(|value| (least..=most).contains(&value)) {
            Ok(())
        } else {
            Err(invalid(format!("{name} must be between {least} and {most}")))
        }
    };
    within("SizeInMBs", 1, 128)?;
    within("IntervalInSeconds", 0, 900)?;
    match part.get("CompressionFormat").and_then(Value::as_str) {
        None | Some("UNCOMPRESSED" | "GZIP") => {}
        Some(format @ ("ZIP" | "Snappy" | "HADOOP_SNAPPY")) => return Err(ApiError::unknown_operation(&format!("delivery as {format}"))),
        Some(other) => return Err(invalid(format!("CompressionFormat {other} is not one"))),
    }
    let Some(encryption) = part.get("EncryptionConfiguration") else { return Ok(()) };
    if encryption.get("KMSEncryptionConfig").is_some() && encryption.get("NoEncryptionConfig").is_some() {
        return Err(invalid("Only one of NoEncryptionConfig and KMSEncryptionConfig can be given"));
    }
    Ok(())
}

fn missing(name: &str) -> ApiError {
    let message = format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null");
    ApiError::bad_request("ValidationException", message)
}
