# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash

# Run once, before the first file: what systemd makes for the first container and keeps is not to look
# like something left behind.
setup_suite() {
    local image=${WARDEN_IMAGE:-/var/lib/warden-images/debian}
    [[ -d $image/usr ]] || { echo "There is no Debian root at $image" >&2; return 1; }
    systemctl start wardend.service || { systemctl --no-pager status wardend.service >&2; return 1; }
    # When one of these fails, the cases say it better.
    wardenctl create --name s-warm "$image" >/dev/null && wardenctl exec s-warm -- /bin/true
    wardenctl destroy s-warm >/dev/null || true
    # The switches of the host go back a moment after the last container.
    for _ in {1..100}; do
        [[ -e /run/warden/network/.changed ]] || break
        sleep 0.1
    done
}
