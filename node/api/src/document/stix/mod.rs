//! STIX 2.0 and 2.1 (OASIS): bundles into drafts, records into a bundle.
//!
//! What is knowledge becomes a record: techniques and courses of action as guidelines; tools, malware,
//! reports, groups, campaigns, vulnerabilities and infrastructure as assessments. Relationships between them
//! become links. Indicators, sightings and observed data are no knowledge and are listed as skipped, by type.
//!
//! | STIX | record |
//! |---|---|
//! | `id` | field `stix`, and the import key |
//! | `name`, `description`, `lang`, `language-content` | title and body by language |
//! | `labels`, `kill_chain_phases`, `revoked`, `x_mitre_deprecated` | tags |
//! | `aliases` | field `aliases` |
//! | `external_references` | field `references`: `source \| id \| URL` |
//! | TLP marking definitions, 1.0 and 2.0 | the TLP label, the strictest of several |
//! | `relationship`, `object_refs` of a report | links |

mod read;
mod write;

pub(crate) use read::{ITEMS_MAX, REFERENCE_BYTES, read_bundle, relation};
pub use write::StixExport;

/// STIX type, the kind that it becomes, and whether it may have aliases.
const TYPES: [(&str, &str, bool); 10] = [
    ("attack-pattern", "guideline", true),
    ("course-of-action", "guideline", false),
    ("tool", "assessment", true),
    ("malware", "assessment", true),
    ("report", "assessment", false),
    ("intrusion-set", "assessment", true),
    ("threat-actor", "assessment", true),
    ("campaign", "assessment", true),
    ("vulnerability", "assessment", false),
    ("infrastructure", "assessment", true),
];

/// STIX types that may say at which phase of an attack they are used (STIX 2.1, sections 4.1 to 4.18).
const PHASED: [&str; 4] = ["attack-pattern", "malware", "tool", "infrastructure"];

/// TLP label, the id of its marking definition of TLP 2.0, that of TLP 1.0 (STIX 2.1, section 7.2.1.4), and
/// their words. The ids of TLP 2.0 are those of the OASIS common object repository.
const MARKINGS: [(&str, &str, &str, &str); 5] = [
    (
        "CLEAR",
        "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        "clear",
    ),
    (
        "GREEN",
        "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        "green",
    ),
    (
        "AMBER",
        "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        "amber",
    ),
    (
        "AMBER+STRICT",
        "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        "",
        "amber+strict",
    ),
    (
        "RED",
        "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        "red",
    ),
];

/// The extension by which a marking definition says a label of TLP 2.0.
const TLP_2: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// What a tag begins with that is a phase of a kill chain.
const PHASE: &str = "kill-chain:";
/// What a label begins with that is a theme.
const THEME: &str = "theme:";
/// By which name a bundle refers to a record of a Diwan node.
const DIWAN: &str = "diwan";
/// Tags of objects that their author took back.
const REVOKED: &str = "revoked";
const DEPRECATED: &str = "deprecated";

/// The namespace of the ids that this program gives (RFC 9562, section 5.5).
const NAMESPACE: uuid::Uuid = uuid::uuid!("0d1f5a5e-6f0c-5c5e-9a70-4a6f1b1c7e02");

/// An id that follows from what it names.
fn id_of(stix_type: &str, parts: &[&str]) -> String {
    let name = parts.join("\u{1f}");
    let uuid = uuid::Uuid::new_v5(&NAMESPACE, name.as_bytes());
    format!("{stix_type}--{uuid}")
}

#[cfg(test)]
mod tests;
