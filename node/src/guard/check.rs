//! The arithmetic that tells a number of a kind from any other digits.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A check that a rule may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// 8 to 15 digits, not all of one kind (ITU-T E.164).
    Phone,
    /// Remainder 1 modulo 97 (ISO 13616).
    Iban,
    /// A number range of a card network, and the Luhn digit (ISO/IEC 7812).
    Card,
    /// The key of a French registration number: 97 less the remainder modulo 97.
    Nir,
    /// The letter of a Spanish DNI or NIE: the remainder modulo 23.
    Dni,
    /// The last letter of an Italian codice fiscale (decree of 23 December 1976).
    CodiceFiscale,
    /// An address that somebody on the Internet has: not private, not for documentation.
    Ip,
}

const CHECKS: [(&str, Check); 7] = [
    ("phone", Check::Phone),
    ("iban", Check::Iban),
    ("card", Check::Card),
    ("nir", Check::Nir),
    ("dni", Check::Dni),
    ("codice-fiscale", Check::CodiceFiscale),
    ("ip", Check::Ip),
];

impl Check {
    pub(super) fn of(name: &str) -> Option<Self> {
        let found = CHECKS.iter().find(|(known, _)| *known == name);
        found.map(|(_, check)| *check)
    }

    pub(super) fn names() -> String {
        CHECKS.map(|(name, _)| name).join(", ")
    }

    pub(super) fn holds(self, text: &str) -> bool {
        match self {
            Check::Phone => is_phone(text),
            Check::Iban => is_iban(text),
            Check::Card => is_card(text),
            Check::Nir => is_nir(text).unwrap_or(false),
            Check::Dni => is_dni(text).unwrap_or(false),
            Check::CodiceFiscale => is_codice_fiscale(text).unwrap_or(false),
            Check::Ip => is_somebodys(text),
        }
    }
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

fn is_phone(text: &str) -> bool {
    let digits = digits(text);
    let first = digits.last();
    (8..=15).contains(
        &digits
            .len()
            .saturating_sub(usize::from(text.starts_with("00")) * 2),
    ) && digits
        .iter()
        .rev()
        .take(6)
        .any(|digit| Some(digit) != first)
}

/// The remainder modulo 97 of digits and letters, a letter counting 10 to 35.
fn modulo_97(chars: impl Iterator<Item = char>) -> Option<u32> {
    let mut rest = 0;
    for c in chars {
        let value = c.to_digit(36)?;
        let weight = if value < 10 { 10 } else { 100 };
        rest = (rest * weight + value) % 97;
    }
    Some(rest)
}

fn is_iban(text: &str) -> bool {
    let chars: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    let (head, tail) = chars.split_at(chars.len().min(4));
    (15..=34).contains(&chars.len()) && modulo_97(tail.iter().chain(head).copied()) == Some(1)
}

fn is_card(text: &str) -> bool {
    let digits = digits(text);
    let prefix = digits.iter().take(4).fold(0, |sum, digit| sum * 10 + digit);
    let lengths = match prefix {
        4000..=4999 => 13..=19,
        5100..=5599 | 2221..=2720 => 16..=16,
        3400..=3499 | 3700..=3799 => 15..=15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => 14..=14,
        3528..=3589 | 6011 | 6500..=6599 => 16..=16,
        6200..=6299 => 16..=19,
        _ => return false,
    };
    lengths.contains(&digits.len()) && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Corsica's departments 2A and 2B count as 19 and 18.
fn is_nir(text: &str) -> Option<bool> {
    let plain: String = text.chars().filter(|c| *c != ' ').collect();
    let number = plain.get(..13)?.replace("2A", "19").replace("2B", "18");
    let number: u64 = number.parse().ok()?;
    let key: u64 = plain.get(13..)?.parse().ok()?;
    Some(key == 97 - number % 97)
}

fn is_dni(text: &str) -> Option<bool> {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let letter = text.bytes().last()?;
    let number = text.get(..8)?;
    let number = number.replace('X', "0").replace('Y', "1").replace('Z', "2");
    let number: usize = number.parse().ok()?;
    Some(LETTERS.get(number % LETTERS.len()) == Some(&letter))
}

fn is_codice_fiscale(text: &str) -> Option<bool> {
    /// What 0 to 9 and A to J, then K to Z, count at odd places.
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let mut sum = 0;
    for (at, c) in text.chars().take(15).enumerate() {
        let value = c.to_digit(10).or_else(|| Some(c.to_digit(36)? - 10))?;
        sum += match at % 2 {
            0 => *ODD.get(usize::try_from(value).ok()?)?,
            _ => value,
        };
    }
    let last = text.chars().nth(15)?.to_digit(36)?.checked_sub(10)?;
    Some(sum % 26 == last)
}

fn is_somebodys(text: &str) -> bool {
    match text.parse() {
        Ok(IpAddr::V4(address)) => is_somebodys_v4(address),
        Ok(IpAddr::V6(address)) => is_somebodys_v6(address),
        Err(_) => false,
    }
}

/// Not of the IANA special-purpose registry (RFC 6890), and no version number such as 1.2.0.0.
fn is_somebodys_v4(address: Ipv4Addr) -> bool {
    let [first, second, _, last] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || shared
        || first == 0
        || first >= 240
        || last == 0)
}

/// Of the global unicast space 2000::/3, but for documentation (RFC 3849).
fn is_somebodys_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    first >> 13 == 1 && (first, second) != (0x2001, 0xdb8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_their_kind_hold_and_neighbours_do_not() {
        let good = [
            (Check::Iban, "FR14 2004 1010 0505 0001 3M02 606"),
            (Check::Iban, "TN59 1000 6035 1835 9847 8831"),
            (Check::Card, "4111 1111 1111 1111"),
            (Check::Card, "378282246310005"),
            (Check::Nir, "2 55 08 14 168 025 38"),
            (Check::Dni, "12345678Z"),
            (Check::Dni, "X1234567L"),
            (Check::CodiceFiscale, "RSSMRA85T10A562S"),
            (Check::Ip, "8.8.8.8"),
            (Check::Ip, "2a00:1450:4007:80e::200e"),
            (Check::Phone, "+216 71 123 456"),
        ];
        for (check, text) in good {
            assert!(check.holds(text), "{check:?} {text}");
        }
        let bad = [
            (Check::Iban, "FR15 2004 1010 0505 0001 3M02 606"),
            (Check::Card, "4111 1111 1111 1112"),
            (Check::Card, "7992 7398 7139 8713"),
            (Check::Nir, "2 55 08 14 168 025 39"),
            (Check::Dni, "12345678A"),
            (Check::CodiceFiscale, "RSSMRA85T10A562T"),
            (Check::Ip, "192.168.1.7"),
            (Check::Ip, "203.0.113.9"),
            (Check::Ip, "2001:db8::1"),
            (Check::Ip, "300.1.1.1"),
            (Check::Phone, "+000 000 000 000"),
        ];
        for (check, text) in bad {
            assert!(!check.holds(text), "{check:?} {text}");
        }
    }
}
