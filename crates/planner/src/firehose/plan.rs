//! What the policy wants of firehose resources, compared with what AWS says.

use crate::plan::context::Context;
use crate::plan::draft::Draft;

/// Judges every firehose resource of the inventory.
pub(crate) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    let _ = (cx, draft);
}
