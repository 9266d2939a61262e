#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-vm.sh SUITE MIRROR PACKAGE,… IMAGE DEST: a folder with disk.img, vmlinuz and initrd.img: the sandbox's root
# with a kernel, the agent and the containers' root IMAGE in it. Nothing is mounted: mke2fs copies the tree.

set -eu -o pipefail
suite=$1 mirror=$2 packages=$3 image=$4 dest=$5
lib=$(cd "$(dirname "$0")" && pwd)
root=$dest/root

mkdir -p "$dest"
bash "$lib/make-root.sh" "$suite" "$mirror" "$packages" "$root"

# The agent takes the place of the native exec unit, under the same name: commands are in the same group.
install -D -m 0755 "$lib/vm-agent.py" "$root/usr/lib/warden-sandbox/agent"
sed -i -e 's|^ExecStart=.*|ExecStart=/usr/lib/warden-sandbox/agent|' "$root/etc/systemd/system/warden-sandbox-exec.service"

# This kernel is the guest's own; its sysctls are too.
chroot "$root" systemctl --quiet unmask systemd-sysctl.service
# Nobody looks at a login prompt.
chroot "$root" systemctl --quiet mask serial-getty@.service
# Project quota wants a disk of its own: Debian's initrd cannot mount a root that has it.
printf '/dev/vdb /var/lib/warden ext4 prjquota,nofail,x-systemd.device-timeout=60s 0 0\n' >"$root/etc/fstab"

# A small initrd is most of a fast start under emulation.
sed -i 's/^MODULES=.*/MODULES=list/' "$root/etc/initramfs-tools/initramfs.conf"
printf '%s\n' virtio_pci virtio_blk ext4 >>"$root/etc/initramfs-tools/modules"
mount -t proc proc "$root/proc"
chroot "$root" update-initramfs -u
umount "$root/proc"
cp "$root"/boot/vmlinuz-* "$dest/vmlinuz"
cp "$root"/boot/initrd.img-* "$dest/initrd.img"
rm -f "$root"/boot/*

mkdir -p "$root/var/lib/warden-images"
rm -rf "$root/var/lib/warden-images/debian"
cp -a "$image" "$root/var/lib/warden-images/debian"

truncate -s 6G "$dest/disk.img"
mke2fs -q -t ext4 -L warden-root -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$dest/disk.img"
rm -rf --one-file-system "$root"
