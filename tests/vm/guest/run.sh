#!/bin/sh
# Runs the checks listed in /share/checks, one at a time, each in a folder of its own and with a time limit, and writes
# a line for each to /share/results. Succeeds when all of them did.
. /share/plan

install -m 755 /share/softkey /usr/local/bin/softkey
modprobe uhid
udevadm settle
{
    echo "Linux $(uname -r)"
    dpkg-query --show --showformat '${Package} ${Version}\n' chromium firefox-esr libfido2-1 openssh-client \
        libpam-u2f systemd 2>/dev/null | awk 'NF == 2'
    softkey --version
} > /share/versions

now() { cut -d ' ' -f 1 /proc/uptime; }

failures=0
while read -r check; do
    mkdir -p "/tmp/$check"
    cd "/tmp/$check" || exit 2
    start=$(now)
    # A session of its own, so that nothing of a check outlives it.
    setsid timeout --kill-after=5 "$CHECK_LIMIT" "/share/guest/$SUITE/$check" \
        > "/share/logs/$check.log" 2>&1 < /dev/null &
    if wait $!; then verdict=passed; else verdict=failed; failures=$((failures + 1)); fi
    pkill -KILL --session $!
    echo "$verdict $check $(echo "$start $(now)" | awk '{ printf "%.1f", $2 - $1 }')" >> /share/results
done < /share/checks
exit "$failures"
