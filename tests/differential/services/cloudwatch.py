"""CloudWatch: the counters of delivery streams."""

import datetime

from compare import Differs

NAMESPACE = "Diff"


def scenario(aws):
    cloudwatch = aws.cloudwatch
    now = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
    start, end = now - datetime.timedelta(hours=1), now + datetime.timedelta(minutes=5)
    datum = {"MetricName": "KMSKeyDisabled", "Dimensions": [{"Name": "DeliveryStreamName", "Value": "diff"}], "Unit": "Count"}
    data = [{**datum, "Value": value, "Timestamp": now - datetime.timedelta(minutes=10)} for value in (1.0, 2.0)]
    cloudwatch.put_metric_data("two", Namespace=NAMESPACE, MetricData=data)
    cloudwatch.list_metrics("one", Namespace=NAMESPACE)
    metric = {"Namespace": NAMESPACE, "MetricName": "KMSKeyDisabled", "Dimensions": datum["Dimensions"]}

    def query(identity, metric=metric, stat="Sum"):
        return {"Id": identity, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}

    asked = [query("total"), query("most", stat="Maximum"), query("none", {**metric, "MetricName": "None"})]
    answer = cloudwatch.get_metric_data("three", MetricDataQueries=asked, StartTime=start, EndTime=end)
    aws.keep_value("cloudwatch", "Values", {"values": {entry["Id"]: entry["Values"] for entry in answer.get("MetricDataResults", [])}})
    cloudwatch.get_metric_data("that ends before it starts", MetricDataQueries=asked, StartTime=end, EndTime=start)
    cloudwatch.get_metric_data("with a bad id", MetricDataQueries=[query("Upper")], StartTime=start, EndTime=end)
    cloudwatch.get_metric_data("with an id twice", MetricDataQueries=[query("a"), query("a")], StartTime=start, EndTime=end)
    cloudwatch.get_metric_statistics("sum", **metric, StartTime=start, EndTime=end, Period=60, Statistics=["Sum"])


TABLE = [
    Differs("moto ministack", "GetMetricData three", "Messages", "told, empty where there is none", "cloudwatch:GetMetricData, sample response"),
    Differs("moto ministack", "GetMetricData three", "*.Label", "the metric's name where no label was given", "cloudwatch:MetricDataResult, Label"),
    Differs(
        "moto", "GetMetricData that ends before it starts", "Error.QueryErrorCode | Error.Type", "no shape of the operation's model",
        "CloudWatch's model, GetMetricData (InvalidNextToken alone)",
    ),
    Differs("ministack", "GetMetricData that ends before it starts", "outcome", "refused", "cloudwatch:GetMetricData, EndTime"),
    Differs(
        "moto ministack", "GetMetricData with a bad id | GetMetricData with an id twice", "outcome",
        "ids begin with a lower-case letter and are unique", "cloudwatch:MetricDataQuery, Id",
    ),
]
