//! What a task does, where its type does not say so.

use std::sync::LazyLock;

use regex::Regex;

use super::UNKNOWN_OPERATION;

/// Gives an operation to the tasks whose name the pattern matches.
#[derive(Debug, Clone)]
pub struct OperationRule {
    /// Looked for anywhere in the name.
    pub regex: Regex,
    /// The operation of a task with such a name.
    pub operation: String,
}

impl PartialEq for OperationRule {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str() && self.operation == other.operation
    }
}

/// The rules by which tasks without a type get their operation.
#[derive(Debug, Clone, Default)]
pub struct Operations {
    rules: Vec<OperationRule>,
}

/// Names of tasks that SDDC Managers were seen to list without a type: the API
/// references of VCF 4.4 and 5, and dumps of VCF 3 and 4.
static WELL_KNOWN: LazyLock<Vec<OperationRule>> = LazyLock::new(|| {
    [
        ("(?i)^commissioning host", "HOST_COMMISSION"),
        ("(?i)^decommissioning host", "HOST_DECOMMISSION"),
        (
            "(?i)^credentials? rotate (operation|task)",
            "CREDENTIALS_ROTATE",
        ),
        (
            "(?i)^credentials? update (operation|task)",
            "CREDENTIALS_UPDATE",
        ),
        (
            "(?i)^credentials? remediate (operation|task)",
            "CREDENTIALS_REMEDIATE",
        ),
        ("(?i)customer experience improvement program", "CEIP_UPDATE"),
        ("(?i)^vi workload domain creation", "DOMAIN_CREATION"),
        (
            "(?i)^(creating|adding) (vi )?(workload )?domain",
            "DOMAIN_CREATION",
        ),
        (
            "(?i)^(deleting|removing) (vi )?(workload )?domain",
            "DOMAIN_DELETION",
        ),
        ("(?i)^(creating|adding) cluster", "CLUSTER_CREATION"),
        ("(?i)^(deleting|removing) cluster", "CLUSTER_DELETION"),
        (
            "(?i)^(taking )?(sddc ?manager )?backup",
            "SDDCMANAGER_BACKUP",
        ),
    ]
    .into_iter()
    .map(|(pattern, operation)| OperationRule {
        regex: Regex::new(pattern).expect("the built-in patterns are valid"),
        operation: operation.to_owned(),
    })
    .collect()
});

impl Operations {
    /// The user's rules, tried in their order and before the built-in ones.
    pub fn new(rules: Vec<OperationRule>) -> Self {
        Self { rules }
    }

    /// The operation: the type, else what a rule says of the name, else
    /// [`UNKNOWN_OPERATION`].
    pub fn of(&self, kind: Option<&str>, name: &str) -> String {
        if let Some(kind) = kind.map(str::trim).filter(|kind| !kind.is_empty()) {
            return kind.to_owned();
        }
        let mut rules = self.rules.iter().chain(WELL_KNOWN.iter());
        rules.find(|rule| rule.regex.is_match(name)).map_or_else(
            || UNKNOWN_OPERATION.to_owned(),
            |rule| rule.operation.clone(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_wins_over_the_rules_and_those_over_the_built_in_ones() {
        let rule = OperationRule {
            regex: Regex::new("^Commissioning host").unwrap(),
            operation: "MINE".to_owned(),
        };
        let own = Operations::new(vec![rule]);
        let built_in = Operations::default();
        let name = "Commissioning host(s) sfo01-w01-esx05.rainpole.io to VMware Cloud Foundation";
        assert_eq!(own.of(Some("UPGRADE"), name), "UPGRADE");
        assert_eq!(own.of(None, name), "MINE");
        assert_eq!(built_in.of(Some(" "), name), "HOST_COMMISSION");
        assert_eq!(
            built_in.of(None, "Credentials rotate operation"),
            "CREDENTIALS_ROTATE"
        );
        assert_eq!(built_in.of(None, "Something else"), UNKNOWN_OPERATION);
    }
}
