#!/bin/sh
# Run every check of the project on this machine, after installing and starting what the checks need.
set -eu

usage() {
	cat <<'END'
Usage: sh test.sh [SESSION...] [-- PYTEST ARGUMENT...]

Installs what the tests need on top of `sh up.sh` (Docker Engine, Podman, a registry, sshd, tmux, a compiler: from the
distribution's packages), starts a Docker Engine if none answers, stops it afterwards, and runs the nox sessions:
  lint types unit engine privileged daemon e2e snapshots build     (the default is all of them; `bench` only by name)
The tests build their own images and remove them; existing containers are left as they are.

With CI set, a test fails when something installable that it needs is missing.
END
}

sessions=''
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage && exit 0 ;;
	--) shift && break ;;
	-*) usage >&2 && exit 2 ;;
	*) sessions="$sessions $1" && shift ;;
	esac
done
[ -n "$sessions" ] || sessions='lint types unit engine privileged daemon e2e snapshots build'

cd "$(dirname -- "$0")"
docker=/var/run/docker.sock
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
engine_answers() { as_root docker -H "unix://$docker" version >/dev/null 2>&1; }

if engine_answers; then started=no; else started=yes; fi
end_engine() {
	[ $started = yes ] || return 0
	if [ -d /run/systemd/system ]; then
		as_root systemctl stop -q docker.socket docker || true
	elif [ -e /run/pyd-dockerd.pid ]; then
		engine=$(cat /run/pyd-dockerd.pid)
		as_root kill "$engine" 2>/dev/null || true
		tries=0
		while as_root kill -0 "$engine" 2>/dev/null && [ $tries -lt 150 ]; do tries=$((tries + 1)) && sleep 0.2; done
		as_root rm -f /run/pyd-dockerd.pid
	fi
}
repeated=''
trap 'end_engine; [ -z "$repeated" ] || rm -f "$repeated"' EXIT
trap 'exit 130' INT TERM HUP

# In a chroot, a process that enters a container and leaves it again ends up at the root of the mount namespace, outside
# the chroot. So the run gets a mount namespace of its own with this directory as its root.
if [ "$(id -u)" = 0 ]; then
	outermost=$(nsenter --mount=/proc/self/ns/mnt stat -c %d:%i / 2>/dev/null || true)
	if [ -n "$outermost" ] && [ "$outermost" != "$(stat -c %d:%i /)" ]; then
		echo 'This is a chroot: continuing in a mount namespace with its root here'
		# shellcheck disable=SC2016,SC2086 # the inner shells read them; a list of names
		exec unshare --mount --propagation private sh -c 'mount --rbind / /mnt && exec nsenter \
			--mount=/proc/self/ns/mnt --wd=/mnt sh -c '"'"'pivot_root . mnt && cd "$0" && umount -l /mnt && exec sh test.sh "$@"'"'"' "$@"' \
			sh "$(pwd)" $sessions -- "$@"
	fi
fi

begun=$(date +%s)
sh up.sh --tests
PATH=$(pwd)/.venv/bin:$PATH:/usr/sbin:/sbin
export PATH

repeated=$(mktemp)
PYD_REPEATED_TESTS=$repeated # noxfile.py adds the tests that passed on a second attempt
export PYD_REPEATED_TESTS
summary='' failed=0
# A session that hangs is interrupted, so that it reports earlier failures; on an idle machine each takes a tenth of this.
bounded() { timeout --signal INT --kill-after 120 7200 "$@"; }
took() { printf '%d:%02d' $((($2 - $1) / 60)) $((($2 - $1) % 60)); }
prepared=$(date +%s)
for session in $sessions; do
	start=$(date +%s)
	code=0
	case $session in
	engine | privileged | daemon | e2e | bench)
		# Root's byte code and caches would get in a developer's way later.
		if [ "$(id -u)" = 0 ]; then bounded nox -s "$session" -- "$@" || code=$?; else
			bounded sudo -E env PATH="$PATH" PYTHONDONTWRITEBYTECODE=1 PYTEST_ADDOPTS='-p no:cacheprovider' \
				.venv/bin/nox -s "$session" -- "$@" || code=$?
		fi
		;;
	*) bounded nox -s "$session" -- "$@" || code=$? ;;
	esac
	if [ $code = 0 ]; then word=passed; else word="FAILED ($code)" failed=$((failed + 1)); fi
	summary="$summary$(printf '  %-12s %-12s %s' "$session" "$word" "$(took "$start" "$(date +%s)")")
"
done

printf '\n%s\n' "Set-up took $(took "$begun" "$prepared"), the checks $(took "$prepared" "$(date +%s)"):"
printf '%s' "$summary"
if [ -s "$repeated" ]; then echo 'Passed on a second attempt only:' && cat "$repeated"; fi
if [ $failed != 0 ]; then
	echo "$failed failed. Run one with: sh test.sh SESSION, or with pytest's arguments: sh test.sh SESSION -- -x -k NAME"
	exit 1
fi
echo 'All passed.'
