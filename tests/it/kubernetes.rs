use std::path::Path;

use clap::CommandFactory as _;
use serde_json::Value;
use virt_task_exporter::cli::Args;
use virt_task_exporter::config::Config;
use virt_task_exporter::sources::rest::LISTING_LIMIT;

fn object(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn container() -> Value {
    let text = include_str!("../../deploy/kubernetes/statefulset.yaml");
    object(text)["spec"]["template"]["spec"]["containers"][0].clone()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn the_configuration_of_the_example_is_valid() {
    let map = object(include_str!("../../deploy/kubernetes/configmap.yaml"));
    let text = string(&map["data"]["virt-task-exporter.yml"]);
    let config = Config::parse(&text, Path::new("configmap.yaml")).unwrap();
    assert_eq!(config.warnings, [""; 0]);
    let secret = object(include_str!("../../deploy/kubernetes/secret.yaml"));
    let keys = secret["stringData"].as_object().unwrap();
    let named = text.split("/run/secrets/virt-task-exporter/").skip(1);
    let mut named = named.map(|rest| rest.split(['\n', '}']).next().unwrap());
    assert!(named.all(|file| keys.contains_key(file)), "{keys:?}");
}

#[test]
fn the_pods_start_with_flags_and_variables_that_exist() {
    let container = container();
    let mut command = vec!["virt-task-exporter".to_owned()];
    command.extend(list(&container["args"]).iter().map(string));
    let known = Args::command();
    for variable in list(&container["env"]) {
        let name = string(&variable["name"]);
        let mut flags = known.get_arguments();
        let flag = flags.find(|flag| flag.get_env().is_some_and(|env| env == name.as_str()));
        let flag = flag.unwrap_or_else(|| panic!("no flag has the variable {name}"));
        // What Kubernetes puts in for a field is the name of the pod.
        let value = variable["value"].as_str().unwrap_or("virt-task-exporter-0");
        command.push(format!("--{}={value}", flag.get_long().unwrap()));
    }
    let args = Args::read(&command).unwrap();
    assert_eq!((args.shard, args.total_shards.get()), (0, 1), "{command:?}");
    assert!(args.storage_folder().is_some());
}

#[test]
fn with_users_no_probe_asks_for_a_page_and_the_web_configuration_is_mounted() {
    let text = include_str!("../../deploy/kubernetes/secured/statefulset.yaml");
    let spec = object(text)["spec"]["template"]["spec"].clone();
    let container = &spec["containers"][0];
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert!(container[probe]["httpGet"].is_null(), "{probe}");
        assert_eq!(container[probe]["tcpSocket"]["port"], "metrics", "{probe}");
    }
    let variable = &container["env"][0];
    assert_eq!(variable["name"], "VTE_WEB_CONFIG_FILE");
    let folder = string(&container["volumeMounts"][0]["mountPath"]);
    let secret = object(include_str!("../../deploy/kubernetes/secured/web.yaml"));
    let name = string(&secret["metadata"]["name"]);
    assert_eq!(spec["volumes"][0]["secret"]["secretName"], name);
    let files = secret["stringData"].as_object().unwrap();
    let path = string(&variable["value"]);
    let file = path.strip_prefix(&format!("{folder}/")).unwrap();
    let rules = object(files[file].as_str().unwrap());
    for key in ["cert_file", "key_file"] {
        let named = rules["tls_server_config"][key].as_str().unwrap();
        assert!(files.contains_key(named), "{named}");
    }
}

#[test]
fn the_limit_of_memory_holds_the_largest_answer_and_what_is_made_of_it() {
    let limit = string(&container()["resources"]["limits"]["memory"]);
    let limit: usize = limit.strip_suffix("Mi").unwrap().parse().unwrap();
    let largest = LISTING_LIMIT / 1024 / 1024;
    assert!(limit >= 2 * largest + 64, "{limit}");
}

#[test]
fn the_files_have_one_port_and_one_folder_each() {
    let container = container();
    let port = Args::read(["virt-task-exporter"]).unwrap().listen_addresses[0].port();
    assert_eq!(container["ports"][0]["containerPort"], port);
    let service = object(include_str!("../../deploy/kubernetes/service.yaml"));
    assert_eq!(service["spec"]["ports"][0]["port"], port);
    let mounted = list(&container["volumeMounts"]);
    let args = list(&container["args"]).iter().map(string);
    for path in args.filter_map(|arg| Some(arg.split_once('=')?.1.to_owned())) {
        let mut folders = mounted.iter().map(|mount| string(&mount["mountPath"]));
        assert!(folders.any(|folder| path.starts_with(&folder)), "{path}");
    }
}
