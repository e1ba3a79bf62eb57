"""The Resource Groups Tagging API: what bears which tags."""

from compare import Differs


def scenario(aws):
    tagging = aws.resourcegroupstaggingapi
    aws.sqs.create_queue("with tags", QueueName="diff-tagged", tags={"estate": "diff"})
    aws.sns.create_topic("with tags", Name="diff-tagged", Tags=[{"Key": "estate", "Value": "diff"}])
    aws.s3.create_bucket("with tags", Bucket="diff-tagged")
    aws.s3.put_bucket_tagging("plain", Bucket="diff-tagged", Tagging={"TagSet": [{"Key": "estate", "Value": "diff"}]})
    filters = [{"Key": "estate", "Values": ["diff"]}]
    for kind in ("sqs", "sns", "s3"):
        tagging.get_resources(f"of {kind} by a tag", TagFilters=filters, ResourceTypeFilters=[kind])
    tagging.get_resources("by a tag that nothing bears", TagFilters=[{"Key": "none"}])
    first = tagging.get_resources("first page", TagFilters=filters, ResourceTypeFilters=["sqs", "sns"], ResourcesPerPage=1)
    token = first.at("PaginationToken")
    tagging.get_resources("second page", TagFilters=filters, ResourceTypeFilters=["sqs", "sns"], ResourcesPerPage=1, PaginationToken=token)
    tagging.get_resources("by ARN", ResourceARNList=["arn:aws:sns:us-east-1:123456789012:diff-tagged"])
    tagging.get_resources("by ARN and tag at once", ResourceARNList=["arn:aws:sns:us-east-1:123456789012:diff-tagged"], TagFilters=filters)


TABLE = [
    Differs("moto ministack", "CreateBucket with tags", "BucketArn", "see services/s3.py", "s3:CreateBucket"),
    Differs("moto", "GetResources *", "PaginationToken", "empty where there is no more", "resourcegroupstaggingapi:GetResources"),
    Differs(
        "moto ministack", "GetResources first page | GetResources second page", "ResourceTagMappingList*", "in an order of its own; none is documented",
        "resourcegroupstaggingapi:GetResources",
    ),
    Differs("moto", "GetResources by ARN and tag at once", "outcome", "InvalidParameterException", "resourcegroupstaggingapi:GetResources"),
    Differs("ministack", "GetResources first page", "PaginationToken", "a token where there is more", "resourcegroupstaggingapi:GetResources"),
]
