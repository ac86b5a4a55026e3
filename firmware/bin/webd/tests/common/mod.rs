//! A whole `webd` in the test's process, and what stands around it.

#![expect(dead_code, reason = "each test file uses its own part of this")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!` at the end of a call reads best without a reference"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use model::{Language, Role, Secret, UserId, WallTime};
use serde_json::Value;
use store::{Author, Expected, NewSession, NewUser, Operation, Store};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;
use webd::{App, Control, Hosts, Parts, System};

pub mod machine;
pub mod peer;

use peer::Peer;

/// The password of `Admin` in every test. The hash is made once: hashing is slow on purpose.
pub const PASSWORD: &str = "correct horse battery";

/// A `webd` without sockets of its own.
pub struct World {
    pub dir: TempDir,
    pub store: Store,
    pub router: Router,
    pub end: watch::Sender<bool>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

/// A request being put together.
pub struct Ask<'a> {
    world: &'a World,
    request: axum::http::request::Builder,
    body: String,
    from: SocketAddr,
}

pub fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    WallTime::from_unix_micros(since.as_micros().try_into().unwrap())
}

pub fn author() -> Author {
    Author {
        name: "Admin".into(),
        host: "192.0.2.1".into(),
    }
}

impl World {
    /// Before the first visit.
    pub fn untouched() -> Self {
        Self::start(true)
    }

    /// With data that are not the box's own.
    pub fn without_its_data() -> Self {
        Self::start(false)
    }

    fn start(first_visit: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (end, ending) = watch::channel(false);
        let app = App::start(Parts {
            store: store.clone(),
            control: Control::start(socket_in(dir.path())),
            system: System::at(dir.path().join("system.sock")),
            hosts: Hosts::new(["pbx.test".to_owned()]),
            data: dir.path().to_owned(),
            first_visit,
            ending,
        })
        .unwrap();
        Self {
            router: webd::router(app),
            dir,
            store,
            end,
        }
    }

    /// After the first visit; the password of `Admin` is none that can be logged in with.
    pub fn new() -> Self {
        let world = Self::untouched();
        world
            .store
            .set_first_password(now(), "192.0.2.1", &Secret::new("$argon2id$none"))
            .unwrap();
        world
    }

    /// After the first visit; `Admin` has [`PASSWORD`].
    pub async fn with_password() -> Self {
        let world = Self::untouched();
        let answer = world
            .post("/api/v1/first-visit")
            .json(serde_json::json!({ "password": PASSWORD }))
            .send()
            .await;
        assert_eq!(answer.status, 204, "{answer:?}");
        world
    }

    /// An exchange at the other end of the control socket.
    pub fn peer(&self) -> Peer {
        Peer::start(&socket_in(self.dir.path()))
    }

    /// A user with these rights, and a session of the user: the `Cookie` header.
    pub fn session(&self, role: Role) -> (UserId, String) {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let user = NewUser {
            name: format!("someone{n}"),
            full_name: String::new(),
            email: None,
            language: Language::En,
            role,
            enabled: true,
            password_hash: Some(Secret::new("$argon2id$none")),
        };
        let changed = self
            .store
            .change(
                now(),
                &author(),
                Expected::Anything,
                Operation::AddUser(user),
            )
            .unwrap();
        let user = changed.users[0];
        (user, self.session_of(user))
    }

    /// A session of this user: the `Cookie` header.
    pub fn session_of(&self, user: UserId) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let token = format!("{:043}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.store
            .session_create(
                now(),
                &NewSession {
                    token: Secret::new(token.clone()),
                    user,
                    address: "192.0.2.1".into(),
                    idle: Duration::from_secs(1800),
                    absolute: Duration::from_secs(43200),
                },
            )
            .unwrap();
        format!("__Host-session={token}")
    }

    /// The `Cookie` header of somebody who may do everything.
    pub fn admin(&self) -> String {
        self.session(Role::ReadWrite).1
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        self.ask("GET", path)
    }

    pub fn post(&self, path: &str) -> Ask<'_> {
        self.ask("POST", path)
    }

    pub fn put(&self, path: &str) -> Ask<'_> {
        self.ask("PUT", path)
    }

    pub fn delete(&self, path: &str) -> Ask<'_> {
        self.ask("DELETE", path)
    }

    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask {
            world: self,
            request: Request::builder()
                .method(method)
                .uri(path)
                .header("Host", "127.0.0.1:4021"),
            body: String::new(),
            from: ([192, 0, 2, 1], 40000).into(),
        }
    }
}

impl Ask<'_> {
    /// With the session cookie, as a program sends it.
    pub fn cookie(self, cookie: &str) -> Self {
        self.header("Cookie", cookie)
            .header("X-Requested-With", "test")
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn host(mut self, host: &str) -> Self {
        self.request
            .headers_mut()
            .unwrap()
            .insert("Host", host.parse().unwrap());
        self
    }

    pub fn from(mut self, address: [u8; 4]) -> Self {
        self.from = (address, 40000).into();
        self
    }

    pub fn json(self, body: Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    pub fn body(mut self, kind: &str, body: &str) -> Self {
        self.body = body.to_owned();
        self.header("Content-Type", kind)
    }

    /// The answer with its body still to come.
    pub async fn open(self) -> Response {
        let mut request = self.request.body(Body::from(self.body)).unwrap();
        request.extensions_mut().insert(ConnectInfo(self.from));
        self.world.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn send(self) -> Answer {
        let (parts, body) = self.open().await.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem, which has to be one in every respect.
    pub fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16(), "{self:?}");
        for field in ["type", "title", "detail"] {
            assert!(json[field].as_str().is_some_and(|text| !text.is_empty()));
        }
        json["code"].as_str().unwrap().to_owned()
    }

    /// The fields a problem names, with their codes.
    pub fn fields(&self) -> Vec<(String, String)> {
        self.json()["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| {
                assert!(!error["detail"].as_str().unwrap().is_empty());
                let text = |name: &str| error[name].as_str().unwrap().to_owned();
                (text("pointer"), text("code"))
            })
            .collect()
    }

    /// The cookie that was set, as the `Cookie` header to send.
    pub fn cookie(&self) -> String {
        let cookie = self.header("set-cookie");
        cookie.split(';').next().unwrap().to_owned()
    }
}

fn socket_in(dir: &Path) -> PathBuf {
    dir.join("pbxd.sock")
}

/// Looks again and again until it is so.
pub async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never happened: {what}");
}
