//! Kernel modules: which files one needs, in which order, and loading them. Modules are looked up in
//! `modules.dep`, which `depmod` makes beside them.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};
use thiserror::Error;

use crate::board::Module;

/// Where every kernel has a folder of its own.
const MODULES: &str = "/lib/modules";

/// Why a module is not there.
#[derive(Debug, Error)]
pub enum NotLoaded {
    /// The system has none of this name.
    #[error("the system doesn't have it")]
    Missing,
    /// The kernel refuses it, or one that it needs.
    #[error("{}: {error}", .file.display())]
    Refused {
        /// Which one.
        file: PathBuf,
        /// What the kernel says.
        error: io::Error,
    },
}

/// The modules of one kernel.
#[derive(Clone, Debug)]
pub struct Modules {
    folder: PathBuf,
    /// A line a module: its file, a colon, the files it needs, the one to load first last.
    dependencies: String,
    /// A line a file that is a part of the kernel itself.
    built_in: String,
}

impl Modules {
    /// Those of the kernel that runs; none of them where it has no list.
    #[must_use]
    pub fn of_this_kernel() -> Self {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self::in_folder(&Path::new(MODULES).join(release.trim()))
    }

    fn in_folder(folder: &Path) -> Self {
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        Self {
            folder: folder.to_owned(),
            dependencies: text("modules.dep"),
            built_in: text("modules.builtin"),
        }
    }

    /// Loads a module after those it needs. One that is there already stays as it is.
    ///
    /// # Errors
    /// Where there is none of that name, or the kernel refuses one of them.
    pub fn load(&self, module: &Module) -> Result<(), NotLoaded> {
        self.load_by(module, insert)
    }

    fn load_by(
        &self,
        module: &Module,
        insert: impl Fn(&Path, &str) -> io::Result<()>,
    ) -> Result<(), NotLoaded> {
        let Some(files) = self.files(&module.name) else {
            let is_built_in = self
                .built_in
                .lines()
                .any(|file| is_of(file.trim(), &module.name));
            return if is_built_in {
                Ok(())
            } else {
                Err(NotLoaded::Missing)
            };
        };
        let last = files.len() - 1;
        for (index, file) in files.into_iter().enumerate() {
            let parameters = if index == last {
                module.parameters.as_str()
            } else {
                ""
            };
            match insert(&file, parameters) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(NotLoaded::Refused { file, error }),
            }
        }
        Ok(())
    }

    /// The files that a module is made of, in the order they are loaded: its own is the last.
    fn files(&self, name: &str) -> Option<Vec<PathBuf>> {
        let (own, needed) = (self.dependencies.lines())
            .filter_map(|line| line.split_once(':'))
            .find(|(file, _)| is_of(file, name))?;
        let needed = needed.split_ascii_whitespace().rev();
        Some(
            needed
                .chain([own])
                .map(|file| self.folder.join(file))
                .collect(),
        )
    }
}

/// Whether a file holds the module of this name. Names have either of `-` and `_`, files too.
fn is_of(file: &str, name: &str) -> bool {
    let file = file.rsplit('/').next().unwrap_or(file);
    let plain = |text: &str| text.replace('-', "_");
    file.strip_suffix(".ko")
        .is_some_and(|stem| plain(stem) == plain(name))
}

/// Gives a module's file to the kernel.
///
/// # Errors
/// What the kernel says; [`io::ErrorKind::AlreadyExists`] where it has that module.
pub fn insert(file: &Path, parameters: &str) -> io::Result<()> {
    let parameters = CString::new(parameters)?;
    let flags = ModuleInitFlags::empty();
    finit_module(File::open(file)?, &parameters, flags).map_err(|error: Errno| error.into())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const DEPENDENCIES: &str = "kernel/dahdi/dahdi.ko: kernel/lib/crc-ccitt.ko\n\
        kernel/dahdi/wcb4xxp.ko: kernel/dahdi/dahdi.ko kernel/lib/crc-ccitt.ko\n\
        kernel/dahdi/oct612x.ko:\n\
        kernel/lib/crc-ccitt.ko:\n";

    fn modules() -> (tempfile::TempDir, Modules) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("modules.dep"), DEPENDENCIES).expect("written");
        let built_in = "kernel/drivers/net/loopback.ko\n";
        fs::write(folder.path().join("modules.builtin"), built_in).expect("written");
        let modules = Modules::in_folder(folder.path());
        (folder, modules)
    }

    fn module(name: &str, parameters: &str) -> Module {
        Module {
            name: name.into(),
            parameters: parameters.into(),
        }
    }

    /// What the kernel is given, where it has one of them already.
    fn loaded(modules: &Modules, module: &Module, has: &str) -> Vec<String> {
        let given = RefCell::new(Vec::new());
        let insert = |file: &Path, parameters: &str| {
            let name = file.file_name().expect("a file").to_string_lossy();
            given.borrow_mut().push(format!("{name} {parameters}"));
            if name == has {
                return Err(io::Error::from(Errno::EEXIST));
            }
            Ok(())
        };
        modules.load_by(module, insert).expect("loaded");
        given.into_inner()
    }

    #[test]
    fn a_module_comes_after_those_it_needs_and_alone_has_the_parameters() {
        let (_folder, modules) = modules();
        let given = loaded(&modules, &module("wcb4xxp", "debug=1"), "");
        assert_eq!(given, ["crc-ccitt.ko ", "dahdi.ko ", "wcb4xxp.ko debug=1"]);
        let given = loaded(&modules, &module("wcb4xxp", ""), "dahdi.ko");
        assert_eq!(given.len(), 3, "one that is there is no error");
    }

    #[test]
    fn names_have_either_line() {
        let (_folder, modules) = modules();
        assert_eq!(loaded(&modules, &module("crc_ccitt", ""), "").len(), 1);
    }

    #[test]
    fn what_is_missing_or_refused_is_said() {
        let (_folder, modules) = modules();
        let refuse = |_: &Path, _: &str| Err(io::Error::from(Errno::ENODEV));
        let missing = modules.load_by(&module("wcte12xp", ""), refuse);
        assert!(matches!(missing, Err(NotLoaded::Missing)));
        let refused = modules.load_by(&module("dahdi", ""), refuse);
        let said = refused.expect_err("refused").to_string();
        assert!(
            said.contains("crc-ccitt.ko") && said.contains("No such device"),
            "{said}"
        );
        modules
            .load_by(&module("loopback", ""), refuse)
            .expect("built in");
        let none = Modules::in_folder(Path::new("/nowhere"));
        assert!(matches!(
            none.load(&module("dahdi", "")),
            Err(NotLoaded::Missing)
        ));
    }
}
