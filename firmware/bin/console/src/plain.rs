//! The same menu line by line, for terminals that can only print: numbered rows, and a question for
//! each text. No control characters but the line's end.

use std::fmt::Write;

use crate::menu::{Effect, Menu};
use crate::page::{Id, Page, Row, RowKind};
use crate::screen::printable;
use crate::texts;
use crate::view::wrapped;

/// The dialogue.
#[derive(Debug, Default)]
pub struct Plain {
    /// What was shown last.
    turn: Option<u64>,
    /// The text that is asked for.
    asking: Option<Row>,
}

impl Plain {
    /// What is new to print; empty where nothing is.
    pub fn show(&mut self, menu: &Menu) -> String {
        // Whoever types is not interrupted.
        if self.asking.is_some() || self.turn == Some(menu.turn()) {
            return String::new();
        }
        self.turn = Some(menu.turn());
        clean(&printed(&menu.page()))
    }

    /// The page is shown again in any case.
    pub fn forget(&mut self) {
        self.turn = None;
    }

    /// Takes a line; what it leads to, and what to print at once.
    pub fn line(&mut self, menu: &mut Menu, line: &str) -> (Vec<Effect>, String) {
        self.turn = None;
        let line = line.trim();
        if let Some(row) = self.asking.take() {
            match line {
                "" => {}
                "-" => menu.fill(row.id, ""),
                text => menu.fill(row.id, text),
            }
            return (Vec::new(), String::new());
        }
        if matches!(line, "0" | "q" | "Q" | "\x1b") {
            return (menu.key(crate::key::Key::Escape), String::new());
        }
        if line.is_empty() {
            return (vec![Effect::Look], String::new());
        }
        let rows = menu.page().rows;
        let number = line.parse::<usize>().ok();
        let found = number.and_then(|number| chosen(&rows, number));
        let Some(index) = found else {
            menu.say(texts::NO_ROW);
            return (Vec::new(), String::new());
        };
        let effects = menu.choose(index);
        let mut question = String::new();
        if let Some(row) = rows.get(index)
            && let RowKind::Field { value, .. } = &row.kind
        {
            question = clean(&texts::question(&row.label, value, row.hint));
            self.asking = Some(row.clone());
        }
        (effects, question)
    }
}

/// The place of the row with this number; the way back is always 0.
fn chosen(rows: &[Row], number: usize) -> Option<usize> {
    let numbered = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.id != Id::Back);
    numbered.map(|(index, _)| index).nth(number.checked_sub(1)?)
}

fn printed(page: &Page) -> String {
    let mut text = format!("\n=== {}: {} ===\n", texts::PRODUCT, page.title);
    for line in page.text.iter().flat_map(|line| wrapped(line)) {
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
    let mut number = 0;
    for row in page.rows.iter().filter(|row| row.id != Id::Back) {
        number += 1;
        let _ = match &row.kind {
            RowKind::Choice => writeln!(text, "{number:2}) {}", row.label),
            RowKind::Switch { value } | RowKind::Field { value, .. } => {
                writeln!(text, "{number:2}) {}: {value}", row.label)
            }
        };
    }
    if let Some(back) = page.rows.iter().find(|row| row.id == Id::Back) {
        let _ = writeln!(text, "{:2}) {}", 0, back.label);
    }
    for line in wrapped(&page.note).iter().filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "* {line}");
    }
    text.push_str(texts::PROMPT);
    text
}

/// Texts from outside must not command the terminal.
fn clean(text: &str) -> String {
    let clean = |c| {
        if c == '\n' {
            c
        } else {
            char::from(printable(c))
        }
    };
    text.chars().map(clean).collect()
}
