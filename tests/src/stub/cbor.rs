//! `CloudWatch` speaks RPC v2 CBOR: every query of `GetMetricData` is answered with "complete, no data points", which for a
//! sparse metric means no errors. [cloudwatch:GetMetricData]

use ciborium::Value;

/// The answer's body; `None` where the request is not a `GetMetricData` request.
pub fn metric_data(request: &[u8]) -> Option<Vec<u8>> {
    let request: Value = ciborium::from_reader(request).ok()?;
    let queries = member(&request, "MetricDataQueries")?.as_array()?;
    let results = queries.iter().map(|query| member(query, "Id").map(result)).collect::<Option<Vec<_>>>()?;
    let answer = map([("MetricDataResults", Value::Array(results))]);
    let mut body = Vec::new();
    ciborium::into_writer(&answer, &mut body).ok()?;
    Some(body)
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_map()?.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

fn result(id: &Value) -> Value {
    let none = || Value::Array(Vec::new());
    map([("Id", id.clone()), ("StatusCode", Value::Text("Complete".to_owned())), ("Timestamps", none()), ("Values", none())])
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (Value::Text(name.to_owned()), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_is_answered_by_its_id() {
        let query = |id: &str| map([("Id", Value::Text(id.to_owned()))]);
        let request = map([("MetricDataQueries", Value::Array(vec![query("a"), query("b")]))]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&request, &mut bytes).expect("a value can be written");
        let answer: Value = ciborium::from_reader(metric_data(&bytes).expect("a request").as_slice()).expect("CBOR");
        let results = member(&answer, "MetricDataResults").and_then(Value::as_array).expect("results");
        let ids: Vec<_> = results.iter().filter_map(|result| member(result, "Id")?.as_text()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(metric_data(b"{}"), None);
    }
}
