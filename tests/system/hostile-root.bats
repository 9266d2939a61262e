#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016,SC2119 # scripts for a shell in the container
#
# Root file systems that were made to deceive: each is refused, or means only itself; nothing of it reaches the host.

# bats file_tags=anywhere

load lib

# What no case may change
outside() { (cd "$OUTSIDE" && find . -printf '%p %m %U %T@\n' | sort); }

# A root of its own for each case: an image's /usr, and whatever the case makes of the rest. It is on the file system
# of the layers, and owned by root as an administrator's would be.
setup() {
    OUTSIDE=$(real_directory)
    EVIL=$(real_directory)
    chmod 0755 "$EVIL" "$OUTSIDE"
    mkdir -p "$EVIL"/{etc,proc,sys,dev,run,tmp,root,usr,srv,var}
    ln -s usr/bin "$EVIL/bin"
    ln -s usr/lib "$EVIL/lib"
    ln -s usr/lib64 "$EVIL/lib64"
    echo 'root:x:0:0::/root:/bin/sh' >"$EVIL/etc/passwd"
    echo 'root:x:0:' >"$EVIL/etc/group"
    echo outside >"$OUTSIDE/secret"
    outside >"$BATS_TEST_TMPDIR/outside"
}

teardown() {
    case_end
    outside | diff "$BATS_TEST_TMPDIR/outside" -
    rm -rf "$OUTSIDE" "$EVIL"
}

# shellcheck disable=SC2120 # its options are optional
# evil [OPTION…]: a container from it, with programs from the image
evil() { wardenctl create --name t-evil --bind "$IMAGE/usr:/usr:ro" "$@" "$EVIL" >/dev/null; }
in_evil() { script_in t-evil "$@"; }

@test "runs from a root that holds little more than programs" {
    evil
    is hello "$(in_evil 'echo hello')"
    is "" "$(find "$EVIL/proc" "$EVIL/dev" "$EVIL/sys" -mindepth 1)"
}

@test "changes nothing in a root that it could write to, neither owners nor times" {
    local before
    tree() { (cd "$EVIL" && find . -printf '%p %m %U %G %T@ %C@ %n\n' | sort); }
    before=$(tree)
    evil
    in_evil 'echo x >/new; chown 1:1 /etc/passwd; rm /etc/group; mkdir /srv/x'
    wardenctl stop t-evil
    wardenctl start t-evil
    wardenctl destroy t-evil
    is "$before" "$(tree)"
}

@test "mounts /proc, /sys, /dev and /run over no symbolic link" {
    for directory in proc sys dev run; do
        rmdir "$EVIL/$directory"
        ln -s "$OUTSIDE" "$EVIL/$directory"
        refuses evil
        like "/?$directory" "$output"
        gone t-evil
        rm "$EVIL/$directory"
        mkdir "$EVIL/$directory"
    done
}

@test "mounts /proc, /sys and /dev over no file" {
    for directory in proc sys dev; do
        rmdir "$EVIL/$directory"
        echo text >"$EVIL/$directory"
        refuses evil
        like "/?$directory" "$output"
        rm "$EVIL/$directory"
        mkdir "$EVIL/$directory"
    done
}

@test "makes the directories that a root lacks in the layer above, not in the root" {
    rmdir "$EVIL"/{proc,sys,dev,run}
    evil
    is 1 "$(in_evil 'ls -d /proc/1 | wc -l')"
    is "" "$(find "$EVIL" -maxdepth 1 -name proc -o -maxdepth 1 -name dev)"
}

@test "reads /etc/passwd inside the root, wherever its link points" {
    rm "$EVIL/etc/passwd"
    echo 'trap:x:4242:4242::/:/bin/sh' >"$OUTSIDE/passwd"
    touch -d @0 "$OUTSIDE/passwd" "$OUTSIDE"
    outside >"$BATS_TEST_TMPDIR/outside"
    ln -s "$OUTSIDE/passwd" "$EVIL/etc/passwd"
    evil
    refuses wardenctl exec -u trap t-evil -- /bin/sh -c true
    like 'trap' "$output"
}

@test "waits for no /etc/passwd that is a pipe, and reads no endless one" {
    rm "$EVIL/etc/passwd"
    mkfifo "$EVIL/etc/passwd"
    evil
    ends_with 125 timeout "$(scaled 10 60)" wardenctl exec -u somebody t-evil -- /bin/sh -c true
    is fine "$(wardenctl exec -u 0:0 t-evil -- /bin/sh -c 'echo fine')"
    in_evil 'rm /etc/passwd; ln -s /dev/zero /etc/passwd'
    ends_with 125 timeout "$(scaled 10 60)" wardenctl exec -u somebody t-evil -- /bin/sh -c true
}

@test "survives an /etc/passwd of garbage and of very long lines" {
    head -c 300000 /dev/urandom >"$EVIL/etc/passwd"
    { head -c 200000 /dev/zero | tr '\0' x; printf '\nmallory:x:99999999999:-1::/:/bin/sh\nalice:x:1000:1000::/srv:/bin/sh\n'; } >>"$EVIL/etc/passwd"
    head -c 100000 /dev/urandom >"$EVIL/etc/group"
    evil
    is 1000 "$(wardenctl exec -u alice t-evil -- /bin/sh -c 'id -u')"
    refuses wardenctl exec -u mallory t-evil -- /bin/sh -c true
}

@test "puts bind mounts inside the root, wherever links of the image point" {
    ln -s "$OUTSIDE" "$EVIL/srv/link"
    mkdir "$EVIL/srv/data"
    capture evil --bind "$IMAGE/etc:/srv/link/mounted:ro" --tmpfs /srv/link/memory
    # Made inside or refused; outside the teardown looks.
    if ((status == 0)); then in_evil 'test -d /srv/link/mounted'; else like '/srv/link' "$output"; fi
}

@test "climbs out of the root by no .. of a link" {
    ln -s ../../../../../../../../../../.."$OUTSIDE" "$EVIL/srv/up"
    capture evil --tmpfs /srv/up
    ((status != 0)) || refuses in_evil 'test -e /srv/up/secret'
}

@test "writes nothing through links of /tmp, /root and /etc when it sets up and when jobs start" {
    rmdir "$EVIL/tmp" "$EVIL/root"
    ln -s "$OUTSIDE" "$EVIL/tmp"
    ln -s "$OUTSIDE" "$EVIL/root"
    ln -s "$OUTSIDE/secret" "$EVIL/etc/hostname"
    ln -s "$OUTSIDE/secret" "$EVIL/etc/resolv.conf"
    evil
    refuses in_evil 'cat /tmp/secret'
    wardenctl exec -w / t-evil -- /bin/sh -c true
}

@test "refuses a root that is itself a symbolic link" {
    local link=$BATS_TEST_TMPDIR/link
    ln -s "$EVIL" "$link"
    refuses gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-evil'>, 'RootDirectory': <'$link'>}"
    like "$BUS.Error.(NotFound|InvalidSpec): .*$link" "$output"
}

@test "runs nothing of the image on the host, and not the image's wshd" {
    mkdir -p "$EVIL/usr"
    mkdir -p "$EVIL/sbin" "$EVIL/usr/lib/warden"
    printf '#!/bin/sh\necho evil >%s/ran\n' "$OUTSIDE" >"$EVIL/sbin/init"
    cp "$EVIL/sbin/init" "$EVIL/usr/lib/warden/wshd"
    chmod 755 "$EVIL/sbin/init" "$EVIL/usr/lib/warden/wshd"
    evil
    is wshd "$(cat "/proc/$(leader t-evil)/comm")"
    like memfd "$(readlink "/proc/$(leader t-evil)/exe")"
}

@test "starts jobs though the image's loader settings are hostile" {
    echo "$OUTSIDE/evil.so" >"$EVIL/etc/ld.so.preload"
    echo 'passwd: files evil' >"$EVIL/etc/nsswitch.conf"
    evil
    is hello "$(in_evil 'echo hello' 2>/dev/null)"
}

@test "deletes what a container wrote, however deep and however it is named" {
    create t-deep
    script_in t-deep 'cd /srv && i=0; while [ $i -lt 600 ]; do mkdir -p d/d && cd d/d && i=$((i+1)) || exit 1; done
        echo x >"$(printf "new\nline")"; chmod 000 .; ln -s / root; mkdir -m 000 closed; chattr +i x 2>/dev/null; true'
    wardenctl destroy t-deep
    empty() { [[ -z $(find /var/lib/warden/containers -mindepth 1 ! -name .trash) ]]; }
    until_true empty
}

@test "deletes its layer and not what links in it point to" {
    create t-links
    script_in t-links 'ln -s '"$OUTSIDE"' /srv/out; mkdir /srv/d; ln -s / /srv/d/root; ln -s .. /srv/d/up'
    wardenctl destroy t-links
    is outside "$(cat "$OUTSIDE/secret")"
}
