//! A screen of characters, and the fewest bytes that make a VT100 show it.
//!
//! At 9600 bit/s a full screen takes over a second, so only what differs is sent. The last column stays
//! empty: terminals disagree on what happens behind it.

/// What every terminal has.
pub const ROWS: usize = 24;
/// One less than every terminal has.
pub const COLUMNS: usize = 79;

/// Up to so many characters that are right already are sent again: moving the cursor takes as many.
const MOVE: usize = 6;

/// One place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Printable ASCII.
    pub byte: u8,
    /// Dark on light.
    pub reverse: bool,
}

const BLANK: Cell = Cell {
    byte: b' ',
    reverse: false,
};

/// All places, and where the cursor stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    cells: [[Cell; COLUMNS]; ROWS],
    /// Row and column, from 0.
    pub cursor: (usize, usize),
}

impl Default for Grid {
    fn default() -> Self {
        Self {
            cells: [[BLANK; COLUMNS]; ROWS],
            cursor: (0, 0),
        }
    }
}

impl Grid {
    /// Writes a text from a column on, as far as there is room. What is no printable ASCII may come
    /// from outside, and must not reach the terminal: it becomes a question mark.
    pub fn write(&mut self, row: usize, column: usize, text: &str, reverse: bool) {
        let Some(cells) = self.cells.get_mut(row) else {
            return;
        };
        for (cell, c) in cells.iter_mut().skip(column).zip(text.chars()) {
            *cell = Cell {
                byte: printable(c),
                reverse,
            };
        }
    }

    /// What stands in a row, without the spaces at its end.
    #[cfg(test)]
    pub fn line(&self, row: usize) -> String {
        let bytes = self.cells[row].iter().map(|cell| char::from(cell.byte));
        bytes.collect::<String>().trim_end().to_owned()
    }
}

/// The character, where every terminal shows it.
pub fn printable(c: char) -> u8 {
    if matches!(c, ' '..='~') {
        u8::try_from(c).unwrap_or(b'?')
    } else {
        b'?'
    }
}

/// What a terminal shows.
#[derive(Debug, Default)]
pub struct Screen {
    shown: Option<Grid>,
}

impl Screen {
    /// The terminal may show anything: the next drawing starts anew.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    /// The bytes that make the terminal show this.
    pub fn draw(&mut self, grid: &Grid) -> Vec<u8> {
        let mut out = Vec::new();
        let shown = self.shown.take().unwrap_or_else(|| {
            // ASCII, no attributes, scrolling over all, nothing there.
            out.extend_from_slice(b"\x0f\x1b(B\x1b[m\x1b[r\x1b[H\x1b[2J");
            Grid::default()
        });
        let changed = shown != *grid || !out.is_empty();
        let mut reverse = false;
        for (row, (old, new)) in shown.cells.iter().zip(&grid.cells).enumerate() {
            line(&mut out, row, old, new, &mut reverse);
        }
        attribute(&mut out, &mut reverse, false);
        if changed {
            go(&mut out, grid.cursor.0, grid.cursor.1);
        }
        self.shown = Some(grid.clone());
        out
    }
}

fn line(out: &mut Vec<u8>, row: usize, old: &[Cell], new: &[Cell], reverse: &mut bool) {
    let filled = new
        .iter()
        .rposition(|&cell| cell != BLANK)
        .map_or(0, |at| at + 1);
    let mut at = None;
    for (column, (&is, &wanted)) in old.iter().zip(new).enumerate() {
        if is == wanted {
            continue;
        }
        if column >= filled {
            // Nothing but blanks from here on.
            arrive(out, row, at, filled, new, reverse);
            attribute(out, reverse, false);
            out.extend_from_slice(b"\x1b[K");
            return;
        }
        arrive(out, row, at, column, new, reverse);
        attribute(out, reverse, wanted.reverse);
        out.push(wanted.byte);
        at = Some(column + 1);
    }
}

/// Brings the cursor to a column: by writing what stands there already, or by a movement.
fn arrive(
    out: &mut Vec<u8>,
    row: usize,
    at: Option<usize>,
    column: usize,
    new: &[Cell],
    reverse: &mut bool,
) {
    match at {
        Some(at) if (at..=at + MOVE).contains(&column) => {
            for cell in new.get(at..column).unwrap_or_default() {
                attribute(out, reverse, cell.reverse);
                out.push(cell.byte);
            }
        }
        _ => go(out, row, column),
    }
}

fn go(out: &mut Vec<u8>, row: usize, column: usize) {
    out.extend_from_slice(format!("\x1b[{};{}H", row + 1, column + 1).as_bytes());
}

fn attribute(out: &mut Vec<u8>, is: &mut bool, wanted: bool) {
    if *is != wanted {
        out.extend_from_slice(if wanted { b"\x1b[7m" } else { b"\x1b[m" });
        *is = wanted;
    }
}

#[cfg(test)]
#[path = "../tests/vt100/mod.rs"]
mod vt100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::vt100::Vt100;
    use super::*;

    fn lines(grid: &Grid) -> Vec<String> {
        (0..ROWS).map(|row| grid.line(row)).collect()
    }

    #[test]
    fn what_came_from_outside_can_not_command_the_terminal() {
        let mut grid = Grid::default();
        grid.write(3, 70, "a\x1b[2J\u{9b}\u{e9}bcdefghijk", true);
        assert_eq!(grid.line(3).trim(), "a?[2J??bc");
    }

    #[test]
    fn a_moved_choice_takes_few_bytes_and_nothing_new_takes_none() {
        let mut screen = Screen::default();
        let mut grid = Grid::default();
        grid.write(8, 2, "> Network Configuration", true);
        grid.write(9, 2, "  Reboot", false);
        screen.draw(&grid);
        assert_eq!(screen.draw(&grid), b"");
        grid.write(8, 2, "  Network Configuration", false);
        grid.write(9, 2, "> Reboot", true);
        let bytes = screen.draw(&grid).len();
        assert!(bytes < 70, "{bytes} bytes");
    }

    proptest! {
        #[test]
        fn differences_lead_to_the_same_screen_as_drawing_it_anew(
            writes in proptest::collection::vec(
                (0..ROWS, 0..COLUMNS, "[a-c ]{0,40}", any::<bool>(), any::<bool>()), 1..40)
        ) {
            let (mut screen, mut terminal) = (Screen::default(), Vt100::default());
            let mut grid = Grid::default();
            for (row, column, text, reverse, draw) in writes {
                grid.write(row, column, &text, reverse);
                grid.cursor = (row, column);
                if draw {
                    terminal.take(&screen.draw(&grid));
                    prop_assert_eq!(terminal.lines(), lines(&grid));
                    prop_assert_eq!((terminal.row, terminal.column), grid.cursor);
                    for (cell, (_, reverse)) in grid.cells[row].iter().zip(&terminal.cells[row]) {
                        prop_assert_eq!(cell.reverse, *reverse);
                    }
                }
            }
        }
    }
}
