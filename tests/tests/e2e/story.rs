//! The story that the project exists for, as `docs/operate/story.sh` plays it: five nodes, from an exchange
//! to the gap it found, the action that closed it, and the proof that it helped.

use std::path::Path;
use std::process::Command;

use diwan_tests::kit::{one_at_a_time, programs};

#[test]
fn the_story_ends_with_the_gap_closed_on_five_nodes() {
    let _alone = one_at_a_time();
    let programs = programs();
    let folder = programs.cli.path().parent().unwrap();
    assert_eq!(programs.node.path().parent(), Some(folder));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operate/story.sh");
    let path = std::env::var("PATH").unwrap_or_default();
    let played = Command::new("bash")
        .arg(script)
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("LC_ALL", "C.UTF-8")
        .env_remove("DIWAN_HOME")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&played.stdout),
        String::from_utf8_lossy(&played.stderr),
    );
    assert!(played.status.success(), "{out}\n{err}");
    for said in [
        "will be readable in “euromed-cyber” as TLP:GREEN, by: dz, jo, ma, tn.",
        "Tunisia  Digital evidence  1      closed  1        1          1",
        "Stored by 5 of 5 agencies.",
    ] {
        assert!(out.contains(said), "{said}:\n{out}\n{err}");
    }
    assert!(err.contains("phone (+33 1 44 55 66 77)"), "{err}");
}
