"""Organizations, of an account that is in none: what Everseal then reads. An organisation is given to the simulator by its seed."""

from compare import Differs


def scenario(aws):
    organizations = aws.organizations
    organizations.describe_organization("of an account that is in none")
    organizations.list_policies("of an account that is in none", Filter="SERVICE_CONTROL_POLICY")
    organizations.list_accounts("of an account that is in none")


TABLE = [
    Differs(
        "moto", "ListPolicies * | ListAccounts *", "outcome", "refused like DescribeOrganization", "organizations:AWSOrganizationsNotInUseException"
    ),
    Differs(
        "ministack", "DescribeOrganization * | ListPolicies * | ListAccounts *", "outcome", "every account is in one there",
        "organizations:AWSOrganizationsNotInUseException",
    ),
]
