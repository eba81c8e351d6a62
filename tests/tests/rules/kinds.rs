//! The page of the kinds is made from their schemas.

use diwan_core::record::{COMMON, Field, FieldType, Kind, kinds};

fn holds(of: FieldType) -> String {
    match of {
        FieldType::Text => "text by language".to_owned(),
        FieldType::Line => "one value".to_owned(),
        FieldType::Date => "day, `2026-03-14`".to_owned(),
        FieldType::Minutes => "minutes".to_owned(),
        FieldType::Word(words) => format!("`{}`", words.join("` or `")),
        FieldType::Country => "country, `TN`".to_owned(),
        FieldType::Countries => "countries, a set".to_owned(),
        FieldType::Language => "language, `ar`".to_owned(),
        FieldType::Languages => "languages, a set".to_owned(),
    }
}

fn row(kind: &Kind) -> String {
    let field = |field: &Field| {
        let required = match kind.required.contains(&field.name) {
            true => ", required",
            false => "",
        };
        format!("{} ({}{required})", field.name, holds(field.of))
    };
    let common = COMMON
        .iter()
        .filter(|field| kind.required.contains(&field.name));
    let fields: Vec<_> = kind.fields.iter().chain(common).map(field).collect();
    let relations = kind.relations.iter();
    let relations: Vec<_> = relations
        .map(|relation| format!("{} → {}", relation.name, relation.to.join(", ")))
        .collect();
    let name = match (kind.annotation, kind.personal) {
        (true, _) => format!("`{}` (annotation)", kind.name),
        (false, true) => format!("`{}` (about a person)", kind.name),
        (false, false) => format!("`{}`", kind.name),
    };
    format!(
        "| {name} | {} | {} |\n",
        fields.join("; "),
        relations.join("; ")
    )
}

#[test]
fn the_reference_agrees_with_the_schemas() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/kinds.md");
    let common: Vec<_> = COMMON
        .iter()
        .map(|field| format!("{} ({})", field.name, holds(field.of)))
        .collect();
    let mut page = format!(
        "# Kinds of records\n\nMade from the code by `DIWAN_REGENERATE=1 cargo test -p diwan-tests \
         reference`. Every kind has title, summary, body (texts by language), themes, tags, a TLP label, \
         a handling code and links; and {}. A need without a country is its origin's. On the command line: \
         `--field NAME=VALUE`, `--field NAME.LANG=TEXT`, a name that comes again makes a set. Relations \
         are those of `--link REL=ID`. Fields and kinds that another node wrote and this version does \
         not know are kept, synced and shown as they are.\n\n| kind | fields | relations |\n|---|---|---|\n",
        common.join(", ")
    );
    page.extend(kinds().iter().map(row));
    if std::env::var_os("DIWAN_REGENERATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/kinds.md is not what the code says"
    );
}
