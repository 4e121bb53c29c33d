//! Which part of a list a reader wants.

/// Which end of a list comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The oldest.
    Ascending,
    /// The newest.
    Descending,
}

/// A part of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    /// Its first position; `None`: the end of the list that comes first.
    pub from: Option<u64>,
    /// Which way it goes on.
    pub direction: Direction,
    /// Most elements.
    pub limit: usize,
}

/// What a bounded search through a list has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found<T> {
    /// The elements wanted, at most the limit of the slice.
    pub elements: Vec<T>,
    /// Where to go on: the first position that was not looked at. `None`: the list was looked at to its end.
    pub next: Option<u64>,
}

/// Most elements that one page of a filtered list looks at.
pub(crate) const MAX_LOOKED_AT: usize = 10_000;

impl Slice {
    /// The first so many, oldest first.
    pub fn first(limit: usize) -> Self {
        Self { from: None, direction: Direction::Ascending, limit }
    }

    /// Its first position in a list that has positions `first` to `last`.
    pub(crate) fn begin(self, first: u64, last: u64) -> u64 {
        match self.direction {
            Direction::Ascending => self.from.unwrap_or(first).max(first),
            Direction::Descending => self.from.unwrap_or(last).min(last),
        }
    }

    /// Positions of a list `start..end` in the order of reading.
    pub fn positions(self, start: u64, end: u64) -> Box<dyn Iterator<Item = u64> + Send> {
        match self.direction {
            Direction::Ascending => Box::new(self.from.unwrap_or(start).max(start)..end),
            Direction::Descending => {
                let after = self.from.map_or(end, |from| from.saturating_add(1).min(end));
                Box::new((start..after).rev())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_stay_in_the_list() {
        let positions =
            |from, direction| Slice { from, direction, limit: 9 }.positions(1, 5).collect::<Vec<_>>();
        let (up, down) = (Direction::Ascending, Direction::Descending);
        assert_eq!(positions(None, up), [1, 2, 3, 4]);
        assert_eq!(positions(Some(3), up), [3, 4]);
        assert_eq!(positions(Some(0), up), [1, 2, 3, 4]);
        assert_eq!(positions(Some(u64::MAX), up), [0u64; 0]);
        assert_eq!(positions(None, down), [4, 3, 2, 1]);
        assert_eq!(positions(Some(2), down), [2, 1]);
        assert_eq!(positions(Some(0), down), [0u64; 0]);
        assert_eq!(positions(Some(u64::MAX), down), [4, 3, 2, 1]);
    }
}
