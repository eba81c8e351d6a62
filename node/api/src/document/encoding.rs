//! From bytes to text: which encoding a file is in, or that it is no text.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1256};

use super::skip::SkipReason;

/// A decoded text, and the name of its encoding where that was guessed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) guessed: Option<&'static str>,
}

/// One control character in so many bytes is the most that a text has.
const BYTES_A_CONTROL_MIN: usize = 50;

/// One damaged place in so many non-ASCII characters still lets a text pass as UTF-8.
const CHARS_A_DAMAGE_MIN: usize = 20;

/// Decodes a whole file: UTF-8, UTF-16 with a byte order mark, or what is certainly Windows-1252
/// (French and its neighbours) or Windows-1256 (Arabic).
///
/// # Errors
/// [`SkipReason::Binary`] for what is no text, [`SkipReason::UnknownEncoding`] for text that
/// could only be guessed at.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, SkipReason> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, UTF_16LE),
        [0xfe, 0xff, rest @ ..] => utf16(rest, UTF_16BE),
        [0xef, 0xbb, 0xbf, rest @ ..] => without_mark(rest),
        _ => without_mark(bytes),
    }
}

fn without_mark(bytes: &[u8]) -> Result<Decoded, SkipReason> {
    if is_binary(bytes) {
        return Err(SkipReason::Binary);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Decoded {
            text: text.to_owned(),
            guessed: None,
        }),
        Err(_) => legacy(bytes),
    }
}

fn utf16(bytes: &[u8], encoding: &'static Encoding) -> Result<Decoded, SkipReason> {
    let (text, damaged) = encoding.decode_without_bom_handling(bytes);
    if is_binary(text.as_bytes()) {
        Err(SkipReason::Binary)
    } else if damaged {
        Err(SkipReason::UnknownEncoding)
    } else {
        Ok(Decoded {
            text: text.into_owned(),
            guessed: None,
        })
    }
}

fn is_binary(bytes: &[u8]) -> bool {
    if bytes.contains(&0) {
        return true;
    }
    let is_odd = |b: &&u8| b.is_ascii_control() && !matches!(b, b'\n' | b'\r' | b'\t' | 0x0c);
    bytes
        .iter()
        .filter(is_odd)
        .count()
        .saturating_mul(BYTES_A_CONTROL_MIN)
        > bytes.len()
}

/// Not UTF-8 as it stands: UTF-8 with a damaged place or two, or an eight-bit encoding.
fn legacy(bytes: &[u8]) -> Result<Decoded, SkipReason> {
    let (mut intact, mut damaged) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        intact += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        damaged += usize::from(!chunk.invalid().is_empty());
    }
    if damaged.saturating_mul(CHARS_A_DAMAGE_MIN) <= intact {
        let text = String::from_utf8_lossy(bytes).into_owned();
        return Ok(Decoded {
            text,
            guessed: Some("UTF-8, damaged"),
        });
    }
    let high = bytes.iter().filter(|b| !b.is_ascii()).count();
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    // French writes an accent every twenty letters or so, Arabic nothing but letters above ASCII.
    let (encoding, name, fits): (_, _, fn(char) -> bool) = if high.saturating_mul(4) < letters {
        (WINDOWS_1252, "Windows-1252", |c| {
            c.is_alphabetic() || is_typographic(c)
        })
    } else if high > letters {
        (WINDOWS_1256, "Windows-1256", |c| {
            ('\u{60c}'..='\u{652}').contains(&c) || is_typographic(c)
        })
    } else {
        return Err(SkipReason::UnknownEncoding);
    };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let fitting = text.chars().filter(|c| !c.is_ascii() && fits(*c)).count();
    // Nine in ten: a legacy text has the odd symbol, random bytes have many.
    if fitting.saturating_mul(10) < high.saturating_mul(9) {
        return Err(SkipReason::UnknownEncoding);
    }
    Ok(Decoded {
        text: text.into_owned(),
        guessed: Some(name),
    })
}

fn is_typographic(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '«' | '»' | '°' | '§' | '·' | '€' | '…' | '\u{2013}'..='\u{2022}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8]) -> Result<(String, Option<&'static str>), SkipReason> {
        decode(bytes).map(|d| (d.text, d.guessed))
    }

    #[test]
    fn marks_name_the_encoding_and_go() {
        assert_eq!(text("\u{feff}été".as_bytes()), Ok(("été".to_owned(), None)));
        assert_eq!(
            text(b"\xff\xfea\0\x2a\x06"),
            Ok(("a\u{62a}".to_owned(), None))
        );
        assert_eq!(
            text(b"\xfe\xff\0a\x06\x2a"),
            Ok(("a\u{62a}".to_owned(), None))
        );
        assert_eq!(
            text(b"\xff\xfea\0\x00\xd8"),
            Err(SkipReason::UnknownEncoding)
        );
        assert_eq!(text(b"\xff\xfea\0\0\0"), Err(SkipReason::Binary));
    }

    #[test]
    fn legacy_encodings_are_told_apart() {
        let french = "L'enquête a été menée par l'unité chargée de la cybercriminalité.";
        let (bytes, ..) = WINDOWS_1252.encode(french);
        assert_eq!(text(&bytes), Ok((french.to_owned(), Some("Windows-1252"))));
        let arabic = "تحقيق في جرائم الإنترنت، ثلاث دول.";
        let (bytes, ..) = WINDOWS_1256.encode(arabic);
        assert_eq!(text(&bytes), Ok((arabic.to_owned(), Some("Windows-1256"))));
    }

    #[test]
    fn a_broken_byte_does_not_turn_arabic_into_gibberish() {
        let mut bytes = "تحقيق في جرائم الإنترنت بين ثلاث دول".as_bytes().to_vec();
        bytes.truncate(bytes.len() - 1);
        let (decoded, guessed) = text(&bytes).unwrap();
        assert!(decoded.starts_with("تحقيق في جرائم"), "{decoded}");
        assert_eq!(guessed, Some("UTF-8, damaged"));
    }

    #[test]
    fn what_is_no_text_is_said_so() {
        assert_eq!(text(b"PK\x03\x04\x14\0\x08\0"), Err(SkipReason::Binary));
        assert_eq!(
            text(b"\x01\x02\x03\x04 some words"),
            Err(SkipReason::Binary)
        );
        assert_eq!(
            text(b"\x80\x81ab\xfe\xff\x90cd"),
            Err(SkipReason::UnknownEncoding)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_decode_in_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(decoded) = decode(&bytes) {
                // UTF-16 grows by half, an eight-bit encoding to three bytes at most.
                prop_assert!(decoded.text.len() <= bytes.len() * 3);
                prop_assert!(!decoded.text.contains('\0'));
            }
        }
    }
}
