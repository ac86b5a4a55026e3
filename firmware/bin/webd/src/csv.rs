//! Tables for spreadsheets: UTF-8 with a byte order mark, semicolons, CRLF (RFC 4180 otherwise).
//!
//! A cell that a spreadsheet would take for a formula gets an apostrophe in front; what callers
//! send as their name must not run on an administrator's machine.

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// What a file begins with so that spreadsheets read it as UTF-8.
pub const BOM: &str = "\u{feff}";

/// Appends a row to `out`.
pub fn row<'a>(out: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(';');
        }
        push_cell(out, cell);
    }
    out.push_str("\r\n");
}

/// The answer that has `body` as a file of this name.
pub fn attachment(name: &str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}

fn push_cell(out: &mut String, cell: &str) {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let quoted = cell.contains([';', ',', '"', '\r', '\n', '\t']);
    if quoted {
        out.push('"');
    }
    if formula {
        out.push('\'');
    }
    for c in cell.chars() {
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    if quoted {
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_one_cell_and_no_formula() {
        let mut out = String::new();
        row(
            &mut out,
            [
                "122",
                "a;b",
                "say \"hi\"",
                "=1+1",
                "@x",
                "-2;3",
                "+420",
                "Kateřina",
            ],
        );
        assert_eq!(
            out,
            "122;\"a;b\";\"say \"\"hi\"\"\";'=1+1;'@x;\"'-2;3\";'+420;Kateřina\r\n"
        );
    }
}
