//! IAM-style JSON documents of buckets, queues, topics and keys.
