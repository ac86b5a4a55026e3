//! A page on a screen of characters.

use crate::page::{Page, Row, RowKind};
use crate::screen::{COLUMNS, Grid, ROWS};
use crate::texts;

/// Where values stand.
const VALUES: usize = 22;

/// The note or the hint has these rows, above the line of keys.
const NOTE: usize = ROWS - 3;
const KEYS: usize = ROWS - 1;

/// Draws a page.
pub fn grid(page: &Page) -> Grid {
    let mut grid = Grid::default();
    let title = format!(" {}: {}", texts::PRODUCT, page.title);
    grid.write(0, 0, &format!("{title:COLUMNS$}"), true);
    let mut at = 1;
    for line in page.text.iter().flat_map(|text| wrapped(text)) {
        // The rows come first where there isn't room for all.
        if at + page.rows.len() + 1 < NOTE {
            grid.write(at, 1, &line, false);
            at += 1;
        }
    }
    at += usize::from(at > 1);
    let typed = page.rows.iter().any(Row::is_typed);
    for (index, row) in page.rows.iter().enumerate().take(NOTE - at) {
        let place = at + index;
        let column = show(
            &mut grid,
            place,
            row,
            index == page.focus,
            (!typed).then_some(index),
        );
        if index == page.focus {
            grid.cursor = (place, column);
        }
    }
    let hint = page.rows.get(page.focus).map_or("", |row| row.hint);
    let (text, reverse) = if page.note.is_empty() {
        (hint, false)
    } else {
        (page.note.as_str(), true)
    };
    for (index, line) in wrapped(text).iter().enumerate().take(KEYS - NOTE) {
        grid.write(NOTE + index, 1, line, reverse);
    }
    let keys = if typed {
        texts::KEYS_FORM
    } else {
        texts::KEYS_LIST
    };
    grid.write(KEYS, 1, keys, false);
    grid
}

/// Draws a row; the column the cursor belongs to.
fn show(grid: &mut Grid, at: usize, row: &Row, focused: bool, number: Option<usize>) -> usize {
    let mark = if focused { '>' } else { ' ' };
    let number = number.map_or_else(String::new, |index| format!("{} ", index + 1));
    match &row.kind {
        RowKind::Choice => {
            grid.write(at, 1, &format!("{mark} {number}{} ", row.label), focused);
            1
        }
        RowKind::Switch { value } => {
            grid.write(at, 1, &format!("{mark} {}", row.label), false);
            grid.write(at, VALUES, &format!("< {value} >"), focused);
            VALUES
        }
        RowKind::Field { value, caret } => {
            grid.write(at, 1, &format!("{mark} {}", row.label), false);
            // A long text shows where its caret is.
            let room = COLUMNS - VALUES - 3;
            let first = caret.saturating_sub(room - 1);
            let part: String = value.chars().skip(first).take(room).collect();
            let width = room.min(20).max(part.len() + 1);
            grid.write(at, VALUES, &format!("[{part:width$}]"), focused);
            VALUES + 1 + caret - first
        }
    }
}

/// Lines that fit between the margins.
pub fn wrapped(text: &str) -> Vec<String> {
    let most = COLUMNS - 2;
    if text.chars().count() <= most {
        // As it is: columns stay columns.
        return vec![text.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
