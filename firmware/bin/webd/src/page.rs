//! The one page there is: it says where the API is. It has no script, no style and no form.

use axum::response::Html;

/// `/admin`.
pub async fn admin() -> Html<&'static str> {
    Html(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <title>Operator Box</title>\n<h1>Operator Box</h1>\n\
         <p>The administration has no pages yet. Everything it can do is at \
         <code>/api/v1</code>, described by <a href=\"/api/v1/openapi.json\">its OpenAPI \
         document</a>.</p>\n</html>\n",
    )
}
