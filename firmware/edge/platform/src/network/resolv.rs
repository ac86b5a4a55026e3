//! The file that names are resolved by.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// Writes the name servers, and the domain that short names are searched in. No fsync: it is made anew
/// at each start, and lies in memory.
///
/// # Errors
/// What the disk says.
pub fn write(path: &Path, servers: &[IpAddr], domain: Option<&str>) -> io::Result<()> {
    let text = print(servers, domain);
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    fs::write(&new, text)?;
    fs::rename(new, path)
}

/// The name servers in a file of this kind.
#[must_use]
pub fn read(path: &Path) -> Vec<IpAddr> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("nameserver"))
        .filter_map(|rest| rest.trim().split('%').next()?.parse().ok())
        .collect()
}

fn print(servers: &[IpAddr], domain: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(domain) = domain {
        text.push_str(&format!("search {domain}\n"));
    }
    for server in servers {
        text.push_str(&format!("nameserver {server}\n"));
    }
    // An exchange waits for a server that doesn't answer no longer than a caller would.
    text.push_str("options timeout:2 attempts:2\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_read_as_they_are_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("resolv.conf");
        assert!(read(&path).is_empty());
        let servers: Vec<IpAddr> = vec![
            "9.9.9.9".parse().expect("an address"),
            "2620:fe::fe".parse().expect("an address"),
        ];
        write(&path, &servers, Some("example.com")).expect("written");
        assert_eq!(read(&path), servers);
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("search example.com\nnameserver 9.9.9.9\n"));
    }
}
