//! Answers of the services that speak XML: S3 (REST), SNS, RDS and STS (query).

use super::{ACCOUNT, Estate, REGION, concat, document, page};

/// Records of one page of SNS. [sns:ListTopics]
const TOPICS: usize = 100;

/// S3; `None`: this operation is not known.
pub(super) fn rest(estate: Estate, operation: &str, bucket: &str, query: &str) -> Option<String> {
    Some(match operation {
        "ListBuckets" => list_buckets(estate, query),
        "GetBucketEncryption" => format!(
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>",
            Estate::key_of_name(bucket)
        ),
        "GetBucketPolicy" => document("s3:*", &[&format!("arn:aws:s3:::{bucket}"), &format!("arn:aws:s3:::{bucket}/*")]),
        _ => return None,
    })
}

fn list_buckets(estate: Estate, query: &str) -> String {
    let asked = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok());
    let (these, next) = page(asked("continuation-token").unwrap_or_default(), asked("max-buckets").unwrap_or(10_000), estate.buckets);
    let buckets = concat(these, |bucket| {
        let name = estate.name("bucket", bucket);
        format!(
            "<Bucket><Name>{name}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate><BucketRegion>{REGION}</BucketRegion></Bucket>"
        )
    });
    let next = next.map_or_else(String::new, |next| format!("<ContinuationToken>{next}</ContinuationToken>"));
    format!("<ListAllMyBucketsResult><Buckets>{buckets}</Buckets>{next}</ListAllMyBucketsResult>")
}

/// SNS, RDS and STS; `None`: this operation is not known.
pub(super) fn query(estate: Estate, operation: &str, body: &str) -> Option<String> {
    let field = |name: &str| {
        let raw = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        Some(raw.replace("%3A", ":").replace("%2F", "/"))
    };
    let start = |name: &str| field(name).and_then(|text| text.parse().ok()).unwrap_or_default();
    let result = match operation {
        "GetCallerIdentity" => format!("<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/bench</Arn><UserId>bench</UserId>"),
        "ListTopics" => list_topics(estate, start("NextToken")),
        "GetTopicAttributes" => topic(&field("TopicArn")?),
        "ListSubscriptions" => "<Subscriptions/>".to_owned(),
        "DescribeDBInstances" => databases(estate, start("Marker"), field("MaxRecords").and_then(|text| text.parse().ok()).unwrap_or(100)),
        "DescribeDBClusters" => "<DBClusters/>".to_owned(),
        "DescribeDBParameterGroups" => "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>bench-pg15</DBParameterGroupName><DBParameterGroupFamily>postgres15</DBParameterGroupFamily></DBParameterGroup></DBParameterGroups>".to_owned(),
        "DescribeDBParameters" => "<Parameters><Parameter><ParameterName>rds.force_ssl</ParameterName><ParameterValue>1</ParameterValue><Source>user</Source><ApplyType>dynamic</ApplyType><IsModifiable>true</IsModifiable></Parameter></Parameters>".to_owned(),
        _ => return None,
    };
    Some(format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"))
}

fn list_topics(estate: Estate, start: usize) -> String {
    let (these, next) = page(start, TOPICS, estate.topics);
    let topics = concat(these, |topic| format!("<member><TopicArn>{}</TopicArn></member>", topic_arn(&estate.name("topic", topic))));
    let next = next.map_or_else(String::new, |next| format!("<NextToken>{next}</NextToken>"));
    format!("<Topics>{topics}</Topics>{next}")
}

fn topic_arn(name: &str) -> String {
    format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}")
}

fn topic(arn: &str) -> String {
    let entry = |name: &str, value: &str| {
        format!("<entry><key>{name}</key><value>{}</value></entry>", value.replace('&', "&amp;").replace('<', "&lt;"))
    };
    let key = Estate::key_of_name(arn);
    format!(
        "<Attributes>{}{}{}</Attributes>",
        entry("TopicArn", arn),
        entry("KmsMasterKeyId", &key),
        entry("Policy", &document("sns:Publish", &[arn]))
    )
}

fn databases(estate: Estate, start: usize, size: usize) -> String {
    let (these, next) = page(start, size, estate.databases);
    let databases = concat(these, |database| database_xml(&estate.name("db", database)));
    let next = next.map_or_else(String::new, |next| format!("<Marker>{next}</Marker>"));
    format!("<DBInstances>{databases}</DBInstances>{next}")
}

fn database_xml(name: &str) -> String {
    format!(
        "<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier><DBInstanceArn>arn:aws:rds:{REGION}:{ACCOUNT}:db:{name}</DBInstanceArn><DBInstanceClass>db.t3.medium</DBInstanceClass><Engine>postgres</Engine><EngineVersion>15.4</EngineVersion><DBInstanceStatus>available</DBInstanceStatus><StorageEncrypted>true</StorageEncrypted><StorageEncryptionType>sse-kms</StorageEncryptionType><KmsKeyId>{}</KmsKeyId><CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier><DBParameterGroups><DBParameterGroup><DBParameterGroupName>bench-pg15</DBParameterGroupName><ParameterApplyStatus>in-sync</ParameterApplyStatus></DBParameterGroup></DBParameterGroups></DBInstance>",
        Estate::key_of_name(name)
    )
}
