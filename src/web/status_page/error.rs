//! An error with all its causes.

use askama::Template;

use super::Text;
use crate::task::TaskError;

/// An error, and below it what caused it.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(super) struct ErrorItem<'a> {
    code: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    message: Option<Text<'a>>,
    remediation: Option<Text<'a>>,
    reference: Option<Text<'a>>,
    causes: Vec<Self>,
}

impl askama::filters::HtmlSafe for ErrorItem<'_> {}

impl<'a> ErrorItem<'a> {
    pub(super) fn new(error: &'a TaskError) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().map(Text);
        Self {
            code: text(&error.code),
            kind: text(&error.kind),
            message: text(&error.message),
            remediation: text(&error.remediation),
            reference: text(&error.reference),
            causes: error.causes.iter().map(Self::new).collect(),
        }
    }
}
