#!/bin/sh
# Within the machine: puts the tree where it lies on the host, runs what the host asked for, and tells how it ended.
mkdir -p /opt/carried
mount -o ro /dev/disk/by-label/carried /opt/carried
. /opt/carried/job # TREE, PYTHON, and the words to run
for place in "$TREE" "$PYTHON"; do
	mkdir -p "$place"
	# What runs may write beside its sources; that goes with the machine.
	mkdir -p "/opt/upper$place" "/opt/work$place"
	mount -t overlay -o "lowerdir=/opt/carried$place,upperdir=/opt/upper$place,workdir=/opt/work$place" overlay "$place"
done
cd "$TREE" || exit 1
export HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PATH="$TREE/.venv/bin:$PATH"
echo "kernel $(uname -r), cgroups: $(stat -fc %T /sys/fs/cgroup), engine: $(docker version --format '{{.Server.Version}}')"
sh /opt/carried/command
echo $? >/dev/virtio-ports/code
sync
