//! What the policy wants of s3 resources, compared with what AWS says.

use crate::plan::context::Context;
use crate::plan::draft::Draft;

/// Judges every s3 resource of the inventory.
pub(crate) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    let _ = (cx, draft);
}
