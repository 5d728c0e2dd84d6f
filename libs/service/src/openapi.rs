//! One OpenAPI document of everything that a role serves.

use ryggrad_proto::rest::Routes;
use serde_json::{Map, Value, json};

/// Joins the documents of the mounted services, which come from one set of contracts and cannot contradict each other, and
/// what is said about routes that no contract describes.
pub(crate) fn document(role: &str, services: &[Routes], others: Vec<Value>) -> String {
    let (mut paths, mut schemas, mut parameters) = (Map::new(), Map::new(), Map::new());
    let services = services
        .iter()
        .filter_map(|service| serde_json::from_str(service.openapi()).ok());
    for mut document in services.chain(others) {
        merge(&mut paths, document["paths"].take());
        merge(&mut schemas, document["components"]["schemas"].take());
        merge(&mut parameters, document["components"]["parameters"].take());
    }
    for operation in paths
        .values_mut()
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut)
    {
        operation["responses"]["default"] = json!({ "$ref": "#/components/responses/Error" });
    }
    schemas.insert("google.rpc.Status".to_owned(), status_schema());
    let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/google.rpc.Status" } } });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("Ryggrad: {role}"),
            "version": "v1",
            "description": "The backbone of the life event \"Starte og drive en frivillig organisasjon\". Generated from the contracts.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters,
            "responses": {
                "Error": { "description": "Why not: a rule, a field, a conflict or a fault.", "content": content },
            },
        },
    })
    .to_string()
}

fn merge(into: &mut Map<String, Value>, from: Value) {
    let Value::Object(from) = from else { return };
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(existing)), Value::Object(more)) => existing.extend(more),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

fn status_schema() -> Value {
    json!({
        "type": "object",
        "description": "google.rpc.Status. The details say which rule (ryggrad.common.v1.Refusal), which field (google.rpc.BadRequest), what to do in nb, nn and en (google.rpc.LocalizedMessage) and when to try again (google.rpc.RetryInfo).",
        "properties": {
            "code": { "type": "integer", "format": "int32" },
            "message": { "type": "string" },
            "details": {
                "type": "array",
                "items": { "type": "object", "properties": { "@type": { "type": "string" } }, "required": ["@type"], "additionalProperties": true },
            },
        },
    })
}
