//! Runs a table of scenarios under libtest's own command line.

use std::{collections::BTreeMap, env, process::ExitCode, thread};

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::{Kind, Need, Stage};

/// Most of a scenario is waiting for sound to pass, so more than the cores can run at once; too many and the phones
/// themselves stumble, which would be measured as loss.
const AT_ONCE_PER_CORE: usize = 2;

type Play = Box<dyn FnOnce(&Stage) -> Result<()> + Send>;

/// One test: its name, what it needs, what happens.
pub struct Scenario {
    name: String,
    needs: Vec<Need>,
    lacks: Option<String>,
    play: Play,
}

impl Scenario {
    /// A test of this name. [`Need::Namespaces`] goes without saying.
    pub fn new(
        name: impl Into<String>,
        needs: &[Need],
        play: impl FnOnce(&Stage) -> Result<()> + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            needs: [&[Need::Namespaces], needs].concat(),
            lacks: None,
            play: Box::new(play),
        }
    }

    /// It takes long: it is played where this variable of the environment is set.
    pub fn only_where(mut self, variable: &str) -> Self {
        if env::var_os(variable).is_none() {
            self.lacks = Some(format!("it takes long: {variable}=1 plays it"));
        }
        self
    }

    /// The foreign exchange has nothing of the kind.
    pub fn ours_only(mut self) -> Self {
        match Kind::chosen() {
            Kind::Ours => {}
            Kind::Image => self.lacks = Some("it looks into the exchange's own process".into()),
            Kind::Kamailio => self.lacks = Some("kamailio is no exchange of ours".into()),
        }
        self
    }
}

/// Runs the scenarios that can run here; the others are reported as ignored, and why is said.
#[expect(
    clippy::print_stderr,
    reason = "the reason must be seen by whoever reads the test's output"
)]
pub fn main(scenarios: Vec<Scenario>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    arguments
        .test_threads
        .get_or_insert(cores * AT_ONCE_PER_CORE);

    let mut missing: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut trials = Vec::new();
    for scenario in scenarios {
        let mut ignored = false;
        if let Some(lack) = scenario.lacks {
            missing.insert(lack.clone(), Some(lack));
            ignored = true;
        }
        for need in scenario.needs {
            let reason = missing
                .entry(format!("{need:?}"))
                .or_insert_with(|| need.missing());
            ignored |= reason.is_some();
        }
        let (name, play) = (scenario.name.clone(), scenario.play);
        let trial = Trial::test(scenario.name, move || run(&name, play));
        trials.push(trial.with_ignored_flag(ignored));
    }
    if !arguments.list {
        for reason in missing.values().flatten() {
            eprintln!("interop: tests are ignored: {reason}");
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn run(name: &str, play: Play) -> Result<(), Failed> {
    let stage = Stage::new(name).map_err(|error| Failed::from(format!("{error:#}")))?;
    let evidence = stage.evidence().display().to_string();
    play(&stage).map_err(|error| Failed::from(format!("{error:#}\nevidence: {evidence}")))
}
