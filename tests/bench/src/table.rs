//! The table: what was measured, what came out, and the mark it is held against.

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Figure {
    what: String,
    value: String,
    mark: &'static str,
}

/// A line without a mark.
pub fn figure(what: &str, value: impl Into<String>) -> Figure {
    Figure {
        what: what.into(),
        value: value.into(),
        mark: "",
    }
}

impl Figure {
    /// What others need, or what we promise.
    pub fn against(mut self, mark: &'static str) -> Self {
        self.mark = mark;
        self
    }
}

/// Prints a part of the table, as soon as it is there.
#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
pub fn print(figures: &[Figure]) {
    for Figure { what, value, mark } in figures {
        let line = format!("{what:<72} {value:<34} {mark}");
        println!("{}", line.trim_end());
    }
}
