#!/usr/bin/env bash
# start-ssh.sh: workers on machines that ssh reaches.
#
#	export JOBGEN_WORKER=tls://nats.example.com:4222 JOBGEN_NKEY=worker.seed
#	./start-ssh.sh ./program host1 host2          # copies the program, and starts it on each host
#	./start-ssh.sh -stop ./program host1 host2    # has the workers finish their chunks, and end
#
# The files that JOBGEN_CREDS, JOBGEN_NKEY, JOBGEN_CA, JOBGEN_CERT and JOBGEN_KEY name are copied, for nobody else to read. No
# secret is part of a command line. What a worker says is in ~/.cache/jobgen/bin/<sum>/worker.log on its host.
set -euo pipefail

stop=no
if [ "${1-}" = -stop ]; then
	stop=yes
	shift
fi
if [ $# -lt 2 ]; then
	sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
program=$1
shift
sum=$( (sha256sum "$program" 2>/dev/null || shasum -a 256 "$program") | cut -c1-16)
dir=.cache/jobgen/bin/$sum

quote() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# settings prints the environment of a worker, whose files lie beside it.
settings() {
	local name
	for name in JOBGEN_WORKER JOBGEN_SLOTS JOBGEN_DRAIN JOBGEN_CACHE JOBGEN_INSECURE JOBGEN_TOKEN JOBGEN_USER JOBGEN_PASSWORD; do
		[ -z "${!name-}" ] || printf 'export %s=%s\n' "$name" "$(quote "${!name}")"
	done
	for name in JOBGEN_CREDS JOBGEN_NKEY JOBGEN_CA JOBGEN_CERT JOBGEN_KEY; do
		[ -z "${!name-}" ] || printf 'export %s=%s\n' "$name" "./$name"
	done
}

start_on() {
	local host=$1 name
	ssh "$host" "umask 077 && mkdir -p $dir"
	if ! ssh "$host" "test -x $dir/worker"; then
		ssh "$host" "cat >$dir/worker.new && chmod 700 $dir/worker.new && mv $dir/worker.new $dir/worker" <"$program"
	fi
	for name in JOBGEN_CREDS JOBGEN_NKEY JOBGEN_CA JOBGEN_CERT JOBGEN_KEY; do
		[ -z "${!name-}" ] || ssh "$host" "umask 077 && cat >$dir/$name" <"${!name}"
	done
	settings | ssh "$host" "umask 077 && cat >$dir/env"
	ssh "$host" "umask 077 && cd $dir && . ./env && { nohup ./worker >>worker.log 2>&1 </dev/null & echo \$! >>pids; }"
}

for host in "$@"; do
	if [ $stop = yes ]; then
		ssh "$host" "cd $dir && kill \$(cat pids) 2>/dev/null; rm -f pids"
		echo "$host: told to end"
		continue
	fi
	: "${JOBGEN_WORKER:?the address of the servers, such as tls://nats.example.com:4222}"
	start_on "$host"
	echo "$host: started"
done
