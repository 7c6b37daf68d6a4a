#!/bin/sh
# Proves the two commands on a machine with nothing on it: a fresh Debian root file system with git and python3 alone,
# its own processes, mounts and network, a clone of the committed tree, `up.sh` and `test.sh` without a terminal.
set -eu

usage() {
	cat <<'END'
Usage: sh tests/rootfs/run.sh [--keep] [--chroot] [--dir DIR] [--suite SUITE] [COMMAND]

Makes the root file system with mmdebstrap from this machine's package sources, clones HEAD into it and runs, by default,
  sh up.sh && sh up.sh && .ci/run
in it (a shell line given as COMMAND instead). Needs root, mmdebstrap, pasta (package passt) and mounted cgroups.
Proxies, package index and certificates of this machine reach it; nothing else of it does.

  --chroot       enter it by chroot alone, which leaves the root of the mount namespace outside
  --keep         leave DIR as it is at the end, and use what is there already at the start
  --dir DIR      where to build it, 5 GB (a fresh directory under /var/tmp)
  --suite SUITE  the Debian release (that of this machine)
END
}

# Within the new namespaces: mounts, then the command in the root. Only this process tree sees any of it.
if [ "${1:-}" = --inside ]; then
	root=$2 command=$3
	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	cd "$root"
	if [ "$4" = no ]; then
		pivot_root . mnt
		umount -l mnt
	fi
	set -- HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
	for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_EXTRA_INDEX_URL \
		PIP_DEFAULT_TIMEOUT; do
		eval "value=\${$name:-}"
		[ -z "$value" ] || set -- "$@" "$name=$value"
	done
	bundle=/etc/ssl/certs/ca-certificates.crt
	[ -z "$(ls /usr/local/share/ca-certificates)" ] ||
		set -- "$@" SSL_CERT_FILE=$bundle PIP_CERT=$bundle NODE_EXTRA_CA_CERTS=$bundle
	exec env -i "$@" chroot . sh -c "cd /root/pyd && $command" </dev/null
fi

keep=no chroot=no dir='' suite=''
while [ $# -gt 0 ]; do
	case $1 in
	--keep) keep=yes && shift ;;
	--chroot) chroot=yes && shift ;;
	--dir) dir=$2 && shift 2 ;;
	--suite) suite=$2 && shift 2 ;;
	-h | --help) usage && exit 0 ;;
	-*) usage >&2 && exit 2 ;;
	*) break ;;
	esac
done
command=${1:-sh up.sh && sh up.sh && .ci/run}

for tool in mmdebstrap pasta unshare git; do
	command -v $tool >/dev/null || {
		echo "run.sh: missing: $tool (apt-get install mmdebstrap passt util-linux git)" >&2
		exit 1
	}
done
here=$(cd -- "$(dirname -- "$0")" && pwd)
[ -n "$dir" ] || dir=$(mktemp -d /var/tmp/pyd-rootfs.XXXXXX)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; [ "$keep" = yes ] || rm -rf --one-file-system "$dir"' EXIT
trap 'exit 130' INT TERM HUP
# shellcheck disable=SC1091 # the machine's, not ours
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
[ -n "$suite" ] || suite=$own

if [ ! -e "$dir/etc/os-release" ]; then
	echo "==> Making a $suite root file system in $dir"
	apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$scratch/apt" || true
	mkdir "$scratch/sources"
	# Package sources that are files of this machine mean nothing in there.
	find /etc/apt -maxdepth 2 \( -name sources.list -o -path '*/sources.list.d/*' \) -exec grep -L 'file:' {} + |
		while read -r source; do sed "s/\\b$own\\b/$suite/g" "$source" >"$scratch/sources/$(basename "$source")"; done
	mmdebstrap --quiet --mode=root --variant=minbase --include=git,python3 --aptopt="$scratch/apt" "$suite" "$dir" \
		"$scratch"/sources/*
	# Releases name their key files differently; without a name apt takes those of its own release.
	[ "$suite" = "$own" ] || find "$dir/etc/apt/sources.list.d" -type f -exec sed -i '/^Signed-By:/d' {} +
	cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
	mkdir -p "$dir/usr/local/share/ca-certificates"
	cp -R /usr/local/share/ca-certificates/. "$dir/usr/local/share/ca-certificates/"
fi
rm -rf "$dir/root/pyd"
git clone -q --no-hardlinks "$here/../.." "$dir/root/pyd"

# Root's own network: no port of it reaches this machine, and none of this machine's is reached from it.
begun=$(date +%s)
code=0
pasta --quiet --config-net --netns-only --runas 0 -t none -u none -T none -U none -- \
	unshare --mount --pid --fork --kill-child sh "$here/run.sh" --inside "$dir" "$command" $chroot || code=$?
echo "==> exit code $code after $(($(date +%s) - begun)) s"
exit $code
