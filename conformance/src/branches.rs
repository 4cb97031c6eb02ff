//! The branches of the models that a run goes through: each kind of thing that a party notes when it does it.

use std::fmt::{self, Write as _};

/// The branches of one run, each once, in the order of their names.
///
/// Shape: `Party::What`, as the two outermost variants of the event are called, such as `Terminal::Credited`.
#[derive(Clone, Debug, Default)]
pub struct Branches {
    names: Vec<String>,
    /// The room in which a name is looked at, so that the many that are known cost no memory of their own.
    room: Name,
}

impl Branches {
    /// A party has noted this.
    pub fn add(&mut self, event: &impl fmt::Debug) {
        let Self { names, room } = self;
        room.text.clear();
        room.second = false;
        // The text is cut off behind the name on purpose, which the writer is told as an error.
        let _ = write!(room, "{event:?}");
        if let Err(at) = names.binary_search(&room.text) {
            names.insert(at, room.text.clone());
        }
    }
}

impl<'a> IntoIterator for &'a Branches {
    type Item = &'a String;
    type IntoIter = std::slice::Iter<'a, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.names.iter()
    }
}

/// The beginning of an event's text, up to the second name.
#[derive(Clone, Debug, Default)]
struct Name {
    text: String,
    second: bool,
}

impl fmt::Write for Name {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        for char in piece.chars() {
            match char {
                _ if char.is_alphanumeric() || char == '_' => self.text.push(char),
                '(' if !self.second => {
                    self.text.push_str("::");
                    self.second = true;
                }
                _ => return Err(fmt::Error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    #[expect(dead_code, reason = "only their texts are read")]
    enum Event {
        Terminal(Inner),
        Alone,
        Fields { at: u8 },
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "only their texts are read")]
    enum Inner {
        Ready,
        Credited { order: u8 },
        Read(u8),
    }

    #[test]
    fn a_branch_has_the_names_of_the_two_outermost_variants() {
        let mut branches = Branches::default();
        for _ in 0..2 {
            branches.add(&Event::Terminal(Inner::Ready));
            branches.add(&Event::Terminal(Inner::Credited { order: 1 }));
            branches.add(&Event::Terminal(Inner::Read(2)));
            branches.add(&Event::Alone);
            branches.add(&Event::Fields { at: 1 });
        }
        let names: Vec<&String> = branches.into_iter().collect();
        assert_eq!(names, ["Alone", "Fields", "Terminal::Credited", "Terminal::Read", "Terminal::Ready"]);
    }
}
