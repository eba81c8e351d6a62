//! Rebuilds the crate when a language is added below `messages/`: the compiler itself notices
//! changed files of an embedded directory, but no new ones.

fn main() {
    println!("cargo:rerun-if-changed=messages");
}
