//! What the exchange costs, as a table.
//!
//! `bench` runs everything; `bench calls 500 60` and the like run one part.

mod load;

use anyhow::Result;
use clap::{Parser, Subcommand};

use load::runs::{self, Figure};

#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Registrations with digest.
    Registrations { count: u32, per_second: u32 },
    /// Calls set up and cleared at a rate.
    Calls { per_second: u32, seconds: u64 },
    /// Sound of calls passed on.
    Relayed { calls: u32, seconds: u64 },
    /// Memory over many calls.
    Memory { calls: u32, per_second: u32 },
    /// More calls than it can take.
    Overload { rates: Vec<u32> },
}

fn main() -> Result<()> {
    match Options::parse().part {
        Some(Part::Registrations { count, per_second }) => {
            print(&runs::registrations(count, per_second)?);
        }
        Some(Part::Calls {
            per_second,
            seconds,
        }) => print(&runs::calls(per_second, seconds)?),
        Some(Part::Relayed { calls, seconds }) => print(&runs::relayed(calls, seconds)?),
        Some(Part::Memory { calls, per_second }) => print(&runs::memory(calls, per_second)?),
        Some(Part::Overload { rates }) => print(&runs::overload(&rates, 10)?),
        None => {
            print(&runs::registrations(5000, 1000)?);
            print(&runs::calls(250, 20)?);
            print(&runs::calls(500, 60)?);
            print(&runs::relayed(100, 20)?);
            print(&runs::relayed(400, 20)?);
            print(&runs::overload(&[500, 1000, 2000, 4000], 10)?);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn print(figures: &[Figure]) {
    for Figure { what, value } in figures {
        println!("{what:<75} {value}");
    }
}
