//! As much of JSON Schema as the schemas of this crate use; a keyword that it does not know is a fault of the schema.
//!
//! Why: a whole validator takes longer to build than this workspace's other test libraries together.

use serde_json::{Map, Value};

/// What is wrong with a document, each with its place.
pub(crate) fn faults(schema: &Value, document: &Value) -> Vec<String> {
    let mut checker = Checker { root: schema, faults: Vec::new() };
    checker.check(schema, document, "");
    checker.faults
}

struct Checker<'a> {
    root: &'a Value,
    faults: Vec<String>,
}

impl<'a> Checker<'a> {
    fn check(&mut self, schema: &'a Value, document: &Value, at: &str) {
        let schema = schema.as_object().unwrap();
        for (keyword, value) in schema {
            let holds = match keyword.as_str() {
                "$schema" | "title" | "description" | "$defs" => true,
                "$ref" => {
                    let target = self.root.pointer(value.as_str().unwrap().trim_start_matches('#')).unwrap();
                    self.check(target, document, at);
                    true
                }
                "type" => match value {
                    Value::Array(names) => names.iter().any(|name| is(name, document)),
                    name => is(name, document),
                },
                "const" => value == document,
                "enum" => value.as_array().unwrap().contains(document),
                "minimum" => document.as_f64().is_none_or(|number| number >= value.as_f64().unwrap()),
                "minItems" | "maxItems" => {
                    let len = document.as_array().map_or(0, Vec::len) as u64;
                    let bound = value.as_u64().unwrap();
                    if keyword == "minItems" { len >= bound } else { len <= bound }
                }
                "anyOf" => self.fitting(value, document) > 0,
                "oneOf" => self.fitting(value, document) == 1,
                "required" => {
                    value.as_array().unwrap().iter().all(|key| document.get(key.as_str().unwrap()).is_some())
                }
                "items" => {
                    for (nth, item) in document.as_array().into_iter().flatten().enumerate() {
                        self.check(value, item, &format!("{at}/{nth}"));
                    }
                    true
                }
                "properties" | "additionalProperties" | "propertyNames" => {
                    self.check_keys(keyword, value, schema, document, at);
                    true
                }
                other => panic!("{other} is no keyword that is known here"),
            };
            if !holds {
                self.faults.push(format!("{at}: {keyword} {value} does not hold"));
            }
        }
    }

    fn check_keys(
        &mut self,
        keyword: &str,
        value: &'a Value,
        schema: &Map<String, Value>,
        document: &Value,
        at: &str,
    ) {
        for (key, inner) in document.as_object().into_iter().flatten() {
            let own = schema.get("properties").and_then(|known| known.get(key));
            match keyword {
                "properties" => {
                    if let Some(known) = value.get(key) {
                        self.check(known, inner, &format!("{at}/{key}"));
                    }
                }
                "propertyNames" => self.check(value, &key.as_str().into(), &format!("{at}/{key}")),
                _ if own.is_none() => self.check(value, inner, &format!("{at}/{key}")),
                _ => {}
            }
        }
    }

    fn fitting(&self, schemas: &'a Value, document: &Value) -> usize {
        let fits = |schema: &&'a Value| {
            let mut checker = Checker { root: self.root, faults: Vec::new() };
            checker.check(schema, document, "");
            checker.faults.is_empty()
        };
        schemas.as_array().unwrap().iter().filter(fits).count()
    }
}

fn is(name: &Value, document: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => document.is_object(),
        "array" => document.is_array(),
        "string" => document.is_string(),
        "integer" => document.is_i64() || document.is_u64(),
        "boolean" => document.is_boolean(),
        "null" => document.is_null(),
        other => panic!("{other} is no type"),
    }
}
