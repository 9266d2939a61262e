#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in a sandbox after files were copied into it: what a package's scripts would do.

set -eu
ldconfig
[[ ! -e /usr/lib/sysusers.d/warden.conf ]] || systemd-sysusers /usr/lib/sysusers.d/warden.conf
[[ ! -e /usr/lib/tmpfiles.d/warden.conf ]] || systemd-tmpfiles --create /usr/lib/tmpfiles.d/warden.conf
systemctl daemon-reload
busctl --quiet call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
systemctl try-restart wardend.service 2>/dev/null || {
    code=$?
    # A sandbox without the unit is no failure; a unit that does not start again is.
    [[ ! -e /usr/lib/systemd/system/wardend.service ]] || { systemctl --no-pager status wardend.service >&2 || true; exit $code; }
}
