//! The ledger as tables, and from tables.

use super::storage::Tables;
use super::{Child, Ledger};

impl Ledger {
    /// The tables to keep, by name; once they were read, [`Ledger::index`] is due.
    pub(super) fn tables(&mut self) -> Tables<'_> {
        let [parts, folded_parts, baselines] = self.parts.rows();
        let [operations, folded_operations] = self.operations.rows();
        let [subtasks, folded_subtasks] = self.subtask_names.rows();
        let [codes, folded_codes] = self.error_codes.rows();
        vec![
            ("entries", &mut self.entries),
            ("earlier", &mut self.earlier),
            ("open", &mut self.open),
            ("parts", parts),
            ("parts_folded", folded_parts),
            ("baselines", baselines),
            ("operations", operations),
            ("operations_folded", folded_operations),
            ("subtasks", subtasks),
            ("subtasks_folded", folded_subtasks),
            ("error_codes", codes),
            ("error_codes_folded", folded_codes),
            ("recency", &mut self.recency),
            ("successes", self.successes.rows()),
            ("totals", self.totals.rows()),
        ]
    }

    /// Makes what is derived from the tables after they were read; false if
    /// their rows do not fit together.
    pub(super) fn index(&mut self) -> bool {
        let named = self.parts.index()
            && self.operations.index()
            && self.subtask_names.index()
            && self.error_codes.index();
        named && self.is_coherent() && {
            for entry in self.entries.values().filter(|entry| entry.is_listed()) {
                let counts = self.counts.entry(entry.operation).or_default();
                counts.add(entry.status);
            }
            self.totals.restored();
            true
        }
    }

    fn is_coherent(&self) -> bool {
        let operations = &self.operations;
        let mut entries = self.entries.values();
        let mut open = self.open.iter();
        let mut recency = self.recency.iter();
        let mut totals = self.totals.counts();
        entries.all(|entry| operations.has(entry.operation) && self.parts.has(entry.part))
            && open.all(|(key, open)| self.entries.contains(key) && operations.has(open.operation))
            && recency.all(|(operation, _)| operations.has(*operation))
            && totals.all(|(child, _)| {
                operations.has(child.operation())
                    && match child {
                        Child::Failures(_, code) => self.error_codes.has(code),
                        Child::SubtaskFailures(_, name) => self.subtask_names.has(name),
                        _ => true,
                    }
            })
    }
}
