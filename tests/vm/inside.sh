#!/bin/sh
# Within the machine: puts the tree where it lies on the host, runs what the host asked for, and tells how it ended.
for label in tree environment; do
	[ -e /dev/disk/by-label/$label ] || continue
	mkdir -p /opt/$label
	mount -o ro /dev/disk/by-label/$label /opt/$label
done
# shellcheck disable=SC1091 # it names TREE and PYTHON
. /opt/tree/job

# What runs may write beside its sources; that goes with the machine.
writable() {
	mkdir -p "$2" "/opt/upper$2" "/opt/work$2"
	mount -t overlay -o "lowerdir=$1$2,upperdir=/opt/upper$2,workdir=/opt/work$2" overlay "$2"
}
writable /opt/tree "$TREE"
if [ -d /opt/environment ]; then
	writable /opt/environment "$TREE/.venv"
	[ -z "$PYTHON" ] || writable /opt/environment "$PYTHON"
fi

cd "$TREE" || exit 1
export HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYD_VM=1 PATH="$TREE/.venv/bin:$PATH"
if command -v docker >/dev/null; then engine="docker $(docker version --format '{{.Server.Version}}')"; else engine='no engine'; fi
echo "kernel $(uname -r), $(stat -fc %T /sys/fs/cgroup), $engine"
sh /opt/tree/command
echo $? >/dev/virtio-ports/code
sync
