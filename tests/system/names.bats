#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=anywhere
#
# Containers by name from the host, by systemd-machined.

load lib
load lib-world

CONF=/run/warden/wardend.conf.d/test-names.conf
MACHINES=(org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager)

setup_file() {
    file_begin
    machinectl list >/dev/null 2>&1 || return 0
    mkdir -p "${CONF%/*}"
    printf '%s\n' '[Manager]' 'RegisterMachines=yes' >"$CONF"
    systemctl restart wardend.service
    daemon_wait
}

teardown_file() {
    rm -rf "${CONF%/*}"
    systemctl restart wardend.service
    daemon_wait
    file_end
}

setup() { machinectl list >/dev/null || skip "no systemd-machined here"; }

teardown() { case_end; }

knows() { machinectl list --no-legend | grep -q "^$1 "; }
forgot() { ! knows "$1"; }

# bats test_tags=kernel
@test "tells machined a container's name, addresses and scope" {
    create t-web
    until_true knows t-web.warden
    is "warden-$(container_get t-web Id).scope" "$(machinectl show -p Unit --value t-web.warden)"
    is "$(container_get t-web Leader)" "$(machinectl show -p Leader --value t-web.warden)"
    like "$(address4 t-web)" "$(machinectl status t-web.warden)"
    # What nss-mymachines asks for.
    like "$(address4 t-web | tr . ' ')" "$(busctl call "${MACHINES[@]}" GetMachineAddresses s t-web.warden)"
}

resolves() { getent hosts "$1" >/dev/null; }
unresolved() { ! resolves "$1"; }

@test "lets programs of the host find a container by its name, as long as it runs" {
    [[ $(grep '^hosts:' /etc/nsswitch.conf) == *mymachines* ]] || skip "nss-mymachines is not configured here"
    create t-web
    until_true resolves t-web.warden
    is "$(address4 t-web)" "$(getent ahostsv4 t-web.warden | awk '{ print $1; exit }')"
    is "$(address6 t-web)" "$(getent ahostsv6 t-web.warden | awk '$1 !~ /^fe80:/ { print $1; exit }')"
    # What a program that knows nothing of containers does with it.
    web t-web
    is "seen $(container_get t-web HostAddress)" "$(fetch t-web.warden 80)"
    unresolved t-other.warden
    wardenctl stop t-web
    until_true unresolved t-web.warden
    wardenctl start t-web
    until_true resolves t-web.warden
    wardenctl destroy t-web
    until_true unresolved t-web.warden
}

@test "takes it back when the container has stopped, and again when it is gone" {
    create t-web
    until_true knows t-web.warden
    wardenctl stop t-web
    until_true forgot t-web.warden
    wardenctl start t-web
    until_true knows t-web.warden
    is "$(container_get t-web Leader)" "$(machinectl show -p Leader --value t-web.warden)"
    wardenctl destroy t-web
    until_true forgot t-web.warden
    # At once again, under the same name.
    create t-web
    until_true knows t-web.warden
}

@test "keeps it over the death of the daemon" {
    create t-web
    until_true knows t-web.warden
    daemon_kill
    daemon_wait
    knows t-web.warden
    wardenctl destroy t-web
    until_true forgot t-web.warden
}

@test "tells nothing of containers without an address, nor of names that no host can have" {
    create t-none --network none
    create t-a_b
    create "t-$(printf '%061d' 0)"
    create t-last
    until_true knows t-last.warden
    is t-last.warden "$(machinectl list --no-legend | awk '{ print $1 }')"
}

@test "makes containers also when nobody answers for machines" {
    systemctl mask --runtime --now systemd-machined.service
    create t-web
    wardenctl destroy t-web
    systemctl unmask --runtime systemd-machined.service
    create t-web
    until_true knows t-web.warden
}
