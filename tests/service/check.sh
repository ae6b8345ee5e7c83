#!/usr/bin/env bash
#
# The Debian package under a systemd of its own: boots a small Debian in a container
# without a network, and takes the steps of the README in it (inside.sh).
#
#   tests/service/check.sh BINARY FOLDER
#
# Needs root, debootstrap and systemd-nspawn. The Debian is fetched once, into FOLDER.

set -euo pipefail

readonly here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
binary=$(readlink -f "$1")
folder=$2
readonly base=$folder/debian
mounted=
try=

clean_up() {
    [[ -z $mounted ]] || umount "$mounted"
    [[ -z $try ]] || rm -rf -- "$try"
}
trap clean_up EXIT

fail() {
    printf 'tests/service/check.sh: %s\n' "$1" >&2
    exit 1
}

fetch_debian() {
    [[ ! -e $base.complete ]] || return 0
    rm -rf -- "$base"
    debootstrap --variant=minbase \
        --include=systemd,systemd-sysv,dbus,adduser,curl,ca-certificates bookworm "$base" >"$folder/debootstrap.log" ||
        fail "debootstrap failed: see $folder/debootstrap.log"
    # What is booted runs inside.sh, and ends as that does.
    cat >"$base/etc/systemd/system/try.service" <<'END'
[Unit]
Description=The steps of the README
Wants=dbus.service
After=basic.target dbus.service
SuccessAction=exit
FailureAction=exit

[Service]
Type=oneshot
ExecStart=/try/inside.sh /try/package.deb
StandardOutput=append:/try/log
StandardError=inherit
TimeoutStartSec=240

[Install]
WantedBy=multi-user.target
END
    systemctl --root="$base" enable --quiet try.service
    touch "$base.complete"
}

# Without a systemd on this machine there is nobody to tell, and /run is of the disk.
host_options() {
    if [[ -d /run/systemd/system ]]; then
        return
    fi
    options+=(--register=no --keep-unit)
    if [[ $(stat --file-system --format %T /run) != tmpfs ]]; then
        mkdir -p /run/systemd/nspawn
        mount -t tmpfs tmpfs /run/systemd/nspawn
        mounted=/run/systemd/nspawn
    fi
}

((EUID == 0)) || fail 'only root can boot a container'
mkdir -p "$folder"
folder=$(readlink -f "$folder")
fetch_debian
try=$(mktemp -d)
"$here/../../deploy/debian/build" "$binary" "$try" >/dev/null
mv "$try"/*.deb "$try/package.deb"
cp "$here/inside.sh" "$try/"
# The installer's own user reads the package, too.
chmod 755 "$try"
options=(--directory="$base" --volatile=overlay --boot --private-network --bind="$try:/try" --quiet)
host_options
status=0
timeout --kill-after=20 360 systemd-nspawn "${options[@]}" </dev/null >"$folder/console.log" 2>&1 || status=$?
cat "$try/log" || fail "it did not boot: see $folder/console.log"
((status == 0)) || fail "ended with $status; the console is in $folder/console.log"
