//! The publication guard: finds what looks like personal data or a secret before a text reaches other
//! agencies, and says where. Rules are data (`rules.toml`, and the agency's own `guard.toml`); this room
//! reads them and looks. What a hit means for a request is the API's business.
//!
//! It helps a careful officer and stops no hostile one: whoever writes "zero six …" gets through.

mod check;
mod plain;
mod rules;

pub use rules::{GuardError, Level, Rule};

use diwan_core::record::Tlp;
use plain::Plain;

/// Hits of one rule in one field; the rest are more of the same. No rule's many hide another's one.
const HITS_OF_RULE: usize = 1_000;
/// Characters of a match that are repeated to the officer.
const SHOWN_CHARS: usize = 80;

/// The rules in force.
#[derive(Debug)]
pub struct Guard {
    rules: Vec<Rule>,
    personal_groups: Vec<String>,
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule's id.
    pub rule: String,
    /// What the rule says for the record's label.
    pub level: Level,
    /// The field, such as `body.fr`.
    pub field: String,
    /// Line in that field, from 1.
    pub line: u64,
    /// Character in that line, from 1.
    pub column: u64,
    /// What was found, shortened.
    pub text: String,
}

impl Guard {
    /// The rules that the program brings along.
    ///
    /// # Errors
    /// None, as a test holds; the type says it for whoever adds a rule.
    pub fn built_in() -> Result<Self, GuardError> {
        Ok(Self {
            rules: rules::built_in()?,
            personal_groups: Vec::new(),
        })
    }

    /// The same with an agency's own: a rule of a known id replaces it, others are added.
    ///
    /// # Errors
    /// [`GuardError`] names the line or the rule.
    pub fn with_own(text: &str) -> Result<Self, GuardError> {
        let mut rules = rules::built_in()?;
        let said = rules::read(text)?;
        for own in said.rules {
            match rules.iter_mut().find(|rule| rule.id == own.id) {
                Some(rule) => *rule = own,
                None => rules.push(own),
            }
        }
        Ok(Self {
            rules,
            personal_groups: said.personal_groups,
        })
    }

    /// Whether the agency named a group for records about persons.
    #[must_use]
    pub fn takes_persons(&self, group: &str) -> bool {
        self.personal_groups.iter().any(|named| named == group)
    }

    /// The rules, in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What the rules find in the fields of a record with this label, field by field.
    pub fn look<'a>(
        &self,
        label: Tlp,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (field, text) in fields {
            self.look_at(label, field, text, &mut hits);
        }
        hits
    }

    fn look_at(&self, label: Tlp, field: &str, text: &str, hits: &mut Vec<Hit>) {
        let plain = Plain::of(text);
        // One pattern after the other: each begins with what is rare, which is faster than all at once.
        for rule in &self.rules {
            let level = rule.level(label);
            if level == Level::Off {
                continue;
            }
            for at in rule.hits(plain.text()).take(HITS_OF_RULE) {
                let (line, column) = plain.place(text, at.start);
                let found = plain.text().get(at).unwrap_or_default();
                hits.push(Hit {
                    rule: rule.id.clone(),
                    level,
                    field: field.to_owned(),
                    line,
                    column,
                    text: found.chars().take(SHOWN_CHARS).collect(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
