//! The three nodes' canonical exports, side by side.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use diwan_api::types::ExportQuery;

use super::fault::DemoError;
use super::node::{Node, Trio};
use super::place::Place;
use super::share::GROUP;
use super::tell::Teller;

/// Bytes that are compared at a time.
const CHUNK: usize = 64 * 1024;

/// Exports at every node, and compares the files byte by byte.
pub(super) async fn exports(
    teller: &mut Teller<'_>,
    place: &Place,
    trio: Trio<'_>,
) -> Result<(), DemoError> {
    teller.step("demo-step-exports");
    teller.say("demo-exports-what", &[]);
    let mut paths = Vec::new();
    for node in trio.all() {
        let path = export(place, node).await?;
        let shown = path.display().to_string();
        teller.diwan(
            node,
            &["export", &shown, "--group", GROUP, "--format", "jsonl"],
        );
        paths.push((node, path));
    }
    let Some(((_, first), others)) = paths.split_first() else {
        return Ok(());
    };
    for (node, other) in others {
        teller.command(&[
            "cmp",
            &first.display().to_string(),
            &other.display().to_string(),
        ]);
        if !same(first, other).map_err(DemoError::file(other))? {
            return Err(DemoError::Untrue {
                short: node.short(),
                law: "demo-law-exports",
            });
        }
    }
    let bytes = std::fs::metadata(first)
        .map_err(DemoError::file(first))?
        .len();
    teller.say("demo-exports-equal", &[("bytes", bytes.into())]);
    Ok(())
}

async fn export(place: &Place, node: &Node) -> Result<PathBuf, DemoError> {
    let below = format!("exports/{}.jsonl", node.short());
    let path = place.file(&below).map_err(DemoError::file(place.dir()))?;
    let file = File::create(&path).map_err(DemoError::file(&path))?;
    let mut file = BufWriter::new(file);
    let query = ExportQuery {
        group: Some(GROUP.to_owned()),
        query: None,
    };
    let failed = DemoError::of(node.short());
    let mut lines = node.client().export(&query).await.map_err(&failed)?;
    while let Some(line) = lines.next().await.map_err(&failed)? {
        file.write_all(&line).map_err(DemoError::file(&path))?;
    }
    file.flush().map_err(DemoError::file(&path))?;
    Ok(path)
}

/// Whether two files hold the same bytes, and any at all: two empty exports show nothing.
fn same(one: &Path, other: &Path) -> std::io::Result<bool> {
    let (mut one, mut other) = (
        BufReader::with_capacity(CHUNK, File::open(one)?),
        BufReader::with_capacity(CHUNK, File::open(other)?),
    );
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut any = false;
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(CHUNK as u64).read_to_end(&mut left)?;
        other.by_ref().take(CHUNK as u64).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(any);
        }
        any = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_byte_counts() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let long = vec![7; 3 * CHUNK];
        let (a, b) = (file("a", &long), file("b", &long));
        assert!(same(&a, &b).unwrap());
        assert!(!same(&a, &file("c", &long[1..])).unwrap());
        let mut other = long;
        other[2 * CHUNK] = 8;
        assert!(!same(&a, &file("d", &other)).unwrap());
        assert!(!same(&file("e", b""), &file("f", b"")).unwrap());
    }
}
