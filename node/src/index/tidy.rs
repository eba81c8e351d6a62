//! Which segments are to become one while nothing else is to be done: a search looks into each of them.

/// Records that are merged at once at most: some seconds of one core.
const RECORDS_MAX: u64 = 50_000;
/// How many times as large as all smaller ones together a segment may be to be merged with them. What is larger stays:
/// so a record is written again a few times, however many come one by one.
const GROWTH: u64 = 3;

/// How many of some segments, by their records in rising order, are to be one, from the smallest on; none where they are
/// tidy.
pub(super) fn to_merge(sizes: &[u64]) -> usize {
    let (mut count, mut sum) = (0, 0);
    for size in sizes {
        let is_alike = count == 0 || *size <= GROWTH * sum;
        if !is_alike || sum + size > RECORDS_MAX {
            break;
        }
        count += 1;
        sum += size;
    }
    if count > 1 { count } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{GROWTH, RECORDS_MAX, to_merge};

    #[test]
    fn small_ones_are_merged_and_large_ones_stay() {
        assert_eq!(to_merge(&[]), 0);
        assert_eq!(to_merge(&[7]), 0);
        assert_eq!(to_merge(&[1, 20_000]), 0);
        assert_eq!(to_merge(&[1, 1, 20_000]), 2);
        assert_eq!(to_merge(&[3_000, 3_200, 3_300, 3_400, 35_000, 46_000]), 5);
        assert_eq!(to_merge(&[30_000, 30_000]), 0);
    }

    #[test]
    fn one_by_one_is_not_written_again_each_time() {
        let (mut sizes, mut written) = (Vec::new(), 0);
        for _ in 0..4_000 {
            sizes.insert(0, 1);
            let count = to_merge(&sizes);
            if count > 1 {
                let one: u64 = sizes.drain(..count).sum();
                written += one;
                sizes.insert(0, one);
                sizes.sort_unstable();
            }
        }
        assert!(sizes.len() < 8, "{sizes:?}");
        assert!(written < 20 * 4_000, "{written}");
    }

    proptest! {
        #[test]
        fn what_is_left_is_few_and_no_merge_is_large(mut sizes in prop::collection::vec(1..60_000_u64, 0..40)) {
            sizes.sort_unstable();
            loop {
                let count = to_merge(&sizes);
                prop_assert!(count != 1 && count <= sizes.len());
                if count == 0 {
                    break;
                }
                let one: u64 = sizes.drain(..count).sum();
                prop_assert!(one <= RECORDS_MAX);
                sizes.push(one);
                sizes.sort_unstable();
            }
            if let [first, second, ..] = sizes.as_slice() {
                prop_assert!(*second > GROWTH * first || first + second > RECORDS_MAX);
            }
        }
    }
}
