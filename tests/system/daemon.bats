#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# wardend as a service: how it starts, what it shows on the bus and in the journal, whom it lets in.

# bats file_tags=anywhere

load lib

teardown() {
    rm -rf /etc/warden/wardend.conf.d /run/warden/wardend.conf.d
    systemctl reset-failed wardend.service
    daemon_wait
    systemctl reload wardend.service
    case_end
}

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

# journal_since START [MATCH…]: as JSON, once it is written. A cursor would not do: systemd 252 skips the first match
# after one that does not match.
now() { date +%s.%6N; }
journal_since() { local start=$1; shift; journalctl --sync; journalctl --quiet -o json --since "@$start" "$@"; }

# interfaces FILE…: what an XML description says, without comments and order
interfaces() {
    python3 - "$@" <<'PYTHON'
import sys
import xml.etree.ElementTree as ET

for name in sys.argv[1:]:
    for interface in ET.parse(name).getroot().iter("interface"):
        if not interface.get("name").startswith("org.warden."):
            continue
        for member in interface:
            if member.tag == "annotation":
                continue
            args = [(a.get("direction", "in" if member.tag == "method" else "out"), a.get("type"), a.get("name"))
                    for a in member.iter("arg")]
            changes = [(a.get("name").rsplit(".", 1)[1], a.get("value")) for a in member.iter("annotation")
                       if a.get("name").endswith("EmitsChangedSignal")]
            print(interface.get("name"), member.tag, member.get("name"), member.get("type"), member.get("access"),
                  args, [c for c in changes if c[1] != "true"])
PYTHON
}

@test "is started by a call on the bus" {
    systemctl stop wardend.service
    is inactive "$(systemctl is-active wardend.service)"
    manager ListContainers
    # It says that it is ready right after it has its name on the bus.
    until_true systemctl -q is-active wardend.service
}

@test "gets its units past systemd-analyze verify without a word" {
    capture systemd-analyze verify --man=no /usr/lib/systemd/system/wardend.service /usr/lib/systemd/system/warden.slice
    is 0 "$status"
    is "" "$(grep -i warden <<<"$output" || true)"
}

@test "tells systemd when it is ready, and how much it holds" {
    is notify "$(systemctl show -P Type wardend.service)"
    create t-status
    status_counts() { [[ $(systemctl show -P StatusText wardend.service) == "1 containers, "* ]]; }
    until_true status_counts
}

@test "shows its objects in busctl tree" {
    create t-tree
    spawn t-tree /bin/sleep 1000
    capture busctl tree --list "$BUS"
    is 0 "$status"
    like "$ROOT/container/t_2dtree/job/1" "$output"
}

@test "offers on the bus exactly what dbus/*.xml says" {
    create t-xml
    spawn t-xml /bin/sleep 1000
    for path in "$ROOT" "$ROOT/container/t_2dxml" "$ROOT/container/t_2dxml/job/1"; do
        busctl introspect --xml-interface "$BUS" "$path" >"$BATS_TEST_TMPDIR/${path##*/}.xml"
    done
    interfaces "$BATS_TEST_TMPDIR"/*.xml | sort >"$BATS_TEST_TMPDIR/live"
    interfaces "$HERE"/../../dbus/*.xml | sort >"$BATS_TEST_TMPDIR/source"
    [[ -s $BATS_TEST_TMPDIR/source ]]
    diff "$BATS_TEST_TMPDIR/source" "$BATS_TEST_TMPDIR/live"
}

@test "answers busctl, gdbus and dbus-send alike" {
    create t-three
    local pid
    pid=$(leader t-three)
    like "\"t-three\" \"active\" $pid \"$ROOT/container/t_2dthree\"" "$(manager ListContainers)"
    like "'t-three', 'active', (uint32 )?$pid, objectpath '$ROOT/container/t_2dthree'" "$(gcall "$ROOT" Manager.ListContainers)"
    output=$(dbus-send --system --print-reply=literal --dest="$BUS" "$ROOT" "$BUS.Manager.ListContainers" | tr -s ' \n' ' ')
    like "t-three active uint32 $pid $ROOT/container/t_2dthree" "$output"
    like "objectpath '$ROOT/container/t_2dthree'" "$(gcall "$ROOT" Manager.GetContainer t-three)"
}

@test "shows all containers to an ObjectManager in one call" {
    create t-objects
    capture busctl call -j "$BUS" "$ROOT" org.freedesktop.DBus.ObjectManager GetManagedObjects
    is active "$(jq -r ".data[0][\"$ROOT/container/t_2dobjects\"][\"$BUS.Container\"].State.data" <<<"$output")"
}

@test "tells of containers that come and go, and of what changes" {
    in_background "$BATS_TEST_TMPDIR/signals" gdbus monitor --system --dest "$BUS"
    until_true grep -q "is owned by" "$BATS_TEST_TMPDIR/signals"
    create t-signals
    wardenctl stop t-signals
    wardenctl destroy t-signals
    until_true grep -q "Manager.ContainerRemoved ('t-signals'" "$BATS_TEST_TMPDIR/signals"
    grep -q "Manager.ContainerNew ('t-signals', objectpath '$ROOT/container/t_2dsignals')" "$BATS_TEST_TMPDIR/signals"
    grep -q "PropertiesChanged ('$BUS.Container', .*'State': <'stopped'>" "$BATS_TEST_TMPDIR/signals"
}

@test "takes another log level from systemctl while it runs" {
    is info "$(systemctl service-log-level wardend.service)"
    systemctl service-log-level wardend.service debug
    is debug "$(systemctl service-log-level wardend.service)"
    systemctl service-log-level wardend.service info
    refuses busctl set-property "$BUS" /org/freedesktop/LogControl1 org.freedesktop.LogControl1 LogLevel s loud
    like loud "$output"
    is info "$(systemctl service-log-level wardend.service)"
}

@test "reports a wrong line of a drop-in with file and line, and heeds the others" {
    local start
    start=$(now)
    mkdir -p /etc/warden/wardend.conf.d
    printf '[Manager]\nContainersMaximum=7\nContainersMax=1\nGraceSec=soon\n' >/etc/warden/wardend.conf.d/50-test.conf
    systemctl reload wardend.service
    until_true grep -q 'Configuration reloaded' <(journal_since "$start")
    capture journal_since "$start" -u wardend.service
    like '50-test.conf:2: ContainersMaximum=7: no such key' "$output"
    like '50-test.conf:4: GraceSec=soon: not a valid value' "$output"
    create t-one
    refuses wardenctl create --name t-two "$IMAGE"
    like 'There are 1 containers, the most there may be' "$output"
    rm -r /etc/warden/wardend.conf.d
    systemctl reload wardend.service
    until_true wardenctl create --name t-two "$IMAGE"
}

@test "writes the journal with the container's name and id, its unit and a message id" {
    local start id unit
    start=$(now)
    create t-journal
    id=$(container_get t-journal Id)
    unit=$(unit_of t-journal)
    wardenctl destroy t-journal
    capture journal_since "$start" CONTAINER_NAME=t-journal
    is "$id" "$(jq -rs '[.[].CONTAINER_ID] | unique | join(" ")' <<<"$output")"
    is "$unit" "$(jq -rs '[.[].OBJECT_SYSTEMD_UNIT] | unique | join(" ")' <<<"$output")"
    is 1 "$(jq -rs '[.[] | select(.MESSAGE_ID == "5a0c1f6c37c84fd0a7d7f2b0d9a4e301")] | length' <<<"$output")"
    is 1 "$(jq -rs '[.[] | select(.MESSAGE_ID == "5a0c1f6c37c84fd0a7d7f2b0d9a4e303")] | length' <<<"$output")"
}

@test "writes no environment and no arguments of jobs to the journal" {
    local start
    start=$(now)
    systemctl service-log-level wardend.service debug
    create t-secret --env TOKEN=hushhush1
    wardenctl exec --env TOKEN=hushhush2 t-secret -- /bin/echo hushhush3
    refuses wardenctl exec t-secret -- /hushhush4/program
    systemctl service-log-level wardend.service info
    is 0 "$(journal_since "$start" -u wardend.service | grep -c 'hushhush[123]' || true)"
}

@test "denies everything but looking around to users who are not root" {
    create t-private --label secret=value
    refuses as_nobody busctl call "$BUS" "$ROOT" "$BUS.Manager" ListContainers
    like 'Access denied' "$output"
    refuses as_nobody gdbus call --system --dest "$BUS" --object-path "$ROOT" --method "$BUS.Manager.CreateContainer" "{'RootDirectory': <'$IMAGE'>}"
    like 'org.freedesktop.DBus.Error.AccessDenied' "$output"
    refuses as_nobody busctl get-property "$BUS" "$ROOT/container/t_2dprivate" "$BUS.Container" Labels
    refuses as_nobody busctl call "$BUS" "$ROOT" org.freedesktop.DBus.ObjectManager GetManagedObjects
    refuses as_nobody busctl call "$BUS" "$ROOT/container/t_2dprivate" org.freedesktop.DBus.Properties GetAll s "$BUS.Container"
    refuses as_nobody wardenctl list
    refuses as_nobody ls /run/warden
    refuses as_nobody ls /var/lib/warden
}

@test "asks who calls even where the policy of the bus lets everybody in" {
    local policy=/etc/dbus-1/system.d/t-wide.conf
    create t-wide
    mkdir -p "${policy%/*}"
    cat >"$policy" <<END
<busconfig><policy context="default"><allow send_destination="$BUS"/></policy></busconfig>
END
    busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
    run as_nobody gdbus call --system --dest "$BUS" --object-path "$ROOT" --method "$BUS.Manager.DestroyContainer" t-wide
    local denied=$status text=$output
    run as_nobody busctl get-property "$BUS" "$ROOT" "$BUS.Manager" Version
    local read=$status
    rm "$policy"
    busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
    ((denied != 0 && read == 0))
    like 'Only root may ask for that' "$text"
    like "t-wide +active" "$(wardenctl list)"
}

@test "keeps signals about containers from users who are not root" {
    in_background "$BATS_TEST_TMPDIR/overheard" as_nobody gdbus monitor --system --dest "$BUS"
    until_true grep -q "is owned by" "$BATS_TEST_TMPDIR/overheard"
    create t-silent
    wardenctl destroy t-silent
    gdbus call --system --dest "$BUS" --object-path "$ROOT" --method org.freedesktop.DBus.Peer.Ping
    sleep 0.5
    is 0 "$(grep -c 't-silent' "$BATS_TEST_TMPDIR/overheard" || true)"
}

@test "refuses to run twice" {
    capture timeout 20 wardend --log-target=console
    ((status != 0 && status != 124))
    manager ListContainers
}

@test "prints its version, and complains of an option that it does not know" {
    like '^wardend [0-9]+\.[0-9]+' "$(wardend --version)"
    refuses wardend --no-such-option
    is "$(wardend --version)" "wardend $(property "$ROOT" Manager Version)"
}
