//! A line of text that is typed: what may stand in it, and where the caret is.

use platform::ssh::KEY_CHARS;

use crate::key::Key;

/// What a field holds; it decides which characters can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An IPv4 address, a mask or a prefix length.
    Address,
    /// Addresses or names with spaces between.
    List,
    /// The name of a machine.
    Name,
    /// Part of the name of a time zone.
    Zone,
    /// A day and a time.
    Moment,
    /// A public key of ssh with its name, in a line.
    Key,
    /// A word that confirms.
    Word,
}

impl Kind {
    fn allows(self, c: char) -> bool {
        match self {
            Self::Address => c.is_ascii_digit() || matches!(c, '.' | '/'),
            Self::List => c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | ' ' | ','),
            Self::Name => c.is_ascii_alphanumeric() || matches!(c, '.' | '-'),
            Self::Zone => c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+' | ' '),
            Self::Moment => c.is_ascii_digit() || matches!(c, '-' | ':' | ' '),
            Self::Key => c == ' ' || c.is_ascii_graphic(),
            Self::Word => c.is_ascii_alphabetic(),
        }
    }

    /// The longest text: what is sensible, and for a list four names of 253 characters.
    const fn most(self) -> usize {
        match self {
            Self::Address => 18,
            Self::List => 4 * 253 + 3,
            Self::Name => 253,
            Self::Zone => 64,
            Self::Moment => 19,
            Self::Key => KEY_CHARS,
            Self::Word => 16,
        }
    }
}

/// A text, ASCII only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    kind: Kind,
    text: String,
    caret: usize,
}

impl Field {
    /// A field with this in it, as far as it may be; the caret is at the end.
    pub fn new(kind: Kind, text: &str) -> Self {
        let mut field = Self {
            kind,
            text: String::new(),
            caret: 0,
        };
        field.fill(text);
        field
    }

    /// What was typed, without spaces around.
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// All that was typed.
    pub fn typed(&self) -> &str {
        &self.text
    }

    /// Before which character the next one goes.
    pub const fn caret(&self) -> usize {
        self.caret
    }

    /// Puts this in instead.
    pub fn fill(&mut self, text: &str) {
        let allowed = text.chars().filter(|&c| self.kind.allows(c));
        self.text = allowed.take(self.kind.most()).collect();
        self.caret = self.text.len();
    }

    /// Takes a key; false where it means nothing here.
    pub fn key(&mut self, key: Key) -> bool {
        match key {
            Key::Char(c) => {
                if self.kind.allows(c) && self.text.len() < self.kind.most() {
                    self.text.insert(self.caret, c);
                    self.caret += 1;
                }
            }
            Key::Left => self.caret = self.caret.saturating_sub(1),
            Key::Right => self.caret = (self.caret + 1).min(self.text.len()),
            Key::Home => self.caret = 0,
            Key::End => self.caret = self.text.len(),
            Key::Backspace if self.caret > 0 => {
                self.caret -= 1;
                self.text.remove(self.caret);
            }
            Key::Delete if self.caret < self.text.len() => {
                self.text.remove(self.caret);
            }
            Key::Backspace | Key::Delete => {}
            Key::Clear => self.fill(""),
            Key::Enter
            | Key::Escape
            | Key::Tab
            | Key::BackTab
            | Key::Up
            | Key::Down
            | Key::Redraw => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_mended_in_the_middle() {
        let mut field = Field::new(Kind::Address, "10.10.10.1");
        for key in [
            Key::Left,
            Key::Left,
            Key::Backspace,
            Key::Char('x'),
            Key::Char('7'),
        ] {
            assert!(field.key(key));
        }
        assert_eq!((field.text(), field.caret()), ("10.10.17.1", 8));
        field.key(Key::Home);
        field.key(Key::Delete);
        assert_eq!((field.text(), field.caret()), ("0.10.17.1", 0));
        field.key(Key::Clear);
        assert_eq!((field.text(), field.caret()), ("", 0));
    }

    #[test]
    fn no_text_grows_beyond_its_limit() {
        let mut field = Field::new(Kind::Word, &"RESET".repeat(10));
        assert_eq!(field.text().len(), 16);
        field.key(Key::Char('X'));
        assert_eq!(field.text().len(), 16);
    }
}
