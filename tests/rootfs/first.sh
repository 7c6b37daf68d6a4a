#!/bin/sh
# The first minutes on a machine with nothing but git and python3, in the order in which people go: `sh up.sh`, `pyd demo`,
# `pyd debug`, `pyd triage`, `pyd compose up`; then `up.sh` by sudo in a user's checkout. Ends at the first thing that
# isn't as it should be. Run it by: sh tests/rootfs/run.sh 'sh tests/rootfs/first.sh'
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
		exit 1
		;;
	esac
}
refuse() { # UNWANTED COMMAND...: it hasn't
	unwanted=$1
	shift
	said=$("$@" 2>&1) || true
	case $said in *"$unwanted"*) printf '%s\ndid not expect "%s" of: %s\n' "$said" "$unwanted" "$*" && exit 1 ;; esac
}
for program in docker dockerd podman runc crun conmon nft busybox docker-compose; do
	! command -v $program || { echo "$program is here already" && exit 1; }
done

step 'sh up.sh'
sh up.sh </dev/null
! command -v dockerd || exit 1
expect 'pydd' pyd version

step 'pyd demo'
expect pyd-demo-web pyd demo
expect pyd-demo-hungry pyd ps -a

step 'pyd debug'
expect httpd pyd debug pyd-demo-web -c 'ps -e -o args; curl --version'

step 'pyd triage'
expect oom-killed pyd triage pyd-demo-hungry

step 'pyd compose up'
mkdir -p /tmp/first
cat >/tmp/first/compose.yaml <<'END'
services:
  greeter:
    image: pyd-demo/shell
    command: sh -c 'echo hello from compose; exec sleep 1000'
END
refuse 'no compose tool' pyd compose -f /tmp/first/compose.yaml up -d
expect 'hello from compose' pyd compose -f /tmp/first/compose.yaml logs greeter
expect greeter pyd ps
pyd compose -f /tmp/first/compose.yaml down -t 1
expect pyd-demo-web pyd demo down
expect '[]' pyd ps -a --json

step "sh up.sh by sudo in a user's checkout: nothing of it is run by root afterwards"
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends sudo >/dev/null
echo "127.0.0.1 $(hostname)" >>/etc/hosts
useradd --create-home --shell /bin/sh me
echo 'me ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/me
git clone -q . /home/me/pyd
chown -R me: /home/me/pyd
# What a machine's administrator sets for all, as a mirror of the package index, is in the files of pip and sudo.
env | grep -E '^(PIP|SSL|http|no_|HTTP|NO_)' | sed 's/^/export /' >/home/me/.environment || true
as_me() { runuser -u me -- sh -c "cd ~me/pyd && . ~me/.environment && HOME=~me && export HOME && $1"; }
as_me 'sh up.sh --no-open </dev/null'
expect '/usr/local/lib/pyd/bin/python -I' head -n 1 /usr/local/bin/pyd
test ! -e /home/me/pyd/.venv
python3 -I -S core/pyd_core/linux/ownership.py /usr/local/lib/pyd /usr/local/bin/pyd
expect '0.2.0' pyd version --client
echo 'raise SystemExit("code of the checkout ran")' >/home/me/pyd/tui/pyd_tui/cli/commands/system/version.py
refuse 'code of the checkout' pyd version --client

step 'an upgrade in place'
(cd /home/me/pyd && runuser -u me -- git checkout -q . && echo '__version__ = "0.1.1"' >>core/pyd_core/__init__.py)
as_me 'sh up.sh --no-open </dev/null'
expect '0.1.1' pyd version --client
expect 'Ready' as_me 'sh up.sh --no-open </dev/null'
refuse 'Installing' as_me 'sh up.sh --no-open </dev/null'
echo 'All as it should be.'
