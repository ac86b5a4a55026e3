//! An upgrade: the file is received into the folder of uploads, and the `system` child told of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures_util::StreamExt;
use model::system::{Reply, Request, Upgrade};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use utoipa::ToSchema;

use super::body::Slots;
use super::{Unchanged, ask, change, refused};
use crate::api::Actor;
use crate::app::App;
use crate::problem::{Code, Problem};

/// Where it is, for the limits that don't hold for it.
pub const UPLOAD: &str = "/api/v1/system/upgrade";
/// It takes no longer: 256 MiB at 2 Mbit/s, and some.
pub const LONGEST_UPLOAD: Duration = Duration::from_secs(20 * 60);
/// The largest file: four times a system.
const MOST: u64 = 256 * 1024 * 1024;
/// Bytes collected before they are written: each write is work for another thread.
const CHUNK: usize = 1024 * 1024;

/// An update file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(
    dead_code,
    reason = "it is received in pieces; this is how the document shows it"
)]
pub struct UpdateFile(Vec<u8>);

/// The file while it is nobody else's; it goes with this.
struct Received {
    path: PathBuf,
    kept: bool,
}

/// Upgrade the system
///
/// The body is the update file. It is checked and written to the other slot; how far that is and
/// what is wrong with the file, `GET /system/slots` says. The next start tries the new system.
#[utoipa::path(post, path = "/system/upgrade", operation_id = "upgrade_system", tag = "system",
    request_body(content = UpdateFile, content_type = "application/octet-stream",
        description = "The update file, at most 256 MiB"),
    responses(
        (status = 200, description = "It is received and being checked", body = Slots),
        (status = 400, description = "The file ended early (`incomplete`).",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The file is larger than 256 MiB (`too_large`).",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 507, description = "There is no room for the file (`disk_full`).",
            body = crate::problem::ProblemBody, content_type = "application/problem+json")))]
pub async fn upgrade(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Slots>, Problem> {
    let Ok(_only) = app.uploads.try_acquire() else {
        return Err(Problem::new(
            Code::UpgradeUnderWay,
            "Another update file is being received: wait until it is there.",
        ));
    };
    // Nobody should send all of it only to hear that it can't be used.
    match ask(&app, &actor, Request::Slots).await? {
        Reply::Slots(slots) if matches!(slots.upgrade, Upgrade::Writing { .. }) => {
            return Err(Problem::new(
                Code::UpgradeUnderWay,
                "An upgrade is being written: wait until it is done.",
            ));
        }
        Reply::Slots(_) => {}
        other => return Err(refused(other)),
    }
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MOST) {
        return Err(too_large());
    }
    let folder = app.data.join("upload");
    let name = name()?;
    let (file, mut received) = create(folder, &name)
        .await
        .map_err(|error| failed(&error))?;
    let bytes = receive(file, body).await?;
    let text = format!("Uploaded an upgrade of {bytes} bytes");
    // From here on the file may be taken at any moment, even where whoever sent it has gone: it goes
    // only where it is known that it was not. What stays, the next upload removes.
    received.kept = true;
    let told = change(&app, &actor, Request::Upgrade { file: name }, text).await;
    match told {
        Ok(Reply::Slots(slots)) => Ok(Json(slots.into())),
        Ok(other) => Err(refused(other)),
        Err(Unchanged::Silent(why)) if !why.unheard() => {
            tracing::warn!(%why, "Nobody knows whether an upgrade has begun.");
            let text = "The file is here, but the machine has not said that it took it: see how \
                        far the upgrade is before you send it again.";
            Err(Problem::new(Code::Busy, text).retry_after(5))
        }
        Err(unchanged) => {
            received.kept = false;
            Err(unchanged.into())
        }
    }
}

async fn create(folder: PathBuf, name: &str) -> io::Result<(File, Received)> {
    let path = folder.join(name);
    tokio::task::spawn_blocking(move || make_room(&folder))
        .await
        .map_err(io::Error::other)??;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o640);
    let file = options.open(&path).await?;
    Ok((file, Received { path, kept: false }))
}

/// Makes the folder, and removes what an end of this process left in it.
fn make_room(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "update") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

async fn receive(mut file: File, body: Body) -> Result<u64, Problem> {
    let mut stream = body.into_data_stream();
    let mut collected = Vec::with_capacity(CHUNK);
    let mut bytes = 0_u64;
    loop {
        let piece =
            stream.next().await.transpose().map_err(|_| {
                Problem::new(Code::Incomplete, "The file ended early: send it again.")
            })?;
        let is_end = piece.is_none();
        let piece = piece.unwrap_or_default();
        bytes = bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if bytes > MOST {
            return Err(too_large());
        }
        collected.extend_from_slice(&piece);
        if is_end || collected.len() >= CHUNK {
            let written = file.write_all(&collected).await;
            written.map_err(|error| failed(&error))?;
            collected.clear();
        }
        if is_end {
            file.sync_all().await.map_err(|error| failed(&error))?;
            return Ok(bytes);
        }
    }
}

fn name() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "No random bytes.");
        Problem::internal()
    })?;
    Ok(format!("{:032x}.update", u128::from_le_bytes(bytes)))
}

fn too_large() -> Problem {
    Problem::new(
        Code::TooLarge,
        "Send at most 256 MiB: this is no update file of this box.",
    )
}

fn failed(error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::StorageFull {
        return Problem::new(
            Code::DiskFull,
            "Make room: remove recordings or old history, then try again.",
        );
    }
    tracing::error!(%error, "An update file can't be kept.");
    Problem::internal()
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.kept {
            // Where it can't be removed now, the next upload does.
            let _ = fs::remove_file(&self.path);
        }
    }
}
