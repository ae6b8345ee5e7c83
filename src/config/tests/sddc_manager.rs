//! The rules of an SDDC Manager's keys.

use super::{table, with};

const WAYS: &str = "username and password(_file), api_key(_file) or token(_file)";

/// A source whose `login` keys stand in the place of the token.
fn with_login(keys: &str) -> String {
    with(keys).replace("  token_file: t\n", "")
}

#[test]
fn logins() {
    let one = format!("2:3: sources[0]: only one way to log in may be given: {WAYS}");
    let none = format!("2:3: sources[0]: needs a way to log in: {WAYS}");
    table(
        with_login,
        &[
            ("", &none),
            ("username:\npassword: ~", &none),
            (
                "username: u",
                "5:13: sources[0].username: needs a password or password_file",
            ),
            (
                "password: p",
                "2:3: sources[0].username: is required with a password",
            ),
            (
                "username: ''\npassword: p",
                "5:13: sources[0].username: must not be empty",
            ),
            (
                "username: u\npassword: ''",
                "6:13: sources[0].password: must not be empty",
            ),
            (
                "username: u\npassword_file: ''",
                "6:18: sources[0].password_file: must not be empty",
            ),
            (
                "username: u\npassword: p\npassword_file: f",
                "7:18: sources[0].password_file: only one of password and password_file may be given",
            ),
            (
                "api_key: k\napi_key_file: f",
                "6:17: sources[0].api_key_file: only one of api_key and api_key_file may be given",
            ),
            (
                "token: t\ntoken_file: f",
                "6:15: sources[0].token_file: only one of token and token_file may be given",
            ),
            ("token: t\napi_key_file: f", &one),
            ("username: u\npassword: p\ntoken: t", &one),
            ("username: u\napi_key: k", &one),
            (
                "username: 'u:v'\npassword: p\nrestores_auth: basic",
                "7:18: sources[0].restores_auth: basic cannot carry a username with a colon",
            ),
            (
                "token_file: \"a\\0b\"",
                "5:15: sources[0].token_file: must not contain a NUL character",
            ),
        ],
    );
}

#[test]
fn restores() {
    let id = "must consist of letters, digits and :._- and not be . or ..";
    table(
        with,
        &[
            (
                "restores: ['']",
                &format!("6:14: sources[0].restores[0]: {id}"),
            ),
            (
                "restores: [a, .]",
                &format!("6:17: sources[0].restores[1]: {id}"),
            ),
            (
                "restores: [..]",
                &format!("6:14: sources[0].restores[0]: {id}"),
            ),
            (
                "restores: [a/b]",
                &format!("6:14: sources[0].restores[0]: {id}"),
            ),
            (
                "restores: [a%2fb]",
                &format!("6:14: sources[0].restores[0]: {id}"),
            ),
            (
                "restores: [ä]",
                &format!("6:14: sources[0].restores[0]: {id}"),
            ),
            (
                "restores: [a, a]",
                "6:17: sources[0].restores[1]: is given twice",
            ),
        ],
    );
}

#[test]
fn restores_auth_and_operation_rules() {
    table(
        with,
        &[
            (
                "restores_auth: digest",
                "6:18: sources[0].restores_auth: must be bearer or basic",
            ),
            (
                "restores_auth: basic",
                "6:18: sources[0].restores_auth: basic needs username and password(_file)",
            ),
            (
                "operation_rules: [{regex: a}]",
                "6:21: sources[0].operation_rules[0].operation: is required",
            ),
            (
                "operation_rules: [{operation: A}]",
                "6:21: sources[0].operation_rules[0].regex: is required",
            ),
            (
                "operation_rules: [{regex: a, operation: ''}]",
                "6:43: sources[0].operation_rules[0].operation: must be 1 to 200 bytes without control characters",
            ),
            (
                "operation_rules: [{regex: '(a', operation: A}]",
                "6:29: sources[0].operation_rules[0].regex: must be a regular expression: unclosed group",
            ),
            (
                "operation_rules: [{regex: 'a{9999}{9999}', operation: A}]",
                "6:29: sources[0].operation_rules[0].regex: must be a regular expression: Compiled regex exceeds size limit of 10485760 bytes.",
            ),
        ],
    );
}
