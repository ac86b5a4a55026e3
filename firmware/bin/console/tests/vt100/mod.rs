//! As much of a VT100 as the menu uses; anything else it is sent is an error.

const ROWS: usize = 24;
const COLUMNS: usize = 80;

/// A terminal.
pub struct Vt100 {
    /// Characters, and whether they are dark on light.
    pub cells: Vec<Vec<(char, bool)>>,
    /// Of the cursor, from 0.
    pub row: usize,
    /// Of the cursor, from 0.
    pub column: usize,
    reverse: bool,
    /// A sequence that isn't complete yet.
    open: Vec<u8>,
}

impl Default for Vt100 {
    fn default() -> Self {
        Self {
            // Whatever was there before.
            cells: vec![vec![('#', true); COLUMNS]; ROWS],
            row: 3,
            column: 7,
            reverse: true,
            open: Vec::new(),
        }
    }
}

impl Vt100 {
    /// Shows what is sent.
    pub fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.open.push(byte);
            match self.open.as_slice() {
                [0x1b] | [0x1b, b'[' | b'('] => {}
                [0x1b, b'(', b'B'] | [0x0f] => self.open.clear(),
                [0x1b, b'[', parameters @ .., last] if last.is_ascii_alphabetic() => {
                    let parameters = String::from_utf8_lossy(parameters).into_owned();
                    let last = char::from(*last);
                    self.open.clear();
                    self.sequence(&parameters, last);
                }
                [0x1b, b'[', ..] => assert!(self.open.len() < 12, "{:?}", self.open),
                [byte @ b' '..=b'~'] => {
                    let c = char::from(*byte);
                    self.open.clear();
                    self.print(c);
                }
                other => unreachable!("sent {other:?}"),
            }
        }
    }

    fn print(&mut self, c: char) {
        assert!(self.column < COLUMNS - 1, "the last column is touched");
        self.cells[self.row][self.column] = (c, self.reverse);
        self.column += 1;
    }

    fn sequence(&mut self, parameters: &str, last: char) {
        match (last, parameters) {
            ('m', "") => self.reverse = false,
            ('m', "7") => self.reverse = true,
            ('r', "") | ('H', "") => (self.row, self.column) = (0, 0),
            ('H', _) => {
                let (row, column) = parameters.split_once(';').expect("row and column");
                self.row = row.parse::<usize>().expect("a number") - 1;
                self.column = column.parse::<usize>().expect("a number") - 1;
            }
            ('J', "2") => self.cells = vec![vec![(' ', false); COLUMNS]; ROWS],
            ('K', "") => {
                for cell in &mut self.cells[self.row][self.column..] {
                    *cell = (' ', false);
                }
            }
            _ => unreachable!("sent ESC [ {parameters} {last}"),
        }
    }

    /// The rows, without the spaces at their ends.
    pub fn lines(&self) -> Vec<String> {
        (self.cells.iter())
            .map(|row| row.iter().map(|(c, _)| c).collect::<String>())
            .map(|line| line.trim_end().to_owned())
            .collect()
    }
}
