//! What a key file promises: what was written comes back, to whom it belongs, or not at all.

use super::*;
use proptest::prelude::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use zeroize::Zeroizing;

const SEED: [u8; 32] = *b"thirty-two bytes for an example.";

/// A directory with one root key in it.
struct Keys {
    dir: tempfile::TempDir,
}

impl Keys {
    fn sealed() -> Self {
        let keys = Self::empty();
        let passphrase = passphrase();
        keys.write(Protection::Passphrase(&passphrase)).unwrap();
        keys
    }

    fn open() -> Self {
        let keys = Self::empty();
        keys.write(Protection::None).unwrap();
        keys
    }

    fn empty() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("keys/root.key")
    }

    fn write(&self, protection: Protection<'_>) -> Result<(), KeystoreError> {
        let seed = Secret32::from_bytes(&SEED);
        let cost = KdfCost::CHEAPEST_FOR_TESTS;
        write_key_at_cost(&self.path(), KeyPurpose::Root, &seed, protection, cost)
    }

    fn read(&self) -> Result<Secret32, KeystoreError> {
        read_key(&self.path(), KeyPurpose::Root, Some(&passphrase()))
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn overwrite(&self, content: impl AsRef<[u8]>) {
        fs::write(self.path(), content).unwrap();
    }

    /// Changes the text as somebody does who knows how the check line is made.
    fn forge(&self, from: &str, to: &str) {
        let text = self.text();
        let (body, _) = text.split_once("check ").unwrap();
        assert!(body.contains(from), "{from:?} is not in {body:?}");
        self.overwrite(with_check(&body.replacen(from, to, 1)));
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new("ديوان, café, 42").unwrap()
}

fn with_check(body: &str) -> String {
    let hash = blake3::hash(body.as_bytes()).to_hex();
    format!("{body}check {}\n", &hash[..16])
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_sealed_key_comes_back_by_its_passphrase_only() {
    let keys = Keys::sealed();
    assert!(is_encrypted(&keys.path()).unwrap());
    assert_eq!(keys.read().unwrap().as_bytes(), &SEED);

    let other = Passphrase::new("ديوان, cafe, 42").unwrap();
    let refused = read_key(&keys.path(), KeyPurpose::Root, Some(&other));
    assert!(
        matches!(refused, Err(KeystoreError::WrongPassphrase { .. })),
        "{refused:?}"
    );
    let refused = read_key(&keys.path(), KeyPurpose::Root, None);
    assert!(
        matches!(refused, Err(KeystoreError::NeedsPassphrase { .. })),
        "{refused:?}"
    );
}

#[test]
fn an_open_key_comes_back_without_one() {
    let keys = Keys::open();
    assert!(!is_encrypted(&keys.path()).unwrap());
    let seed = read_key(&keys.path(), KeyPurpose::Root, None).unwrap();
    assert_eq!(seed.as_bytes(), &SEED);
}

#[test]
fn an_open_key_file_is_this_text() {
    let body = "diwan-key 1\npurpose root\nkdf none\nseed \
                7468697274792d74776f20627974657320666f7220616e206578616d706c652e\n";
    assert_eq!(Keys::open().text(), with_check(body));
}

#[test]
fn a_sealed_key_file_shows_its_parameters_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    let seed = Secret32::from_bytes(&SEED);
    write_key(
        &path,
        KeyPurpose::Root,
        &seed,
        Protection::Passphrase(&passphrase()),
    )
    .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("\nkdf argon2id m=65536 t=3 p=1 salt="),
        "{text}"
    );
    assert!(text.contains("\ncipher xchacha20poly1305 nonce="), "{text}");
    assert!(
        !text.contains(&data_encoding::HEXLOWER.encode(&SEED)),
        "{text}"
    );
    let back = read_key(&path, KeyPurpose::Root, Some(&passphrase())).unwrap();
    assert_eq!(back.as_bytes(), &SEED);
}

#[test]
fn the_same_key_is_never_sealed_the_same_way_twice() {
    let (one, other) = (Keys::sealed().text(), Keys::sealed().text());
    for word in ["salt=", "nonce=", "sealed "] {
        let after = |text: &str| text.split_once(word).unwrap().1[..32].to_owned();
        assert_ne!(after(&one), after(&other), "{word}");
    }
}

#[test]
fn no_single_flipped_bit_goes_unnoticed() {
    for keys in [Keys::sealed(), Keys::open()] {
        let good = keys.text().into_bytes();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                keys.overwrite(&bad);
                let refused = keys.read();
                assert!(
                    matches!(refused, Err(KeystoreError::Damaged { .. })),
                    "byte {at}, bit {bit}: {refused:?}"
                );
            }
        }
    }
}

#[test]
fn a_file_cut_anywhere_or_grown_is_damaged() {
    let keys = Keys::sealed();
    let good = keys.text();
    for length in 0..good.len() {
        keys.overwrite(&good[..length]);
        let refused = keys.read();
        assert!(
            matches!(refused, Err(KeystoreError::Damaged { .. })),
            "{length}: {refused:?}"
        );
    }
    for grown in [
        format!("{good}\n"),
        format!("\n{good}"),
        good.replace('\n', "\r\n"),
    ] {
        keys.overwrite(&grown);
        assert!(
            matches!(keys.read(), Err(KeystoreError::Damaged { .. })),
            "{grown:?}"
        );
    }
}

#[test]
fn damage_is_told_by_its_line_even_under_a_right_check() {
    let table = [
        ("diwan-key 1", "diwan-key one", 1),
        ("diwan-key 1", "diwan-kex 1", 1),
        ("purpose root", "purpose king", 2),
        ("purpose root\n", "", 2),
        ("argon2id", "argon2i", 3),
        ("m=8 ", "m=1048577 ", 3),   // over 1 GiB
        ("m=8 ", "m=7 ", 3),         // too little for one lane
        ("t=1 ", "t=17 ", 3),        // too many passes
        ("t=1 ", "t=0 ", 3),         //
        ("p=1 ", "p=9 ", 3),         // too many lanes
        ("p=1 ", "p=536870913 ", 3), // 8 times this overflows
        ("m=8 ", "m=99999999999 ", 3),
        ("salt=", "salt=zz", 3),
        ("nonce=", "nonce=00", 4),
        ("xchacha20poly1305", "chacha20poly1305", 4),
        ("sealed ", "sealed 0", 5),
        ("sealed ", "secret ", 5),
        ("kdf ", "kdf none\nkdf ", 4), // a seed is expected below
    ];
    for (from, to, expected) in table {
        let keys = Keys::sealed();
        keys.forge(from, to);
        match keys.read() {
            Err(KeystoreError::Damaged { line, .. }) => assert_eq!(line, expected, "{to:?}"),
            other => panic!("{to:?} gave {other:?}"),
        }
    }
}

#[test]
fn a_key_file_has_one_form_only() {
    for (from, to) in [
        ("m=8 ", "m=08 "),
        ("m=8 ", "m=+8 "),
        ("salt=", "x=1 salt="),
        (" p=", "  p="),
    ] {
        let keys = Keys::sealed();
        keys.forge(from, to);
        assert!(
            matches!(keys.read(), Err(KeystoreError::Damaged { .. })),
            "{to:?}"
        );
    }
    let keys = Keys::open();
    keys.forge("kdf none\n", "kdf none\n\n");
    assert!(matches!(
        keys.read(),
        Err(KeystoreError::Damaged { line: 4, .. })
    ));
    let keys = Keys::open();
    keys.forge("2e\n", "2e\nand another line\n");
    assert!(matches!(
        keys.read(),
        Err(KeystoreError::Damaged { line: 5, .. })
    ));
}

#[test]
fn the_head_of_a_sealed_key_cannot_be_forged() {
    // The passphrase is right; the purpose is not the one that was sealed.
    let keys = Keys::sealed();
    keys.forge("purpose root", "purpose node");
    let refused = read_key(&keys.path(), KeyPurpose::Node, Some(&passphrase()));
    assert!(
        matches!(refused, Err(KeystoreError::WrongPassphrase { .. })),
        "{refused:?}"
    );
}

#[test]
fn another_version_is_told_from_damage() {
    let keys = Keys::empty();
    keys.write(Protection::None).unwrap();
    keys.overwrite(with_check("diwan-key 2\nwhatever this will be\n"));
    let refused = keys.read();
    assert!(matches!(
        refused,
        Err(KeystoreError::UnsupportedVersion { found: 2, .. })
    ));
}

#[test]
fn a_key_for_another_use_is_refused() {
    let keys = Keys::open();
    let refused = read_key(&keys.path(), KeyPurpose::Node, None);
    assert!(matches!(
        refused,
        Err(KeystoreError::WrongPurpose {
            found: KeyPurpose::Root,
            expected: KeyPurpose::Node,
            ..
        })
    ));
}

#[test]
fn files_and_directories_are_private_and_drafts_are_gone() {
    let keys = Keys::sealed();
    assert_eq!(mode(&keys.path()), 0o600);
    let dir = keys.path().parent().unwrap().to_owned();
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
}

#[test]
fn a_key_open_to_others_is_refused_with_the_way_out() {
    let keys = Keys::open();
    for (wide, refused) in [
        (0o640, true),
        (0o604, true),
        (0o620, true),
        (0o601, true),
        (0o400, false),
    ] {
        fs::set_permissions(keys.path(), Permissions::from_mode(wide)).unwrap();
        match keys.read() {
            Err(error @ KeystoreError::TooOpen { .. }) if refused => {
                assert!(error.to_string().contains(&format!("{wide:03o}")));
                assert!(error.hint().starts_with("chmod 600 /"));
            }
            Ok(_) if !refused => {}
            other => panic!("mode {wide:03o} gave {other:?}"),
        }
    }
}

#[test]
fn a_key_is_never_overwritten() {
    let keys = Keys::open();
    let before = keys.text();
    let refused = keys.write(Protection::None);
    assert!(
        matches!(refused, Err(KeystoreError::Exists { .. })),
        "{refused:?}"
    );
    assert_eq!(keys.text(), before);
}

#[test]
fn what_is_no_key_file_is_refused_by_kind() {
    let keys = Keys::empty();
    assert!(matches!(keys.read(), Err(KeystoreError::Missing { .. })));

    keys.write(Protection::None).unwrap();
    keys.overwrite(vec![b'x'; file::KEY_FILE_MAX_BYTES + 1]);
    assert!(matches!(
        keys.read(),
        Err(KeystoreError::TooLarge {
            max_bytes: 4096,
            ..
        })
    ));
    keys.overwrite(vec![b'x'; file::KEY_FILE_MAX_BYTES]);
    assert!(matches!(
        keys.read(),
        Err(KeystoreError::Damaged { line: 1, .. })
    ));
    keys.overwrite(b"diwan-key 1\npurpose \xff\n");
    assert!(matches!(
        keys.read(),
        Err(KeystoreError::Damaged { line: 2, .. })
    ));

    fs::remove_file(keys.path()).unwrap();
    fs::create_dir(keys.path()).unwrap();
    fs::set_permissions(keys.path(), Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(keys.read(), Err(KeystoreError::Unreadable { .. })));

    let below_file = Keys::open().path();
    fs::create_dir_all(below_file.parent().unwrap()).unwrap();
    fs::write(&below_file, "").unwrap();
    let seed = Secret32::from_bytes(&SEED);
    let path = below_file.join("root.key");
    let refused = write_key(&path, KeyPurpose::Root, &seed, Protection::None);
    assert!(
        matches!(refused, Err(KeystoreError::Unreadable { .. })),
        "{refused:?}"
    );
    fs::remove_dir_all(below_file.parent().unwrap()).unwrap();
}

proptest! {
    #[test]
    fn any_bytes_under_a_right_check_are_refused_without_a_panic(
        lines in proptest::collection::vec("(purpose root|kdf none|kdf argon2id m=8 t=1 p=1 salt=\
            [0-9a-f]{0,40}|cipher xchacha20poly1305 nonce=[0-9a-f]{46,50}|(seed|sealed) \
            [0-9a-fA-F]{60,100}|\\PC{0,30})", 0..6),
    ) {
        let text = with_check(&format!("diwan-key 1\n{}\n", lines.join("\n")));
        // What is accepted must be its own and only text.
        if let Ok(key_file) = format::decode(text.as_bytes()) {
            prop_assert_eq!(&**format::encode(&key_file), text.as_str());
        }
    }

    #[test]
    fn any_seed_comes_back_from_any_passphrase(
        seed in any::<[u8; 32]>(),
        text in "[^\\p{Cc}]{1,40}",
        root in any::<bool>(),
    ) {
        let purpose = if root { KeyPurpose::Root } else { KeyPurpose::Node };
        let passphrase = Passphrase::new(&text).unwrap();
        let seed = Secret32::from_bytes(&seed);
        let sealed =
            seal::seal(purpose, &seed, &passphrase, KdfCost::CHEAPEST_FOR_TESTS).unwrap();
        let text = format::encode(&sealed);
        let decoded = format::decode(text.as_bytes()).unwrap();
        prop_assert_eq!(decoded.purpose, purpose);
        let Sealing::Sealed(inner) = &decoded.sealing else { panic!("sealed as open") };
        let opened = seal::open(inner, &format::associated_data(&decoded), &passphrase).unwrap();
        let opened = opened.unwrap();
        prop_assert_eq!(opened.as_bytes(), seed.as_bytes());
    }
}

#[test]
fn a_passphrase_file_holds_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("passphrase");
    let read = |content: &[u8]| {
        fs::write(&path, content).unwrap();
        Passphrase::from_file(&path)
    };
    for content in ["open sesame", "open sesame\n", "open sesame\r\n"] {
        assert_eq!(
            read(content.as_bytes()).unwrap().as_bytes(),
            b"open sesame",
            "{content:?}"
        );
    }
    assert_eq!(
        read(b" spaces count \n").unwrap().as_bytes(),
        b" spaces count "
    );
    for empty in ["", "\n", "\r\n"] {
        assert!(
            matches!(read(empty.as_bytes()), Err(KeystoreError::EmptyPassphrase)),
            "{empty:?}"
        );
    }
    for odd in [&b"two\nlines\n"[..], b"one\n\n", b"\xff\xfe", b"nul\0"] {
        assert!(
            matches!(read(odd), Err(KeystoreError::PassphraseNotText)),
            "{odd:?}"
        );
    }
    assert!(read(&[b'x'; 4096]).is_ok());
    assert!(matches!(
        read(&[b'x'; 4097]),
        Err(KeystoreError::PassphraseTooLong { .. })
    ));
    let missing = Passphrase::from_file(&dir.path().join("missing"));
    assert!(matches!(missing, Err(KeystoreError::Unreadable { .. })));
}

#[test]
fn a_passphrase_is_the_same_from_every_keyboard() {
    let composed = Passphrase::new("caf\u{e9}").unwrap();
    let decomposed = Passphrase::new("cafe\u{301}").unwrap();
    assert_eq!(composed.as_bytes(), decomposed.as_bytes());
}

#[test]
fn a_new_passphrase_is_asked_for_twice() {
    let ask = |answers: &[&str], confirm: Option<&str>| {
        let mut answers = answers.iter();
        let mut prompts = Vec::new();
        let asked = Passphrase::ask_through("Passphrase: ", confirm, |prompt| {
            prompts.push(prompt.to_owned());
            Ok(Zeroizing::new((*answers.next().unwrap()).to_owned()))
        });
        (asked, prompts)
    };
    let (asked, prompts) = ask(&["sesame"], None);
    assert_eq!(asked.unwrap().as_bytes(), b"sesame");
    assert_eq!(prompts, ["Passphrase: "]);

    let (asked, prompts) = ask(&["sesame", "sesame"], Some("Again: "));
    assert_eq!(asked.unwrap().as_bytes(), b"sesame");
    assert_eq!(prompts, ["Passphrase: ", "Again: "]);

    for second in ["sesam", ""] {
        let (asked, _) = ask(&["sesame", second], Some("Again: "));
        assert!(
            matches!(asked, Err(KeystoreError::PassphrasesDiffer)),
            "{second:?}"
        );
    }
    let (asked, prompts) = ask(&[""], Some("Again: "));
    assert!(matches!(asked, Err(KeystoreError::EmptyPassphrase)));
    assert_eq!(prompts.len(), 1, "an empty one is not asked for again");
}

#[test]
fn secrets_do_not_print() {
    let seed = Secret32::from_bytes(&SEED);
    assert_eq!(
        format!("{seed:?} {:?}", passphrase()),
        "Secret32(hidden) Passphrase(hidden)"
    );
}

#[test]
fn drawn_seeds_differ() {
    let (one, other) = (Secret32::random().unwrap(), Secret32::random().unwrap());
    assert_ne!(one.as_bytes(), other.as_bytes());
    assert_ne!(one.as_bytes(), &[0; 32]);
}
