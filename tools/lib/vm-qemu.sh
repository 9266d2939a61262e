# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# qemu's command line, and whether KVM works here.

QEMU_PORTS=4

# qemu_arguments STATE VM RUN MODE ACCELERATION: sets QEMU_ARGUMENTS. The disk of the cache is only read (snapshot=on).
qemu_arguments() {
    local state=$1 vm=$2 run=$3 port
    QEMU_ARGUMENTS=(
        -machine q35 -cpu max -m "${WARDEN_VM_MEMORY:-4G}" -smp 2 -nodefaults -no-user-config
        -display none -monitor none -no-reboot -nic none
        -serial "file:$state/console"
        -kernel "$vm/vmlinuz" -initrd "$vm/initrd.img"
        -append "root=/dev/vda rw console=ttyS0 quiet panic=-1 psi=1 systemd.show_status=0 $(qemu_cgroup_options "$4") $(qemu_emulation_options "$5")"
        -drive "file=$vm/disk.img,if=virtio,format=raw,cache=unsafe,snapshot=on"
        -drive "file=$run/scratch.img,if=virtio,format=raw,cache=unsafe,discard=unmap"
        -device virtio-rng-pci
        -device "virtio-serial-pci,max_ports=$((QEMU_PORTS + 1))"
    )
    for ((port = 0; port < QEMU_PORTS; port++)); do
        QEMU_ARGUMENTS+=(
            -chardev "socket,id=port$port,path=$state/port$port.sock,server=on,wait=off"
            -device "virtserialport,chardev=port$port,name=org.warden.sandbox.$port"
        )
    done
}

qemu_cgroup_options() {
    case $1 in
        unified) echo systemd.unified_cgroup_hierarchy=1 ;;
        hybrid) echo systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=0 ;;
        legacy) echo systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1 ;;
    esac
}

# qemu_emulation_options ACCELERATION: what is cheap on a processor, but not where each instruction is translated first.
# Code that is at other addresses in every process is translated for every process: a shell takes a third of the time
# without that. Nobody attacks this kernel by speculation, and audit makes every system call a longer one.
qemu_emulation_options() { [[ $1 == kvm ]] || echo norandmaps nokaslr mitigations=off audit=0; }

# qemu_acceleration VM: prints the -accel value. /dev/kvm that opens is no proof: a kernel is booted on it as far as
# its first program, with a time limit. The answer holds for as long as this machine is up.
qemu_acceleration() {
    local vm=$1 boot answer
    read -r boot </proc/sys/kernel/random/boot_id
    if ! answer=$(sed -n "s/^$boot //p" "$CACHE/kvm-answer" 2>/dev/null) || [[ -z $answer ]]; then
        answer='tcg,thread=multi'
        ! qemu_try_kvm "$vm" || answer=kvm
        printf '%s %s\n' "$boot" "$answer" >"$CACHE/kvm-answer"
    fi
    printf '%s' "$answer"
}

qemu_try_kvm() {
    [[ -w /dev/kvm ]] || return 1
    timeout -k 1 15 qemu-system-x86_64 -machine q35 -accel kvm -cpu max -m 512M -nodefaults -display none -nic none -no-reboot \
        -serial stdio -kernel "$1/vmlinuz" -initrd "$1/initrd.img" -append "console=ttyS0 panic=-1 rdinit=/bin/true" \
        </dev/null 2>/dev/null | grep -q 'Run /bin/true as init process'
}
