//! [resourcegroupstagging:GetResources]

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::testing::{self, ACCOUNT, REGION, world};
use crate::world::World;

fn get(world: &mut World, input: &Value) -> Result<Value, (String, String)> {
    testing::json(world, ACCOUNT, REGION, "ResourceGroupsTaggingAPI_20170126.GetResources", input)
}

fn key(world: &mut World, tags: &Value) -> String {
    let made = testing::json(world, ACCOUNT, REGION, "TrentService.CreateKey", &json!({ "Tags": tags })).unwrap();
    made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
}

fn arns(answer: &Value) -> Vec<String> {
    answer["ResourceTagMappingList"].as_array().unwrap().iter().map(|one| one["ResourceARN"].as_str().unwrap().to_owned()).collect()
}

/// [rds:CreateDBParameterGroup `Tags`]
#[test]
fn databases_and_their_groups_are_listed_too() {
    let mut world = world();
    for (operation, name) in
        [("CreateDBParameterGroup", "DBParameterGroupName"), ("CreateDBClusterParameterGroup", "DBClusterParameterGroupName")]
    {
        let family = if operation == "CreateDBParameterGroup" { "postgres16" } else { "aurora-postgresql16" };
        let tag = [("Tags.Tag.1.Key", "team"), ("Tags.Tag.1.Value", "payments")];
        let members =
            [("Action", operation), ("Version", "2014-10-31"), (name, "ours"), ("DBParameterGroupFamily", family), ("Description", "d")];
        let (status, _) = testing::form(&mut world, ACCOUNT, REGION, "rds", &[&members[..], &tag[..]].concat());
        assert_eq!(status, 200, "{operation}");
    }
    let all = get(&mut world, &json!({ "TagFilters": [{ "Key": "team", "Values": ["payments"] }] })).unwrap();
    assert_eq!(arns(&all), ["arn:aws:rds:us-east-1:111122223333:cluster-pg:ours", "arn:aws:rds:us-east-1:111122223333:pg:ours"]);
    assert_eq!(all["ResourceTagMappingList"][0]["Tags"], json!([{ "Key": "team", "Value": "payments" }]));
    let groups = get(&mut world, &json!({ "ResourceTypeFilters": ["rds:pg"] })).unwrap();
    assert_eq!(arns(&groups), ["arn:aws:rds:us-east-1:111122223333:pg:ours"]);
}

#[test]
fn filters_by_tag_and_type_and_comes_in_pages() {
    let mut world = world();
    let mut tagged: Vec<String> =
        (0..3).map(|number| key(&mut world, &json!([{ "TagKey": "n", "TagValue": number.to_string() }]))).collect();
    tagged.sort();
    key(&mut world, &json!([]));
    let all = get(&mut world, &json!({})).unwrap();
    assert_eq!((arns(&all), &all["PaginationToken"]), (tagged.clone(), &json!("")), "a key without tags is not there");
    let first = get(&mut world, &json!({ "ResourcesPerPage": 2 })).unwrap();
    assert_eq!(arns(&first), tagged[..2]);
    let second = get(&mut world, &json!({ "ResourcesPerPage": 2, "PaginationToken": first["PaginationToken"] })).unwrap();
    assert_eq!((arns(&second), &second["PaginationToken"]), (tagged[2..].to_vec(), &json!("")));
    for (input, count) in [
        (json!({ "TagFilters": [{ "Key": "n" }] }), 3),
        (json!({ "TagFilters": [{ "Key": "n", "Values": ["0", "1"] }] }), 2),
        (json!({ "TagFilters": [{ "Key": "n" }, { "Key": "m" }] }), 0),
        (json!({ "ResourceTypeFilters": ["kms:key"] }), 3),
        (json!({ "ResourceTypeFilters": ["kms"] }), 3),
        (json!({ "ResourceTypeFilters": ["sqs"] }), 0),
        (json!({ "ResourceARNList": [tagged[1]] }), 1),
    ] {
        assert_eq!(arns(&get(&mut world, &input).unwrap()).len(), count, "{input}");
    }
    // Any of these with a list of ARNs is an Invalid Parameter. [resourcegroupstaggingapi:GetResources, ResourceARNList]
    for beside in [json!({ "TagFilters": [{ "Key": "a" }] }), json!({ "ResourcesPerPage": 10 }), json!({ "ResourceTypeFilters": ["kms"] })]
    {
        let mut input = beside.clone();
        input["ResourceARNList"] = json!([tagged[1]]);
        assert_eq!(get(&mut world, &input).unwrap_err().0, "InvalidParameterException", "{beside}");
    }
    assert_eq!(get(&mut world, &json!({ "ResourcesPerPage": 101 })).unwrap_err().0, "InvalidParameterException");
}
