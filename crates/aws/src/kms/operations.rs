//! The KMS calls that Everseal makes, at the published rates. [KMS: Request quotas]

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::Kms;
    /// Which key stands behind an alias.
    LIST_ALIASES = "ListAliases", ["kms:ListAliases"], Need::Audit, Rate::PerSecond(500);
    /// State and kind of a key.
    DESCRIBE_KEY = "DescribeKey", ["kms:DescribeKey"], Need::Audit, Rate::PerSecond(2000);
    /// A key's document.
    GET_KEY_POLICY = "GetKeyPolicy", ["kms:GetKeyPolicy"], Need::Audit, Rate::PerSecond(1000);
    /// Whether a key rotates.
    GET_KEY_ROTATION_STATUS = "GetKeyRotationStatus", ["kms:GetKeyRotationStatus"], Need::Audit, Rate::PerSecond(1000);
    /// Keys whose creation was cut short, where the Resource Groups Tagging API may not be asked.
    LIST_KEYS = "ListKeys", ["kms:ListKeys"], Need::Audit, Rate::PerSecond(500);
    /// Tags of those keys.
    LIST_RESOURCE_TAGS = "ListResourceTags", ["kms:ListResourceTags"], Need::Audit, Rate::Unpublished;
    /// A key that the policy lists.
    CREATE_KEY = "CreateKey", ["kms:CreateKey", "kms:TagResource"], Need::Enforce, Rate::PerSecond(5);
    /// Its alias.
    CREATE_ALIAS = "CreateAlias", ["kms:CreateAlias"], Need::Enforce, Rate::Unpublished;
    /// Its copy in another region. KMS checks `kms:CreateKey` there. [kms:ReplicateKey]
    REPLICATE_KEY = "ReplicateKey", ["kms:ReplicateKey", "kms:CreateKey", "kms:TagResource"], Need::Enforce, Rate::Unpublished;
    /// A key's document. Never with `BypassPolicyLockoutSafetyCheck`.
    PUT_KEY_POLICY = "PutKeyPolicy", ["kms:PutKeyPolicy"], Need::Enforce, Rate::PerSecond(15);
    /// Heals a disabled key, where the policy says so.
    ENABLE_KEY = "EnableKey", ["kms:EnableKey"], Need::Enforce, Rate::PerSecond(5);
    /// Heals a key that waits for its deletion, where the policy says so.
    CANCEL_KEY_DELETION = "CancelKeyDeletion", ["kms:CancelKeyDeletion"], Need::Enforce, Rate::PerSecond(5);
    /// Rotation, and its period.
    ENABLE_KEY_ROTATION = "EnableKeyRotation", ["kms:EnableKeyRotation"], Need::Enforce, Rate::PerSecond(15);
}
