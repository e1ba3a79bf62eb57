//! The keys that resources use, raw as the resources bear them: each is then read once per pass.

use std::collections::BTreeSet;

use everseal_planner::Inventory;

/// Every key reference in the inventory. A bucket under `aws:kms` without a key uses `aws/s3`.
pub(crate) fn references(inventory: &Inventory) -> BTreeSet<String> {
    let buckets = inventory.buckets.values().filter_map(|bucket| bucket.encryption.known()?.as_ref()).filter_map(|encryption| {
        let by_default = encryption.algorithm.starts_with("aws:kms").then_some("alias/aws/s3");
        encryption.kms_key.as_deref().or(by_default)
    });
    let queues = inventory.queues.values().filter_map(|queue| queue.attributes.known()?.kms_key.as_deref());
    let topics = inventory.topics.values().filter_map(|topic| topic.attributes.known()?.kms_key.as_deref());
    let streams = inventory.data_streams.values().filter_map(|stream| stream.summary.known()?.kms_key.as_deref());
    let delivery = inventory.delivery_streams.values().filter_map(|stream| stream.description.known()).flat_map(|description| {
        let own = description.encryption.kms_key.as_deref();
        own.into_iter().chain(description.destinations.iter().filter_map(|destination| destination.kms_key.as_deref()))
    });
    let instances = inventory.db_instances.values().filter_map(|instance| instance.storage.kms_key.as_deref());
    let clusters = inventory.db_clusters.values().filter_map(|cluster| cluster.storage.kms_key.as_deref());
    let all = buckets.chain(queues).chain(topics).chain(streams).chain(delivery).chain(instances).chain(clusters);
    all.map(str::to_owned).collect()
}
