//! A fingerprint: eight groups of five digits, read over the phone in any language.
//!
//! Each group is four digits of the agency id (106 bits in all) and a check digit after Damm
//! ("Total anti-symmetrische Quasigruppen", 2004), which finds every wrong digit and every
//! exchange of neighbours. The group's place enters the check too, so exchanged groups show.

use std::fmt;

use crate::id::AgencyId;

const GROUPS: usize = 8;

/// The digits by which two admins know that they speak of the same agency.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u16; GROUPS]);

/// What was typed is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Not eight groups of five digits.
    #[error("expected eight groups of five digits, found {0} digits")]
    Digits(usize),
    /// A group that has not five digits, where there are eight.
    #[error("group {group} has {digits} digits")]
    Length {
        /// From 1.
        group: usize,
        /// Its digits.
        digits: usize,
    },
    /// A group with a wrong check digit; groups count from 1.
    #[error("group {0} is mistyped: its check digit does not fit")]
    Group(usize),
}

impl Fingerprint {
    /// The fingerprint of an agency.
    #[must_use]
    pub fn of(agency: &AgencyId) -> Self {
        let mut groups = [0; GROUPS];
        for (group, bytes) in groups.iter_mut().zip(agency.0.as_chunks::<4>().0) {
            *group = u16::try_from(u32::from_be_bytes(*bytes) % 10_000).unwrap_or(0);
        }
        Self(groups)
    }

    /// Reads what an admin typed: digits of any of our scripts, with anything between them.
    ///
    /// # Errors
    /// [`FingerprintError`] names the group that is mistyped.
    pub fn read(text: &str) -> Result<Self, FingerprintError> {
        let digits: Vec<u8> = text.chars().filter_map(digit).collect();
        let (typed, rest) = digits.as_chunks::<5>();
        if typed.len() != GROUPS || !rest.is_empty() {
            return Err(wrong_length(text, digits.len()));
        }
        let mut groups = [0; GROUPS];
        for (place, (group, [a, b, c, d, check])) in groups.iter_mut().zip(typed).enumerate() {
            if damm(place, [*a, *b, *c, *d]) != *check {
                return Err(FingerprintError::Group(place + 1));
            }
            *group = [a, b, c, d]
                .iter()
                .fold(0, |sum, digit| sum * 10 + u16::from(**digit));
        }
        Ok(Self(groups))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, group) in self.0.iter().enumerate() {
            let digits = [group / 1000, group / 100 % 10, group / 10 % 10, group % 10]
                .map(|digit| u8::try_from(digit).unwrap_or(0));
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{group:04}{}", damm(place, digits))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Names the group that is too short or too long, where what was typed is eight groups.
fn wrong_length(text: &str, digits: usize) -> FingerprintError {
    let groups = text.split(|c| digit(c).is_none());
    let groups = groups.filter(|group| !group.is_empty());
    let lengths: Vec<usize> = groups.map(|group| group.chars().count()).collect();
    let wrong = lengths.iter().position(|length| *length != 5);
    match wrong.filter(|_| lengths.len() == GROUPS) {
        Some(place) => FingerprintError::Length {
            group: place + 1,
            digits: lengths.get(place).copied().unwrap_or(0),
        },
        None => FingerprintError::Digits(digits),
    }
}

/// The value of a decimal digit: Latin, Arabic-Indic or Extended Arabic-Indic.
fn digit(c: char) -> Option<u8> {
    let value = match c {
        '0'..='9' => c as u32 - '0' as u32,
        '\u{0660}'..='\u{0669}' => c as u32 - 0x0660,
        '\u{06f0}'..='\u{06f9}' => c as u32 - 0x06f0,
        _ => return None,
    };
    u8::try_from(value).ok()
}

/// Damm's check digit over the group's place and its four digits.
fn damm(place: usize, digits: [u8; 4]) -> u8 {
    const TABLE: [[u8; 10]; 10] = [
        [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
        [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
        [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
        [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
        [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
        [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
        [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
        [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
        [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
        [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
    ];
    let place = u8::try_from(place % 10).unwrap_or(0);
    std::iter::once(place)
        .chain(digits)
        .fold(0, |interim, digit| {
            let row = TABLE.get(usize::from(interim));
            row.and_then(|row| row.get(usize::from(digit)))
                .copied()
                .unwrap_or(0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_is_eight_groups_of_five_digits_and_reads_back_in_arabic_digits() {
        let fingerprint = Fingerprint::of(&AgencyId([0x5a; 32]));
        let text = fingerprint.to_string();
        assert_eq!(text.split(' ').map(str::len).collect::<Vec<_>>(), [5; 8]);
        let arabic: String = text
            .chars()
            .map(|c| {
                c.to_digit(10)
                    .and_then(|d| char::from_u32(0x660 + d))
                    .unwrap_or('-')
            })
            .collect();
        assert_eq!(Fingerprint::read(&arabic), Ok(fingerprint));
    }

    #[test]
    fn too_few_digits_are_counted() {
        assert_eq!(Fingerprint::read("12 34"), Err(FingerprintError::Digits(4)));
    }

    proptest! {
        #[test]
        fn every_wrong_digit_and_every_exchange_of_neighbours_in_a_group_is_found(
            id: [u8; 32], group in 0..8usize, place in 0..4usize, other in 1..10u8,
        ) {
            let text = Fingerprint::of(&AgencyId(id)).to_string();
            let at = group * 6 + place;
            let mut wrong = text.clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + other) % 10;
            prop_assert_eq!(
                Fingerprint::read(&String::from_utf8(wrong).unwrap()),
                Err(FingerprintError::Group(group + 1))
            );
            let mut swapped = text.clone().into_bytes();
            swapped.swap(at, at + 1);
            if swapped != text.as_bytes() {
                prop_assert!(Fingerprint::read(&String::from_utf8(swapped).unwrap()).is_err());
            }
        }

        #[test]
        fn exchanged_groups_are_found(id: [u8; 32], a in 0..8usize, b in 0..8usize) {
            let text = Fingerprint::of(&AgencyId(id)).to_string();
            let mut groups: Vec<&str> = text.split(' ').collect();
            groups.swap(a, b);
            if groups.join(" ") != text {
                prop_assert!(Fingerprint::read(&groups.join(" ")).is_err());
            }
        }
    }
}
