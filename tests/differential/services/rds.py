"""Databases: instances, clusters, parameter groups and their parameters, engine versions."""

from compare import Differs, Lacks


def scenario(aws):
    groups(aws)
    instances(aws)
    clusters(aws)
    rds = aws.rds
    rds.describe_db_engine_versions("of one", Engine="postgres", EngineVersion="14.19")
    rds.describe_db_engine_versions("of none", Engine="postgres", EngineVersion="1.0")


def parameter(aws, label, kind, group, name):
    """One parameter of the many that a group has."""
    method = "describe_db_parameters" if kind == "DB" else "describe_db_cluster_parameters"
    member = "DBParameterGroupName" if kind == "DB" else "DBClusterParameterGroupName"
    found, marker = [], None
    while not found:
        answer = aws.rds.quietly(method, **{member: group}, **({"Marker": marker} if marker else {}))
        found = [entry for entry in answer.get("Parameters", []) if entry["ParameterName"] == name]
        marker = answer.get("Marker")
        if not marker:
            break
    aws.keep_value("rds", f"Parameter {label}", {"parameter": found})


def groups(aws):
    rds = aws.rds
    rds.create_db_parameter_group("plain", DBParameterGroupName="diff", DBParameterGroupFamily="postgres14", Description="diff")
    rds.create_db_parameter_group("again", DBParameterGroupName="diff", DBParameterGroupFamily="postgres14", Description="diff")
    rds.describe_db_parameter_groups("plain", DBParameterGroupName="diff")
    rds.describe_db_parameter_groups("none", DBParameterGroupName="none")
    parameter(aws, "at first", "DB", "diff", "rds.force_ssl")
    off = {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group("plain", DBParameterGroupName="diff", Parameters=[off])
    parameter(aws, "after a change", "DB", "diff", "rds.force_ssl")
    rds.modify_db_parameter_group("none", DBParameterGroupName="none", Parameters=[off])
    rds.modify_db_parameter_group("default", DBParameterGroupName="default.postgres14", Parameters=[off])
    rds.describe_db_parameters("of none", DBParameterGroupName="none")
    family = "aurora-postgresql15"
    rds.create_db_cluster_parameter_group("plain", DBClusterParameterGroupName="diff", DBParameterGroupFamily=family, Description="diff")
    rds.describe_db_cluster_parameter_groups("plain", DBClusterParameterGroupName="diff")
    rds.describe_db_cluster_parameter_groups("none", DBClusterParameterGroupName="none")
    on = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "pending-reboot"}
    rds.modify_db_cluster_parameter_group("plain", DBClusterParameterGroupName="diff", Parameters=[on])
    parameter(aws, "of a cluster", "DBCluster", "diff", "rds.force_ssl")


def wait(aws, name="diff"):
    ask = lambda: aws.rds.quietly("describe_db_instances", DBInstanceIdentifier=name)  # noqa: E731
    aws.wait_for(ask, lambda answer: answer.at("DBInstances.0.DBInstanceStatus") == "available")


def short(answer):
    """What Everseal reads of an instance."""
    names = (
        "DBInstanceIdentifier", "DBInstanceArn", "DBInstanceStatus", "Engine", "EngineVersion", "StorageEncrypted", "KmsKeyId",
        "CACertificateIdentifier", "DBParameterGroups", "PendingModifiedValues", "TagList", "MultiAZ", "AllocatedStorage",
    )
    return {"instances": [{name: entry[name] for name in names if name in entry} for entry in answer.get("DBInstances", [])]}


def instances(aws):
    rds = aws.rds
    database = {
        "DBInstanceIdentifier": "diff", "Engine": "postgres", "EngineVersion": "14.19", "DBInstanceClass": "db.t3.medium",
        "AllocatedStorage": 20, "MasterUsername": "owner", "MasterUserPassword": "not-a-secret", "DBParameterGroupName": "diff",
        "Tags": [{"Key": "a", "Value": "1"}], "StorageEncrypted": False,
    }
    rds.quietly("create_db_instance", **database)
    rds.create_db_instance("again", **database)
    wait(aws)
    aws.keep_value("rds", "Instance plain", short(rds.quietly("describe_db_instances", DBInstanceIdentifier="diff")))
    rds.create_db_instance("without a password", **{**database, "DBInstanceIdentifier": "bad", "MasterUserPassword": ""})
    rds.create_db_instance("with no such group", **{**database, "DBInstanceIdentifier": "bad-2", "DBParameterGroupName": "none"})
    rds.describe_db_instances("of none", DBInstanceIdentifier="none")
    rds.modify_db_instance("none", DBInstanceIdentifier="none", ApplyImmediately=True)
    rds.quietly("modify_db_instance", DBInstanceIdentifier="diff", DBParameterGroupName="default.postgres14", ApplyImmediately=True)
    wait(aws)
    aws.keep_value("rds", "Instance with another group", short(rds.quietly("describe_db_instances", DBInstanceIdentifier="diff")))
    rds.quietly("reboot_db_instance", DBInstanceIdentifier="diff")
    wait(aws)
    aws.keep_value("rds", "Instance after a reboot", short(rds.quietly("describe_db_instances", DBInstanceIdentifier="diff")))
    arn = "arn:aws:rds:us-east-1:123456789012:db:diff"
    rds.list_tags_for_resource("plain", ResourceName=arn)
    rds.add_tags_to_resource("plain", ResourceName=arn, Tags=[{"Key": "b", "Value": "2"}])
    rds.remove_tags_from_resource("plain", ResourceName=arn, TagKeys=["a"])
    rds.list_tags_for_resource("after changes", ResourceName=arn)
    rds.delete_db_instance("none", DBInstanceIdentifier="none", SkipFinalSnapshot=True)


def clusters(aws):
    rds = aws.rds
    cluster = {
        "DBClusterIdentifier": "diff", "Engine": "aurora-postgresql", "EngineVersion": "15.10", "MasterUsername": "owner",
        "MasterUserPassword": "not-a-secret", "DBClusterParameterGroupName": "diff", "StorageEncrypted": True,
    }
    rds.quietly("create_db_cluster", **cluster)
    rds.create_db_cluster("again", **cluster)
    answer = aws.wait_for(
        lambda: rds.quietly("describe_db_clusters", DBClusterIdentifier="diff"), lambda answer: answer.at("DBClusters.0.Status") == "available"
    )
    names = ("DBClusterIdentifier", "DBClusterArn", "Status", "Engine", "EngineVersion", "StorageEncrypted", "DBClusterParameterGroup")
    kept = [{name: entry[name] for name in names if name in entry} for entry in answer.get("DBClusters", [])]
    aws.keep_value("rds", "Cluster plain", {"clusters": kept})
    rds.describe_db_clusters("of none", DBClusterIdentifier="none")
    rds.modify_db_cluster("none", DBClusterIdentifier="none", ApplyImmediately=True)


PARAMETER = "rds:Parameter"
SEEN = "Instance plain | Instance with another group | Instance after a reboot"

TABLE = [
    Differs("moto", "DescribeDBParameterGroups none", "outcome", "DBParameterGroupNotFound", "rds:DescribeDBParameterGroups, Errors"),
    Differs("moto ministack", "Parameter at first", "parameter*", "a group has all parameters of its family", "RDS User Guide: Parameter groups"),
    Differs(
        "moto", "Parameter after a change | Parameter of a cluster", "*.AllowedValues | *.ApplyType | *.DataType | *.IsModifiable | *.Source",
        "told", PARAMETER,
    ),
    Differs(
        "ministack", "Parameter after a change | Parameter of a cluster", "*.AllowedValues | *.DataType | *.Description", "those of the engine",
        PARAMETER,
    ),
    Differs(
        "moto ministack", "ModifyDBParameterGroup default", "Error.Code | status", "default groups are there, and cannot be changed",
        "RDS User Guide: Parameter groups, default parameter groups",
    ),
    Differs("moto", SEEN, "*.CACertificateIdentifier", "an authority that there is", "RDS User Guide: Certificate authorities"),
    Differs("moto", SEEN, "*.PendingModifiedValues", "told, empty where there is none", "rds:DBInstance"),
    Differs("ministack", SEEN, "*.KmsKeyId", "only where storage is encrypted", "rds:DBInstance, KmsKeyId"),
    Differs(
        "moto ministack", "Instance with another group | Instance after a reboot", "*.DBParameterGroups*",
        "the new group, pending-reboot until the reboot", "RDS User Guide: Parameter groups, associating; rds:DBParameterGroupStatus",
    ),
    Differs("moto ministack", "CreateDBInstance without a password", "outcome", "8 to 128 characters", "rds:CreateDBInstance, MasterUserPassword"),
    Differs("moto", "CreateDBCluster again", "Error.Code", "DBClusterAlreadyExistsFault", "rds:CreateDBCluster, Errors"),
    Differs("moto", "ModifyDBCluster none", "Error.* | status | RequestId", "DBClusterNotFoundFault; moto breaks", "rds:ModifyDBCluster, Errors"),
    Lacks("moto", "DescribeDBEngineVersions", "answers without a body"),
    Differs("ministack", "DescribeDBEngineVersions of one", "DBEngineVersions*", "the version is there", "rds:DescribeDBEngineVersions"),
]
