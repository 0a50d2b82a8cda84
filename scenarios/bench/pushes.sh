# shellcheck shell=bash
# Workload e, second half: pushes a second by the bridge's sender, beside Pushy alone, against the same simulated APNs. "run"
# sources it.

pushes() {
    local who rate cpu failed turn
    say "e. push: pushes a second, beside Pushy alone, both in one process and in turns"
    configure pushes
    apns_does take-numbers 1 10000
    "$root/pushbridge" bench push -c "$CONF" --turns 12 --seconds 1 >"$WORK/pushes.out" 2>"$WORK/pushes.log" ||
        { tail -5 "$WORK/pushes.log" >&2; fail "The pushes could not be measured"; }
    # The first turns warm both up.
    sed -i '/^[A-Za-z]* [1-6] /d' "$WORK/pushes.out"
    while read -r who turn rate cpu failed; do
        [ "$who" = "$PUSHBRIDGE" ] || who='Pushy alone'
        record workload=e "peer=$who" "turn=$turn" "pushes_per_second=$rate" "cpu_us_per_push=$cpu" "failed=$failed"
    done <"$WORK/pushes.out"
    table e peer:who turn:turn pushes_per_second:pushes/s cpu_us_per_push:CPU\ us/push failed:failed
    awk '{ sum[$1] += $3 } END { if (sum["Pushy"]) printf "e. push: %.2fx Pushy alone\n\n", sum["Pushbridge"] / sum["Pushy"] }' \
        "$WORK/pushes.out"
}
