//! What `DescribeDBInstances`, `DescribeDBClusters` and the parameter listings say, as the planner's values.

use std::collections::BTreeMap;

use aws_sdk_rds::types;
use everseal_planner::Arn;
use everseal_planner::arn::ArnError;
use everseal_planner::plan::change::ParameterValue;
use everseal_planner::rds::observed::{
    AttachedParameterGroup, ClusterMember, DbCluster, DbEndpoint, DbInstance, DbParameter, StorageEncryption,
};

/// Engines of Neptune and `DocumentDB`, which RDS's describe calls return as well: not RDS's to manage.
/// [rds:DescribeDBInstances "can also return information for Amazon Neptune DB instances and Amazon `DocumentDB` instances"]
const OTHER_SERVICES_ENGINES: [&str; 2] = ["neptune", "docdb"];

/// Parameters that decide whether a database of this family refuses connections without TLS. Oracle has
/// none: its listener is configured by option groups. (AWS-FACTS §8.3)
pub(crate) fn tls_parameters(family: &str) -> &'static [&'static str] {
    const FAMILIES: [(&str, &[&str]); 9] = [
        ("postgres", &["rds.force_ssl"]),
        ("aurora-postgresql", &["rds.force_ssl"]),
        ("sqlserver", &["rds.force_ssl"]),
        ("mysql", &["require_secure_transport"]),
        ("mariadb", &["require_secure_transport"]),
        ("aurora-mysql", &["require_secure_transport"]),
        ("db2", &["DB2COMM", "SSL_SVCENAME"]),
        ("oracle", &[]),
        ("custom-oracle", &[]),
    ];
    let known = FAMILIES.iter().find_map(|(start, parameters)| family.starts_with(start).then_some(*parameters));
    known.unwrap_or(&["rds.force_ssl", "require_secure_transport", "DB2COMM"])
}

/// The engine belongs to RDS or Aurora.
pub(crate) fn is_rds_engine(engine: Option<&str>) -> bool {
    !engine.is_some_and(|engine| OTHER_SERVICES_ENGINES.contains(&engine))
}

/// The planner's view of an instance; an ARN is missing only from what is no instance.
pub(crate) fn instance(described: &types::DbInstance) -> Result<DbInstance, ArnError> {
    let pending = described.pending_modified_values();
    let groups = described.db_parameter_groups().iter().map(|group| AttachedParameterGroup {
        name: group.db_parameter_group_name().unwrap_or_default().to_owned(),
        apply_status: group.parameter_apply_status().unwrap_or_default().to_owned(),
    });
    Ok(DbInstance {
        arn: Arn::parse(described.db_instance_arn().unwrap_or_default())?,
        identifier: text(described.db_instance_identifier()),
        engine: text(described.engine()),
        engine_version: text(described.engine_version()),
        status: text(described.db_instance_status()),
        class: text(described.db_instance_class()),
        endpoint: described.endpoint().and_then(|endpoint| self::endpoint(endpoint.address(), endpoint.port())),
        cluster: described.db_cluster_identifier().filter(|name| !name.is_empty()).map(str::to_owned),
        storage: storage(described.storage_encrypted(), described.storage_encryption_type(), described.kms_key_id()),
        parameter_groups: groups.collect(),
        ca_certificate: described.ca_certificate_identifier().map(str::to_owned),
        ca_valid_till: described
            .certificate_details()
            .and_then(|details| details.valid_till())
            .map(aws_sdk_rds::primitives::DateTime::secs),
        pending_ca_certificate: pending.and_then(|pending| pending.ca_certificate_identifier()).map(str::to_owned),
        tags: tags(described.tag_list()),
        resource_id: described.dbi_resource_id().map(str::to_owned),
        created_at: described.instance_create_time().map(aws_sdk_rds::primitives::DateTime::secs),
        settings: None,
    })
}

/// The planner's view of a cluster.
pub(crate) fn cluster(described: &types::DbCluster) -> Result<DbCluster, ArnError> {
    let members = described.db_cluster_members().iter().map(|member| ClusterMember {
        instance: text(member.db_instance_identifier()),
        writer: member.is_cluster_writer().unwrap_or_default(),
        parameter_group_status: text(member.db_cluster_parameter_group_status()),
    });
    Ok(DbCluster {
        arn: Arn::parse(described.db_cluster_arn().unwrap_or_default())?,
        identifier: text(described.db_cluster_identifier()),
        engine: text(described.engine()),
        engine_version: text(described.engine_version()),
        status: text(described.status()),
        endpoint: endpoint(described.endpoint(), described.port()),
        storage: storage(described.storage_encrypted(), described.storage_encryption_type(), described.kms_key_id()),
        parameter_group: text(described.db_cluster_parameter_group()),
        members: members.collect(),
        tags: tags(described.tag_list()),
        resource_id: described.db_cluster_resource_id().map(str::to_owned),
        created_at: described.cluster_create_time().map(aws_sdk_rds::primitives::DateTime::secs),
        settings: None,
    })
}

/// The planner's view of a parameter, with its name.
pub(crate) fn parameter(described: &types::Parameter) -> (String, DbParameter) {
    let parameter = DbParameter {
        value: described.parameter_value().map(str::to_owned),
        source: text(described.source()),
        apply_type: text(described.apply_type()),
        is_modifiable: described.is_modifiable().unwrap_or_default(),
    };
    (text(described.parameter_name()), parameter)
}

/// The parameters of a `Modify…ParameterGroup` call.
pub(crate) fn parameters(values: &BTreeMap<String, ParameterValue>) -> Vec<types::Parameter> {
    let parameter = |(name, ParameterValue { value, pending_reboot }): (&String, &ParameterValue)| {
        let method = if *pending_reboot { types::ApplyMethod::PendingReboot } else { types::ApplyMethod::Immediate };
        types::Parameter::builder().parameter_name(name).parameter_value(value).apply_method(method).build()
    };
    values.iter().map(parameter).collect()
}

/// While a database is being created it has no address, and may show port 0.
fn endpoint(address: Option<&str>, port: Option<i32>) -> Option<DbEndpoint> {
    let address = address.filter(|address| !address.is_empty())?.to_owned();
    let port = u16::try_from(port?).ok().filter(|port| *port > 0)?;
    Some(DbEndpoint { address, port })
}

pub(crate) fn storage(encrypted: Option<bool>, kind: Option<&types::StorageEncryptionType>, key: Option<&str>) -> StorageEncryption {
    StorageEncryption {
        storage_encrypted: encrypted.unwrap_or_default(),
        storage_encryption_type: kind.map(|kind| kind.as_str().to_owned()),
        // An empty element is how the query protocol spells "none".
        kms_key: key.filter(|key| !key.is_empty()).map(str::to_owned),
    }
}

pub(crate) fn tags(tags: &[types::Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

pub(crate) fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}
