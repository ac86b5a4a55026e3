//! What a screen shows, however it is drawn: text, and rows to choose and to fill.

/// A screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What it is about.
    pub title: &'static str,
    /// To read, above the rows.
    pub text: Vec<String>,
    /// To choose and to fill.
    pub rows: Vec<Row>,
    /// The row that keys go to.
    pub focus: usize,
    /// What went wrong or was done; empty for nothing.
    pub note: String,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub id: Id,
    /// What it is called.
    pub label: String,
    /// How it is used.
    pub kind: RowKind,
    /// One sentence more about it; may be empty.
    pub hint: &'static str,
}

/// How a row is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// It is chosen.
    Choice,
    /// One of several values, the next one each time.
    Switch {
        /// The value.
        value: String,
    },
    /// It is typed into.
    Field {
        /// What stands there.
        value: String,
        /// Before which character the next one goes.
        caret: usize,
    },
}

/// Which row of all screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    /// Keep the network as it was set.
    Keep,
    /// Go back to the network as it was.
    Revert,
    /// To a screen.
    Network,
    /// To a screen.
    Time,
    /// To a screen.
    Remote,
    /// To the question.
    Ask(crate::menu::Danger),
    /// Which Ethernet port.
    Port,
    /// Where the port's address comes from.
    Addressing,
    /// Of the port.
    Address,
    /// Of the port.
    Mask,
    /// The router.
    Gateway,
    /// Name servers.
    Dns,
    /// Of the machine.
    HostName,
    /// The time zone.
    Zone,
    /// Part of a zone's name.
    Search,
    /// A zone of those found.
    Found(usize),
    /// Time servers.
    Servers,
    /// Day and time, set by hand.
    Clock,
    /// The menu over ssh, on or off.
    Enabled,
    /// Whose it is.
    Key,
    /// The word that confirms.
    Word,
    /// Make it so.
    Apply,
    /// One screen back.
    Back,
}
