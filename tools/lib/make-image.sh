#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-image.sh SUITE MIRROR PACKAGE,… DEST: a small Debian root for containers to run from. All sandboxes share it, read-only.

set -eu -o pipefail
suite=$1 mirror=$2 packages=$3 dest=$4

mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
    --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    "$suite" "$dest" "$mirror"

chroot "$dest" useradd --create-home --shell /bin/bash --uid 1000 vcap
printf 'debian\n' >"$dest/etc/hostname"
rm -rf "$dest"/var/lib/apt/lists/* "$dest"/var/cache/apt/* "$dest"/var/log/{apt,dpkg.log,bootstrap.log}
