//! The report as a table.

use std::io::{IsTerminal as _, stdout};

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use jiff::Timestamp;

use super::cell::{duration, failed_at, minute, progress};
use super::{Report, Row};
use crate::task::Status;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    const NOW: &str = "2026-11-21T15:00:00Z";

    fn row(id: &str, status: Status, started: Option<&str>, ended: Option<&str>) -> Row {
        let time = |text: &str| -> Timestamp { text.parse().unwrap() };
        Row {
            source: "sfo-vcf01".to_owned(),
            open: status.is_unfinished(),
            task: Task {
                name: format!("Upgrade of a host whose name is long, {id}"),
                status,
                started: started.map(time),
                ended: ended.map(time),
                progress: Some(0.999),
                ..Task::running(id, "UPGRADE")
            },
        }
    }

    fn report(mut rows: Vec<Row>) -> Report {
        rows.sort_by(|a, b| a.place().cmp(&b.place()));
        Report {
            at: NOW.parse().unwrap(),
            sources: Vec::new(),
            rows,
        }
    }

    fn ids(report: &Report) -> Vec<&str> {
        report.rows.iter().map(|row| row.task.id.as_str()).collect()
    }

    #[test]
    fn unfinished_ones_come_first_oldest_first_and_then_the_newest() {
        let report = report(vec![
            row("old", Status::Failed, None, Some("2026-11-01T00:00:00Z")),
            row("timeless", Status::Succeeded, None, None),
            row("new", Status::Succeeded, Some("2026-11-20T00:00:00Z"), None),
            row("young", Status::Running, Some("2026-11-21T00:00:00Z"), None),
            row("waits", Status::Pending, None, None),
            row(
                "ancient",
                Status::Unknown,
                Some("2026-10-01T00:00:00Z"),
                None,
            ),
        ]);
        assert_eq!(
            ids(&report),
            ["ancient", "young", "waits", "new", "old", "timeless"]
        );
    }

    #[test]
    fn a_terminal_gets_what_fits_and_a_pipe_gets_all() {
        let rows = || {
            vec![row(
                "a",
                Status::Running,
                Some("2026-11-21T14:00:00Z"),
                None,
            )]
        };
        let wide = report(rows()).into_table(Look::default());
        assert_eq!(wide.lines().count(), 2, "{wide}");
        assert!(
            wide.contains("█████████░  99%") && wide.contains("UPGRADE"),
            "{wide}"
        );
        for width in [60, 80, 120] {
            let look = Look {
                width: Some(width),
                coloured: false,
            };
            let table = report(rows()).into_table(look);
            let longest = table.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(width.into()), "{width}\n{table}");
            assert!(!table.contains("OPERATION"), "{table}");
        }
    }

    #[test]
    fn colours_are_there_only_where_they_are_wanted() {
        let rows = || vec![row("a", Status::Failed, None, Some("2026-11-21T14:00:00Z"))];
        for coloured in [true, false] {
            let look = Look {
                width: None,
                coloured,
            };
            let table = report(rows()).into_table(look);
            assert_eq!(table.contains('\u{1b}'), coloured, "{table:?}");
        }
    }
}
