//! A memory of bounded size: the oldest is forgotten first, so nobody can fill it up.

use std::collections::VecDeque;

/// The last things by name.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    things: VecDeque<(String, T)>,
    most: usize,
}

impl<T> Recent<T> {
    pub(crate) const fn new(most: usize) -> Self {
        Self { things: VecDeque::new(), most }
    }

    pub(crate) fn insert(&mut self, name: String, thing: T) {
        while self.things.len() >= self.most {
            self.things.pop_front();
        }
        self.things.push_back((name, thing));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.things.iter().find(|(other, _)| other == name).map(|(_, thing)| thing)
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<T> {
        let at = self.things.iter().position(|(other, _)| other == name)?;
        self.things.remove(at).map(|(_, thing)| thing)
    }
}
