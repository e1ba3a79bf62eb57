"""Keys: their states, aliases, documents, rotation, and what they encrypt."""

import json

from compare import Differs, Lacks

ACCOUNT = "123456789012"
NONE = "00000000-0000-0000-0000-000000000000"
DOCUMENT = {
    "Version": "2012-10-17", "Id": "diff",
    "Statement": [
        {"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
        {"Sid": "S3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:GenerateDataKey", "Resource": "*"},
    ],
}


def scenario(aws):
    key = keys(aws)
    aliases(aws, key)
    documents(aws, key)
    use(aws, key)
    states(aws, key)


def keys(aws):
    kms = aws.kms
    answer = kms.create_key("plain", Description="diff", Tags=[{"TagKey": "a", "TagValue": "1"}])
    key = aws.name(answer.at("KeyMetadata.KeyId"), "key")
    kms.create_key("of an unknown kind", KeySpec="ROT_13")
    kms.describe_key("plain", KeyId=key)
    kms.describe_key("by ARN", KeyId=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key}")
    kms.describe_key("none", KeyId=NONE)
    kms.describe_key("by a missing alias", KeyId="alias/none")
    kms.list_resource_tags("plain", KeyId=key)
    kms.tag_resource("plain", KeyId=key, Tags=[{"TagKey": "b", "TagValue": "2"}])
    kms.untag_resource("plain", KeyId=key, TagKeys=["a"])
    kms.list_resource_tags("after changes", KeyId=key)
    kms.list_resource_tags("of none", KeyId=NONE)
    kms.update_key_description("plain", KeyId=key, Description="changed")
    kms.get_key_rotation_status("plain", KeyId=key)
    kms.enable_key_rotation("plain", KeyId=key, RotationPeriodInDays=365)
    kms.get_key_rotation_status("on", KeyId=key)
    kms.enable_key_rotation("too often", KeyId=key, RotationPeriodInDays=89)
    kms.disable_key_rotation("plain", KeyId=key)
    kms.get_key_rotation_status("of none", KeyId=NONE)
    rsa = aws.name(kms.create_key("RSA", KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT").at("KeyMetadata.KeyId"), "rsa")
    kms.enable_key_rotation("RSA", KeyId=rsa)
    many = aws.name(kms.create_key("multi-Region", MultiRegion=True).at("KeyMetadata.KeyId"), "multi-region-key")
    kms.replicate_key("multi-Region", KeyId=many, ReplicaRegion="eu-west-1")
    kms.replicate_key("single-Region", KeyId=key, ReplicaRegion="eu-west-1")
    kms.describe_key("multi-Region", KeyId=many)
    replicas = aws.kms.on(region="eu-west-1")
    aws.wait_for(lambda: replicas.quietly("describe_key", KeyId=many), lambda answer: answer.at("KeyMetadata.KeyState") == "Enabled")
    replicas.describe_key("replica", KeyId=many)
    return key


def aliases(aws, key):
    kms = aws.kms
    kms.create_alias("plain", AliasName="alias/diff", TargetKeyId=key)
    kms.create_alias("again", AliasName="alias/diff", TargetKeyId=key)
    kms.create_alias("without a prefix", AliasName="diff", TargetKeyId=key)
    kms.create_alias("of none", AliasName="alias/other", TargetKeyId=NONE)
    kms.describe_key("by alias", KeyId="alias/diff")
    kms.list_aliases("of a key", KeyId=key)
    kms.create_alias("with AWS's prefix", AliasName="alias/aws/diff", TargetKeyId=key)
    kms.update_alias("none", AliasName="alias/none", TargetKeyId=key)
    kms.create_alias("to delete", AliasName="alias/diff-2", TargetKeyId=key)
    kms.delete_alias("plain", AliasName="alias/diff-2")
    kms.delete_alias("none", AliasName="alias/none")


def documents(aws, key):
    kms = aws.kms
    kms.get_key_policy("default", KeyId=key, PolicyName="default")
    kms.put_key_policy("plain", KeyId=key, PolicyName="default", Policy=json.dumps(DOCUMENT))
    kms.get_key_policy("after a write", KeyId=key, PolicyName="default")
    kms.get_key_policy("of none", KeyId=NONE, PolicyName="default")
    kms.get_key_policy("by alias", KeyId="alias/diff", PolicyName="default")
    kms.put_key_policy("that is no JSON", KeyId=key, PolicyName="default", Policy="{")
    locked = json.dumps({**DOCUMENT, "Statement": DOCUMENT["Statement"][1:]})
    kms.put_key_policy("that locks everybody out", KeyId=key, PolicyName="default", Policy=locked)
    kms.list_key_policies("plain", KeyId=key)
    role = f"arn:aws:iam::{ACCOUNT}:root"
    grant = kms.create_grant("plain", KeyId=key, GranteePrincipal=role, Operations=["Decrypt"]).at("GrantId")
    aws.name(grant, "grant")
    kms.list_grants("one", KeyId=key)
    kms.create_grant("of an unknown operation", KeyId=key, GranteePrincipal=role, Operations=["Dream"])
    kms.revoke_grant("plain", KeyId=key, GrantId=grant)
    kms.revoke_grant("none", KeyId=key, GrantId="0" * 64)


def use(aws, key):
    kms = aws.kms
    context = {"purpose": "test"}
    sealed = kms.encrypt("plain", KeyId="alias/diff", Plaintext=b"hello", EncryptionContext=context).at("CiphertextBlob")
    if sealed != "absent":
        opened = kms.decrypt("plain", CiphertextBlob=sealed, EncryptionContext=context)
        aws.keep_value("kms", "Decrypted", {"text": opened.at("Plaintext")})
        kms.decrypt("in another context", CiphertextBlob=sealed, EncryptionContext={"purpose": "other"})
        kms.re_encrypt("plain", CiphertextBlob=sealed, SourceEncryptionContext=context, DestinationKeyId=key)
    kms.decrypt("of nonsense", CiphertextBlob=b"nonsense")
    kms.encrypt("under none", KeyId=NONE, Plaintext=b"hello")
    kms.encrypt("too much", KeyId=key, Plaintext=b"x" * 4097)
    kms.generate_data_key("plain", KeyId=key, KeySpec="AES_256")
    kms.generate_data_key("without a size", KeyId=key)
    kms.generate_data_key_without_plaintext("plain", KeyId=key, KeySpec="AES_128")


def states(aws, key):
    kms = aws.kms
    kms.disable_key("plain", KeyId=key)
    kms.describe_key("disabled", KeyId=key)
    kms.encrypt("under a disabled key", KeyId=key, Plaintext=b"hello")
    kms.generate_data_key("under a disabled key", KeyId=key, KeySpec="AES_256")
    kms.enable_key_rotation("of a disabled key", KeyId=key)
    kms.enable_key("plain", KeyId=key)
    kms.schedule_key_deletion("too soon", KeyId=key, PendingWindowInDays=6)
    kms.schedule_key_deletion("plain", KeyId=key, PendingWindowInDays=30)
    kms.schedule_key_deletion("again", KeyId=key, PendingWindowInDays=30)
    kms.describe_key("pending deletion", KeyId=key)
    kms.enable_key("pending deletion", KeyId=key)
    kms.encrypt("under a key pending deletion", KeyId=key, Plaintext=b"hello")
    kms.cancel_key_deletion("plain", KeyId=key)
    kms.describe_key("after a cancelled deletion", KeyId=key)
    kms.cancel_key_deletion("of none pending", KeyId=key)
    kms.enable_key("none", KeyId=NONE)


METADATA = "kms:KeyMetadata"
DESCRIBED = "CreateKey * | DescribeKey * | ReplicateKey multi-Region"
STATES = "KMS Developer Guide: Key states of KMS keys"

TABLE = [
    Differs("moto", DESCRIBED, "*KeyMetadata.KeyUsage | *KeyMetadata.MultiRegion", "always there", METADATA),
    Differs("moto", DESCRIBED, "*KeyMetadata.CurrentKeyMaterialId", "there for symmetric encryption keys", METADATA),
    Differs("moto ministack", DESCRIBED, "*KeyMetadata.SigningAlgorithms", "only where KeyUsage is SIGN_VERIFY", METADATA),
    Differs("ministack", DESCRIBED, "*KeyMetadata.AWSAccountId", "always there", METADATA),
    Differs("ministack", "CreateKey of an unknown kind", "Error.Code", "no value of the enumeration", "KMS API Reference: Common Errors"),
    Differs("moto ministack", "GetKeyRotationStatus plain | GetKeyRotationStatus on", "KeyId", "the key's ARN is told", "kms:GetKeyRotationStatus"),
    Differs("ministack", "GetKeyRotationStatus plain", "RotationPeriodInDays", "only where the key rotates", "kms:GetKeyRotationStatus"),
    Differs("moto ministack", "GetKeyRotationStatus on", "NextRotationDate", "there where the key rotates", "kms:GetKeyRotationStatus"),
    Differs("moto", "GetKeyRotationStatus on", "RotationPeriodInDays", "as it was set", "kms:EnableKeyRotation"),
    Differs("moto ministack", "EnableKeyRotation too often", "outcome", "90 to 2,560 days", "kms:EnableKeyRotation, RotationPeriodInDays"),
    Differs("moto ministack", "EnableKeyRotation RSA", "outcome", "asymmetric keys do not rotate", "kms:EnableKeyRotation"),
    Differs(
        "moto", "CreateKey multi-Region", "*Arn | *KeyId", "mrk- and 32 digits", "KMS Developer Guide: Multi-Region keys in AWS KMS, key ID",
    ),
    Differs("moto ministack", "ReplicateKey multi-Region", "*.KeyState | *.Enabled", "a replica is Creating at first", "kms:ReplicateKey"),
    Differs("moto", "ReplicateKey multi-Region", "*.MultiRegionKeyType | ReplicaTags", "a replica is one", "kms:ReplicateKey"),
    Differs("moto", "ReplicateKey single-Region", "Error.Code | status | RequestId", "UnsupportedOperationException; moto breaks", "kms:ReplicateKey"),
    Differs("moto ministack", "CreateAlias with AWS's prefix", "outcome", "reserved for AWS", "kms:CreateAlias, AliasName"),
    Differs("moto", "ListAliases of a key", "*.CreationDate | *.LastUpdatedDate", "both are told", "kms:AliasListEntry"),
    Differs("moto", "GetKeyPolicy default | GetKeyPolicy after a write", "PolicyName", "told", "kms:GetKeyPolicy"),
    Differs("ministack", "GetKeyPolicy by alias", "outcome", "a key's id or ARN, no alias", "kms:GetKeyPolicy, KeyId"),
    Differs(
        "moto ministack", "PutKeyPolicy that is no JSON | PutKeyPolicy that locks everybody out", "outcome",
        "MalformedPolicyDocumentException, and the lockout safety check", "kms:PutKeyPolicy, BypassPolicyLockoutSafetyCheck",
    ),
    Differs("moto", "ListGrants one", "*.CreationDate | *.IssuingAccount | *.KeyId", "there; the key by its ARN", "kms:GrantListEntry"),
    Differs("ministack", "ListGrants one", "*.Name", "only where it was named", "kms:GrantListEntry"),
    Differs("moto", "CreateGrant of an unknown operation", "outcome", "no value of the enumeration", "KMS API Reference: Common Errors"),
    Differs("moto", "Encrypt plain | Decrypt plain", "EncryptionAlgorithm", "told", "kms:Encrypt"),
    Differs("moto", "ReEncrypt plain", "*EncryptionAlgorithm", "both are told", "kms:ReEncrypt"),
    Differs("moto", "Decrypt plain | GenerateDataKey plain | GenerateDataKeyWithoutPlaintext plain", "KeyMaterialId", "told", "kms:Decrypt"),
    Differs("moto", "ReEncrypt plain", "*KeyMaterialId", "both are told", "kms:ReEncrypt"),
    Lacks("ministack", "ReEncrypt", "answers InvalidAction"),
    Differs(
        "ministack", "Decrypt in another context", "Error.Message", "InvalidCiphertextException comes without a message, lest it tells why",
        "kms:Decrypt, Errors",
    ),
    Differs("ministack", "Encrypt too much", "outcome", "4,096 bytes at most", "kms:Encrypt, Plaintext"),
    Differs("ministack", "GenerateDataKey without a size", "outcome", "KeySpec or NumberOfBytes", "kms:GenerateDataKey"),
    Differs(
        "moto", "Encrypt under a disabled key | GenerateDataKey under a disabled key | Encrypt under a key pending deletion", "outcome",
        "refused in that state", STATES,
    ),
    Differs("ministack", "Encrypt under a key pending deletion", "outcome", "refused in that state", STATES),
    Differs(
        "moto ministack", "EnableKeyRotation of a disabled key | ScheduleKeyDeletion again | EnableKey pending deletion | "
        "CancelKeyDeletion of none pending", "outcome", "refused in that state", STATES,
    ),
    Differs("moto", "ScheduleKeyDeletion too soon", "outcome", "7 to 30 days", "kms:ScheduleKeyDeletion"),
    Differs("moto ministack", "ScheduleKeyDeletion plain", "PendingWindowInDays", "told", "kms:ScheduleKeyDeletion"),
    Differs("moto", "ScheduleKeyDeletion plain | CancelKeyDeletion plain", "KeyId", "the key's ARN", "kms:CancelKeyDeletion, KeyId"),
    Differs("moto", "ScheduleKeyDeletion plain", "KeyState", "told", "kms:ScheduleKeyDeletion"),
    Differs("moto ministack", "DescribeKey after a cancelled deletion", "*.Enabled", "the key is Disabled", "kms:CancelKeyDeletion"),
]
