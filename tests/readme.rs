//! The README says what the program is.

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;
    use virt_task_exporter::cli::Args;
    use virt_task_exporter::config::{Config, Settings};
    use virt_task_exporter::metrics::Metric;

    const README: &str = include_str!("../README.md");

    const SOURCE: &str =
        "sources: [{name: a, system: sddc_manager, url: 'https://a.example', token_file: t}]\n";

    /// The rows of the table between two markers, without its head; cells without backquotes.
    fn table(marker: &str) -> Vec<Vec<String>> {
        let (_, rest) = README.split_once(&format!("<!-- {marker} -->")).unwrap();
        let (text, _) = rest.split_once(&format!("<!-- /{marker} -->")).unwrap();
        let rows = text.lines().filter(|line| line.starts_with('|')).skip(2);
        let cell = |cell: &str| cell.trim().replace('`', "");
        rows.map(|row| row.trim_matches('|').split('|').map(cell).collect())
            .collect()
    }

    /// The blocks of code in YAML.
    fn examples() -> impl Iterator<Item = &'static str> {
        let blocks = README.split("```yaml\n").skip(1);
        blocks.map(|block| block.split_once("```").unwrap().0)
    }

    fn parse(text: &str) -> Config {
        let config = Config::parse(text, Path::new("README.md"));
        config.unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn the_metrics_are_the_catalogue() {
        let rows = table("metrics");
        for (row, metric) in rows.iter().zip(Metric::ALL) {
            let family = metric.family();
            let labels = family.labels.join(", ");
            let expected = [family.name, family.kind.as_str(), &labels];
            assert_eq!(row[..3], expected);
            assert!(
                row[3].starts_with(family.help),
                "{}: {}",
                family.name,
                row[3]
            );
        }
        assert_eq!(rows.len(), Metric::ALL.len());
    }

    #[test]
    fn the_flags_are_those_of_the_command_line() {
        let rows = table("flags");
        let command = Args::command();
        let flags: Vec<_> = command.get_arguments().collect();
        for (row, flag) in rows.iter().zip(&flags) {
            assert_eq!(row[0], format!("--{}", flag.get_long().unwrap()));
            assert_eq!(row[1], flag.get_env().unwrap().to_str().unwrap());
            let defaults = flag.get_default_values().iter();
            let defaults: Vec<_> = defaults.map(|value| value.to_str().unwrap()).collect();
            let own = row[0] == "--storage.path" && row[2] == "data/";
            assert!(own || row[2] == defaults.join(","), "{row:?} {defaults:?}");
        }
        assert_eq!(rows.len(), flags.len());
    }

    #[test]
    fn the_subcommands_are_all_there() {
        for command in Args::command().get_subcommands() {
            let name = command.get_name();
            assert!(README.contains(&format!("\n| `{name}")), "{name}");
            for flag in command.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(README.contains(&format!("`--{flag}`")), "{name} --{flag}");
            }
        }
    }

    #[test]
    fn the_global_keys_have_their_defaults() {
        let rows = table("global");
        let pairs: Vec<_> = rows
            .iter()
            .map(|row| format!("{}: {}", row[0], row[1]))
            .collect();
        let typed = parse(&format!("global: {{{}}}\n{SOURCE}", pairs.join(", ")));
        let default = parse(SOURCE);
        let settings = |config: &Config| -> Settings { config.sources[0].settings.clone() };
        assert_eq!(settings(&typed), settings(&default));
        let timeout = |config: &Config| config.sources[0].http.request_timeout;
        assert_eq!(timeout(&typed), timeout(&default));
        let debug = format!("{:#?}", settings(&default));
        for line in debug.lines().filter(|line| line.starts_with("    ")) {
            let key = line.trim().split(':').next().unwrap();
            assert!(rows.iter().any(|row| row[0] == key), "{key}");
        }
    }

    #[test]
    fn the_configurations_are_right() {
        let ours = |text: &&str| text.starts_with("sources:") || text.starts_with("global:");
        let configs: Vec<_> = examples().filter(ours).map(parse).collect();
        assert_eq!(configs.len(), 3);
        for config in configs {
            assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        }
    }
}
