//! Whether name and password belong together: throttled, logged, and as slow for a user who doesn't
//! exist as for one who does.

use std::net::IpAddr;
use std::time::Instant;

use model::Secret;
use model::config::User;
use store::Store;

use crate::app::App;
use crate::password::MAX_CHARS;
use crate::problem::{Code, Problem};

/// The user whose name and password these are.
///
/// # Errors
/// [`Code::WrongCredentials`], [`Code::TooManyAttempts`], [`Code::Busy`].
pub(super) async fn verify(
    app: &App,
    address: IpAddr,
    name: &str,
    password: Secret,
) -> Result<User, Problem> {
    let begun = app.throttle(|throttle| throttle.begin(Instant::now(), name, address));
    if let Err(early) = begun {
        let seconds = early.wait.as_secs() + 1;
        return Err(Problem::new(
            Code::TooManyAttempts,
            format!("Wait {seconds} seconds, then try again."),
        )
        .retry_after(seconds));
    }
    match compare(app, name, password).await {
        Ok((Some(user), true)) if user.enabled => {
            app.throttle(|throttle| throttle.succeed(Instant::now(), name, address));
            Ok(user)
        }
        Ok((user, right)) => {
            report(app, address, user.as_ref(), right).await;
            Err(Problem::new(
                Code::WrongCredentials,
                "Check name and password; letters are told apart by case in the password.",
            ))
        }
        Err(problem) => {
            app.throttle(|throttle| throttle.cancel(Instant::now(), name, address));
            Err(problem)
        }
    }
}

async fn compare(app: &App, name: &str, password: Secret) -> Result<(Option<User>, bool), Problem> {
    let asked = name.to_owned();
    let found = app
        .with_store(move |store: &Store| store.credentials(&asked))
        .await?;
    let (user, hash) = found.map_or((None, None), |found| (Some(found.user), found.hash));
    let too_long = password.expose().chars().count() > MAX_CHARS;
    let right = app.hasher.verify(hash, password).await?;
    Ok((user, right && !too_long))
}

/// A name that nobody has isn't logged: people type their password there.
async fn report(app: &App, address: IpAddr, user: Option<&User>, right: bool) {
    let text = match user {
        Some(user) if right => {
            format!(
                "{} - login refused for host {address}: the user is disabled",
                user.name
            )
        }
        Some(user) => format!(
            "{} - login failed for host {address}: wrong password",
            user.name
        ),
        None => format!("Login failed for host {address}: unknown user"),
    };
    tracing::info!(%address, known = user.is_some(), "A login failed.");
    app.security(text).await;
}
