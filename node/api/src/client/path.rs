//! Paths and query strings of requests.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// `/v1` and the parts, each percent-encoded (RFC 3986): names may hold anything.
pub(super) fn path(parts: &[&str]) -> String {
    let mut path = String::from("/v1");
    for part in parts {
        path.push('/');
        encode(part, &mut path);
    }
    path
}

/// `path` with the fields of `query` that are set, in the form that HTML forms use.
pub(super) fn with_query(path: &str, query: &impl Serialize) -> String {
    let mut whole = path.to_owned();
    let mut separator = '?';
    // Queries are structs of plain values; anything else has no place in an address.
    let Ok(Value::Object(fields)) = serde_json::to_value(query) else {
        return whole;
    };
    for (name, value) in &fields {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        whole.push(separator);
        separator = '&';
        encode(name, &mut whole);
        whole.push('=');
        encode(&text, &mut whole);
    }
    whole
}

fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::SearchQuery;

    #[test]
    fn parts_cannot_leave_their_place() {
        assert_eq!(
            path(&["groups", "../a b/é"]),
            "/v1/groups/..%2Fa%20b%2F%C3%A9"
        );
        assert_eq!(path(&["records", "abc123"]), "/v1/records/abc123");
    }

    #[test]
    fn only_what_is_set_is_asked() {
        let query = SearchQuery {
            q: "saisie & preuve".to_owned(),
            limit: Some(5),
            facets: Some(true),
            ..SearchQuery::default()
        };
        assert_eq!(
            with_query("/v1/search", &query),
            "/v1/search?facets=true&limit=5&q=saisie%20%26%20preuve"
        );
    }
}
