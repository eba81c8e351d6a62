//! YAML with bounds: aliases may make a few lines expand to gigabytes, so what a text expands to
//! is counted while it is read.

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::limits::FRONT_MATTER_BYTES_MAX;

/// What front matter may expand to: bytes of text, and one for every value. Aliases used as people
/// use them fit; a text without any cannot exceed it.
const EXPANSION_MAX: usize = 2 * FRONT_MATTER_BYTES_MAX;

/// Parses one YAML document. A key that comes twice is an error, so that no label hides behind
/// another.
pub(crate) fn parse(text: &str) -> Result<Value, serde_norway::Error> {
    let left = Cell::new(EXPANSION_MAX);
    Bounded { left: &left }.deserialize(serde_norway::Deserializer::from_str(text))
}

#[derive(Clone, Copy)]
struct Bounded<'a> {
    left: &'a Cell<usize>,
}

impl Bounded<'_> {
    fn charge<E: Error>(self, cost: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(cost.saturating_add(1));
        self.left.set(left.unwrap_or(0));
        left.map(|_| ())
            .ok_or_else(|| E::custom("aliases expand to too much"))
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain values, lists and maps")
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        self.charge(0).map(|()| truth.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        self.charge(0).map(|()| number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        self.charge(0).map(|()| number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        self.charge(0).map(|()| number.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.charge(text.len()).map(|()| text.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.charge(0).map(|()| Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.charge(0)?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.charge(0)?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(self)? {
            let key = match key {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let value = entries.next_value_seed(self)?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "the key {key:?} comes twice"
                )));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ordinary_yaml_is_read_with_its_aliases() {
        let text = "a: &x [1, two, 3.5]\nb: *x\n2021: {c: ~, d: true}\ne: no\n";
        let expected = json!({
            "a": [1, "two", 3.5], "b": [1, "two", 3.5], "2021": {"c": null, "d": true}, "e": "no"
        });
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse("").unwrap(), Value::Null);
        assert!(parse("tlp: RED\ntlp: CLEAR\n").is_err());
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..30 {
            let aliases = format!("*a{}, ", i - 1).repeat(9);
            bomb.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
        }
        assert!(parse(&bomb).unwrap_err().to_string().contains("expand"));
    }
}
