//! What a home promises: private, claimed by one process, and never half made.

use super::private::Draft;
use super::*;
use std::io::BufRead;
use std::process::{Command, Stdio};

/// Tells the child of [`the_lock_names_its_holder_and_dies_with_it`] which home to hold.
const HOLD_ENV: &str = "DIWAN_TEST_HOLD_HOME";

fn new_home(dir: &Path) -> Home {
    Home::create(dir).unwrap().finish().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_finished_home_opens_and_is_private() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("deep/home");
    let home = new_home(&dir);
    assert_eq!(Home::open(&dir).unwrap(), home);
    for part in [
        &dir,
        &home.keys_dir(),
        &home.db_dir(),
        &home.index_dir(),
        &home.run_dir(),
    ] {
        assert_eq!(mode(part), 0o700, "{}", part.display());
    }
    assert_eq!(mode(&home.version_path()), 0o600);
    assert_eq!(fs::read(home.version_path()).unwrap(), b"1\n");
    assert_eq!(
        fs::read_dir(&dir).unwrap().count(),
        5,
        "no draft stays behind"
    );
}

#[test]
fn an_empty_directory_is_taken_over_and_closed_to_others() {
    let temp = tempfile::tempdir().unwrap();
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o755)).unwrap();
    new_home(temp.path());
    assert_eq!(mode(temp.path()), 0o700);
}

#[test]
fn an_interrupted_init_is_no_home() {
    let temp = tempfile::tempdir().unwrap();
    let unfinished = Home::create(temp.path()).unwrap();
    drop(unfinished);
    assert!(matches!(
        Home::open(temp.path()),
        Err(HomeError::NotAHome { .. })
    ));
    assert!(matches!(
        Home::create(temp.path()),
        Err(HomeError::NotEmpty { .. })
    ));
}

#[test]
fn what_is_no_home_is_refused_by_kind() {
    let temp = tempfile::tempdir().unwrap();
    let missing = temp.path().join("missing");
    assert!(matches!(
        Home::open(&missing),
        Err(HomeError::Missing { .. })
    ));

    let file = temp.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(Home::open(&file), Err(HomeError::NotAHome { .. })));
    assert!(matches!(
        Home::create(&file),
        Err(HomeError::Unreadable { .. })
    ));

    let below_file = file.join("home");
    assert!(matches!(
        Home::open(&below_file),
        Err(HomeError::Unreadable { .. })
    ));

    let version_is_a_directory = temp.path().join("odd");
    fs::create_dir_all(version_is_a_directory.join("home.version")).unwrap();
    assert!(matches!(
        Home::open(&version_is_a_directory),
        Err(HomeError::Unreadable { .. })
    ));
}

#[test]
fn a_home_is_never_made_twice() {
    let temp = tempfile::tempdir().unwrap();
    new_home(temp.path());
    assert!(matches!(
        Home::create(temp.path()),
        Err(HomeError::AlreadyAHome { .. })
    ));
}

#[test]
fn an_unknown_layout_is_refused_with_the_version_it_names() {
    let temp = tempfile::tempdir().unwrap();
    let home = new_home(temp.path());
    for (content, named) in [("2\n", "2"), ("", ""), ("\u{1b}[31m1", "\\u{1b}[31m1")] {
        fs::write(home.version_path(), content).unwrap();
        match Home::open(temp.path()) {
            Err(HomeError::UnsupportedVersion { found, .. }) => assert_eq!(found, named),
            other => panic!("{content:?} gave {other:?}"),
        }
    }
}

#[test]
fn the_socket_is_below_the_home_unless_it_is_absolute() {
    let home = Home {
        dir: PathBuf::from("/var/lib/diwan"),
    };
    assert_eq!(
        home.socket("run/node.sock"),
        Path::new("/var/lib/diwan/run/node.sock")
    );
    assert_eq!(
        home.socket("/run/diwan/node.sock"),
        Path::new("/run/diwan/node.sock")
    );
}

#[test]
fn a_home_is_locked_once_and_free_again_afterwards() {
    let temp = tempfile::tempdir().unwrap();
    let home = new_home(temp.path());
    let held = home.lock().unwrap();
    match home.lock() {
        Err(HomeError::Locked { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("a second lock gave {other:?}"),
    }
    drop(held);
    let held_again = home.lock().unwrap();
    drop(held_again);
    assert_eq!(
        fs::read(home.lock_path()).unwrap(),
        b"",
        "no pid outlives its process"
    );
}

#[test]
fn a_stale_or_damaged_lock_file_locks_nobody_out() {
    let temp = tempfile::tempdir().unwrap();
    let home = new_home(temp.path());
    fs::write(
        home.lock_path(),
        "4711\nrubbish that is longer than any pid",
    )
    .unwrap();
    let held = home.lock().unwrap();
    assert_eq!(
        fs::read_to_string(home.lock_path()).unwrap(),
        format!("{}\n", std::process::id())
    );
    fs::write(home.lock_path(), [0xff; 1000]).unwrap();
    assert!(matches!(
        home.lock(),
        Err(HomeError::Locked { pid: None, .. })
    ));
    drop(held);
}

#[test]
fn the_lock_names_its_holder_and_dies_with_it() {
    let temp = tempfile::tempdir().unwrap();
    let home = new_home(temp.path());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "home::tests::hold_the_lock_for_another_test",
            "--ignored",
            "--nocapture",
        ])
        .env(HOLD_ENV, temp.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = io::BufReader::new(child.stdout.take().unwrap()).lines();
    let held = lines.any(|line| line.is_ok_and(|line| line.contains("held")));
    assert!(held, "the child never got the lock");

    match home.lock() {
        Err(HomeError::Locked { pid, .. }) => assert_eq!(pid, Some(child.id())),
        other => panic!("a second lock gave {other:?}"),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(home.lock().unwrap());
}

/// Not a test: the other process of the test above.
#[test]
#[ignore = "run by the_lock_names_its_holder_and_dies_with_it"]
#[allow(clippy::print_stdout, reason = "the parent test reads it")]
fn hold_the_lock_for_another_test() {
    let Some(dir) = std::env::var_os(HOLD_ENV) else {
        return;
    };
    let _held = Home::open(Path::new(&dir)).unwrap().lock().unwrap();
    println!("held");
    // Ends when the parent kills us, or is itself gone and closes the pipe.
    let _ = io::stdin().read(&mut [0]);
}

#[test]
fn a_private_file_is_written_whole_and_never_over_another() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("secret");
    create_private_file(&path, b"first").unwrap();
    assert_eq!(mode(&path), 0o600);
    let refused = create_private_file(&path, b"second").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(
        fs::read_dir(temp.path()).unwrap().count(),
        1,
        "no draft stays behind"
    );
}

#[test]
fn the_draft_of_a_killed_process_is_no_obstacle() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("draft");
    fs::write(&path, b"half a file, left by a process of our pid").unwrap();
    let draft = Draft::write(path.clone(), b"whole").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"whole");
    drop(draft);
    assert!(!path.exists());
}

#[test]
fn an_opened_directory_keeps_its_mode() {
    let temp = tempfile::tempdir().unwrap();
    let home = new_home(temp.path());
    fs::set_permissions(home.run_dir(), Permissions::from_mode(0o750)).unwrap();
    drop(home.lock().unwrap());
    assert_eq!(mode(&home.run_dir()), 0o750);
}

#[test]
fn every_refusal_says_what_happened_and_what_to_do() {
    let dir = PathBuf::from("/srv/diwan");
    let locked = HomeError::Locked {
        dir: dir.clone(),
        pid: Some(42),
    };
    assert_eq!(locked.to_string(), "/srv/diwan is in use by process 42");
    let newer = HomeError::UnsupportedVersion {
        dir,
        found: "2".to_owned(),
    };
    assert_eq!(
        newer.to_string(),
        "/srv/diwan has layout version 2, this program knows 1"
    );
    assert!(newer.hint().contains("upgrade"));
}
