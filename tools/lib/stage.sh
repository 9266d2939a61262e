# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Takes a build into a sandbox as a package would: meson installs into an empty folder (DESTDIR), that folder is
# copied over the root, and then systemd, the bus and their helpers are told.

STAGE_CALL=native_call # what runs a command inside; vm_call for the virtual machine

# stage_has_build DIR
stage_has_build() { [[ -e $1/meson-private/coredata.dat ]]; }

# stage_make BUILD DEST: `meson install` into DEST
stage_make() {
    local build=$1 dest=$2 prefix log=$CACHE/log/install-$NAME.log
    stage_has_build "$build" || die "$build is not a meson build folder." "Make it: meson setup --prefix=/usr $build && meson compile -C $build"
    prefix=$(meson introspect --buildoptions "$build" 2>/dev/null | tr '{' '\n' | sed -n 's/.*"name": "prefix", "value": "\([^"]*\)".*/\1/p') || true
    [[ -z $prefix || $prefix == /usr ]] || say_warning "The prefix of $build is $prefix; systemd and D-Bus look for files below /usr."
    rm -rf "$dest"
    mkdir -p "$dest"
    stage_run "Installing $build" "$log" meson install -C "$build" --destdir "$dest" ||
        die "The build in $build cannot be installed." "Try: meson compile -C $build; the whole log is in $log"
}

# stage_install BUILD: into the running sandbox NAME. The lock is held.
stage_install() {
    local build=$1 dest
    if ! stage_has_build "$build"; then
        say "There is no build in $build, so none is installed." \
            "Make one (meson setup --prefix=/usr build && meson compile -C build), then: $SAY_PROGRAM install$(name_option)"
        return 0
    fi
    dest=$(state_get run)/stage
    stage_make "$build" "$dest"
    # By gzip, because the way into a virtual machine is slow.
    tar -C "$dest" --owner=0 --group=0 -cz . | $STAGE_CALL tar -xz -C / --keep-directory-symlink --no-overwrite-dir ||
        die "The build cannot be copied into '$NAME'." "Look for space: df -h $CACHE"
    $STAGE_CALL bash -eu <"$LIB/settle.sh" || die "'$NAME' does not take the build." "Look inside: $SAY_PROGRAM exec$(name_option) journalctl -b -e"
    state_set installed "$build"
    rm -rf "$dest"
    say "Installed $build into '$NAME'."
}
