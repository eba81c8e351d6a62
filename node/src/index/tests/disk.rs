//! What the directory survives: reopening, damage, other versions, a second owner.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tantivy::TantivyDocument;

use super::{MEMORY, ask, filled, manuals, open, record, search};
use crate::index::{Index, IndexError, Opened, schema};

#[test]
fn the_committed_sequence_survives() {
    let (dir, opened) = filled(&manuals());
    assert!(opened.rebuilt);
    assert_eq!(opened.index.committed_seq(), 1);
    drop(opened);
    let mut opened = open(dir.path());
    assert!(!opened.rebuilt);
    assert_eq!(opened.index.committed_seq(), 1);
    assert_eq!(search(&opened, "enquêtes"), [1]);
    opened.writer.commit(42).unwrap();
    drop(opened);
    assert_eq!(open(dir.path()).index.committed_seq(), 42);
}

#[test]
fn a_record_that_is_put_again_is_there_once() {
    let (dir, mut opened) = filled(&manuals());
    let put_again = |opened: &mut Opened| {
        for record in manuals() {
            opened.writer.put(&record).unwrap();
        }
        opened.writer.commit(2).unwrap();
        assert_eq!(opened.index.count(), 3);
        assert_eq!(search(opened, "enquêtes"), [1]);
    };
    put_again(&mut opened);
    drop(opened);
    put_again(&mut open(dir.path()));
    // As a version did that did not say which numbers were never used.
    let index = tantivy::Index::open_in_dir(dir.path()).unwrap();
    schema::register_analysers(index.tokenizers());
    let mut writer = index.writer::<TantivyDocument>(MEMORY).unwrap();
    let mut commit = writer.prepare_commit().unwrap();
    commit.set_payload("2");
    commit.commit().unwrap();
    drop(writer);
    let mut opened = open(dir.path());
    assert!(!opened.rebuilt);
    put_again(&mut opened);
}

#[test]
fn small_segments_become_one_while_there_is_nothing_else_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    let put = |opened: &mut Opened, num: u64| {
        let title = format!("Manuel numero{num}");
        opened.writer.put(&record(num, &[("fr", &title)])).unwrap();
        opened.writer.commit(num).unwrap();
    };
    let segments = |opened: &Opened| {
        let searcher = opened.index.shared().reader.searcher();
        searcher.segment_readers().len()
    };
    for num in 1..=6 {
        put(&mut opened, num);
    }
    assert_eq!(segments(&opened), 6);
    assert!(opened.writer.tidy().unwrap());
    // What comes meanwhile is neither lost nor in the way.
    put(&mut opened, 7);
    opened.writer.remove(2).unwrap();
    opened.writer.commit(8).unwrap();
    // That one of the segments is empty now may bring the first merge to nothing; nothing disturbs the second.
    for _ in 0..2 {
        while opened.writer.tidy().unwrap() {
            std::thread::yield_now();
        }
    }
    opened.writer.rest().unwrap();
    assert!(segments(&opened) <= 2, "{}", segments(&opened));
    assert_eq!((opened.index.count(), opened.index.committed_seq()), (6, 8));
    for num in 1..=7 {
        let found = search(&opened, &format!("numero{num}"));
        assert_eq!(found.contains(&num), num != 2, "{num}: {found:?}");
    }
    assert!(!opened.writer.tidy().unwrap(), "a writer at rest is tidy");
    drop(opened);
    assert_eq!(open(dir.path()).index.count(), 6);
}

/// Breaks an index by `harm` and expects an empty, working one afterwards.
fn starts_empty_after(harm: impl Fn(&Path)) {
    let (dir, opened) = filled(&manuals());
    drop(opened);
    harm(dir.path());
    let mut opened = open(dir.path());
    assert!(opened.rebuilt);
    assert_eq!((opened.index.count(), opened.index.committed_seq()), (0, 0));
    opened.writer.put(&manuals()[0]).unwrap();
    opened.writer.commit(5).unwrap();
    assert_eq!(search(&opened, "enquête"), [1]);
    drop(opened);
    assert!(!open(dir.path()).rebuilt);
}

/// The files of the index, largest first.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    files
}

#[test]
fn another_schema_version_starts_empty() {
    starts_empty_after(|dir| fs::write(dir.join("diwan-index-version"), "999\n").unwrap());
    starts_empty_after(|dir| fs::write(dir.join("diwan-index-version"), "four\n").unwrap());
    starts_empty_after(|dir| fs::remove_file(dir.join("diwan-index-version")).unwrap());
}

#[test]
fn an_older_index_answers_until_the_new_one_has_caught_up() {
    let home = tempfile::tempdir().unwrap();
    let (dir, next) = (home.path().join("index"), home.path().join("index.next"));
    let mut opened = open(&dir);
    for record in manuals() {
        opened.writer.put(&record).unwrap();
    }
    opened.writer.commit(7).unwrap();
    drop(opened);
    fs::write(dir.join("diwan-index-version"), "0\n").unwrap();

    let mut opened = open(&dir);
    assert!(opened.index.is_older());
    assert_eq!(opened.index.committed_seq(), 7);
    assert_eq!(opened.writer.committed_seq(), 0);
    opened.writer.put(&record(9, &[("fr", "Nouveau")])).unwrap();
    opened.writer.commit(2).unwrap();
    assert_eq!(search(&opened, "enquêtes"), [1]);
    assert!(search(&opened, "nouveau").is_empty());
    drop(opened);

    // Stopped half way, it goes on from there.
    let mut opened = open(&dir);
    assert!(opened.index.is_older() && !opened.rebuilt);
    assert_eq!(opened.writer.committed_seq(), 2);
    assert_eq!(search(&opened, "enquêtes"), [1]);
    let clone = opened.index.clone();
    opened.writer.commit(8).unwrap();
    opened.writer.caught_up().unwrap();
    assert_eq!((clone.is_older(), clone.committed_seq()), (false, 8));
    assert_eq!(search(&opened, "nouveau"), [9]);
    assert!(search(&opened, "enquêtes").is_empty());
    drop((opened, clone));

    // Cut off while it takes the other's place.
    fs::remove_dir_all(&dir).unwrap();
    let mut opened = open(&dir);
    assert!(!opened.rebuilt && !opened.index.is_older() && !next.exists());
    assert_eq!(search(&opened, "nouveau"), [9]);
    opened.writer.put(&record(10, &[("fr", "Encore")])).unwrap();
    opened.writer.commit(9).unwrap();
    assert_eq!(search(&opened, "encore"), [10]);
    drop(opened);
    assert_eq!(open(&dir).index.committed_seq(), 9);
}

#[test]
fn damage_starts_empty() {
    starts_empty_after(|dir| fs::write(dir.join("meta.json"), "{").unwrap());
    starts_empty_after(|dir| fs::write(dir.join("meta.json"), [0xff; 40]).unwrap());
    starts_empty_after(|dir| fs::remove_file(dir.join("meta.json")).unwrap());
    starts_empty_after(|dir| fs::remove_file(dir.join(".managed.json")).unwrap());
    starts_empty_after(|dir| fs::remove_dir_all(dir).unwrap());
    starts_empty_after(|dir| {
        fs::remove_dir_all(dir).unwrap();
        fs::create_dir_all(dir.join("meta.json")).unwrap();
        fs::create_dir_all(dir.join("diwan-index-version").join("deep")).unwrap();
        fs::write(dir.join("garbage"), [7; 5000]).unwrap();
    });
}

#[test]
fn one_flipped_bit_or_a_lost_segment_file_starts_empty() {
    let is_segment = |path: &Path| {
        path.extension()
            .is_some_and(|ext| ext != "json" && ext != "lock")
            && !path.ends_with("diwan-index-version")
    };
    starts_empty_after(|dir| {
        for path in files(dir).into_iter().filter(|path| is_segment(path)) {
            let mut bytes = fs::read(&path).unwrap();
            bytes[0] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
    });
    for harm in [
        |path: &Path| fs::remove_file(path),
        |path: &Path| fs::write(path, []),
    ] {
        starts_empty_after(|dir| {
            let victim = files(dir)
                .into_iter()
                .find(|path| is_segment(path))
                .unwrap();
            harm(&victim).unwrap();
        });
    }
}

#[test]
fn a_second_writer_is_refused_and_harms_nothing() {
    let (dir, opened) = filled(&manuals());
    assert!(matches!(
        Index::open(dir.path(), MEMORY),
        Err(IndexError::Busy(_))
    ));
    assert_eq!(search(&opened, "enquête"), [1]);
    drop(opened);
    assert_eq!(open(dir.path()).index.count(), 3);
}

#[test]
fn a_writer_that_rested_goes_on_and_keeps_others_out_meanwhile() {
    let (dir, mut opened) = filled(&manuals());
    opened.writer.rest().unwrap();
    opened.writer.rest().unwrap();
    assert_eq!(search(&opened, "enquête"), [1]);
    assert!(matches!(
        Index::open(dir.path(), MEMORY),
        Err(IndexError::Busy(_))
    ));
    opened.writer.rollback().unwrap();
    opened.writer.remove(1).unwrap();
    opened.writer.commit(7).unwrap();
    assert_eq!(search(&opened, "enquête"), [0_u64; 0]);
    opened.writer.rest().unwrap();
    drop(opened);
    assert_eq!(open(dir.path()).index.committed_seq(), 7);
}

#[test]
fn searches_let_go_of_what_was_merged_when_the_writer_rests() {
    let (dir, mut opened) = filled(&[]);
    // As many as are merged into one behind the last commit.
    for num in 1..=8 {
        let record = record(num, &[("fr", "Enquête")]);
        opened.writer.put(&record).unwrap();
        opened.writer.commit(num).unwrap();
    }
    opened.writer.rest().unwrap();
    let shared = opened.index.shared();
    let searcher = shared.reader.searcher();
    let segments = searcher.segment_readers().iter();
    let seen: BTreeSet<_> = segments.map(tantivy::SegmentReader::segment_id).collect();
    let index = tantivy::Index::open_in_dir(dir.path()).unwrap();
    let newest = index
        .searchable_segment_ids()
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(seen, newest);
    assert_eq!(seen.len(), 1);
    assert_eq!(opened.index.search(&ask("enquête")).unwrap().total, 8);
}

#[test]
fn a_file_in_place_of_the_directory_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    fs::write(&path, "not ours").unwrap();
    assert!(matches!(Index::open(&path, MEMORY), Err(IndexError::Io(_))));
    assert_eq!(fs::read(&path).unwrap(), b"not ours");
}
