#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tools/packages names every Debian package that anything here needs; this reads it.
#   . tools/lib/packages.sh; packages_install build test      or      tools/lib/packages.sh build test

PACKAGES_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PACKAGES_FILE=${PACKAGES_FILE:-$PACKAGES_DIR/packages}
# Classes that go into a root file system made by tools/sandbox and are never installed on this machine.
PACKAGES_INNER="sandbox image guest peer"
[[ -n ${SAY_PROGRAM-} ]] || . "$PACKAGES_DIR/lib/say.sh"

packages_classes() { awk '!/^#/ && NF { print $1 }' "$PACKAGES_FILE" | sort -u; }

# packages_list CLASS…: the packages of these classes, one a line, sorted; `all` is every class of this machine
packages_list() {
    local class
    for class; do
        [[ $class == all ]] || packages_classes | grep -qxF -- "$class" ||
            die "There is no package class '$class' in $PACKAGES_FILE." "Classes: all $(packages_classes | tr '\n' ' ')"
    done
    awk -v want=" $* " -v inner=" $PACKAGES_INNER " '
        /^#/ || !NF { next }
        index(want, " " $1 " ") || (index(want, " all ") && !index(inner, " " $1 " ")) { print $2 }
    ' "$PACKAGES_FILE" | sort -u
}

# packages_missing PACKAGE…: those that are not installed
packages_missing() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u)
    comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$installed")
}

packages_install() {
    local list missing log
    list=$(packages_list "$@") || exit
    # shellcheck disable=SC2086
    missing=$(packages_missing $list)
    [[ -n $missing ]] || return 0
    # shellcheck disable=SC2086
    ((EUID == 0)) || die "These packages are missing: $(echo $missing)" "Run as root: $PACKAGES_DIR/lib/packages.sh $*"

    log=$(mktemp -t warden-packages.XXXXXX)
    # shellcheck disable=SC2086
    say "Installing $(echo $missing | wc -w) packages of the classes: $*"
    stage_run "Reading the package lists" "$log" apt-get -q update || say_warning "The package lists are not fresh; trying with those at hand."
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive stage_run "Installing packages" "$log" apt-get -q -y --no-install-recommends install $missing ||
        die "Cannot install: $(echo $missing)" "The whole log is in $log"
    rm -f "$log"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -eu -o pipefail
    if (($# == 0)) || [[ $1 == -h || $1 == --help ]]; then
        printf 'usage: packages.sh CLASS…\nInstalls what is missing of these classes of %s.\nClasses: all %s\n' \
            "$PACKAGES_FILE" "$(packages_classes | tr '\n' ' ')"
        exit
    fi
    packages_install "$@"
fi
