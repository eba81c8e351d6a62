//! Writes the committed corpus: honest bytes of every kind, from which the fuzzer begins.
#![allow(
    clippy::unwrap_used,
    reason = "a step that fails is a corpus that was not written"
)]

use std::path::Path;

fn main() {
    let changes = diwan_fuzz::change_seeds().into_iter();
    let mut seeds: Vec<_> = changes.map(|bytes| ("change_gate", bytes)).collect();
    seeds.extend(diwan_fuzz::statement_seeds());
    for (target, text) in [
        (
            "documents",
            "\0---\ntitle: Saisie\nlang: fr\ntags: [preuve, terrain]\ntlp: GREEN\n---\n# Saisie\n\nUn *corps*.\n",
        ),
        (
            "documents",
            "\u{1}+++\ntitle = \"Saisie\"\n+++\n\nUn corps.\n",
        ),
        (
            "documents",
            "\0{\"title\":{\"fr\":\"Saisie\",\"ar\":\"ضبط\"},\"body\":{\"fr\":\"Un corps.\"},\"tags\":[\"a\"]}\n",
        ),
        (
            "api_requests",
            "{\"group\":\"own\",\"kind\":\"guideline\",\"title\":{\"fr\":\"Saisie\"},\"editors\":\"group\"}",
        ),
        (
            "api_requests",
            "{\"card\":\"-----BEGIN DIWAN CARD-----\",\"fingerprint\":\"12345\"}",
        ),
        (
            "config",
            "listen = [\"/ip4/127.0.0.1/tcp/4001\"]\n[sync]\nredial_min_s = 2\n",
        ),
    ] {
        seeds.push((target, text.as_bytes().to_vec()));
    }
    seeds.extend(diwan_fuzz::batch_seeds());
    for (at, (target, bytes)) in seeds.iter().enumerate() {
        let folder = Path::new("corpus").join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{at:02}")), bytes).unwrap();
    }
}
