//! The process: opens the store, makes the certificate, listens, renews, and ends in order.

use std::future::poll_fn;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use model::control::Request;
use nix::errno::Errno;
use platform::endings::Endings;
use platform::log::Row;
use store::{LogKind, Store};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, timeout};

use crate::app::{App, Parts};
use crate::certificate::{Keeper, Pem};
use crate::control::Control;
use crate::gate::Hosts;
use crate::hub::Hub;
use crate::listener::{Limited, limit};
use crate::redirect::Leading;
use crate::settings::Settings;
use crate::system::System;
use crate::{clock, endings, forgotten, host, redirect, router};

/// Requests under way get so long when the process ends.
const GRACE: Duration = Duration::from_secs(5);
/// A TLS handshake takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The certificate is looked at so often: a box's clock may jump by years once it finds the time.
const LOOK_AT_CERTIFICATE: Duration = Duration::from_secs(60);
/// A warning or error is written to the logs at most so often.
const ROW_EVERY: Duration = Duration::from_millis(50);
/// The exchange is ready by then, or the administration is used without it.
const EXCHANGE: Duration = Duration::from_secs(5);
/// Sessions that have ended are forgotten so often.
const PURGE: Duration = Duration::from_secs(60 * 60);

/// Serves until SIGTERM or SIGINT. Where it is found is said on `output`, for people.
///
/// # Errors
/// Where the store can't be opened, the certificate not be made, or the main listener not be bound.
pub async fn run(
    settings: Settings,
    rows: Receiver<Row>,
    mut output: impl Write + Send + 'static,
) -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow!("TLS has a provider already"))?;
    let store = Store::open(&settings.data).context("the store can't be opened")?;
    if let Err(error) = forgotten::forget_if_asked(&store, &settings.data) {
        tracing::error!("The first password is not reset: {error:#}.");
    }
    let names: Vec<String> = host::names().into_iter().chain(settings.names).collect();
    let hosts = Hosts::new(names);
    let keeper = Keeper::new(&settings.data);
    let (pem, made) = keeper.at_start(clock::now(), hosts.names(), &host::addresses())?;
    if made {
        tracing::info!("Made a certificate.");
    }
    let tls = RustlsConfig::from_pem(pem.certificate.clone().into(), pem.key.clone().into())
        .await
        .context("the certificate can't be used")?;

    let listener = bind(settings.listen)
        .with_context(|| format!("{} can't be listened on", settings.listen))?;
    let port = listener.local_addr()?.port();
    let (end, ending) = watch::channel(false);
    let control = Control::start(settings.control);
    // A change made just before the last end of this process may not have been told.
    control.reload();
    let app = App::start(Parts {
        store: store.clone(),
        control: control.clone(),
        system: System::at(settings.system),
        hosts: hosts.clone(),
        data: settings.data.clone(),
        first_visit: settings.first_visit,
        ending,
    })?;

    keep_rows(rows, store.clone(), app.hub.clone())?;
    tokio::spawn(endings::keep(
        Endings::of(&settings.data),
        store.clone(),
        app.hub.clone(),
        control.reachable(),
    ));

    let handle = Handle::new();
    let limited = app.connections.clone();
    let mut servers = JoinSet::new();
    let main = router::router(app);
    let lead = redirect::router(hosts.clone(), port);
    let leading = Leading::new(limited.clone(), lead.clone());
    servers.spawn(serve_tls(
        listener,
        tls.clone(),
        leading.clone(),
        handle.clone(),
        main,
    ));
    let mut led = Vec::new();
    if let Some(listener) = settings.redirect_http.and_then(bind_if_possible) {
        led.extend(port_of(&listener));
        servers.spawn(serve_plain(listener, limited, handle.clone(), lead.clone()));
    }
    if let Some(listener) = settings.redirect_https.and_then(bind_if_possible) {
        led.extend(port_of(&listener));
        servers.spawn(serve_tls(
            listener,
            tls.clone(),
            leading,
            handle.clone(),
            lead,
        ));
    }
    tokio::spawn(renew(keeper, hosts, tls, pem));
    tokio::spawn(purge(store, settings.data));
    tracing::info!(port, "Listening.");
    tokio::spawn(async move {
        // Last, so that it is what is seen after a start.
        let _ = timeout(EXCHANGE, control.ask_when_reachable(Request::Status)).await;
        say_where(&mut output, settings.listen.ip(), port, &led);
    });

    let mut stops = platform::signals::stops()
        .into_iter()
        .map(|name| signal(SignalKind::from_raw(name as i32)))
        .collect::<Result<Vec<_>, _>>()?;
    let stop = poll_fn(|context| {
        let mut come = stops.iter_mut().map(|stop| stop.poll_recv(context));
        if come.any(|stop| stop.is_ready()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    tokio::select! {
        () = stop => {}
        ended = servers.join_next() => {
            let why = match ended {
                Some(Ok(Err(error))) => anyhow!(error),
                _ => anyhow!("a listener ended"),
            };
            return Err(why.context("listening failed"));
        }
    }
    tracing::info!("Ending.");
    end.send_replace(true);
    handle.graceful_shutdown(Some(GRACE));
    while servers.join_next().await.is_some() {}
    Ok(())
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = bind_by(address, TcpListener::bind)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// On a machine without IPv6, all of its addresses are those of IPv4.
fn bind_by<T>(
    address: SocketAddr,
    bind: impl Fn(SocketAddr) -> std::io::Result<T>,
) -> std::io::Result<T> {
    match bind(address) {
        Err(error) if address.is_ipv6() && address.ip().is_unspecified() && is_no_ipv6(&error) => {
            let instead = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
            tracing::info!(%address, %instead, "No IPv6 on this machine.");
            bind(instead)
        }
        other => other,
    }
}

fn is_no_ipv6(error: &std::io::Error) -> bool {
    error.raw_os_error().is_some_and(|number| {
        matches!(
            Errno::from_raw(number),
            Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL
        )
    })
}

fn bind_if_possible(address: SocketAddr) -> Option<TcpListener> {
    match bind(address) {
        Ok(listener) => {
            match listener.local_addr() {
                Ok(address) => tracing::info!(%address, "Leading visitors to the administration."),
                Err(error) => tracing::warn!(%error, "A listener doesn't know its address."),
            }
            Some(listener)
        }
        Err(error) => {
            tracing::warn!(%address, %error, "Not listening there: visitors have to type the port.");
            None
        }
    }
}

async fn serve_tls(
    listener: TcpListener,
    tls: RustlsConfig,
    leading: Leading,
    handle: Handle<SocketAddr>,
    router: axum::Router,
) -> std::io::Result<()> {
    let acceptor = RustlsAcceptor::new(tls)
        .handshake_timeout(HANDSHAKE)
        .acceptor(leading);
    let mut server = axum_server::from_tcp(listener)?
        .acceptor(acceptor)
        .handle(handle);
    limit(&mut server);
    server
        .serve(router.into_make_service_with_connect_info::<SocketAddr>())
        .await
}

async fn serve_plain(
    listener: TcpListener,
    limited: Limited,
    handle: Handle<SocketAddr>,
    router: axum::Router,
) -> std::io::Result<()> {
    let mut server = axum_server::from_tcp(listener)?
        .acceptor(limited)
        .handle(handle);
    limit(&mut server);
    server
        .serve(router.into_make_service_with_connect_info::<SocketAddr>())
        .await
}

/// Makes the certificate again in time, and takes up one that somebody puts in its place.
async fn renew(keeper: Keeper, hosts: Hosts, tls: RustlsConfig, mut used: Pem) {
    let mut look = tokio::time::interval(LOOK_AT_CERTIFICATE);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look.tick().await;
    let mut said = None;
    loop {
        look.tick().await;
        let (keeper, hosts) = (keeper.clone(), hosts.clone());
        let looked = tokio::task::spawn_blocking(move || {
            keeper.current(clock::now(), hosts.names(), &host::addresses())
        });
        match looked.await {
            Ok(Ok((pem, made))) if pem != used => {
                let reloaded = tls
                    .reload_from_pem(pem.certificate.clone().into(), pem.key.clone().into())
                    .await;
                match reloaded {
                    Ok(()) => tracing::info!(made, "A new certificate is in use."),
                    Err(error) => tracing::error!(
                        %error,
                        "The new certificate can't be used; the one before is used on. Put \
                         certificate.pem and its key.pem there together, both in PEM."
                    ),
                }
                used = pem;
            }
            Ok(Ok(_)) => said = None,
            Err(_) => {}
            Ok(Err(error)) => {
                let error = format!("{error:#}");
                if said.as_ref() != Some(&error) {
                    tracing::error!(error, "The certificate can't be renewed.");
                    said = Some(error);
                }
            }
        }
    }
}

/// Forgets old sessions, and puts room by for the day when the disk is full.
async fn purge(store: Store, data: PathBuf) {
    let mut tick = tokio::time::interval(PURGE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let (store, again) = (store.clone(), store.clone());
        let purged = tokio::task::spawn_blocking(move || store.session_purge(clock::now()));
        if let Ok(Err(error)) = purged.await {
            tracing::warn!(%error, "Logins that have ended can't be cleared away.");
        }
        let plenty = host::disk(&data).is_some_and(|disk| disk.free > 4 * Store::RESERVE_BYTES);
        if plenty {
            let store = again;
            let reserved = tokio::task::spawn_blocking(move || store.reserve());
            if let Ok(Err(error)) = reserved.await {
                tracing::warn!(%error, "No room can be kept for a full disk: see System Health.");
            }
        }
    }
}

fn port_of(listener: &TcpListener) -> Option<u16> {
    Some(listener.local_addr().ok()?.port())
}

/// A line for each address that a browser can use, the likeliest last: it is what is seen after a start.
fn say_where(output: &mut impl Write, bound: IpAddr, port: u16, led: &[u16]) {
    let mut addresses = if bound.is_unspecified() {
        host::addresses()
    } else {
        vec![bound]
    };
    if addresses.iter().any(|address| !address.is_loopback()) {
        addresses.retain(|address| !address.is_loopback());
    }
    let outward = host::outward();
    addresses.sort_by_key(|address| (Some(*address) == outward, address.is_ipv4()));
    let mut text = String::new();
    if !led.is_empty() {
        let ports: Vec<String> = led.iter().map(u16::to_string).collect();
        text += &format!(
            "Browsers are led there from port {} too.\n",
            ports.join(" and ")
        );
    }
    for address in addresses {
        let address = SocketAddr::new(address, port);
        text += &format!("The administration: https://{address}/admin\n");
    }
    // Where nobody reads it, nobody is missing it.
    let _ = output.write_all(text.as_bytes());
}

/// Writes warnings and errors of this process to the logs, by a thread of its own: nothing here waits
/// for the disk. What can't be written is in the process's output all the same.
fn keep_rows(rows: Receiver<Row>, store: Store, hub: Hub) -> anyhow::Result<()> {
    std::thread::Builder::new()
        .name("log-rows".into())
        .spawn(move || {
            for row in rows {
                let kind = if row.is_error {
                    LogKind::Error
                } else {
                    LogKind::Warning
                };
                if store.log_append(kind, row.at, &row.text).is_ok() {
                    hub.logged();
                }
                // What comes faster says nothing new.
                std::thread::sleep(ROW_EVERY);
            }
        })
        .context("the logs' thread")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_ipv6_listens_on_ipv4() {
        let bound = |address: &str, v6: Errno| {
            let bind = |address: SocketAddr| match address {
                SocketAddr::V6(_) => Err(v6.into()),
                SocketAddr::V4(_) => Ok(address.to_string()),
            };
            bind_by(address.parse().expect("an address"), bind).ok()
        };
        let instead = Some("0.0.0.0:4021".to_owned());
        assert_eq!(bound("[::]:4021", Errno::EAFNOSUPPORT), instead);
        assert_eq!(bound("[::]:4021", Errno::EADDRINUSE), None);
        assert_eq!(bound("[2001:db8::1]:4021", Errno::EAFNOSUPPORT), None);
    }
}
