#!/bin/sh
# On a machine with nothing but git and python3, under pure cgroup v2: `sh up.sh` alone makes it one with containers, by
# pyd's own engine; then what people do first. Ends at the first thing that isn't as it should be.
set -eu
step() { printf '==> %s\n' "$*"; }
expect() { # WANTED COMMAND...: the command's output has the words
	wanted=$1
	shift
	said=$("$@" 2>&1) || true
	case $said in
	*"$wanted"*) printf '    %s: %s\n' "$*" "$wanted" ;;
	*)
		printf '%s\nexpected "%s" of: %s\n' "$said" "$wanted" "$*"
		journalctl --no-pager --lines 30 --unit pyd.service
		dmesg | tail -n 10
		lsmod
		exit 1
		;;
	esac
}
for program in docker dockerd podman runc crun conmon nft; do
	! command -v $program || { echo "$program is here already" && exit 1; }
done

step 'sh up.sh'
sh up.sh </dev/null
if command -v dockerd; then exit 1; fi
expect active systemctl is-active pyd.service
expect 'cgroup2fs' stat -fc %T /sys/fs/cgroup
expect 'engine  pydd 0.2' pyd version

step 'a playground'
expect pyd-demo-web pyd demo
expect pyd-demo-hungry pyd ps -a
expect '"OOMKilled": true' pyd inspect pyd-demo-hungry
expect oom-killed pyd triage --json pyd-demo-hungry
expect 'exited' pyd ps -a --filter name=pyd-demo-hungry --format '{{.State}}'

step 'a shell in the container without one'
expect 'httpd' pyd debug pyd-demo-web -c 'ps -e -o args; ls /; curl --version'
expect 'exit 37' sh -c 'pyd debug pyd-demo-web -c "exit 37"; echo "exit $?"'

step 'commands of every day'
expect hello pyd run --rm --network none pyd-demo/shell echo hello
pyd run -d --name kept -m 64m pyd-demo/shell sleep 1000 >/dev/null
expect 67108864 pyd exec kept cat /sys/fs/cgroup/memory.max
expect 'again' sh -c 'systemctl restart pyd.service; pyd exec kept echo again'
expect kept pyd rm -f kept

step 'and all away'
expect pyd-demo-web pyd demo down
expect '[]' pyd ps -a --json
sh up.sh </dev/null
echo 'All as it should be.'
