//! The links of a bench, and which of them may have come to be due at another time.

use std::ops::{Deref, Index, IndexMut};

use super::Family;
use super::wires::Line;

/// Every link, in the order of the layout. Whoever borrows one to change it leaves a note, by which the bench looks
/// when it is due before it goes on.
#[derive(Clone)]
pub(super) struct Lines<F: Family> {
    all: Vec<Line<F>>,
    touched: Vec<usize>,
    /// Whether each is among those touched.
    noted: Vec<bool>,
}

impl<F: Family> Lines<F> {
    pub(super) fn new(all: impl IntoIterator<Item = Line<F>>) -> Self {
        let all: Vec<_> = all.into_iter().collect();
        Self { touched: Vec::new(), noted: vec![false; all.len()], all }
    }

    /// Whether none was touched since the notes were taken.
    pub(super) fn is_settled(&self) -> bool {
        self.touched.is_empty()
    }

    /// Takes a note: one that was touched.
    pub(super) fn take_touched(&mut self) -> Option<usize> {
        let line = self.touched.pop()?;
        self.noted[line] = false;
        Some(line)
    }
}

impl<F: Family> Deref for Lines<F> {
    type Target = [Line<F>];
    fn deref(&self) -> &[Line<F>] {
        &self.all
    }
}

impl<F: Family> Index<usize> for Lines<F> {
    type Output = Line<F>;
    fn index(&self, line: usize) -> &Line<F> {
        &self.all[line]
    }
}

impl<F: Family> IndexMut<usize> for Lines<F> {
    fn index_mut(&mut self, line: usize) -> &mut Line<F> {
        if !std::mem::replace(&mut self.noted[line], true) {
            self.touched.push(line);
        }
        &mut self.all[line]
    }
}

impl<'a, F: Family> IntoIterator for &'a Lines<F> {
    type Item = &'a Line<F>;
    type IntoIter = std::slice::Iter<'a, Line<F>>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}
