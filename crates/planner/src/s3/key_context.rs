//! A bucket key changes what S3 tells KMS: the bucket's ARN instead of the object's. A key document with a condition on
//! the one shuts out everybody once it is the other. [S3 Bucket Keys: changes to the encryption context]

use crate::Arn;
use crate::document::Document;
use crate::plan::select::glob;

const CONTEXT: &str = "kms:encryptioncontext:aws:s3:arn";

/// Values of a condition that fit this bucket's objects as S3 names them today and would not any more, in words.
pub(crate) fn shut_out_by_bucket_key(document: &Document, bucket: &Arn, bucket_key: bool) -> Option<String> {
    let lines = document.statements().flat_map(|statement| statement.conditions);
    lines.filter(|line| line.tests(CONTEXT)).find_map(|line| {
        let values: Vec<&str> = line.values.iter().map(AsRef::as_ref).collect();
        stops_to_fit(&values, bucket, bucket_key).then(|| values.join(", "))
    })
}

fn stops_to_fit(values: &[&str], bucket: &Arn, bucket_key: bool) -> bool {
    let whole = bucket.as_str();
    let objects = format!("{bucket}/");
    let fits_bucket = values.iter().any(|value| glob(value, whole));
    let fits_objects = values.iter().any(|value| value.starts_with(&objects) || glob(value, &format!("{objects}object")));
    if bucket_key { fits_objects && !fits_bucket } else { fits_bucket && !fits_objects }
}
