//! What people type for agencies, groups and records, and what they are shown.

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::group::{GroupChain, Role};
use diwan_core::id::{AgencyId, GroupId, NodeKey};
use diwan_core::identity::AgencyChain;
use diwan_core::record::Tlp;
use diwan_core::replica::Replica;
use unicode_normalization::UnicodeNormalization;

/// Fewest characters of an id that name one: fewer are met by chance too soon.
const PREFIX_DIGITS: usize = 6;

/// The beginning of an id in small letters, if the text can be one.
pub(super) fn id_prefix(text: &str) -> Option<String> {
    let fits = (PREFIX_DIGITS..=64).contains(&text.len());
    let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit());
    (fits && is_hex).then(|| text.to_ascii_lowercase())
}

/// The agency that a short name, an id or the beginning of one means.
pub(super) fn agency(replica: &Replica, text: &str) -> Result<AgencyId, ApiError> {
    let text = text.trim();
    let called: Vec<AgencyId> = replica
        .agencies()
        .values()
        .filter(|chain| chain.genesis().short.eq_ignore_ascii_case(text))
        .map(AgencyChain::id)
        .collect();
    match called.as_slice() {
        [only] => return Ok(*only),
        [] => {}
        several => {
            let mut own = several.iter().filter(|agency| is_ours(replica, agency));
            if let (Some(only), None) = (own.next(), own.next()) {
                return Ok(*only);
            }
            return Err(ApiError::new(ErrorCode::AmbiguousAgency)
                .with("name", text)
                .with("matches", joined(several.iter().map(AgencyId::short))));
        }
    }
    let unknown = || ApiError::new(ErrorCode::UnknownAgency).with("name", text);
    let prefix = id_prefix(text).ok_or_else(unknown)?;
    let begins = |id: &&AgencyId| id.to_string().starts_with(&prefix);
    let found: Vec<AgencyId> = replica.agencies().keys().filter(begins).copied().collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(unknown()),
        several => Err(ambiguous_prefix(text, several.iter())),
    }
}

/// The group of this agency that a name, `own`, an id or the beginning of one means. A group that
/// this agency is not in is as unknown as one that does not exist.
pub(super) fn group<'a>(replica: &'a Replica, text: &str) -> Result<&'a GroupChain, ApiError> {
    let name: String = text.trim().nfc().collect();
    let called: Vec<&GroupChain> = groups(replica)
        .filter(|chain| chain.name() == name)
        .collect();
    match called.as_slice() {
        [only] => return Ok(*only),
        [] => {}
        several => {
            return Err(ApiError::new(ErrorCode::AmbiguousGroup)
                .with("name", &name)
                .with("matches", joined(several.iter().map(|g| g.id().short()))));
        }
    }
    let unknown = || ApiError::new(ErrorCode::UnknownGroup).with("name", &name);
    let prefix = id_prefix(&name).ok_or_else(unknown)?;
    let found: Vec<&GroupChain> = groups(replica)
        .filter(|chain| chain.id().to_string().starts_with(&prefix))
        .collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(unknown()),
        several => Err(ambiguous_prefix(text, several.iter().map(|g| g.id()))),
    }
}

/// The groups in which this agency is a member now.
pub(super) fn groups(replica: &Replica) -> impl Iterator<Item = &GroupChain> {
    let me = replica.me().agency;
    replica
        .groups()
        .values()
        .map(|group| &group.chain)
        .filter(move |chain| chain.role(&me).is_some())
}

/// Several ids begin with what was typed.
pub(super) fn ambiguous_prefix<I: ToString>(
    prefix: &str,
    matches: impl Iterator<Item = I>,
) -> ApiError {
    // Half of an id: enough to tell them apart, short enough to read.
    let shown = matches.map(|id| id.to_string().chars().take(32).collect());
    ApiError::new(ErrorCode::AmbiguousPrefix)
        .with("prefix", prefix)
        .with("matches", joined(shown))
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// Whether an agency is this node's own or on its trust list: such a one keeps its short name, and
/// a stranger that chose the same does not take it away.
fn is_ours(replica: &Replica, agency: &AgencyId) -> bool {
    *agency == replica.me().agency || replica.trust().get(agency).is_some()
}

/// An agency's short name; the beginning of its id where its chain is not known here, and both
/// where another agency has the same name with as good a right to it.
pub(super) fn short(replica: &Replica, agency: &AgencyId) -> String {
    let Some(chain) = replica.agency(agency) else {
        return agency.short();
    };
    let short = &chain.genesis().short;
    let is_rival = |other: &AgencyChain| {
        other.id() != *agency
            && other.genesis().short.eq_ignore_ascii_case(short)
            && (is_ours(replica, &other.id()) || !is_ours(replica, agency))
    };
    match replica.agencies().values().any(is_rival) {
        true => format!("{short} ({})", agency.short()),
        false => short.clone(),
    }
}

/// The short name of a node's agency; the beginning of its key where it is not known here.
pub(super) fn short_of_node(replica: &Replica, node: &NodeKey) -> String {
    let agency = replica.agency_of(node);
    agency.map_or_else(|| node.short(), |agency| short(replica, &agency))
}

/// A group's name; the beginning of its id where it is not followed here.
pub(super) fn group_name(replica: &Replica, group: &GroupId) -> String {
    let known = replica.group(group);
    known.map_or_else(|| group.short(), |group| group.chain.name().to_owned())
}

/// The label of a name.
pub(super) fn tlp(text: &str) -> Result<Tlp, ApiError> {
    Tlp::from_name(text)
        .ok_or_else(|| ApiError::invalid("tlp", text, "CLEAR, GREEN, AMBER, AMBER+STRICT or RED"))
}

/// The role of a name; contributor where none is said.
pub(super) fn role(text: Option<&str>) -> Result<Role, ApiError> {
    let Some(text) = text else {
        return Ok(Role::Contributor);
    };
    Role::from_name(&text.trim().to_ascii_lowercase())
        .ok_or_else(|| unknown_name("role", text, Role::ALL.iter().map(|role| role.name())))
}

/// The refusal of a name, with the right one that is nearest to it.
pub(super) fn unknown_name<'k>(
    field: &str,
    value: &str,
    known: impl Iterator<Item = &'k str>,
) -> ApiError {
    let nearest = known.min_by_key(|name| strsim::damerau_levenshtein(name, value));
    ApiError::new(ErrorCode::UnknownName)
        .with("field", field)
        .with("value", value)
        .with("nearest", nearest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_hexadecimal_digits_begin_an_id() {
        assert_eq!(id_prefix("ABCDEF").as_deref(), Some("abcdef"));
        assert_eq!(id_prefix(&"a".repeat(64)).map(|id| id.len()), Some(64));
        for bad in ["", "abcde", "abcdeg", "abcdé", &"a".repeat(65)] {
            assert_eq!(id_prefix(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_misspelt_role_is_told_the_right_one() {
        assert_eq!(role(Some(" Owner ")), Ok(Role::Owner));
        assert_eq!(role(None), Ok(Role::Contributor));
        let error = role(Some("contributer")).unwrap_err();
        assert_eq!(error.args["nearest"], "contributor");
    }
}
