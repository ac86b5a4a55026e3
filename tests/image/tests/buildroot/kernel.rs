//! The fragment of the kernel's configuration: Kconfig drops a line whose dependency is missing, and
//! Buildroot says nothing of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use image_tests::root;

use crate::{Verdict, fail_on, run};

/// Made as Buildroot makes it: the architecture's configuration, the fragment over it, defaults for
/// the rest.
pub fn fragment_arrives(linux: &Path) -> Verdict {
    let fragment = root().join("board/common/linux.fragment");
    let work = tempfile::tempdir()?;
    let make = |target: &str| {
        let mut command = Command::new("make");
        command.arg("-s").arg("-C").arg(linux);
        command.arg(format!("O={}", work.path().display()));
        command.args(["ARCH=x86", target]);
        run(&mut command)
    };
    make("x86_64_defconfig")?;
    let config = work.path().join(".config");
    let mut merge = Command::new(linux.join("scripts/kconfig/merge_config.sh"));
    merge.current_dir(linux).args(["-m", "-O"]).arg(work.path());
    merge.env("KCONFIG_CONFIG", &config);
    run(merge.arg(&config).arg(&fragment))?;
    make("olddefconfig")?;
    let (fragment, config) = (fs::read_to_string(fragment)?, fs::read_to_string(config)?);
    fail_on("lines that did not arrive", &lost(&fragment, &config))?;
    // Nobody loads modules before the root is mounted, and few after.
    let modules: Vec<String> = config
        .lines()
        .filter(|line| line.ends_with("=m") && !MODULES.contains(line))
        .map(str::to_owned)
        .collect();
    fail_on("parts that are not built in", &modules)
}

/// Asks for the temperature of a processor; nothing depends on it.
const MODULES: &[&str] = &["CONFIG_X86_PKG_TEMP_THERMAL=m"];

/// The lines of a fragment that a configuration does not have.
fn lost(fragment: &str, config: &str) -> Vec<String> {
    fragment
        .lines()
        .filter(|line| match is_not_set(line) {
            // A symbol that can't be chosen isn't written down at all.
            Some(symbol) => config.lines().any(|other| {
                other
                    .strip_prefix(symbol)
                    .is_some_and(|rest| rest.starts_with('='))
            }),
            None => line.starts_with("CONFIG_") && !config.lines().any(|other| other == *line),
        })
        .map(str::to_owned)
        .collect()
}

fn is_not_set(line: &str) -> Option<&str> {
    let symbol = line.strip_prefix("# ")?.strip_suffix(" is not set")?;
    symbol.starts_with("CONFIG_").then_some(symbol)
}

/// The check itself, without a kernel.
pub fn losses_are_seen() -> Verdict {
    let config = "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_DE=y\n";
    let fragment = "# a remark\nCONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n# CONFIG_D is not set\n\
                    # CONFIG_DE is not set\n# CONFIG_C is not set\nCONFIG_F=y\n";
    let found = lost(fragment, config);
    let expected = [
        "CONFIG_B=y",
        "CONFIG_C=y",
        "# CONFIG_DE is not set",
        "CONFIG_F=y",
    ];
    if found == expected {
        return Ok(());
    }
    Err(format!("{found:?}").into())
}
