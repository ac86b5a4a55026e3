//! The kinds of problems there are, for who writes a program.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Code;

/// A kind of problem.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemKind {
    /// As in `code` of a problem.
    code: Code,
    /// The HTTP status it comes with.
    status: u16,
    /// In words.
    title: String,
}

/// Every kind of problem.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemKinds {
    /// By status.
    problems: Vec<ProblemKind>,
}

/// The kinds of problems
///
/// Every error of the API is one of these.
#[utoipa::path(get, path = "/problems", operation_id = "list_problems", tag = "access",
    responses((status = 200, description = "Every kind", body = ProblemKinds)))]
pub async fn list() -> Json<ProblemKinds> {
    let problems = Code::ALL
        .iter()
        .map(|code| ProblemKind {
            code: *code,
            status: code.status(),
            title: code.title().to_owned(),
        })
        .collect();
    Json(ProblemKinds { problems })
}
