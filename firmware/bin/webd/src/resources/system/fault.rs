//! What was wrong with an upgrade, as a code. The machine says it in words, which the note of another version
//! may have too; what is not known here is told by its words alone.

use serde::Serialize;
use utoipa::ToSchema;

/// Why an upgrade failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpgradeFault {
    /// The file is no update.
    NotAnUpdate,
    /// The file was cut off or changed on its way.
    Damaged,
    /// Somebody else signed it.
    NotSigned,
    /// It is for other hardware.
    OtherBoard,
    /// It is older than what runs.
    Older,
    /// It does not fit.
    TooLarge,
    /// The card does not keep what is written to it.
    Card,
    /// It was cut off while it was written.
    CutOff,
    /// The system did not start, or not to its end.
    NotStarted,
    /// The exchange of the new system has not called itself.
    NotCalled,
    /// The new system was not good for some other reason.
    NotGood,
    /// Its programs end by themselves.
    Crashes,
    /// The new system can't use the data on the card.
    NoData,
    /// The boot loader could not be told.
    BootLoader,
    /// Something else: the reason says what.
    Other,
}

/// What each is known by.
const WORDS: [(&str, UpgradeFault); 15] = [
    ("this is not an update file", UpgradeFault::NotAnUpdate),
    ("is damaged or incomplete", UpgradeFault::Damaged),
    ("is not signed by the maker", UpgradeFault::NotSigned),
    ("the file is for the board", UpgradeFault::OtherBoard),
    ("which is older than", UpgradeFault::Older),
    ("bytes, a slot has", UpgradeFault::TooLarge),
    ("does not keep what is written", UpgradeFault::Card),
    ("it was cut off while it was written", UpgradeFault::CutOff),
    ("the new system did not start", UpgradeFault::NotStarted),
    ("call to itself did not pass", UpgradeFault::NotCalled),
    ("the new system was not good within", UpgradeFault::NotGood),
    (
        "programs of the new system end by themselves",
        UpgradeFault::Crashes,
    ),
    ("has not come up in five starts", UpgradeFault::NotStarted),
    ("can't use the data on the card", UpgradeFault::NoData),
    ("the boot loader", UpgradeFault::BootLoader),
];

/// What says that an upgrade can't be taken now, another being under way.
const UNDER_WAY: [&str; 2] = ["an upgrade is being written", "has not proved itself yet"];

impl UpgradeFault {
    /// That of the machine's words.
    pub(super) fn of(reason: &str) -> Self {
        (WORDS.into_iter())
            .find(|(words, _)| reason.contains(words))
            .map_or(Self::Other, |(_, fault)| fault)
    }
}

/// Whether the machine's words say that another upgrade is under way.
pub(super) fn is_under_way(text: &str) -> bool {
    UNDER_WAY.into_iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use platform::update::Refused;

    use super::*;

    #[test]
    fn each_refusal_of_a_file_has_its_code() {
        let (found, board, running) = ("a".to_owned(), "b".to_owned(), "1.0".to_owned());
        for (refused, fault) in [
            (Refused::Form, UpgradeFault::NotAnUpdate),
            (Refused::Damaged, UpgradeFault::Damaged),
            (Refused::Signature, UpgradeFault::NotSigned),
            (
                Refused::Board {
                    found: found.clone(),
                    board,
                },
                UpgradeFault::OtherBoard,
            ),
            (Refused::Older { found, running }, UpgradeFault::Older),
            (Refused::Size { needed: 2, room: 1 }, UpgradeFault::TooLarge),
            (Refused::Card, UpgradeFault::Card),
        ] {
            assert_eq!(UpgradeFault::of(&refused.to_string()), fault, "{refused}");
        }
        assert_eq!(UpgradeFault::of("the moon was full"), UpgradeFault::Other);
    }

    /// The supervisor, which says the rest, is a program and no library: its words are looked for in it.
    #[test]
    fn the_other_words_are_the_supervisors() {
        let system = concat!(env!("CARGO_MANIFEST_DIR"), "/../supervisor/src/system");
        let said: String = ["record.rs", "upgrade.rs", "judge.rs"]
            .map(|name| fs::read_to_string(format!("{system}/{name}")).expect("a source"))
            .concat();
        let words = WORDS.into_iter().map(|(words, _)| words);
        for words in words.skip(7).chain(UNDER_WAY) {
            assert!(said.contains(words), "{words}");
        }
    }
}
