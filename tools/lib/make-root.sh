#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-root.sh SUITE MIRROR PACKAGE,… DEST: the Debian root that a sandbox boots, native or in the VM.
# The cache's key covers this file: a change here makes a new root.

set -eu -o pipefail
suite=$1 mirror=$2 packages=$3 dest=$4

mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
    --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    "$suite" "$dest" "$mirror"

# The commands of `tools/sandbox exec` live in this unit's group, so that systemd knows all processes.
# They are not the unit's own business: an OOM or an end among them must not touch the others.
cat >"$dest/etc/systemd/system/warden-sandbox-exec.service" <<'UNIT'
[Unit]
Description=Commands that tools/sandbox exec runs
DefaultDependencies=no
After=basic.target

[Service]
ExecStart=/bin/sleep infinity
Delegate=yes
OOMPolicy=continue
Restart=always
TasksMax=infinity
TimeoutStopSec=2s

[Install]
WantedBy=multi-user.target
UNIT

# What graphical.target adds is not here.
chroot "$dest" systemctl --quiet set-default multi-user.target
# Somebody who is not root, to be refused things.
chroot "$dest" useradd --create-home --shell /bin/bash --uid 1000 tester

# No timers that start work in the middle of a test; no sysctls or binfmt handlers, which natively would be the host's.
chroot "$dest" systemctl --quiet enable warden-sandbox-exec.service
chroot "$dest" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer logrotate.timer nftables.service \
    systemd-sysctl.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount \
    console-getty.service getty@.service systemd-timesyncd.service quota.service quotaon.service quotarpc.service

# Every boot is a first boot otherwise; the id is fixed because a cached root is the same for all.
printf '%s\n' 77617264656e73616e64626f78000001 >"$dest/etc/machine-id"
printf 'warden-sandbox\n' >"$dest/etc/hostname"
printf '127.0.0.1 localhost warden-sandbox\n::1 localhost\n' >"$dest/etc/hosts"
printf 'LANG=C.UTF-8\n' >"$dest/etc/default/locale"
: >"$dest/etc/fstab"
mkdir -p "$dest/etc/systemd/journald.conf.d" "$dest/var/lib/warden" "$dest/var/lib/warden-images/debian" "$dest/usr/src/warden"
printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\nForwardToConsole=no\n' >"$dest/etc/systemd/journald.conf.d/sandbox.conf"
rm -rf "$dest"/var/lib/apt/lists/* "$dest"/var/cache/apt/* "$dest"/var/log/{apt,dpkg.log,bootstrap.log}
