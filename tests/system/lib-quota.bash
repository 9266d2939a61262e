# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A disk of the test's own with project quota, on which wardend keeps its layers.

DISK=/var/lib/warden-quota
DROP_IN=/etc/warden/wardend.conf.d/50-quota.conf

# wardend_with LINE…: takes the disk, and these lines of configuration
wardend_with() {
    mkdir -p "${DROP_IN%/*}"
    printf '%s\n' '[Manager]' "StateDirectory=$DISK/state" "$@" >"$DROP_IN"
    systemctl restart wardend.service
}

# disk_begin TYPE: for setup_file(); every case is skipped where the kernel has no quota of that file system
disk_begin() {
    export HAS_QUOTA=0 OBSTACLE="this kernel cannot mount $1 with project quota"
    mkdir -p "$DISK"
    truncate -s 512M "$DISK.img"
    if [[ $1 == ext4 ]]; then
        mke2fs -q -t ext4 -O quota,project "$DISK.img"
    elif ! command -v mkfs.xfs >/dev/null; then
        OBSTACLE="mkfs.xfs is not here: only the virtual machine's kernel has quota for it"
    else
        mkfs.xfs -q "$DISK.img"
    fi
    if mount -o loop,prjquota "$DISK.img" "$DISK"; then
        HAS_QUOTA=1
        wardend_with ProjectPool=500000:4
    fi
    file_begin
}

teardown_file() {
    file_end || touch "$BATS_FILE_TMPDIR/failed"
    rm -f "$DROP_IN"
    systemctl restart wardend.service
    ((!HAS_QUOTA)) || umount "$DISK"
    rm -rf "$DISK" "$DISK.img"
    [[ ! -e $BATS_FILE_TMPDIR/failed ]]
}

setup() { ((HAS_QUOTA)) || skip "$OBSTACLE"; }

# projects: the ids of ours that the file system knows, with their files and limits
projects() { repquota -vnP "$DISK" | grep '^#5000' || true; }
no_projects() { [[ -z $(projects) ]]; }
# project_of NAME: of its layer
project_of() { lsattr -pd "$DISK/state/containers/$(container_get "$1" Id)" | awk '{ print $1 }'; }

# projects_in NAME: of all its files and directories; of links and devices lsattr(1) cannot tell
projects_in() {
    find "$DISK/state/containers/$(container_get "$1" Id)" \( -type f -o -type d \) -exec lsattr -pd {} + |
        awk '{ print $1 }' | sort -u
}

fill() { script_in "$1" "dd if=/dev/zero of=/big bs=1M count=$2 2>&1; sync"; }
