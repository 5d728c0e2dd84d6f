//! The difference between two documents as the registers write it: a list like a JSON patch (RFC 6902), and the old values
//! with it, which theirs leaves out.

use serde::Serialize;
use serde_json::{Map, Value};

/// One step from a document to the next.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    op: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    /// What was there. RFC 6902 bids appliers ignore members that they do not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_value: Option<Value>,
}

/// The steps from one document to another. Objects are compared member by member, lists as a whole; links are no content.
pub(crate) fn steps(before: &impl Serialize, after: &impl Serialize) -> Result<Vec<Step>, serde_json::Error> {
    let mut steps = Vec::new();
    compare("", &object(before)?, &object(after)?, &mut steps);
    Ok(steps)
}

/// The step that adds a text; none when there is none.
pub(crate) fn added(path: &str, text: &str) -> Vec<Step> {
    let step = || Step {
        op: "add",
        path: path.to_owned(),
        value: Some(text.into()),
        old_value: None,
    };
    (!text.is_empty()).then(step).into_iter().collect()
}

/// The document's members; none when it is null.
fn object(document: &impl Serialize) -> Result<Map<String, Value>, serde_json::Error> {
    Ok(match serde_json::to_value(document)? {
        Value::Object(members) => members,
        _ => Map::new(),
    })
}

fn compare(path: &str, before: &Map<String, Value>, after: &Map<String, Value>, steps: &mut Vec<Step>) {
    for (name, old) in before.iter().filter(|(name, _)| *name != "_links") {
        let path = format!("{path}/{name}");
        match (old, after.get(name)) {
            (_, None) => steps.push(Step {
                op: "remove",
                path,
                value: None,
                old_value: Some(old.clone()),
            }),
            (Value::Object(old), Some(Value::Object(new))) => compare(&path, old, new, steps),
            (_, Some(new)) if old != new => steps.push(Step {
                op: "replace",
                path,
                value: Some(new.clone()),
                old_value: Some(old.clone()),
            }),
            (_, Some(_)) => {}
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| *name != "_links") {
        if !before.contains_key(name) {
            steps.push(Step {
                op: "add",
                path: format!("{path}/{name}"),
                value: Some(new.clone()),
                old_value: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Value {
        serde_json::to_value(steps(before, after).expect("documents")).expect("steps")
    }

    #[test]
    fn a_value_that_changed_is_told_with_the_old_one() {
        assert_eq!(
            told(
                &json!({"antallAnsatte": 5, "navn": "A"}),
                &json!({"antallAnsatte": 13, "navn": "A"})
            ),
            json!([{"op": "replace", "path": "/antallAnsatte", "value": 13, "oldValue": 5}])
        );
    }

    #[test]
    fn what_came_and_what_went_is_told_as_such() {
        assert_eq!(
            told(
                &json!({"hjemmeside": "a.example"}),
                &json!({"konkursdato": "2026-01-02"})
            ),
            json!([
                {"op": "remove", "path": "/hjemmeside", "oldValue": "a.example"},
                {"op": "add", "path": "/konkursdato", "value": "2026-01-02"},
            ])
        );
    }

    #[test]
    fn objects_are_told_by_member_and_lists_as_a_whole() {
        assert_eq!(
            told(
                &json!({"adresse": {"postnummer": "0010", "_links": 1}, "aktivitet": ["a"], "periode": null}),
                &json!({"adresse": {"postnummer": "0169", "_links": 2}, "aktivitet": ["a", "b"], "periode": {"fraDato": "x"}})
            ),
            json!([
                {"op": "replace", "path": "/adresse/postnummer", "value": "0169", "oldValue": "0010"},
                {"op": "replace", "path": "/aktivitet", "value": ["a", "b"], "oldValue": ["a"]},
                {"op": "replace", "path": "/periode", "value": {"fraDato": "x"}, "oldValue": null},
            ])
        );
    }
}
