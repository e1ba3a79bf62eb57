"""IAM roles and their policies, and sessions of STS."""

import json

from compare import Differs

ACCOUNT = "123456789012"


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


TRUST = document(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="sts:AssumeRole")
READ = document(Action="s3:GetObject", Resource="*")


def scenario(aws):
    iam = aws.iam
    iam.create_role("plain", RoleName="diff", AssumeRolePolicyDocument=TRUST, Description="diff", Tags=[{"Key": "a", "Value": "1"}])
    iam.create_role("again", RoleName="diff", AssumeRolePolicyDocument=TRUST)
    iam.create_role("with a bad document", RoleName="bad", AssumeRolePolicyDocument="{")
    iam.get_role("plain", RoleName="diff")
    iam.get_role("none", RoleName="none")
    iam.put_role_policy("plain", RoleName="diff", PolicyName="inline", PolicyDocument=READ)
    iam.put_role_policy("of no role", RoleName="none", PolicyName="inline", PolicyDocument=READ)
    iam.put_role_policy("that is no JSON", RoleName="diff", PolicyName="bad", PolicyDocument="{")
    iam.list_role_policies("plain", RoleName="diff")
    iam.get_role_policy("plain", RoleName="diff", PolicyName="inline")
    iam.get_role_policy("none", RoleName="diff", PolicyName="none")
    policy = f"arn:aws:iam::{ACCOUNT}:policy/diff"
    iam.create_policy("plain", PolicyName="diff", PolicyDocument=READ)
    iam.create_policy("again", PolicyName="diff", PolicyDocument=READ)
    iam.attach_role_policy("plain", RoleName="diff", PolicyArn=policy)
    iam.attach_role_policy("none", RoleName="diff", PolicyArn=policy + "erent")
    iam.quietly("detach_role_policy", RoleName="diff", PolicyArn=policy + "erent")
    iam.list_attached_role_policies("plain", RoleName="diff")
    iam.get_policy("plain", PolicyArn=policy)
    iam.get_policy("none", PolicyArn=policy + "erent")
    iam.create_policy_version("plain", PolicyArn=policy, PolicyDocument=READ, SetAsDefault=True)
    iam.get_policy_version("plain", PolicyArn=policy, VersionId="v2")
    iam.get_policy_version("none", PolicyArn=policy, VersionId="v9")
    iam.put_role_permissions_boundary("plain", RoleName="diff", PermissionsBoundary=policy)
    iam.get_role("with a boundary", RoleName="diff")
    iam.delete_role_permissions_boundary("plain", RoleName="diff")
    details = iam.quietly("get_account_authorization_details", Filter=["Role"])
    roles = [role for role in details.get("RoleDetailList", []) if role["RoleName"] == "diff"]
    aws.keep_value("iam", "AuthorizationDetails of the role", {"roles": roles})
    sessions(aws)
    iam.delete_role("with policies", RoleName="diff")
    iam.detach_role_policy("plain", RoleName="diff", PolicyArn=policy)
    iam.delete_role_policy("plain", RoleName="diff", PolicyName="inline")
    iam.delete_role("plain", RoleName="diff")
    iam.delete_role("none", RoleName="none")
    iam.delete_policy("with a version", PolicyArn=policy)


def sessions(aws):
    sts = aws.sts
    role = f"arn:aws:iam::{ACCOUNT}:role/diff"
    sts.get_caller_identity("plain")
    sts.assume_role("plain", RoleArn=role, RoleSessionName="test")
    sts.assume_role("none", RoleArn=role + "erent", RoleSessionName="test")
    sts.assume_role("with a bad session name", RoleArn=role, RoleSessionName="a b")
    sts.assume_role("for too short", RoleArn=role, RoleSessionName="test", DurationSeconds=899)


TABLE = [
    Differs("moto", "*", "Error.message", "errors of the query protocol have Code, Message and Type", "IAM API Reference: Common errors"),
    Differs("moto", "*", "*RoleLastUsed", "only where the role was used", "iam:RoleLastUsed"),
    Differs("moto ministack", "CreateRole with a bad document", "outcome", "MalformedPolicyDocument", "iam:CreateRole, Errors"),
    Differs("moto", "CreatePolicy plain | GetPolicy plain", "*.PermissionsBoundaryUsageCount", "told", "iam:Policy"),
    Differs("moto", "CreatePolicy plain | GetPolicy plain", "*.PolicyId", "begins with ANPA", "IAM User Guide: IAM identifiers, unique ID prefixes"),
    Differs("moto", "GetPolicy plain", "Policy.Tags", "members without a value are left out", "iam:Policy"),
    Differs("ministack", "AttachRolePolicy none", "outcome", "NoSuchEntity", "iam:AttachRolePolicy, Errors"),
    Differs("moto", "CreatePolicyVersion plain", "*.Document*", "not given back here", "iam:PolicyVersion, Document"),
    Differs("moto ministack", "GetRole with a boundary", "*.PermissionsBoundaryType", "can only be Policy", "iam:AttachedPermissionsBoundary"),
    Differs("moto ministack", "GetCallerIdentity plain", "Arn | UserId", "whose the made-up access key is, each server says for itself", "sts:GetCallerIdentity"),
    Differs("moto ministack", "AssumeRole plain", "PackedPolicySize", "only with session policies or tags", "sts:AssumeRole, PackedPolicySize"),
    Differs(
        "moto ministack", "AssumeRole none | AssumeRole with a bad session name | AssumeRole for too short", "outcome",
        "AccessDenied, and the pattern and range of members", "sts:AssumeRole, RoleSessionName, DurationSeconds",
    ),
]
