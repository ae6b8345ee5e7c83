#!/usr/bin/env bash
#
# On a machine that systemd has booted: brings the package in and takes the steps
# of the README, as root. The simulated system and all calls are on 127.0.0.1.
#
#   inside.sh PACKAGE

set -euo pipefail

readonly NAME=virt-task-exporter
readonly CONFIG=/etc/$NAME/$NAME.yml
readonly PASSWORD=/etc/$NAME/sfo-vcf01.password
readonly OVERRIDE=/etc/systemd/system/$NAME.service.d/override.conf

said() {
    printf -- '-- %s\n' "$1"
}

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    systemctl status "$NAME" --no-pager >&2 || true
    journalctl --unit "$NAME" --no-pager --lines 40 >&2 || true
    exit 1
}

# What has to come true within half a minute.
eventually() {
    local what=$1 deadline=$((SECONDS + 30))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || fail "$what"
        sleep 0.1
    done
    said "$what"
}

holds() {
    local what=$1
    shift
    "$@" || fail "$what"
    said "$what"
}

fails() {
    ! "$@" >/dev/null 2>&1
}

property() {
    [[ $(systemctl show "$NAME" --property "$1" --value) == "$2" ]]
}

shows() {
    local page
    page=$(curl --silent --fail --max-time 5 http://localhost:9894/metrics)
    [[ $page == *"$1"* ]]
}

up() {
    shows "virt_source_up{source=\"sfo-vcf01\"} 1"
}

source_of() {
    cat <<END
  - name: $1
    system: sddc_manager
    url: http://127.0.0.1:8080
    username: svc-exporter@vsphere.local
    password_file: $2
    poll_interval: 1s
END
}

install_package() {
    DEBIAN_FRONTEND=noninteractive apt-get install --yes "$1" >/dev/null
    holds 'it starts with the machine' systemctl is-enabled --quiet "$NAME"
    holds 'without a source it is skipped' property Result exec-condition
    systemd-run --quiet --unit simulated "$NAME" simulate sddc_manager --rate 5
    eventually 'a system is simulated' curl --silent --output /dev/null http://127.0.0.1:8080/
}

configure() {
    { printf 'sources:\n' && source_of sfo-vcf01 "$PASSWORD"; } >"$CONFIG"
    install -m 0640 -g "$NAME" /dev/null "$PASSWORD"
    printf 'demo\n' >"$PASSWORD"
    holds 'its user can log in' \
        runuser -u "$NAME" -- "$NAME" check --login --config.file="$CONFIG"
    holds 'it starts, and says so when it does' systemctl restart "$NAME"
    eventually 'the source is up' up
    holds 'systemd knows what it does' property StatusText 'Polling 1 source'
}

reload() {
    cp "$CONFIG" /tmp/good.yml
    printf 'nonsense: true\n' >>"$CONFIG"
    holds 'a reload of a bad file fails' fails systemctl reload "$NAME"
    holds 'and leaves it as it was' up
    { cat /tmp/good.yml && source_of other "$PASSWORD"; } >"$CONFIG"
    holds 'a reload takes over another source' systemctl reload "$NAME"
    eventually 'which is up' shows 'virt_source_up{source="other"} 1'
    cp /tmp/good.yml "$CONFIG"
    systemctl reload "$NAME"
}

credential() {
    install -m 0600 /dev/null "$PASSWORD"
    printf 'demo\n' >"$PASSWORD"
    mkdir -p "${OVERRIDE%/*}"
    printf '[Service]\nLoadCredential=sfo-vcf01:%s\nWatchdogSec=2s\nRestartSec=100ms\n' \
        "$PASSWORD" >"$OVERRIDE"
    systemctl daemon-reload
    sed -i "s|password_file: .*|password_file: /run/credentials/$NAME.service/sfo-vcf01|" "$CONFIG"
    # As deploy/README.md has it.
    # shellcheck disable=SC2016
    holds 'a credential can be tried before the start' \
        systemd-run --quiet --pipe --wait --collect --unit="$NAME-try" --property=UMask=0077 \
        --property=RuntimeDirectory="$NAME-try" \
        --property=LoadCredential=sfo-vcf01:"$PASSWORD" \
        sh -c 'cd /etc/virt-task-exporter &&
            sed "s|/run/credentials/virt-task-exporter.service|$CREDENTIALS_DIRECTORY|" \
                virt-task-exporter.yml >"$RUNTIME_DIRECTORY/try.yml" &&
            virt-task-exporter check --login --config.file="$RUNTIME_DIRECTORY/try.yml"'
    systemctl restart "$NAME"
    eventually 'the source is up by it' up
    holds 'and root can try it' "$NAME" check --login --config.file="$CONFIG"
    holds 'nobody else reads it' \
        fails runuser -u nobody -- cat "/run/credentials/$NAME.service/sfo-vcf01"
    holds 'a reload goes on with it' systemctl reload "$NAME"
    holds 'which is no failure' up
}

restarted() {
    [[ $(systemctl show "$NAME" --property NRestarts --value) -ge $1 ]]
}

survive() {
    systemctl kill --signal KILL "$NAME"
    eventually 'killed, it starts again' restarted 1
    eventually 'and polls' up
    systemctl kill --signal STOP "$NAME"
    eventually 'hanging, it is started again by the watchdog' restarted 2
    eventually 'and polls, too' up
    holds 'it stops well' systemctl stop "$NAME"
    holds 'and says nothing else' property Result success
    printf 'nonsense: true\n' >>"$CONFIG"
    holds 'with a bad file it does not start' fails systemctl start "$NAME"
    holds 'and is not tried again' property NRestarts 0
    cp /tmp/good.yml "$CONFIG"
}

purge() {
    DEBIAN_FRONTEND=noninteractive apt-get purge --yes "$NAME" >/dev/null 2>&1
    holds 'purged, no unit is left' fails systemctl cat "$NAME"
    holds 'and no ledger' test ! -e "/var/lib/$NAME"
    holds 'but the password' test -e "$PASSWORD"
}

install_package "$1"
configure
reload
credential
survive
purge
