//! The order of an account's rows within one day, found from the balance that the bank states after each of them.
//!
//! A row *follows* a balance when that balance plus its amount is the balance it states. Of all orders of a day the one
//! is taken in which the fewest rows fail to follow, first those that no rounding explains, then the roundings; of
//! equally good orders the one that comes first when the rows are compared by their place in the file. So the order
//! depends on the rows alone.

/// Days of an account with more rows than this are ordered row by row instead: next is the row that fits best, the
/// first in the file of equally good ones. Finding the best order takes time and space `2^n`.
pub const EXACT_ROWS: usize = 12;

/// What a row does to its account, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Move {
    /// Credit positive, debit negative.
    pub amount: i128,
    /// What the bank says the balance is afterwards.
    pub balance: i128,
}

/// How bad an order is: lexicographic, so that no number of roundings outweighs one unexplained difference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Cost {
    /// Rows whose difference is larger than any rounding.
    pub unexplained: u32,
    /// Rows that differ by a rounding.
    pub roundings: u32,
}

impl Cost {
    /// One rounding.
    pub const ROUNDING: Self = Self { unexplained: 0, roundings: 1 };
    const WORST: Self = Self { unexplained: u32::MAX, roundings: u32::MAX };

    fn of(difference: i128, rounding_max: i128) -> Self {
        match difference.abs() {
            0 => Self::default(),
            d if d <= rounding_max => Self::ROUNDING,
            _ => Self { unexplained: 1, roundings: 0 },
        }
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            unexplained: self.unexplained + other.unexplained,
            roundings: self.roundings + other.roundings,
        }
    }
}

/// The order of a day.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DayOrder {
    /// Positions in the slice that was ordered.
    pub places: Vec<usize>,
    /// How many rows differ in it.
    pub cost: Cost,
    /// Whether no other order is better; false where there were more than [`EXACT_ROWS`] rows.
    pub exact: bool,
}

/// What the bank's balance is beside the sum: its statement minus the balance before and the amount.
pub fn difference(before: i128, row: Move) -> i128 {
    row.balance - before - row.amount
}

/// Orders the rows of one account and day, given in the order of the file, which begins with balance `before`.
pub fn best(before: i128, rows: &[Move], rounding_max: i128) -> DayOrder {
    let places = match rows.len() {
        0 | 1 => (0..rows.len()).collect(),
        2..=EXACT_ROWS => cheapest(before, rows, rounding_max),
        _ => nearest(before, rows, rounding_max),
    };
    let cost = cost(before, places.iter().map(|at| rows[*at]), rounding_max);
    DayOrder { places, cost, exact: rows.len() <= EXACT_ROWS }
}

/// The order of the file as it is.
pub fn kept(before: i128, rows: &[Move], rounding_max: i128) -> DayOrder {
    let cost = cost(before, rows.iter().copied(), rounding_max);
    DayOrder { places: (0..rows.len()).collect(), cost, exact: true }
}

fn cost(mut balance: i128, rows: impl Iterator<Item = Move>, rounding_max: i128) -> Cost {
    rows.fold(Cost::default(), |sum, row| {
        let cost = Cost::of(difference(balance, row), rounding_max);
        balance = row.balance;
        sum.plus(cost)
    })
}

/// Dynamic programming over sets of rows already placed and the last of them: what the rest costs at best.
fn cheapest(before: i128, rows: &[Move], rounding_max: i128) -> Vec<usize> {
    let n = rows.len();
    let all = (1_usize << n) - 1;
    let step = |balance: i128, next: usize| Cost::of(difference(balance, rows[next]), rounding_max);
    let mut rest = vec![Cost::WORST; (all + 1) * n];
    rest[all * n..].fill(Cost::default());
    for placed in (1..all).rev() {
        for last in (0..n).filter(|last| placed & (1 << last) != 0) {
            let costs = free(placed, n)
                .map(|next| step(rows[last].balance, next).plus(rest[(placed | 1 << next) * n + next]));
            rest[placed * n + last] = costs.min().unwrap_or_default();
        }
    }
    let mut places = Vec::with_capacity(n);
    let (mut placed, mut balance) = (0, before);
    while placed != all {
        // `min_by_key` takes the first of equals: the row that stands first in the file.
        let cost = |next: &usize| step(balance, *next).plus(rest[(placed | 1 << next) * n + next]);
        let Some(next) = free(placed, n).min_by_key(cost) else { break };
        places.push(next);
        placed |= 1 << next;
        balance = rows[next].balance;
    }
    places
}

fn free(placed: usize, n: usize) -> impl Iterator<Item = usize> {
    (0..n).filter(move |at| placed & (1 << at) == 0)
}

fn nearest(before: i128, rows: &[Move], rounding_max: i128) -> Vec<usize> {
    let mut free: Vec<usize> = (0..rows.len()).collect();
    let mut places = Vec::with_capacity(rows.len());
    let mut balance = before;
    let cost = |balance: i128, at: usize| Cost::of(difference(balance, rows[at]), rounding_max);
    while let Some(next) = (0..free.len()).min_by_key(|&place| cost(balance, free[place])) {
        let at = free.remove(next);
        balance = rows[at].balance;
        places.push(at);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(parts: &[(i128, i128)]) -> Vec<Move> {
        parts.iter().map(|&(amount, balance)| Move { amount, balance }).collect()
    }

    fn cost_of(unexplained: u32, roundings: u32) -> Cost {
        Cost { unexplained, roundings }
    }

    #[test]
    fn a_shuffled_day_is_put_right() {
        let day_rows = rows(&[(50, 130), (-20, 80), (100, 100)]);
        let order = best(0, &day_rows, 10);
        assert_eq!((order.places, order.cost, order.exact), (vec![2, 1, 0], cost_of(0, 0), true));
    }

    #[test]
    fn a_rounding_is_kept_where_no_order_avoids_it() {
        let order = best(100, &rows(&[(5, 215), (100, 210)]), 10);
        assert_eq!((order.places, order.cost), (vec![1, 0], cost_of(0, 1)));
    }

    #[test]
    fn one_unexplained_difference_weighs_more_than_all_roundings() {
        // Placed 1, 0, 2 a single row differs, by 9; placed 2, 1, 0 two rows do, by 1 each.
        let day_rows = rows(&[(1, -8), (-9, -9), (0, 1)]);
        let order = best(0, &day_rows, 2);
        assert_eq!((order.places, order.cost), (vec![2, 1, 0], cost_of(0, 2)));
    }

    #[test]
    fn of_equal_orders_the_first_by_place_in_the_file_is_taken() {
        let same = rows(&[(0, 7), (0, 7), (0, 7)]);
        assert_eq!(best(7, &same, 0).places, [0, 1, 2]);
        let both = rows(&[(10, 10), (-10, 0), (10, 10), (-10, 0)]);
        assert_eq!(best(0, &both, 0).places, [0, 1, 2, 3]);
    }

    #[test]
    fn the_best_order_is_found_up_to_the_bound_and_said_beyond_it() {
        let ascending: Vec<_> = (1..=EXACT_ROWS as i128).map(|at| (1, at)).collect();
        let mut turned = rows(&ascending);
        turned.reverse();
        let order = best(0, &turned, 0);
        assert_eq!((order.cost, order.exact), (cost_of(0, 0), true));
        assert!(order.places.iter().rev().copied().eq(0..EXACT_ROWS));
        turned.insert(0, Move { amount: 1, balance: EXACT_ROWS as i128 + 1 });
        let order = best(0, &turned, 0);
        assert_eq!((order.cost, order.exact), (cost_of(0, 0), false));
        assert!(order.places.iter().rev().copied().eq(0..=EXACT_ROWS));
    }

    #[test]
    fn no_permutation_of_up_to_six_rows_is_better() {
        // A fixed linear congruence: the same days every time.
        let mut state = 20_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i128::from((state >> 33) % below)
        };
        for n in [2, 3, 4, 5, 6].repeat(40) {
            let day_rows: Vec<_> =
                (0..n).map(|_| Move { amount: random(5) - 2, balance: random(6) }).collect();
            let order = best(2, &day_rows, 1);
            let all = permutations(n);
            let costs =
                all.iter().map(|places| (cost(2, places.iter().map(|at| day_rows[*at]), 1), places.clone()));
            assert_eq!(costs.min(), Some((order.cost, order.places)));
        }
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![vec![]];
        }
        let shorter = permutations(n - 1);
        let longer = shorter.iter().flat_map(|places| {
            (0..n).map(move |at| {
                let mut places = places.clone();
                places.insert(at, n - 1);
                places
            })
        });
        longer.collect()
    }
}
