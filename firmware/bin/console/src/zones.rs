//! The names of the time zones that the machine has.

use std::fs;
use std::path::Path;

const FOLDER: &str = "/usr/share/zoneinfo";

/// All of them, sorted; none where the machine has no list.
pub fn all() -> Vec<String> {
    let read = |name: &str| fs::read_to_string(Path::new(FOLDER).join(name)).ok();
    let mut zones = read("tzdata.zi")
        .map(|text| of_source(&text))
        .or_else(|| read("zone1970.tab").map(|text| of_table(&text)))
        .unwrap_or_default();
    zones.sort();
    zones.dedup();
    zones
}

/// Zones and links of the database's source, zic(8).
fn of_source(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            match words.next()? {
                "Z" | "Zone" => words.next(),
                "L" | "Link" => words.nth(1),
                _ => None,
            }
        })
        .map(str::to_owned)
        .collect()
}

/// The third column.
fn of_table(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('\t').nth(2))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_give_their_names() {
        let source = "# version 2026a\nR x 1 2\nZ Europe/Prague 0:57 - LMT\n0:57 - PMT 1891\nL Europe/Prague Europe/Bratislava\n";
        assert_eq!(of_source(source), ["Europe/Prague", "Europe/Bratislava"]);
        let table = "#codes\tcoordinates\tTZ\nCZ,SK\t+5005+01426\tEurope/Prague\nAD\t+4230+00131\tEurope/Andorra\twest\n";
        assert_eq!(of_table(table), ["Europe/Prague", "Europe/Andorra"]);
    }
}
