#!/bin/sh
# Gets pyd going on this machine: installs what is missing, puts `pyd` on the PATH, sees to an engine, opens the dashboard.
set -eu

usage() {
	cat <<'END'
Usage: sh up.sh [--no-open] [--tests] [--force]

Installs what pyd needs on Debian 12 and 13, Ubuntu 24.04 and later (as root, or with sudo), and opens the dashboard:
  - OS packages, only those that are missing, through apt: a static busybox for `pyd demo` and Compose among them
  - the project and its Python packages. What root runs, now and at boot, only root may change: from a checkout that
    others may change they are copied into /usr/local/lib/pyd; running this again after `git pull` renews the copy.
    Root's own checkouts are run as they are, from .venv beside this script, and so are users' own without root.
  - a `pyd` command in /usr/local/bin (in ~/.local/bin without root)
  - what pyd's own engine stands on (crun, conmon, nftables, aardvark-dns), when there is no other engine; where systemd
    runs, it starts that engine now and at every boot
Without a terminal it prints `pyd version` and `pyd ps` instead. Running it again is harmless and quick.

  --no-open  stop before the dashboard
  --tests    install what the tests need on top, and make sure a Docker Engine answers; implies --no-open
  --force    replace a `pyd` command that belongs to something else
  --help     this text

Variables: PYTHON (the interpreter to use, 3.11 or later) and those of pip (PIP_INDEX_URL, PIP_CERT, ...).
END
}

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*"; }
fail() {
	printf 'up.sh: %s\nhint: %s\n' "$1" "$2" >&2
	exit 1
}

open=yes tests=no force=no
for option; do
	case $option in
	--no-open) open=no ;;
	--tests) tests=yes open=no ;;
	--force) force=yes ;;
	-h | --help) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
done

umask 022
cd "$(dirname -- "$0")"
here=$(pwd -P)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
root=no
if [ "$(id -u)" = 0 ]; then
	root=yes
	as_root() { "$@"; }
elif command -v sudo >/dev/null; then
	root=sudo
	as_root() { sudo "$@"; }
fi
systemd() { [ -d /run/systemd/system ]; }

# ----------------------------------------------------------------------------------------------------- OS packages

by_hand() {
	# shellcheck disable=SC1091 # the machine's, not ours
	case $(. /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}") in
	*fedora* | *rhel*) echo 'dnf install python3 crun conmon nftables aardvark-dns; for the tests also moby-engine podman docker-distribution openssh-server tmux busybox gcc glibc-static skopeo librsvg2-tools dejavu-sans-mono-fonts' ;;
	*arch*) echo 'pacman -S python crun conmon nftables aardvark-dns; for the tests also docker podman docker-registry openssh tmux busybox gcc skopeo librsvg ttf-dejavu' ;;
	*alpine*) echo 'apk add python3 crun conmon nftables aardvark-dns; for the tests also docker podman docker-registry openssh tmux busybox-static gcc musl-dev skopeo rsvg-convert font-dejavu' ;;
	*suse*) echo 'zypper install python311 crun conmon nftables aardvark-dns; for the tests also docker podman distribution-registry openssh tmux busybox-static gcc glibc-devel-static skopeo rsvg-convert dejavu-fonts' ;;
	*) echo 'install Python 3.11 or later with venv, and crun, conmon, nftables and aardvark-dns; for the tests also Docker Engine, Podman, docker-registry, sshd, tmux, a static busybox, gcc with a static libc, skopeo, rsvg-convert, a monospaced font' ;;
	esac
}

# Prints the first path that others than root may change, of these and of what lies below them.
changeable_by() { # PYTHON PATH...
	interpreter=$1
	shift
	"$interpreter" -I -S core/pyd_core/linux/ownership.py "$@" 2>&1 || true
}

# With root, an interpreter that root alone may change, since root will run it.
find_python() {
	for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 \
		/usr/bin/python3 /usr/bin/python3.14 /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11; do
		"$candidate" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
		path=$(command -v "$candidate")
		if [ $root = no ] || [ -z "$(changeable_by "$path" "$path")" ]; then
			echo "$path"
			return
		fi
	done
}

# Whether another engine is there to be asked, without Python packages to ask it with.
engine_in_sight() {
	[ -z "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}" ] || return 0
	runtime=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
	for socket in /var/run/docker.sock /run/podman/podman.sock "$runtime/docker.sock" "$runtime/podman/podman.sock"; do
		[ ! -S "$socket" ] || return 0
	done
	return 1
}

wanted_packages() {
	if [ -z "$python" ]; then
		echo python3.11 python3.11-venv
	elif ! .venv/bin/python -c 'import pip' 2>/dev/null && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
		# Debian packs ensurepip apart, by the version of the interpreter.
		"$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
	fi
	[ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
	[ -e /bin/busybox ] || [ -e /usr/bin/busybox ] || [ -e /usr/lib/initramfs-tools/bin/busybox ] || echo busybox-static
	if ! engine_in_sight && ! command -v dockerd >/dev/null; then
		# crun refuses hosts that mount both versions of cgroups.
		if [ -d /sys/fs/cgroup/unified ]; then echo runc; else echo crun; fi
		echo conmon nftables aardvark-dns
	fi
	[ $tests = yes ] || return 0
	command -v dockerd >/dev/null || echo docker.io
	command -v docker >/dev/null || echo docker-cli
	echo docker-compose podman uidmap fuse-overlayfs crun runc conmon netavark aardvark-dns nftables iptables iproute2 procps docker-registry skopeo apparmor
	[ -z "${CI:-}" ] || echo dbus firewalld # no developer's machine gets a firewall for a test
	echo curl e2fsprogs openssh-server openssh-client openssl tmux busybox-static gcc libc6-dev libarchive-tools strace librsvg2-bin fonts-dejavu-core
}

# Debian's name of Compose, and Ubuntu's. What would bring a Docker Engine along is left to the user.
install_compose() {
	[ $tests = no ] && [ $root != no ] || return 0
	! docker compose version >/dev/null 2>&1 || return 0
	! command -v docker-compose >/dev/null && ! command -v podman-compose >/dev/null || return 0
	for package in docker-compose docker-compose-v2; do
		brings=$(apt-get -s install --no-install-recommends "$package" 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p')
		if [ -n "$brings" ] && ! echo "$brings" | grep -qxE 'docker\.io|docker-ce|containerd.*|podman'; then
			install_packages "$package"
			return 0
		fi
	done
	say 'No Compose without a Docker Engine in the package lists: pyd compose will ask for one'
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
		apt-get -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >"$scratch/apt.log" 2>&1 </dev/null
}

# Packages are kept from starting services: what is needed is started below, tests have no use for a registry or an sshd
# on its usual port, and where no systemd runs Debian's init script for Docker would mount cgroups.
install_packages() {
	say "Installing OS packages: $*"
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		made_policy=yes
		printf '#!/bin/sh\nexit 101\n' >"$scratch/policy"
		as_root install -m 755 "$scratch/policy" /usr/sbin/policy-rc.d
	fi
	apt install -y --no-install-recommends "$@" || {
		tail -n 25 "$scratch/apt.log" >&2
		fail 'apt-get could not install them, see the lines above' 'check the network and the sources in /etc/apt, then run this again'
	}
	for unit in docker-registry ssh firewalld; do
		case " $* " in
		*" $unit"* | *" open$unit-server "*) systemd && as_root systemctl disable -q "$unit" >/dev/null 2>&1 || true ;;
		esac
	done
	clean_policy
}

clean_policy() {
	[ -z "$made_policy" ] || as_root rm -f /usr/sbin/policy-rc.d
	made_policy=''
}

made_policy=''
scratch=$(mktemp -d)
trap 'clean_policy; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP

python=$(find_python)
if command -v apt-get >/dev/null; then
	missing=''
	for package in $(wanted_packages | tr ' ' '\n' | sort -u); do
		dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
	done
	if [ -n "$missing" ]; then
		[ $root != no ] || fail "not root, no sudo, and these packages are missing:$missing" "have them installed: apt-get install$missing"
		if [ -z "$(find /var/lib/apt/lists -name '*_Packages*' -mtime -1 2>/dev/null | head -n 1)" ]; then
			say 'Reading the package lists'
			apt update || say "Not all of them: $(grep '^[EW]:' "$scratch/apt.log" | head -n 1)"
		fi
		known=''
		for package in $missing; do
			if apt-cache show "$package" >/dev/null 2>&1; then
				known="$known $package"
			elif [ "$package" != docker-cli ]; then # Debian 13 packs it apart; elsewhere docker.io brings it
				say "This distribution has no package $package: going on without it"
			fi
		done
		# shellcheck disable=SC2086 # a list of package names
		[ -z "$known" ] || install_packages $known
		python=$(find_python)
	fi
	install_compose
fi
[ -n "$python" ] || fail 'no Python 3.11 or later here' "$(by_hand)"

# ------------------------------------------------------------------------------------------------- Python packages

# Where what root runs may live: root's own checkout, or a copy.
home=$here/.venv
if [ $root != no ]; then
	loose=$(changeable_by "$python" "$here/pyproject.toml" "$here/core" "$here/tui" "$here/debugimages")
	[ ! -e .venv ] || [ -n "$loose" ] || loose=$(changeable_by "$python" "$here/.venv")
	[ -z "$loose" ] || home=/usr/local/lib/pyd
fi
why='check the network, or name another index by PIP_INDEX_URL'
has_pip() { "$1" -I -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
pip() { .venv/bin/python -m pip --disable-pip-version-check -q "$@"; }
print_of_tree() { .venv/bin/python -c 'import hashlib, sys; print(*sys.argv[1:], hashlib.sha256(open("pyproject.toml", "rb").read()).hexdigest())' "$@"; }

install_in_place() {
	if ! has_pip .venv/bin/python; then
		say "Making .venv with $("$python" --version)"
		"$python" -m venv --clear .venv || fail 'the virtual environment could not be made' "$(by_hand)"
	fi
	tree=$(print_of_tree "$here" $tests)
	if ! grep -qxF "$tree" .venv/installed 2>/dev/null && ! grep -qxF "$(print_of_tree "$here" yes)" .venv/installed 2>/dev/null; then
		say 'Installing Python packages into .venv'
		if [ $tests = yes ]; then
			# Dependency groups came with pip 25.1; Debian 12's is older.
			.venv/bin/python -c 'import pip, sys; sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) < (25, 1))' ||
				pip install --upgrade 'pip>=25.1' || fail 'pip could not be renewed' "$why"
			pip install -e . --group dev || fail 'the Python packages could not be installed' "$why"
		else
			pip install -e . || fail 'the Python packages could not be installed' "$why"
		fi
		echo "$tree" >.venv/installed
	fi
	.venv/bin/python -m compileall -q core tui debugimages
}

# Wheels are made by whoever runs this, with what their pip is set up for; root only unpacks them. An engine that runs
# is started anew, since it loads modules as it needs them; its containers go on.
install_copy() {
	tree=$("$python" --version && find core tui debugimages pyproject.toml -name __pycache__ -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum)
	if has_pip "$home/bin/python" && [ "$(cat "$home/installed" 2>/dev/null)" = "$tree" ]; then return 0; fi
	say "Installing pyd into $home, since others than root may change $loose"
	"$python" -m venv "$scratch/builder" || fail 'the virtual environment could not be made' "$(by_hand)"
	"$scratch/builder/bin/python" -I -m pip --disable-pip-version-check -q wheel --wheel-dir "$scratch/wheels" "$here" ||
		fail 'the Python packages could not be made' "$why"
	has_pip "$home/bin/python" || as_root "$python" -m venv --clear "$home" ||
		fail 'the virtual environment could not be made' "$(by_hand)"
	as_root rm -f "$home/installed"
	for how in '' '--force-reinstall --no-deps'; do # pip takes what has the same version for the same
		# shellcheck disable=SC2086 # a list of options
		as_root env PIP_CONFIG_FILE=/dev/null "$home/bin/python" -I -m pip --disable-pip-version-check -q --no-cache-dir install \
			--no-index --find-links "$scratch/wheels" --upgrade --root-user-action ignore $how "$scratch"/wheels/pyd_containers-*.whl ||
			fail "the Python packages could not be installed into $home" 'see the lines above'
	done
	loose=$(changeable_by "$python" "$home")
	[ -z "$loose" ] || fail "others than root may change $loose" "have root own $home and the directories above it"
	echo "$tree" >"$scratch/installed"
	as_root install -m 644 "$scratch/installed" "$home/installed"
	if systemd && systemctl -q is-active pyd.service; then as_root systemctl restart pyd.service; fi
}

if [ "$home" = "$here/.venv" ] || [ $tests = yes ]; then install_in_place; fi
if [ "$home" != "$here/.venv" ]; then install_copy; fi

# -------------------------------------------------------------------------------------------------- the pyd command

# Python is named in the launcher itself: no shell in between, and -I keeps PYTHONPATH and the like out of it.
launcher=$scratch/pyd
case $home in
*[[:space:]]*) printf '#!/bin/sh\n# launcher of pyd, made by up.sh\nexec "%s/bin/python" -I -m pyd_tui "$@"\n' "$home" >"$launcher" ;;
*) printf '#!%s/bin/python -I\n# launcher of pyd, made by up.sh\nimport sys\n\nfrom pyd_tui.cli import main\n\nsys.exit(main())\n' "$home" >"$launcher" ;;
esac
if [ $root = no ]; then bin=$HOME/.local/bin; else bin=/usr/local/bin; fi
put() { if [ -w "$bin" ] || [ $root = no ]; then "$@"; else as_root "$@"; fi; }

if ! cmp -s "$launcher" "$bin/pyd"; then
	if [ -e "$bin/pyd" ] && [ $force = no ] && ! grep -q '^# launcher of pyd, made by up.sh$' "$bin/pyd"; then
		answer=no
		if [ -t 0 ]; then
			printf '%s/pyd belongs to something else. Replace it? [y/N] ' "$bin"
			read -r answer
		fi
		case $answer in
		y* | Y*) ;;
		*) fail "$bin/pyd belongs to something else; left as it is" "run $home/bin/pyd, or sh up.sh --force to replace it" ;;
		esac
	fi
	put mkdir -p "$bin"
	put install -m 755 "$launcher" "$bin/pyd"
	say "Put pyd into $bin"
fi
case :$PATH: in
*":$bin:"*)
	found=$(command -v pyd)
	[ "$found" = "$bin/pyd" ] || say "Mind that $found comes first on your PATH and hides $bin/pyd"
	;;
*) say "$bin is not on your PATH; add it: export PATH=\"$bin:\$PATH\"" ;;
esac

# ---------------------------------------------------------------------------------------------------------- an engine

engine_answers() {
	if [ $tests = yes ]; then
		as_root docker -H unix:///var/run/docker.sock version >/dev/null 2>&1
	else
		"$bin/pyd" version --json >/dev/null 2>"$scratch/engine" || { [ $root = sudo ] && sudo -n "$bin/pyd" version --json >/dev/null 2>&1; }
	fi
}

# Starts the daemon as systemd or, where none runs, the daemon itself; its own pid file is /var/run/docker.pid.
start_engine() {
	if [ $root = no ]; then
		cat "$scratch/engine" >&2
		fail 'no engine answers this user, and starting one takes root' 'start Docker or Podman, join the docker group, or set DOCKER_HOST'
	fi
	if ! command -v dockerd >/dev/null; then
		cat "$scratch/engine" >&2
		fail 'no engine answers, and pyd could not start its own' "$(by_hand)"
	fi
	if systemd; then
		say 'Starting Docker Engine (systemctl start docker)'
		as_root systemctl start docker || fail 'systemd could not start docker' 'look at: journalctl -u docker'
		return
	fi
	grep -q ' - cgroup' /proc/self/mountinfo ||
		fail 'Docker Engine needs cgroups and none are mounted here' 'use an engine outside: bind its socket to /var/run/docker.sock, or set DOCKER_HOST'
	say 'Starting Docker Engine (dockerd, log in /var/log/dockerd.log)'
	daemon='exec dockerd'
	# In a chroot, what enters a container (docker exec) comes out at the root of the mount namespace, outside of the
	# chroot: there the daemon gets a mount namespace of its own whose root this is.
	outermost=$(as_root nsenter --mount=/proc/self/ns/mnt stat -c %d:%i / 2>/dev/null || true)
	if [ -n "$outermost" ] && [ "$outermost" != "$(stat -c %d:%i /)" ]; then
		daemon='exec unshare --mount --propagation private sh -c "mount --rbind / /mnt && exec nsenter \
			--mount=/proc/self/ns/mnt --wd=/mnt sh -c \"pivot_root . mnt && cd / && umount -l mnt && exec dockerd\""'
	fi
	as_root sh -c "setsid sh -c '$daemon' >>/var/log/dockerd.log 2>&1 </dev/null & echo \$! >/run/pyd-dockerd.pid"
	tries=0
	until [ -S /var/run/docker.sock ] && engine_answers; do
		tries=$((tries + 1))
		if [ $tries -gt 300 ] || ! as_root kill -0 "$(cat /run/pyd-dockerd.pid)" 2>/dev/null; then
			as_root tail -n 15 /var/log/dockerd.log >&2
			as_root rm -f /run/pyd-dockerd.pid
			fail 'Docker Engine did not come up, see the lines above' 'the whole log is /var/log/dockerd.log'
		fi
		sleep 0.2
	done
}

if [ $tests = no ] && ! engine_in_sight; then
	if command -v dockerd >/dev/null; then
		[ $root = no ] || start_engine
	elif [ $root != no ] && systemd && ! grep -qsF "$home/" /etc/systemd/system/pyd.service; then
		# Elsewhere root's pyd starts its engine when it is needed.
		say 'Having systemd run the embedded engine (pyd daemon --install)'
		as_root "$bin/pyd" daemon --install || fail 'the embedded engine could not be installed' 'look at: journalctl -u pyd'
	fi
fi
# An earlier version's units named the checkout.
if [ $root != no ] && systemd && [ -e /etc/systemd/system/pyd.service ] && ! grep -qsF "$home/" /etc/systemd/system/pyd.service; then
	as_root "$bin/pyd" daemon --install && as_root systemctl restart pyd.service
fi
if ! engine_answers; then
	if [ -n "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}" ] && [ $tests = no ]; then
		cat "$scratch/engine" >&2
		say 'The engine named by DOCKER_HOST or DOCKER_CONTEXT does not answer; pyd connects when it does'
	else
		start_engine
	fi
fi

# ------------------------------------------------------------------------------------------------------ the dashboard

if [ $open = no ]; then
	say 'Ready'
	exit 0
fi
by=''
if [ $root = sudo ] && ! "$bin/pyd" version --json >/dev/null 2>&1; then
	by=sudo
	say "The engine admits root and its group only: calling pyd by sudo (or join its group, see: ls -l /run/pyd/pyd.sock /var/run/docker.sock)"
fi
if [ -t 0 ] && [ -t 1 ]; then
	if containers=$($by "$bin/pyd" ps -aq 2>/dev/null) && [ -z "$containers" ]; then
		printf 'No containers here yet. Bring up a playground, removed again by pyd demo down? [y/N] '
		read -r answer || answer=no
		case $answer in
		y* | Y*) $by "$bin/pyd" demo || say 'The playground did not come up; the dashboard opens all the same' ;;
		esac
	fi
	rm -rf "$scratch"
	exec $by "$bin/pyd"
fi
$by "$bin/pyd" version
$by "$bin/pyd" ps
