# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What takes long to make and is the same for everybody lives outside the checkout, under a name that is a
# hash of all it was made of. A thing is made under another name and renamed when it is whole.
#   KIND-KEY        whole, never written again          KIND.tmp-PID    being made, or the rest of an interrupted build
#   KIND.lock       held while one is made              run/NAME        the writable part of one sandbox
#   log/            what the builds said

CACHE=${WARDEN_CACHE:-/var/cache/warden-sandbox}
SUITE=${WARDEN_SUITE:-bookworm}
MIRROR=${WARDEN_MIRROR:-http://deb.debian.org/debian}

cache_init() {
    mkdir -p "$CACHE/run" "$CACHE/log" || die "Cannot make the cache folder $CACHE." "Set WARDEN_CACHE to a folder that root can write."
    case $(stat -f -c %T "$CACHE") in
        overlayfs|tmpfs|nfs*) die "The cache folder $CACHE is on $(stat -f -c %T "$CACHE"): a sandbox cannot put its overlay there." \
            "Set WARDEN_CACHE to a folder on ext4, xfs or btrfs." ;;
    esac
}

# cache_key TEXT FILE…: the text and the contents of the files
cache_key() {
    local text=$1
    shift
    { printf '%s\n' "$text"; cat -- "$@"; } | sha256sum | cut -c1-16
}

# cache_provide KIND KEY TEXT COMMAND…: sets CACHE_PATH to KIND-KEY; made by `COMMAND… PATH` if it is not there
cache_provide() {
    local kind=$1 key=$2 text=$3 tmp lock log
    shift 3
    CACHE_PATH=$CACHE/$kind-$key
    if [[ ! -e $CACHE_PATH ]]; then
        exec {lock}>"$CACHE/$kind.lock"
        flock --nonblock "$lock" || { say "Waiting for another build of the $kind."; flock "$lock"; }
        if [[ ! -e $CACHE_PATH ]]; then
            cache_remove "$CACHE/$kind".tmp-*
            tmp=$CACHE/$kind.tmp-$$ log=$CACHE/log/$kind.log
            say "$text; this is done once and kept in $CACHE."
            # Own mount and process namespaces: nothing that a killed build mounted or started stays behind.
            stage_run "$text" "$log" setpriv --pdeathsig KILL unshare -m -p -f --kill-child --mount-proc --propagation private \
                "$@" "$tmp" || { cache_remove "$tmp"; die "Cannot make the $kind." "The whole log is in $log"; }
            mv -T "$tmp" "$CACHE_PATH"
        fi
        exec {lock}>&-
    fi
    touch -c "$CACHE_PATH"
    cache_expire "$kind"
}

# Old keys go when no sandbox runs on them and nobody asked for them in the last day: two branches with
# different package lists must not rebuild each other's root in turns.
cache_expire() {
    local old
    while read -r old; do
        [[ $old == "$CACHE_PATH" ]] || cache_is_used "$old" || cache_remove "$old"
    done < <(find "$CACHE" -maxdepth 1 -name "$1-*" -mmin "+${CACHE_KEEP_MINUTES:-1440}")
}

cache_is_used() { grep -qsxF -- "$1" "$STATE_DIR"/*/uses; }

# Renamed first: what is half removed must not look whole. One file system only: a mount is never followed.
cache_remove() {
    local path
    for path; do
        [[ -e $path ]] || continue
        [[ $path == *.tmp-* ]] || { mv -T "$path" "${path%-*}.tmp-$$"; path=${path%-*}.tmp-$$; }
        rm -rf --one-file-system -- "$path"
    done
}

cache_clean() {
    local path
    for path in "$CACHE"/{root,image,vm}-* "$CACHE"/*.tmp-*; do
        [[ ! -e $path ]] || cache_is_used "$path" || cache_remove "$path"
    done
}

# ---- the two roots: each made by one script of its own, which is part of the key ----

cache_recipe() {
    local kind=$1 classes=$2 recipe=$LIB/$3 text=$4 packages key
    # shellcheck disable=SC2086
    packages=$(packages_list $classes | paste -s -d ,)
    key=$(cache_key "$SUITE $MIRROR $packages" "$recipe")
    cache_provide "$kind" "$key" "$text" bash "$recipe" "$SUITE" "$MIRROR" "$packages"
}

cache_provide_root() { cache_recipe root sandbox make-root.sh "Making a Debian root ($SUITE)"; }
cache_provide_image() { cache_recipe image image make-image.sh "Making the containers' root ($SUITE)"; }
