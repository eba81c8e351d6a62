//! Rebuilds the crate when a document is added below `sample/`: the compiler itself notices changed
//! files of an embedded directory, but no new ones.

fn main() {
    println!("cargo:rerun-if-changed=sample");
}
