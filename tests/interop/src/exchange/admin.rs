//! The administration's API over HTTPS, spoken by curl from inside the exchange's namespace.
//!
//! Routes and fields stand in this file only.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Account;
use crate::Host;

/// What extensions may use: everything.
const CODECS: [&str; 8] = [
    "pcma", "pcmu", "g722", "gsm", "g729", "ilbc", "speex", "opus",
];

const BASE: &str = "/api/v1";
/// WEB-2: the first account.
const NAME: &str = "Admin";
const PASSWORD: &str = "Correct-horse-7-battery";
/// An answer comes within.
const PATIENCE: Duration = Duration::from_secs(15);

/// A signed-in administrator.
#[derive(Debug)]
pub struct Admin {
    host: Host,
    /// Where the administration is.
    address: IpAddr,
    /// Where the administrator sits; the exchange's own namespace where that is one.
    desk: Host,
    port: u16,
    cookies: PathBuf,
    log: PathBuf,
    patience: Duration,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Its JSON, null if there was none.
    pub body: Value,
}

impl Admin {
    pub(super) fn new(host: &Host, port: u16, evidence: &Path) -> Self {
        Self::at_desk(host, host, port, evidence)
    }

    pub(super) fn at_desk(host: &Host, desk: &Host, port: u16, evidence: &Path) -> Self {
        Self {
            host: host.clone(),
            address: host.address(),
            desk: desk.clone(),
            port,
            cookies: evidence.join("cookies"),
            log: evidence.join("admin.log"),
            patience: PATIENCE,
        }
    }

    /// One who waits so long for an answer.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same for a machine that is at another address than its place on the switch says.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Self {
        Self {
            address,
            host: self.host.clone(),
            desk: self.desk.clone(),
            cookies: self.cookies.clone(),
            log: self.log.clone(),
            ..*self
        }
    }

    /// Signs in with the password of the first visit.
    pub fn sign_in_again(&self) -> Result<()> {
        self.sign_in(PASSWORD)
    }

    /// Sets the first password (WEB-2) and signs in.
    pub fn first_visit(&self) -> Result<()> {
        self.done("POST", "/first-visit", &json!({ "password": PASSWORD }))?;
        self.sign_in(PASSWORD)
    }

    /// Signs in as the first account.
    pub fn sign_in(&self, password: &str) -> Result<()> {
        self.done(
            "POST",
            "/session",
            &json!({ "name": NAME, "password": password }),
        )
        .map(drop)
    }

    /// Waits until it answers.
    pub fn reachable(&self, within: Duration) -> Result<()> {
        let to = SocketAddr::new(self.address, self.port);
        self.desk.connect(to, within).map(drop)
    }

    /// Adds a user; what the API tells of it.
    pub fn add_user(&self, name: &str, full_name: &str) -> Result<Value> {
        self.done(
            "POST",
            "/users",
            &json!({ "name": name, "full_name": full_name }),
        )
    }

    /// Adds an extension of this user or nobody's; its SIP account, with the password the exchange made up.
    pub fn add_extension(&self, number: &str, user: Option<u64>) -> Result<Account> {
        let made = self.done(
            "POST",
            "/extensions",
            &json!({ "number": number, "user": user, "codecs": CODECS }),
        )?;
        let text = |field: &str| {
            made[field]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("no {field} in {made}"))
        };
        Ok(Account {
            number: number.to_owned(),
            user: text("sip_username")?,
            password: text("sip_password")?,
            host: self.host.number,
        })
    }

    /// Has an extension's phones encrypt their sound always.
    pub fn require_srtp(&self, number: &str) -> Result<()> {
        self.change_extension(number, "srtp", "required".into())
    }

    /// Gives an extension to a user.
    pub fn give_extension(&self, number: &str, user: &Value) -> Result<()> {
        self.change_extension(number, "user", user.clone())
    }

    fn change_extension(&self, number: &str, name: &str, value: Value) -> Result<()> {
        let all = self.list("/extensions", "extensions")?;
        let extension = all
            .iter()
            .find(|extension| extension["number"] == number)
            .with_context(|| format!("there is no extension {number}"))?;
        let mut body = json!({});
        for field in [
            "number",
            "description",
            "user",
            "caller_name",
            "enabled",
            "sip_username",
            "codecs",
            "srtp",
        ] {
            body[field] = extension[field].clone();
        }
        body[name] = value;
        let path = format!("/extensions/{}", extension["id"]);
        self.done_as_seen("PUT", &path, "*", &body)?;
        Ok(())
    }

    /// The id of an extension, by its number.
    pub fn extension_id(&self, number: &str) -> Result<u64> {
        let all = self.list("/extensions", "extensions")?;
        let found = all.iter().find(|extension| extension["number"] == number);
        found
            .and_then(|extension| extension["id"].as_u64())
            .with_context(|| format!("there is no extension {number}"))
    }

    /// Calls under way.
    pub fn calls(&self) -> Result<Vec<Value>> {
        self.list("/calls", "calls")
    }

    /// Calls that have ended, newest first.
    pub fn history(&self) -> Result<Vec<Value>> {
        self.list("/call-history", "calls")
    }

    /// Phones that are registered.
    pub fn registrations(&self) -> Result<Vec<Value>> {
        self.list("/registrations", "registrations")
    }

    /// One request that must succeed; its JSON.
    pub fn done(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let reply = self.request(method, path, body)?;
        Self::succeeded(method, path, reply)
    }

    fn succeeded(method: &str, path: &str, reply: Reply) -> Result<Value> {
        if !(200..300).contains(&reply.status) {
            // RFC 9457: application/problem+json.
            let why = reply.body["detail"]
                .as_str()
                .or(reply.body["title"].as_str())
                .unwrap_or("no reason given");
            bail!("{method} {path}: {} {why}", reply.status);
        }
        Ok(reply.body)
    }

    /// One request that must succeed and says what it is based on; its JSON.
    pub fn done_as_seen(
        &self,
        method: &str,
        path: &str,
        etag: &str,
        body: &Value,
    ) -> Result<Value> {
        let reply = self.request_with(method, path, &[&format!("if-match: {etag}")], body)?;
        Self::succeeded(method, path, reply)
    }

    /// One request, whatever the answer.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> Result<Reply> {
        self.request_with(method, path, &[], body)
    }

    fn request_with(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &Value,
    ) -> Result<Reply> {
        let mut command = self.curl(method);
        for header in headers {
            command.args(["--header", header]);
        }
        if !body.is_null() {
            let mut file = tempfile::tempfile()?;
            write!(file, "{body}")?;
            file.seek(SeekFrom::Start(0))?;
            command
                .args([
                    "--header",
                    "content-type: application/json",
                    "--data-binary",
                    "@-",
                ])
                .stdin(file);
        }
        self.send(command, method, path)
    }

    /// Posts a file, whatever the answer.
    pub fn upload(&self, path: &str, file: &Path) -> Result<Reply> {
        let mut command = self.curl("POST");
        command
            .args(["--header", "content-type: application/octet-stream"])
            // Not waiting to be told to go on.
            .args(["--header", "expect:", "--upload-file"])
            .arg(file);
        self.send(command, "POST", path)
    }

    fn curl(&self, method: &str) -> Command {
        let mut command = self.desk.command("curl");
        // No browser: the API wants that said in everything but GET.
        command.args(["--header", "x-requested-with: interop"]);
        // The certificate is the box's own and new.
        command.args([
            "--silent",
            "--show-error",
            "--insecure",
            "--max-time",
            &self.patience.as_secs().to_string(),
            "--request",
            method,
        ]);
        command.args([
            "--header",
            "accept: application/json",
            "--write-out",
            "\n%{http_code}",
        ]);
        command
            .arg("--cookie")
            .arg(&self.cookies)
            .arg("--cookie-jar")
            .arg(&self.cookies);
        command
    }

    fn send(&self, mut command: Command, method: &str, path: &str) -> Result<Reply> {
        let url = format!("https://{}:{}{BASE}{path}", self.address, self.port);
        let output = command.arg(&url).output().context("run curl")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        self.note(&format!(
            "{method} {path}\n{text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        ))?;
        if !output.status.success() {
            bail!(
                "{method} {path}: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let (body, status) = text.rsplit_once('\n').context("curl told no status")?;
        Ok(Reply {
            status: status.parse()?,
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        })
    }

    fn list(&self, path: &str, field: &str) -> Result<Vec<Value>> {
        let body = self.done("GET", path, &Value::Null)?;
        let list = body[field].as_array().cloned();
        list.with_context(|| format!("{path} has no list of {field}: {body}"))
    }

    fn note(&self, text: &str) -> Result<()> {
        Ok(writeln!(
            File::options().create(true).append(true).open(&self.log)?,
            "{text}"
        )?)
    }
}
