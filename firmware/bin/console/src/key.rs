//! Keys from the bytes that terminals send: VT100 and VT52, the Linux screen, xterm.
//!
//! A serial line loses bytes: a sequence that was cut short does nothing and hangs nothing. What ends
//! an Escape alone is time, which [`Keys::pause`] is told of.

/// A key that means something to the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A printable ASCII character.
    Char(char),
    /// Return, or Enter of the keypad.
    Enter,
    /// Escape alone, or Ctrl-C.
    Escape,
    /// To the next row.
    Tab,
    /// To the row before.
    BackTab,
    /// An arrow.
    Up,
    /// An arrow.
    Down,
    /// An arrow.
    Left,
    /// An arrow.
    Right,
    /// To the beginning of the line.
    Home,
    /// To the end of the line.
    End,
    /// The character under the caret goes.
    Delete,
    /// The character before the caret goes.
    Backspace,
    /// Ctrl-U: the whole line goes.
    Clear,
    /// Ctrl-L: draw everything anew.
    Redraw,
}

/// The most bytes of a sequence that count; a keyboard sends at most six.
const MOST_PARAMETERS: usize = 8;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// After ESC [ with what came since.
    Csi(Vec<u8>),
    /// After ESC O.
    Ss3,
    /// After ESC [ [, which the Linux screen sends for F1 to F5.
    Function,
}

/// Makes keys of bytes.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    state: State,
    /// The byte before was a return: a line feed after it says the same once more.
    returned: bool,
}

impl Keys {
    /// Takes the next byte.
    pub fn push(&mut self, byte: u8) -> Option<Key> {
        let returned = core::mem::replace(&mut self.returned, byte == b'\r');
        match (core::mem::take(&mut self.state), byte) {
            (State::Escape, 0x1b) => {
                self.state = State::Escape;
                Some(Key::Escape)
            }
            (_, 0x1b) => {
                self.state = State::Escape;
                None
            }
            // A control byte breaks a sequence off, and counts.
            (_, b'\n') if returned => None,
            (_, 0..=0x1f | 0x7f..) => control(byte),
            (State::Ground, byte) => Some(Key::Char(char::from(byte))),
            (State::Escape, b'[') => {
                self.state = State::Csi(Vec::new());
                None
            }
            (State::Escape, b'O') => {
                self.state = State::Ss3;
                None
            }
            // As a VT52 sends them, and as they are left where the middle byte was lost.
            (State::Escape, byte) => arrow(byte),
            (State::Csi(so_far), b'[') if so_far.is_empty() => {
                self.state = State::Function;
                None
            }
            (State::Csi(mut so_far), 0x20..=0x3f) => {
                if so_far.len() < MOST_PARAMETERS {
                    so_far.push(byte);
                }
                self.state = State::Csi(so_far);
                None
            }
            (State::Csi(so_far), byte) => sequence(&so_far, byte),
            (State::Ss3, byte) => keypad(byte),
            (State::Function, _) => None,
        }
    }

    /// Whether more bytes may belong to what has begun.
    pub fn is_open(&self) -> bool {
        self.state != State::Ground
    }

    /// Nothing came for longer than there is between two bytes of one key.
    pub fn pause(&mut self) -> Option<Key> {
        (core::mem::take(&mut self.state) == State::Escape).then_some(Key::Escape)
    }
}

const fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        0x03 => Key::Escape,
        0x08 | 0x7f => Key::Backspace,
        b'\t' => Key::Tab,
        b'\r' | b'\n' => Key::Enter,
        0x0c => Key::Redraw,
        0x15 => Key::Clear,
        _ => return None,
    })
}

const fn arrow(byte: u8) -> Option<Key> {
    Some(match byte {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        _ => return None,
    })
}

fn sequence(parameters: &[u8], last: u8) -> Option<Key> {
    match (last, parameters) {
        (b'Z', _) => Some(Key::BackTab),
        (b'~', b"1" | b"7") => Some(Key::Home),
        (b'~', b"4" | b"8") => Some(Key::End),
        (b'~', b"3") => Some(Key::Delete),
        _ => arrow(last),
    }
}

/// The keypad of a VT100 in its application mode.
fn keypad(byte: u8) -> Option<Key> {
    match byte {
        b'M' => Some(Key::Enter),
        b'n' => Some(Key::Char('.')),
        b'p'..=b'y' => Some(Key::Char(char::from(byte - b'p' + b'0'))),
        _ => arrow(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        let mut found: Vec<Key> = bytes.iter().filter_map(|&byte| keys.push(byte)).collect();
        found.extend(keys.pause());
        assert!(!keys.is_open());
        found
    }

    #[test]
    fn arrows_come_in_the_forms_of_every_terminal() {
        for up in ["\x1b[A", "\x1bOA", "\x1bA", "\x1b[1;2A"] {
            assert_eq!(keys(up.as_bytes()), [Key::Up], "{up:?}");
        }
        assert_eq!(keys(b"\x1b[Z\x1b[3~"), [Key::BackTab, Key::Delete]);
        assert_eq!(keys(b"\x1b[[A1"), [Key::Char('1')]);
        assert_eq!(keys(b"\x1bOq\x1bOM"), [Key::Char('1'), Key::Enter]);
    }

    #[test]
    fn escape_alone_is_known_by_the_pause_after_it() {
        assert_eq!(keys(b"\x1b"), [Key::Escape]);
        assert_eq!(keys(b"\x1b\x1b"), [Key::Escape, Key::Escape]);
        assert_eq!(keys(b"\x03"), [Key::Escape]);
        // Cut short: no key, and the next one counts again.
        assert_eq!(keys(b"\x1b["), []);
        assert_eq!(keys(b"\x1b[1\x1b[B"), [Key::Down]);
        assert_eq!(keys(b"\x1b[12\r"), [Key::Enter]);
    }

    #[test]
    fn a_line_feed_after_a_return_is_the_same_enter() {
        assert_eq!(keys(b"\r\n"), [Key::Enter]);
        assert_eq!(keys(b"\r\r"), [Key::Enter, Key::Enter]);
        assert_eq!(keys(b"\n\n"), [Key::Enter, Key::Enter]);
    }
}
