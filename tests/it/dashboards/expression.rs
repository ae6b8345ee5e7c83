//! What an expression yields, or what is wrong with it: the labels of its result
//! follow from those of the metrics that it names.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::label::Matcher;
use promql_parser::parser::{
    AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector,
    parse,
};
use rstest::rstest;
use virt_task_exporter::metrics::{Kind, Metric};
use virt_task_exporter::sources::Reason;
use virt_task_exporter::task::Status;

pub(super) type Labels = BTreeSet<String>;

/// The functions under which a counter means something.
const OF_COUNTERS: [&str; 3] = ["rate", "irate", "increase"];

/// What can be selected.
#[derive(Debug, Clone)]
pub(super) struct Names(BTreeMap<String, Series>);

#[derive(Debug, Clone)]
struct Series {
    labels: Labels,
    counts: bool,
}

pub(super) fn set(labels: &[&str]) -> Labels {
    labels.iter().map(|&label| label.to_owned()).collect()
}

impl Names {
    /// What the exporter serves, with the labels that a scrape adds.
    pub(super) fn served() -> Self {
        let mut names = Self(BTreeMap::new());
        for metric in Metric::ALL {
            let family = metric.family();
            let labels = &set(family.labels) | &set(&["job", "instance"]);
            if family.kind == Kind::Histogram {
                let buckets = &labels | &set(&["le"]);
                names.add(&format!("{}_bucket", family.name), buckets, true);
                names.add(&format!("{}_sum", family.name), labels.clone(), true);
                names.add(&format!("{}_count", family.name), labels, true);
            } else {
                names.add(family.name, labels, family.kind == Kind::Counter);
            }
        }
        names
    }

    /// Adds what a rule records; the rule may read what it recorded before, after an `or`.
    pub(super) fn record(&mut self, name: &str, text: &str) -> Result<(), String> {
        let expression = parse(text)?;
        let first = match &expression {
            Expr::Binary(binary) if binary.op.to_string() == "or" => &binary.lhs,
            other => other,
        };
        let labels = self.yields(first, "")?.unwrap_or_default();
        self.add(name, labels.clone(), false);
        let whole = self.yields(&expression, "")?.unwrap_or_default();
        same(&labels, &whole)
    }

    fn add(&mut self, name: &str, labels: Labels, counts: bool) {
        self.0.insert(name.to_owned(), Series { labels, counts });
    }

    /// The labels of an expression's result; none for a scalar.
    pub(super) fn labels(&self, text: &str) -> Result<Labels, String> {
        let expression = parse(text)?;
        Ok(self.yields(&expression, "")?.unwrap_or_default())
    }

    /// The labels of a vector, `None` for a scalar; `function` is the innermost one around it.
    fn yields(&self, expression: &Expr, function: &str) -> Result<Option<Labels>, String> {
        match expression {
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(None),
            Expr::Paren(paren) => self.yields(&paren.expr, function),
            Expr::Unary(unary) => self.yields(&unary.expr, function),
            Expr::VectorSelector(selector) => self.selected(selector, "").map(Some),
            Expr::MatrixSelector(matrix) => self.selected(&matrix.vs, function).map(Some),
            Expr::Aggregate(aggregate) => self.aggregated(aggregate).map(Some),
            Expr::Binary(binary) => self.combined(binary),
            Expr::Call(call) => self.called(call),
            Expr::Subquery(_) | Expr::Extension(_) => Err(format!("{expression}: not wanted")),
        }
    }

    fn selected(&self, selector: &VectorSelector, function: &str) -> Result<Labels, String> {
        let name = selector.name.as_deref().unwrap_or_default();
        let series = self
            .0
            .get(name)
            .ok_or_else(|| format!("nobody serves {name:?}"))?;
        if series.counts && !OF_COUNTERS.contains(&function) {
            return Err(format!("the counter {name} stands under {function:?}"));
        }
        for matcher in &selector.matchers.matchers {
            has(&series.labels, [&matcher.name])?;
            possible(matcher)?;
        }
        Ok(series.labels.clone())
    }

    fn aggregated(&self, aggregate: &AggregateExpr) -> Result<Labels, String> {
        let operator = aggregate.op.to_string();
        if !["sum", "min", "max", "count", "group"].contains(&operator.as_str()) {
            return Err(format!("{operator} is not wanted"));
        }
        let inner = self.yields(&aggregate.expr, "")?;
        let inner = inner.ok_or_else(|| format!("{operator} of a scalar"))?;
        let Some(modifier) = &aggregate.modifier else {
            return Ok(Labels::new());
        };
        has(&inner, &modifier.labels().labels)?;
        let named: Labels = modifier.labels().labels.iter().cloned().collect();
        Ok(if modifier.is_include() {
            named
        } else {
            &inner - &named
        })
    }

    fn combined(&self, binary: &BinaryExpr) -> Result<Option<Labels>, String> {
        let left = self.yields(&binary.lhs, "")?;
        let right = self.yields(&binary.rhs, "")?;
        let (Some(left), Some(right)) = (left.clone(), right.clone()) else {
            return Ok(left.or(right));
        };
        let modifier = binary.modifier.as_ref();
        let on = match modifier.and_then(|modifier| modifier.matching.as_ref()) {
            Some(LabelModifier::Include(on)) => on.labels.iter().cloned().collect(),
            Some(LabelModifier::Exclude(_)) => return Err("ignoring: say what on".to_owned()),
            None => {
                same(&left, &right)?;
                left.clone()
            }
        };
        has(&left, &on)?;
        has(&right, &on)?;
        Ok(Some(match binary.op.to_string().as_str() {
            "or" => &left | &right,
            "and" | "unless" => left,
            _ => match modifier.map(|modifier| &modifier.card) {
                Some(VectorMatchCardinality::ManyToOne(extra)) => {
                    has(&right, &extra.labels)?;
                    left.into_iter().chain(extra.labels.clone()).collect()
                }
                Some(VectorMatchCardinality::OneToMany(_)) => {
                    return Err("group_right: turn it round".to_owned());
                }
                _ => on,
            },
        }))
    }

    fn called(&self, call: &Call) -> Result<Option<Labels>, String> {
        let name = call.func.name;
        let mut found = None;
        for argument in &call.args.args {
            found = self.yields(argument, name)?.or(found);
        }
        match name {
            "time" | "scalar" => Ok(None),
            "absent" | "vector" => Ok(Some(Labels::new())),
            "histogram_quantile" => {
                let buckets = found.unwrap_or_default();
                has(&buckets, ["le"])?;
                Ok(Some(&buckets - &set(&["le"])))
            }
            _ => Ok(found),
        }
    }
}

/// The selectors of an expression.
pub(super) fn selectors(expression: &Expr) -> Vec<&VectorSelector> {
    match expression {
        Expr::VectorSelector(selector) => vec![selector],
        Expr::MatrixSelector(matrix) => vec![&matrix.vs],
        Expr::Paren(paren) => selectors(&paren.expr),
        Expr::Unary(unary) => selectors(&unary.expr),
        Expr::Aggregate(aggregate) => selectors(&aggregate.expr),
        Expr::Binary(binary) => [selectors(&binary.lhs), selectors(&binary.rhs)].concat(),
        Expr::Call(call) => call
            .args
            .args
            .iter()
            .flat_map(|arg| selectors(arg))
            .collect(),
        _ => Vec::new(),
    }
}

fn has<T: AsRef<str>>(labels: &Labels, named: impl IntoIterator<Item = T>) -> Result<(), String> {
    let mut missing = named
        .into_iter()
        .filter(|name| !labels.contains(name.as_ref()));
    missing.next().map_or(Ok(()), |name| {
        Err(format!("no label {:?} among {labels:?}", name.as_ref()))
    })
}

fn same(left: &Labels, right: &Labels) -> Result<(), String> {
    if left == right {
        return Ok(());
    }
    Err(format!("{left:?} never matches {right:?}"))
}

/// Values that are words of ours must be some; a regular expression is a list of words.
fn possible(matcher: &Matcher) -> Result<(), String> {
    let words: Vec<_> = match matcher.name.as_str() {
        "status" => Status::ALL.iter().map(|status| status.as_str()).collect(),
        "reason" => Reason::ALL.iter().map(|reason| reason.as_str()).collect(),
        _ => return plain(&matcher.value),
    };
    let mut values = matcher.value.split('|');
    match values.find(|value| !value.starts_with('$') && !words.contains(value)) {
        Some(value) => Err(format!("{} is never {value:?}", matcher.name)),
        None => Ok(()),
    }
}

fn plain(value: &str) -> Result<(), String> {
    let word = |c: char| c.is_ascii_alphanumeric() || "_.|".contains(c);
    if value.strip_prefix('$').unwrap_or(value).chars().all(word) {
        return Ok(());
    }
    Err(format!("{value:?} is no list of words"))
}

#[rstest]
#[case("sum(virt_task)", "nobody serves")]
#[case("virt_tasks{state=\"failed\"}", "no label \"state\"")]
#[case("virt_tasks{status=\"fail\"}", "never \"fail\"")]
#[case("virt_tasks{operation=~\"UP.*\"}", "no list of words")]
#[case("sum by (task_id) (virt_tasks)", "no label \"task_id\"")]
#[case("virt_task_finished_total > 0", "the counter")]
#[case("last_over_time(virt_task_finished_total[1h])", "the counter")]
#[case("virt_task_duration_seconds", "nobody serves")]
#[case("topk(3, virt_tasks)", "topk is not wanted")]
#[case("virt_tasks / virt_source_up", "never matches")]
#[case(
    "virt_tasks and on (operation) virt_source_up",
    "no label \"operation\""
)]
#[case(
    "virt_source_up * on (source) group_left (name) virt_source_info",
    "no label \"name\""
)]
#[case("histogram_quantile(0.5, virt_tasks)", "no label \"le\"")]
#[case("sum(virt_tasks", "unclosed left parenthesis")]
fn what_is_wrong_is_found(#[case] text: &str, #[case] wrong: &str) {
    let error = Names::served().labels(text).unwrap_err();
    assert!(error.contains(wrong), "{error}");
}

#[rstest]
#[case("sum without (instance) (virt_source_up) == 0", &["job", "source"])]
#[case("sum by (le) (rate(virt_source_poll_duration_seconds_bucket[5m]))", &["le"])]
#[case("time() - max(virt_source_up)", &[])]
#[case(
    "virt_source_up * on (source) group_left (system) virt_source_info",
    &["instance", "job", "source", "system"]
)]
fn labels_follow_from_the_catalogue(#[case] text: &str, #[case] labels: &[&str]) {
    assert_eq!(Names::served().labels(text), Ok(set(labels)));
}
