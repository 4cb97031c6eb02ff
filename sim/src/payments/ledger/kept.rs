//! Things by their places, counted from the first there ever was, of which the oldest are forgotten in time.

use std::ops::{Index, IndexMut};

/// Things of which the oldest may have been forgotten.
#[derive(Clone, Debug)]
pub(super) struct Kept<T> {
    all: Vec<T>,
    /// The place of the oldest that is kept.
    first: usize,
}

impl<T> Kept<T> {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new(), first: 0 }
    }

    pub(super) fn push(&mut self, one: T) {
        self.all.push(one);
    }

    /// Forgets the oldest so many, and hands them out.
    pub(super) fn forget(&mut self, count: usize) -> impl Iterator<Item = T> {
        let count = count.min(self.all.len());
        self.first += count;
        self.all.drain(..count)
    }

    pub(super) fn get(&self, place: usize) -> Option<&T> {
        self.all.get(place.checked_sub(self.first)?)
    }

    /// The place of the oldest that is kept.
    pub(super) const fn first(&self) -> usize {
        self.first
    }

    /// The place of the next one.
    pub(super) const fn next(&self) -> usize {
        self.first + self.all.len()
    }

    pub(super) fn as_slice(&self) -> &[T] {
        &self.all
    }
}

impl<T> Index<usize> for Kept<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        &self.all[place - self.first]
    }
}

impl<T> IndexMut<usize> for Kept<T> {
    fn index_mut(&mut self, place: usize) -> &mut T {
        &mut self.all[place - self.first]
    }
}
