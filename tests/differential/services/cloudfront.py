"""CloudFront: distributions and how they are listed."""

from compare import Differs


def scenario(aws):
    cloudfront = aws.cloudfront
    cloudfront.list_distributions("none")
    origin = {
        "Id": "site", "DomainName": "diff-site.s3.us-east-1.amazonaws.com", "OriginPath": "", "CustomHeaders": {"Quantity": 0},
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behaviour = {
        "TargetOriginId": "site", "ViewerProtocolPolicy": "redirect-to-https", "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    configuration = {
        "CallerReference": "diff", "Comment": "diff", "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behaviour,
    }
    made = cloudfront.quietly("create_distribution", DistributionConfig=configuration)
    identity = aws.name(made.at("Distribution.Id"), "distribution")
    listed = cloudfront.quietly("list_distributions").get("DistributionList", {})
    aws.keep_value("cloudfront", "Listed one", {"quantity": listed.get("Quantity"), "items": [read(item) for item in listed.get("Items", [])]})
    cloudfront.get_distribution("none", Id="E0000000000000")
    cloudfront.delete_distribution("that is enabled", Id=identity, IfMatch=made.at("ETag"))


def read(item):
    """What Everseal reads of a distribution: none of the three fills in all of a configuration's defaults."""
    origins = [{name: origin.get(name) for name in ("Id", "DomainName", "OriginAccessControlId")} for origin in item["Origins"]["Items"]]
    behaviour = item["DefaultCacheBehavior"]["ViewerProtocolPolicy"]
    kept = {name: item[name] for name in ("Id", "ARN", "Enabled", "Comment")}
    return {**kept, "Origins": origins, "ViewerProtocolPolicy": behaviour, "CacheBehaviors": item["CacheBehaviors"]["Quantity"]}


TABLE = [
    Differs(
        "moto ministack", "ListDistributions none", "DistributionList.Items", "a list whose Quantity is 0 is told empty",
        "cloudfront:DistributionList",
    ),
    Differs("moto", "DeleteDistribution that is enabled", "outcome", "DistributionNotDisabled", "cloudfront:DeleteDistribution, Errors"),
]
