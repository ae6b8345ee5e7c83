//! The report as a table.

use std::io::{IsTerminal as _, stdout};

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use jiff::fmt::friendly::{Designator, SpanPrinter};
use jiff::{SignedDuration, Timestamp, Unit};

use super::{Report, Row};
use crate::task::{Status, Task};
use crate::visible;

/// How much may be made of a table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// How wide it may be; `None` for as wide as it gets.
    pub(crate) width: Option<u16>,
    /// Whether it may have colours.
    pub(crate) coloured: bool,
}

/// The columns, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Status,
    Progress,
    Source,
    Operation,
    Name,
    Started,
    Duration,
    FailedAt,
    Id,
}

impl Look {
    /// What standard output takes: in a pipe each task is one line.
    pub(crate) fn of_stdout() -> Self {
        let terminal = stdout().is_terminal();
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            width: Table::new().width().filter(|_| terminal),
            coloured: terminal && !dumb && !set("NO_COLOR"),
        }
    }
}

impl Column {
    const ALL: [Self; 9] = [
        Self::Status,
        Self::Progress,
        Self::Source,
        Self::Operation,
        Self::Name,
        Self::Started,
        Self::Duration,
        Self::FailedAt,
        Self::Id,
    ];

    const fn head(self) -> &'static str {
        match self {
            Self::Status => "STATUS",
            Self::Progress => "PROGRESS",
            Self::Source => "SOURCE",
            Self::Operation => "OPERATION",
            Self::Name => "NAME",
            Self::Started => "STARTED (UTC)",
            Self::Duration => "DURATION",
            Self::FailedAt => "FAILED AT",
            Self::Id => "ID",
        }
    }

    /// From which width on there is room for it.
    const fn least_width(self) -> u16 {
        match self {
            Self::Operation => 220,
            Self::Id => 160,
            Self::Started => 100,
            _ => 0,
        }
    }

    fn text(self, row: &Row, now: Timestamp) -> String {
        let task = &row.task;
        match self {
            Self::Status => task.status.as_str().to_owned(),
            Self::Progress => progress(row).unwrap_or_default(),
            Self::Source => row.source.clone(),
            Self::Operation => task.operation.clone(),
            Self::Name => task.name.clone(),
            Self::Started => task.started.map(minute).unwrap_or_default(),
            Self::Duration => duration(task, now).unwrap_or_default(),
            Self::FailedAt => failed_at(row),
            Self::Id => task.id.clone(),
        }
    }
}

impl Report {
    /// The report as a table, with a newline at its end.
    pub(crate) fn into_table(self, look: Look) -> String {
        let columns = self.columns(look);
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .force_no_tty()
            .set_header(columns.iter().map(|column| head(*column, look)));
        if let Some(width) = look.width {
            table
                .set_width(width)
                .set_content_arrangement(ContentArrangement::Dynamic);
        }
        if look.coloured {
            table.enforce_styling();
        }
        for row in &self.rows {
            let cells = columns.iter().map(|column| {
                let text = column.text(row, self.at);
                styled(*column, row, visible::line(&text).into_owned(), look)
            });
            table.add_row(cells);
        }
        if let Some(first) = table.column_mut(0) {
            first.set_padding((0, 1));
        }
        table.trim_fmt() + "\n"
    }

    /// The columns for which there is room, and something to say.
    fn columns(&self, look: Look) -> Vec<Column> {
        let has_room =
            |column: &Column| look.width.is_none_or(|width| width >= column.least_width());
        let optional = |column: &Column| matches!(column, Column::Progress | Column::FailedAt);
        let says = |column: &Column| {
            let mut texts = self.rows.iter().map(|row| column.text(row, self.at));
            !optional(column) || texts.any(|text| !text.is_empty())
        };
        let columns = Column::ALL.into_iter();
        columns
            .filter(|column| has_room(column) && says(column))
            .collect()
    }
}

fn head(column: Column, look: Look) -> Cell {
    let cell = Cell::new(column.head());
    if look.coloured {
        cell.add_attribute(Attribute::Bold)
    } else {
        cell
    }
}

fn styled(column: Column, row: &Row, text: String, look: Look) -> Cell {
    let cell = Cell::new(text);
    let cell = match column {
        Column::Duration => cell.set_alignment(CellAlignment::Right),
        _ => cell,
    };
    // A failure that something later resolved calls nobody.
    let past = row.task.status == Status::Failed && !row.open;
    match column {
        _ if !look.coloured => cell,
        _ if past => cell.add_attribute(Attribute::Dim),
        Column::Status | Column::Progress | Column::FailedAt => cell.fg(colour(row.task.status)),
        Column::Id => cell.add_attribute(Attribute::Dim),
        _ => cell,
    }
}

fn colour(status: Status) -> Color {
    match status {
        Status::Failed => Color::Red,
        Status::Warning | Status::Blocked => Color::Yellow,
        Status::Succeeded => Color::Green,
        Status::Unknown => Color::Magenta,
        Status::Pending | Status::Running => Color::Cyan,
        Status::Cancelled | Status::Skipped => Color::Grey,
    }
}

/// A bar for an open task.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the ratio is held between 0 and 1"
)]
fn progress(row: &Row) -> Option<String> {
    const LENGTH: usize = 10;
    let ratio = row.task.progress_ratio().filter(|_| row.open)?;
    let ratio = ratio.clamp(0.0, 1.0);
    // Rounded down: only what is all done looks so.
    let percent = (ratio * 100.0) as usize;
    let full = percent * LENGTH / 100;
    let bar = "█".repeat(full) + &"░".repeat(LENGTH - full);
    Some(format!("{bar} {percent:>3}%"))
}

/// How long it took, or takes so far.
fn duration(task: &Task, now: Timestamp) -> Option<String> {
    let running = task.status.is_unfinished().then_some(now);
    let took = task.ended.or(running)?.duration_since(task.started?);
    Some(human(took.max(SignedDuration::ZERO)))
}

/// Its two largest units.
fn human(took: SignedDuration) -> String {
    let smallest = match took.as_hours() {
        24.. => Unit::Hour,
        1.. => Unit::Minute,
        _ => Unit::Second,
    };
    let whole = jiff::SpanRound::new()
        .largest(Unit::Day)
        .smallest(smallest)
        .mode(jiff::RoundMode::Trunc)
        .days_are_24_hours();
    let span = jiff::Span::try_from(took).and_then(|span| span.round(whole));
    let printer = SpanPrinter::new().designator(Designator::Compact);
    span.map_or_else(|_| took.to_string(), |span| printer.span_to_string(&span))
}

/// A time to the minute.
fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Where it failed, and with which code.
fn failed_at(row: &Row) -> String {
    if row.task.status != Status::Failed {
        return String::new();
    }
    let place = row.failed_at().map(|(path, more)| match more {
        0 => path,
        more => format!("{path} (and {more} more)"),
    });
    let code = row.task.error_code().map(|code| format!("[{code}]"));
    place.into_iter().chain(code).collect::<Vec<_>>().join(" ")
}
