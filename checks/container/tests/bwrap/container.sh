# bubblewrap behind the contract of container, for what it promises: namespaces and a root, no limits. It becomes bwrap, so
# that signals and descriptors are bwrap's own affair.

refuse() {
    echo "container: $1" >&2
    exit 125
}

[ "$1" = run ] || refuse "usage: container run [--hostname NAME] ROOTFS CMD…; not $1"
shift
name=
while case "$1" in -*) true ;; *) false ;; esac; do
    case "$1" in
        --hostname)
            [ $# -gt 1 ] || refuse "$1 needs a value"
            [ -n "$2" ] && [ "${#2}" -le 64 ] || refuse "a hostname has 1 to 64 bytes, not '$2'"
            name=$2
            shift 2
            ;;
        --memory) refuse "--memory: bubblewrap limits nothing" ;;
        *) refuse "there is no option $1" ;;
    esac
done
[ $# -ge 2 ] || refuse "ROOTFS and CMD are missing"
[ -d "$1" ] || refuse "$1 is no directory"
root=$1
shift
# The caller's PATH is the command's, and may lead nowhere here.
bwrap=$(PATH=/usr/local/bin:/usr/bin:/bin command -v bwrap) || refuse "there is no bwrap"
exec "$bwrap" --unshare-uts --unshare-pid --as-pid-1 --die-with-parent ${name:+--hostname "$name"} \
    --bind "$root" / --proc /proc --chdir / -- "$@"
