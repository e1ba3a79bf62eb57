//! The JSON Schema of the language, made from the types: editors use it, and so does the shape check.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::model::EncryptionPolicy;

static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
    let mut schema = schemars::schema_for!(EncryptionPolicy).to_value();
    forbid_null(&mut schema);
    schema
});

/// The schema, made once.
pub(super) fn shared() -> &'static Json {
    &SCHEMA
}

/// An optional field may be left out; an empty value is a mistake (a template that filled in nothing)
/// and would silently mean "unmanaged".
fn forbid_null(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            if let Some(Json::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Json::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if choices.len() == 1 {
                    let only = choices.remove(0);
                    object.remove("anyOf");
                    object.extend(only.as_object().cloned().unwrap_or_default());
                }
            }
            object.values_mut().for_each(forbid_null);
        }
        Json::Array(values) => values.iter_mut().for_each(forbid_null),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
