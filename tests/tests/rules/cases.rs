//! Every attack case of the threat model that the repository answers for is shown by a test: a doc
//! comment `Case N.` above the test names it, or a vector in `tests/vectors` does.

use std::collections::BTreeSet;

use super::tree::Repository;

/// Identity, trust, groups, logs, records, sync, the network, texts, disks. Attachments, bundles,
/// audit and officers' roles (29 to 32, 37) come with what they attack.
fn required() -> BTreeSet<u64> {
    (1..=28).chain(33..=36).chain([38]).collect()
}

/// Cases that doc comments right above tests name.
fn named(text: &str) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    let mut waiting: BTreeSet<u64> = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            waiting.extend(numbers(comment));
        } else if line.starts_with("#[") {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        } else if line.starts_with("fn ") || line.starts_with("async fn ") {
            if is_test {
                found.append(&mut waiting);
            }
            waiting.clear();
            is_test = false;
        } else {
            waiting.clear();
            is_test = false;
        }
    }
    found
}

/// The numbers of a comment that is `Case N.`, `Cases N and M.` or has it as its last words.
fn numbers(comment: &str) -> Vec<u64> {
    let Some((_, cases)) = comment.rsplit_once("Case") else {
        return Vec::new();
    };
    let cases = cases.strip_prefix('s').unwrap_or(cases);
    let Some(cases) = cases.strip_suffix('.') else {
        return Vec::new();
    };
    let parts = cases
        .split([',', ' '])
        .filter(|part| !part.is_empty() && *part != "and");
    let parsed: Result<Vec<u64>, _> = parts.map(str::parse).collect();
    parsed.unwrap_or_default()
}

#[test]
fn every_case_of_the_threat_model_has_its_test() {
    let repository = Repository::read().unwrap();
    let mut shown: BTreeSet<u64> = BTreeSet::new();
    for file in repository.packages.values().flat_map(|p| &p.files) {
        shown.extend(named(&file.text));
    }
    shown.extend(diwan_tests::vectors::check().cases);
    let missing: Vec<String> = required()
        .difference(&shown)
        .map(|case| format!("case {case} of the threat model has no test"))
        .collect();
    super::none(&missing);
}

#[test]
fn only_a_comment_above_a_test_counts() {
    let shown = |text: &str| named(text).into_iter().collect::<Vec<u64>>();
    assert_eq!(shown("/// Case 5.\n#[test]\nfn a() {"), [5]);
    assert_eq!(
        shown("/// It holds. Cases 7 and 24.\n#[tokio::test]\nasync fn a() {"),
        [7, 24]
    );
    assert_eq!(shown("/// Case 5.\nfn a() {"), [0; 0]);
    assert_eq!(shown("/// Case 5.\n\n#[test]\nfn a() {"), [0; 0]);
    assert_eq!(shown("// Case 5.\n#[test]\nfn a() {"), [0; 0]);
    assert_eq!(shown("/// In case 5 of them.\n#[test]\nfn a() {"), [0; 0]);
}
