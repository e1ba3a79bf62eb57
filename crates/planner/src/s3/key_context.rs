//! A bucket key changes what S3 tells KMS: the bucket's ARN instead of the object's. A key document with a condition on
//! the one shuts out everybody once it is the other. [S3 Bucket Keys: changes to the encryption context]

use std::collections::BTreeMap;

use crate::document::{Document, Effect, Principal, PrincipalPattern, StatementView};
use crate::paths::grants::Grant;
use crate::plan::keys::KeyUser;
use crate::plan::select::glob;
use crate::{Arn, Inventory};

/// What S3 tells KMS, as a condition key in lower case.
pub(crate) const CONTEXT: &str = "kms:encryptioncontext:aws:s3:arn";

/// A condition that fits this bucket's objects as S3 names them today, and would not any more.
pub(crate) struct OutgrownCondition {
    /// Its values, in words.
    pub(crate) values: String,
    /// Whom its statement lets in, with what S3 will tell KMS of them; `None` where nobody can tell.
    pub(crate) users: Option<Vec<KeyUser>>,
}

/// The conditions of a key's document that a changed bucket key outgrows.
pub(crate) fn outgrown(document: &Document, inventory: &Inventory, bucket: &Arn, bucket_key: bool) -> Vec<OutgrownCondition> {
    document.statements().filter_map(|view| of_statement(view, inventory, bucket, bucket_key)).collect()
}

fn of_statement(view: StatementView<'_>, inventory: &Inventory, bucket: &Arn, bucket_key: bool) -> Option<OutgrownCondition> {
    let line = view.conditions.iter().find(|line| {
        let values: Vec<&str> = line.values.iter().map(AsRef::as_ref).collect();
        line.tests(CONTEXT) && stops_to_fit(&values, bucket, bucket_key)
    })?;
    let values = line.values.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    let told = told_by_s3(bucket, bucket_key);
    let users = (view.effect == Some(Effect::Allow)).then(|| users(&Grant::of(view), inventory, (bucket, &told))).flatten();
    Some(OutgrownCondition { values, users })
}

/// What S3 tells KMS of this bucket's objects.
fn told_by_s3(bucket: &Arn, bucket_key: bool) -> String {
    if bucket_key { bucket.to_string() } else { format!("{bucket}/object") }
}

fn users(grant: &Grant<'_>, inventory: &Inventory, (bucket, told): (&Arn, &str)) -> Option<Vec<KeyUser>> {
    let actions: Vec<&'static str> = ["kms:GenerateDataKey", "kms:Decrypt"].into_iter().filter(|action| grant.covers(action)).collect();
    let principals = grant.named_principals()?;
    let user = |pattern: &PrincipalPattern<'_>| {
        let mut context =
            BTreeMap::from([("aws:securetransport".to_owned(), vec!["true".to_owned()]), (CONTEXT.to_owned(), vec![told.to_owned()])]);
        let principal = match pattern {
            PrincipalPattern::Aws(name) => {
                let account = Arn::parse(name).ok()?.account().to_owned();
                context.insert("kms:viaservice".to_owned(), vec![format!("s3.{}.amazonaws.com", inventory.scope.region)]);
                context.insert("kms:calleraccount".to_owned(), vec![account]);
                Principal::Aws((*name).to_owned())
            }
            PrincipalPattern::Service(name) => {
                for key in ["aws:sourcearn", "aws:sourceaccount"] {
                    context.extend(grant.demands(key).first().map(|value| (key.to_owned(), vec![(*value).to_owned()])));
                }
                Principal::Service((*name).to_owned())
            }
            PrincipalPattern::Everyone
            | PrincipalPattern::Account(_)
            | PrincipalPattern::Federated(_)
            | PrincipalPattern::CanonicalUser(_) => return None,
        };
        let (Principal::Aws(name) | Principal::Service(name)) = &principal;
        let role = format!("{name} (uses the key for objects of bucket {})", bucket.name());
        Some(KeyUser { principal, actions: actions.clone(), context, sends_no_source: false, role })
    };
    principals.iter().map(user).collect()
}

fn stops_to_fit(values: &[&str], bucket: &Arn, bucket_key: bool) -> bool {
    let whole = bucket.as_str();
    let objects = format!("{bucket}/");
    let fits_bucket = values.iter().any(|value| glob(value, whole));
    let fits_objects = values.iter().any(|value| value.starts_with(&objects) || glob(value, &format!("{objects}object")));
    if bucket_key { fits_objects && !fits_bucket } else { fits_bucket && !fits_objects }
}
