//! The test vectors in `tests/vectors`, as this program writes them: bytes to accept and, above all,
//! to reject, with reasons, from fixed keys. What is written here is judged elsewhere, from the files
//! alone, as a second implementation would.

mod chains;
mod logs;

use std::fmt::Write as _;
use std::path::PathBuf;

use data_encoding::HEXLOWER;

use crate::testing::Agency;

/// A vector: its name, the case of the threat model that it shows, its fields as JSON, and why it is
/// refused; none where it is accepted.
pub(crate) struct Vector {
    name: &'static str,
    case: Option<u8>,
    fields: Vec<(&'static str, String)>,
    reason: Option<&'static str>,
}

pub(crate) fn accepted(name: &'static str, fields: Vec<(&'static str, String)>) -> Vector {
    Vector {
        name,
        case: None,
        fields,
        reason: None,
    }
}

pub(crate) fn refused(
    name: &'static str,
    case: u8,
    fields: Vec<(&'static str, String)>,
    reason: &'static str,
) -> Vector {
    Vector {
        name,
        case: Some(case).filter(|case| *case > 0),
        fields,
        reason: Some(reason),
    }
}

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    format!("\"{}\"", HEXLOWER.encode(bytes.as_ref()))
}

pub(crate) fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    format!("[{}]", items.join(", "))
}

/// Statements of a chain.
pub(crate) fn statements(statements: impl IntoIterator<Item = Vec<u8>>) -> String {
    list(statements.into_iter().map(hex))
}

/// Chains of agencies, as a field.
pub(crate) fn agencies(agencies: &[&Agency]) -> (&'static str, String) {
    let chains = agencies
        .iter()
        .map(|agency| statements(agency.statements()));
    ("agencies", list(chains))
}

/// The committed file says what this program writes.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "a test compares what it writes with the file that is committed"
)]
pub(crate) fn committed(file: &str, about: &str, vectors: &[Vector]) {
    let mut text = format!("{{\n  \"about\": \"{about}\",\n  \"vectors\": [\n");
    for (at, vector) in vectors.iter().enumerate() {
        let _ = write!(text, "    {{\n      \"name\": \"{}\",\n", vector.name);
        if let Some(case) = vector.case {
            let _ = writeln!(text, "      \"case\": {case},");
        }
        for (name, value) in &vector.fields {
            let _ = writeln!(text, "      \"{name}\": {value},");
        }
        let _ = match vector.reason {
            Some(reason) => writeln!(
                text,
                "      \"expect\": \"reject\",\n      \"reason\": \"{reason}\""
            ),
            None => writeln!(text, "      \"expect\": \"accept\""),
        };
        let comma = if at + 1 < vectors.len() { "," } else { "" };
        let _ = writeln!(text, "    }}{comma}");
    }
    text.push_str("  ]\n}\n");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let path = path.join(file);
    if std::env::var_os("DIWAN_REGENERATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{file}: run again with DIWAN_REGENERATE=1");
}
