//! A request's JSON, read field by field, so that a refusal names the field.

use serde_json::Value;

use super::error::ApiError;

/// A JSON object.
pub(super) struct Body(Value);

impl Body {
    /// Reads a body.
    ///
    /// Errors: the platform's answer to what is no JSON object.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(bytes) {
            Ok(value @ Value::Object(_)) => Ok(Self(value)),
            _ => Err(ApiError::new(
                400,
                "PARAM_ERROR",
                "请求中含有未在API文档中定义的参数格式：请求体不是JSON对象",
            )),
        }
    }

    /// A text of so many characters at most, if it is there.
    pub(super) fn text(&self, field: &'static str, len_max: usize) -> Result<Option<&str>, ApiError> {
        match self.0.pointer(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if text.chars().count() > len_max => {
                Err(ApiError::field(field, Some(text), &format!("longer than {len_max} characters")))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(ApiError::field(field, Some(&other.to_string()), "not a string")),
        }
    }

    /// A text that has to be there.
    pub(super) fn needed(&self, field: &'static str, len_max: usize) -> Result<&str, ApiError> {
        self.text(field, len_max)?.ok_or_else(|| ApiError::field(field, None, "missing"))
    }

    /// A whole number above zero that has to be there.
    pub(super) fn positive(&self, field: &'static str) -> Result<i64, ApiError> {
        let value = self.0.pointer(field).ok_or_else(|| ApiError::field(field, None, "missing"))?;
        value.as_i64().filter(|number| *number > 0).ok_or_else(|| {
            ApiError::field(field, Some(&value.to_string()), "not a whole number of fen above zero")
        })
    }

    /// An object that has to be there.
    pub(super) fn needed_object(&self, field: &'static str) -> Result<(), ApiError> {
        match self.0.pointer(field) {
            Some(Value::Object(_)) => Ok(()),
            None | Some(Value::Null) => Err(ApiError::field(field, None, "missing")),
            Some(other) => Err(ApiError::field(field, Some(&other.to_string()), "not an object")),
        }
    }
}
