//! The web pages (WEB-1): the files of `firmware/web/dist`, which `build.rs` put into the program.
//!
//! Files under `assets/` have the hash of their content in their names and never change; the rest
//! is asked for anew each time. A path that is no file is a place inside the page, which finds its
//! own way there.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::problem::{Code, Problem};

/// Scripts and data come from the box alone. Styles may stand in the page, since the page's library
/// of controls writes them there; no script may.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is said where the program was built without them.
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <title>Operator Box</title>\n<h1>Operator Box</h1>\n\
    <p>The pages of the administration were not built: <code>make build</code> builds them. \
    Everything they can do is at <code>/api/v1</code>, described by \
    <a href=\"/api/v1/openapi.json\">its OpenAPI document</a>.</p>\n</html>\n";

/// All of them, by path.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// A file of the pages.
#[derive(Clone, Copy)]
struct File {
    /// Path below `dist`.
    path: &'static str,
    /// Of the content.
    hash: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// `/admin` and everything below it.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    of(FILES)
}

fn of<S: Clone + Send + Sync + 'static>(files: &'static [File]) -> Router<S> {
    let start = move |headers: HeaderMap| async move { answer(files, "", &headers) };
    let below = move |Path(path): Path<String>, headers: HeaderMap| async move {
        answer(files, &path, &headers)
    };
    Router::new()
        .route("/admin", get(start))
        .route("/admin/", get(start))
        .route("/admin/{*path}", get(below))
}

fn answer(files: &[File], path: &str, headers: &HeaderMap) -> Response {
    let find = |path: &str| files.iter().find(|file| file.path == path);
    let asset = path.starts_with("assets/");
    if let Some(file) = find(path) {
        return serve(file, asset, headers);
    }
    if asset {
        // A page in place of a script would only hide that the pages are of another version.
        return Problem::new(
            Code::UnknownPath,
            "There is no such file: load the page again.",
        )
        .into_response();
    }
    match find("index.html") {
        Some(file) => serve(file, false, headers),
        None => Html(NOT_BUILT).into_response(),
    }
}

fn serve(file: &File, forever: bool, headers: &HeaderMap) -> Response {
    let (packing, body) = match (file.brotli, file.gzip) {
        (Some(body), _) if accepts(headers, "br") => (Some("br"), body),
        (_, Some(body)) if accepts(headers, "gzip") => (Some("gzip"), body),
        _ => (None, file.plain),
    };
    let etag = format!("\"{}-{}\"", file.hash, packing.unwrap_or("plain"));
    let known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let answered = response.headers_mut();
    answered.insert(
        CACHE_CONTROL,
        HeaderValue::from_static(if forever {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        }),
    );
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answered.insert(ETAG, etag);
    }
    if file.brotli.is_some() || file.gzip.is_some() {
        answered.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    let kind = kind(file.path);
    // With a 304 too: its headers take the place of those the browser has kept.
    if kind.starts_with("text/html") {
        answered.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    if known {
        return response;
    }
    answered.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(packing) = packing {
        answered.insert(CONTENT_ENCODING, HeaderValue::from_static(packing));
    }
    response
}

/// True where the browser takes this packing (RFC 9110 §12.5.3).
fn accepts(headers: &HeaderMap, packing: &str) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, "q=1"));
            let weight = weight.trim().strip_prefix("q=").unwrap_or_default();
            name.trim().eq_ignore_ascii_case(packing)
                && weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)
        })
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wav" => "audio/wav",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    const BUILT: &[File] = &[
        File {
            path: "assets/main-4f3a.js",
            hash: "01",
            plain: b"plain",
            brotli: Some(b"brotli"),
            gzip: Some(b"gzip"),
        },
        File {
            path: "favicon.svg",
            hash: "02",
            plain: b"<svg/>",
            brotli: None,
            gzip: None,
        },
        File {
            path: "index.html",
            hash: "03",
            plain: b"page",
            brotli: None,
            gzip: None,
        },
    ];

    struct Answer {
        status: u16,
        headers: HeaderMap,
        body: String,
    }

    impl Answer {
        fn header(&self, name: &str) -> &str {
            self.headers
                .get(name)
                .map_or("", |value| value.to_str().expect("text"))
        }
    }

    async fn ask(files: &'static [File], path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = of::<()>(files).oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("it");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }

    #[tokio::test]
    async fn a_place_inside_the_page_is_the_page() {
        for path in ["/admin", "/admin/", "/admin/users/7", "/admin/index.html"] {
            let answer = ask(BUILT, path, &[]).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "page"));
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
            assert_eq!(answer.header("cache-control"), "no-cache");
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("script-src 'self';"), "{policy}");
        }
        let icon = ask(BUILT, "/admin/favicon.svg", &[]).await;
        assert_eq!(icon.header("content-type"), "image/svg+xml");
        assert_eq!(icon.header("cache-control"), "no-cache");
    }

    #[tokio::test]
    async fn a_named_file_is_kept_and_a_missing_one_is_no_page() {
        let file = ask(BUILT, "/admin/assets/main-4f3a.js", &[]).await;
        assert_eq!((file.status, file.body.as_str()), (200, "plain"));
        let forever = file.header("cache-control");
        assert!(forever.ends_with("immutable"), "{forever}");
        assert_eq!(file.header("vary"), "accept-encoding");
        let gone = ask(BUILT, "/admin/assets/main-0000.js", &[]).await;
        assert_eq!(gone.status, 404);
        assert_eq!(gone.header("cache-control"), "");
    }

    #[tokio::test]
    async fn a_browser_gets_the_packing_it_takes() {
        let path = "/admin/assets/main-4f3a.js";
        for (accepted, packing, body) in [
            ("gzip, deflate, br, zstd", "br", "brotli"),
            ("gzip", "gzip", "gzip"),
            ("br;q=0, gzip;q=0.5", "gzip", "gzip"),
            ("identity", "", "plain"),
        ] {
            let answer = ask(BUILT, path, &[("accept-encoding", accepted)]).await;
            assert_eq!(answer.header("content-encoding"), packing, "{accepted}");
            assert_eq!(answer.body, body);
        }
        let icon = ask(BUILT, "/admin/favicon.svg", &[("accept-encoding", "br")]).await;
        assert_eq!(icon.header("content-encoding"), "");
    }

    #[tokio::test]
    async fn what_the_browser_has_is_not_sent_again() {
        let first = ask(BUILT, "/admin", &[]).await;
        let etag = first.header("etag").to_owned();
        let again = ask(BUILT, "/admin/users", &[("if-none-match", &etag)]).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""));
        assert_eq!(again.header("etag"), etag);
        assert_eq!(again.header("content-security-policy"), POLICY);
        let other = ask(BUILT, "/admin", &[("if-none-match", "\"00-plain\"")]).await;
        assert_eq!(other.status, 200);
    }

    #[tokio::test]
    async fn without_pages_it_says_how_to_build_them() {
        for path in ["/admin", "/admin/users"] {
            let answer = ask(&[], path, &[]).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains("make build"), "{}", answer.body);
        }
    }
}
