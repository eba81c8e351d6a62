//! The house rules that no compiler checks: arrows between rooms, one vendor in one room, a core
//! without devices, manifests that inherit, files that can be read. Each rule is a function over
//! text, with samples that it must refuse, and one test that holds it against this repository.

mod rules {
    mod arrows;
    mod cases;
    mod habits;
    mod kinds;
    mod layout;
    mod lexer;
    mod manifests;
    mod paths;
    mod purity;
    mod scopes;
    mod tree;
    mod vendors;

    /// Fails with one problem a line.
    #[track_caller]
    fn none(problems: &[String]) {
        assert!(
            problems.is_empty(),
            "{} broken:\n{}",
            problems.len(),
            problems.join("\n")
        );
    }
}
