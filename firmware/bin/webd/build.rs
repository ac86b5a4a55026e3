//! Takes the web pages into the program: `firmware/web/dist` becomes a table of files, each beside
//! its precompressed forms. Where they were not built, the table is empty.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = root.join("../../web/dist");
    // An empty folder can be watched; a missing one would have everything built anew each time.
    let _ = fs::create_dir_all(&dist);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = BTreeMap::new();
    if dist.is_dir() {
        collect(&dist.canonicalize()?, "", &mut files)?;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("pages.rs"), table(&files)?)
}

/// All files below `dir`, by their path from the top.
fn collect(dir: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Neither is for browsers.
        if name.starts_with('.') || name.ends_with(".map") {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, entry.path());
        }
    }
    Ok(())
}

/// The table as Rust, sorted by path.
fn table(files: &BTreeMap<String, PathBuf>) -> io::Result<String> {
    let mut code = String::from("&[\n");
    for (path, file) in files {
        let original = path
            .strip_suffix(".br")
            .or_else(|| path.strip_suffix(".gz"));
        if original.is_some_and(|original| files.contains_key(original)) {
            continue;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(&fs::read(file)?);
        let packed = |ending: &str| match files.get(&format!("{path}.{ending}")) {
            Some(file) => format!("Some(include_bytes!({file:?}))"),
            None => "None".to_owned(),
        };
        let _ = writeln!(
            code,
            "    File {{ path: {path:?}, hash: \"{:016x}\", plain: include_bytes!({file:?}), \
             brotli: {}, gzip: {} }},",
            hasher.finish(),
            packed("br"),
            packed("gz"),
        );
    }
    code.push(']');
    Ok(code)
}
