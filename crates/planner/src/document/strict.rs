//! Reads JSON that can be written back without loss, and refuses the rest.
//!
//! A JSON library keeps one of two equal keys and rounds long numbers. Writing such a document back would
//! change somebody else's statement, so it is refused here and never overwritten.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deepest nesting accepted. The deepest IAM element (a list of condition values) is at six.
const MAX_DEPTH: usize = 32;
/// Longest text accepted, in bytes: many times AWS's largest limit (32 KB), white space included.
const MAX_BYTES: usize = 256 * 1024;
/// Decimal digits that a double keeps exactly.
const EXACT_DIGITS: usize = 15;

/// Reads one JSON value; the error is what could not be kept, in words.
pub(super) fn read(text: &str) -> Result<Value, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("{} bytes is more than any AWS document may have", text.len()));
    }
    check_numbers(text)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Lossless { depth: 0 }.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Refuses numbers that a 64-bit integer or a double would not give back.
fn check_numbers(text: &str) -> Result<(), String> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let length = bytes[at..].iter().take_while(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
                let number = &text[at..at + length];
                if !is_exact(number) {
                    return Err(format!("the number {number} can't be kept exactly"));
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn is_exact(number: &str) -> bool {
    if number.contains(['e', 'E']) {
        return false;
    }
    if number.contains('.') {
        return number.bytes().filter(u8::is_ascii_digit).count() <= EXACT_DIGITS;
    }
    number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok()
}

struct Lossless {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Lossless {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Lossless {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).filter(|number| !number.to_string().contains('e'));
        number.map(Value::Number).ok_or_else(|| E::custom(format!("the number {value} can't be kept exactly")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self { depth: self.depth + 1 })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Self { depth: self.depth + 1 })?;
            if let Some(_first) = object.get(&key) {
                return Err(A::Error::custom(format!("the key `{key}` appears twice in one object")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keeps_what_it_reads() {
        for text in [
            r#"{"b":1,"a":[true,false,null,"x",-5,1.25,18446744073709551615,-9223372036854775808]}"#,
            r#"{"é":"\"\\é","":[[],{}]}"#,
            "0.00001",
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_it_could_not_write_back() {
        for (text, reason) in [
            (r#"{"a":1,"a":2}"#, "the key `a` appears twice"),
            (r#"{"x":{"a":1,"\u0061":1}}"#, "the key `a` appears twice"),
            ("18446744073709551616", "can't be kept exactly"),
            ("[1e3]", "can't be kept exactly"),
            ("0.1234567890123456", "can't be kept exactly"),
            ("0.0000001", "can't be kept exactly"),
            ("{} {}", "trailing characters"),
            (r#""\ud800""#, "hex escape"),
            ("", "EOF"),
            ("{\"a\":", "EOF"),
            ("\"open \\", "EOF"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn bounds_depth_and_size() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(MAX_DEPTH + 1)).is_ok());
        assert!(read(&nested(MAX_DEPTH + 2)).unwrap_err().contains("nested deeper"));
        assert!(read(&nested(100_000)).unwrap_err().contains("nested deeper"));
        assert!(read(&" ".repeat(MAX_BYTES + 1)).unwrap_err().contains("bytes"));
    }

    #[test]
    fn digits_in_strings_are_not_numbers() {
        assert!(read(r#"["1e3 \" 99999999999999999999999"]"#).is_ok());
    }
}
