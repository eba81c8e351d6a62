use super::*;

fn found(text: &str) -> Vec<String> {
    let guard = Guard::built_in().unwrap();
    let hits = guard.look(Tlp::Green, [("body.fr", text)]);
    hits.into_iter().map(|hit| hit.rule).collect()
}

#[test]
fn what_looks_like_personal_data_is_found() {
    for (rule, text) in [
        (
            "e-mail-person",
            "Écrire à karim.benali@interieur.gov.tn pour la suite",
        ),
        ("e-mail", "à contact@interieur.gov.tn"),
        ("phone", "Appeler le +216 71 234 567."),
        ("phone", "06 12 34 56 78"),
        ("phone", "اتصل بالرقم ٢١٦ ٧١ ٢٣٤ ٥٦٧+ صباحا"),
        ("phone", "الرقم \u{202a}+٢١٢ ٦١٢ ٣٤٥ ٦٧٨\u{202c}"),
        ("phone", "call (021) 555-1234"),
        ("phone-by-word", "tél : 71 234 567"),
        ("phone-by-word", "هاتف: ٧١٢٣٤٥٦٧"),
        ("iban", "compte FR14 2004 1010 0505 0001 3M02 606 ouvert"),
        ("card", "carte 4111-1111-1111-1111"),
        ("national-id-fr", "NIR 2 55 08 14 168 025 38"),
        ("national-id-es", "DNI 12345678Z"),
        ("national-id-it", "c.f. RSSMRA85T10A562S"),
        ("national-id", "CIN n° 08123456"),
        ("national-id", "رقم الهوية: ٩٠١٢٣٤٥٦٧"),
        ("plate", "véhicule AB-123-CD"),
        ("plate", "السيارة ١٢٣ تونس ٤٥٦٧"),
        ("ip-address", "depuis 8.8.4.4 vers"),
        ("private-key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
        (
            "access-token",
            "https://a.example/?key=AKIAIOSFODNN7EXAMPLE",
        ),
        ("access-token", "AKIAIOSFODNN7EXAMPLE"),
        ("password", "mot de passe : Azerty123!"),
        ("name-after-title", "par le Commissaire Ben Salah"),
        ("name-after-title", "قال السيد أحمد العياري"),
    ] {
        assert!(
            found(text).iter().any(|hit| hit == rule),
            "{rule}: {text}: {:?}",
            found(text)
        );
    }
}

#[test]
fn what_only_resembles_it_is_not() {
    for text in [
        "le 05.03.2026 12:30, du 01.02.2026 au 05.02.2026 08 h",
        "UTC+1 2026-03-09, +2 (2019-2023), mobile 2021-2025, TZ 20240101",
        "help@example.org ; ops@node.test ; git@github.com:a/b.git",
        "le 14.03.2026 de 08:30 à 17:45, 2026-03-14T08:30:00Z",
        "version 1.2.3.0 et 10.0.0.7, 192.0.2.44",
        "sha256 3f786850e387550fdab836ed7e6dc881de23001b0612345678abcdef01234567",
        "https://a.example/status/4573379868567 http://a.example/0612345678/x",
        "ISO/IEC 27037:2012, EN 12345678, résolution 2341 (2017)",
        "commande 1234567890123456, lot 4111111111111112",
        "00:1b:44:11:3a:b7 et 12:30:45",
        "MITRE T1566.001, CVE-2021-44228, M. le ministre",
        "BEGIN PUBLIC KEY, mot de passe oublié",
        "identifiant 61a3b20612345678ff",
    ] {
        assert_eq!(found(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_hit_says_where_and_by_which_label() {
    let guard = Guard::built_in().unwrap();
    let text = "Bonjour\nécrire à l’adresse x@police.tn";
    let hits = guard.look(Tlp::Red, [("title.fr", "Rien"), ("body.fr", text)]);
    let expected = Hit {
        rule: "e-mail".to_owned(),
        level: Level::Block,
        field: "body.fr".to_owned(),
        line: 2,
        column: 20,
        text: "x@police.tn".to_owned(),
    };
    assert_eq!(hits, [expected]);
    assert_eq!(
        guard.look(Tlp::Clear, [("body.fr", text)])[0].level,
        Level::Warn
    );
    assert_eq!(guard.look(Tlp::Red, [("body.fr", "8.8.8.8")]), []);
    assert_eq!(guard.look(Tlp::Clear, [("body.fr", "8.8.8.8")]).len(), 1);
}

#[test]
fn an_agency_changes_and_adds_rules() {
    let own = r#"
        personal_groups = ["experts"]
        [[rule]]
        id = "e-mail"
        pattern = "[a-z]+@[a-z.]+"
        except = "@europol[.]europa[.]eu$"
        level = "warn"
        clear = "block"
        [[rule]]
        id = "case-number"
        pattern = "PV-[0-9]{6}"
        level = "block"
    "#;
    let guard = Guard::with_own(own).unwrap();
    let look = |label, text| guard.look(label, [("body.fr", text)]);
    assert_eq!(
        look(Tlp::Clear, "a@b.tn").first().unwrap().level,
        Level::Block
    );
    assert_eq!(
        look(Tlp::Amber, "a@b.tn").first().unwrap().level,
        Level::Warn
    );
    assert!(guard.takes_persons("experts") && !guard.takes_persons("cyber"));
    assert_eq!(look(Tlp::Clear, "press@europol.europa.eu"), []);
    assert_eq!(look(Tlp::Green, "voir PV-123456").len(), 1);
    assert_eq!(
        look(Tlp::Green, "+216 71 234 567").len(),
        1,
        "the others stay"
    );
}

#[test]
fn bad_rules_are_refused_with_their_place() {
    let refused = |text: &str| Guard::with_own(text).unwrap_err().to_string();
    let rule = |rest: &str| format!("[[rule]]\nid = \"x\"\n{rest}");
    let places = [
        (rule("pattern = \"(\"\nlevel = \"warn\""), "rule `x`"),
        (rule("pattern = \"a*\"\nlevel = \"warn\""), "empty text"),
        (rule("pattern = \"a\"\nlevel = \"loud\""), "loud"),
        (
            rule("pattern = \"a\"\nlevel = \"warn\"\ncheck = \"y\""),
            "phone",
        ),
        (rule("pattern = \"a\"\nlevel = \"warn\"\ntlp = 1"), "line 5"),
        (
            rule("pattern = \"(a{1000}){1000}\"\nlevel = \"warn\""),
            "rule `x`",
        ),
        ("id = 3".to_owned(), "line 1"),
    ];
    for (text, part) in places {
        assert!(refused(&text).contains(part), "{part}: {}", refused(&text));
    }
    let many = "# \n".repeat(200_000);
    assert!(refused(&many).contains("bytes"));
}

/// A text of nothing but hits and of what is nearly one: bounded, and no rule's many hide another's one.
#[test]
fn a_hostile_text_is_looked_at_in_bounded_work() {
    let guard = Guard::built_in().unwrap();
    let many = "8.8.8.8 a@b.tn ".repeat(20_000) + "+216 71 234 567";
    let hits = guard.look(Tlp::Green, [("body.fr", many.as_str())]);
    assert!(hits.iter().any(|hit| hit.rule == "phone"));
    assert!(hits.len() <= 3 * HITS_OF_RULE);
    for text in [
        "a://".to_owned() + &"0612345678,".repeat(60_000),
        "4111-".repeat(100_000),
    ] {
        assert!(guard.look(Tlp::Green, [("body.fr", text.as_str())]).len() <= 2 * HITS_OF_RULE);
    }
}

#[test]
fn a_number_is_found_with_other_numbers_around_it() {
    for (rule, text) in [
        ("card", "Carte 4111 1111 1111 1111 12/27 CVV 123"),
        ("card", "2024 4111 1111 1111 1111"),
        ("iban", "IBAN TN59 1000 6035 1835 9847 8831 BIC BIATTNTT"),
        ("phone", "+21671234567 2024-11-28 10:00"),
    ] {
        assert!(
            found(text).iter().any(|hit| hit == rule),
            "{text}: {:?}",
            found(text)
        );
    }
}
