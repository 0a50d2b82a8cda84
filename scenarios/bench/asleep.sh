# shellcheck shell=bash
# Workload b: calls to phones that sleep, are pushed to, register a second later, and answer. The times of e (INVITE to push)
# and f (REGISTER to INVITE) are of the same calls: the server's own histograms, from where a message came in to where the
# other was written; and from outside, where they leave and arrive, by SIPp's log of messages and the simulated APNs' log of
# pushes, which have one clock: that counts the time of these programs, too. "run" sources it.

WAKE_TIME=1
# Who the sleeping phones are: each is called once.
SLEEPER=0

asleep() {
    local rates=(500 100) seconds=6 turns=5 turn rest rate sleepers
    # Those of the warm-up at 500/s, then the cells.
    sleepers=$((5000 * turns + 600 * seconds))
    say "b. asleep: INVITE, push, REGISTER, INVITE, answer, BYE, ${rates[*]} calls/s"
    configure asleep
    know_devices 0 $((sleepers + AWAKE))
    apns_does take-numbers 1 $sleepers
    start_with_devices $((sleepers + AWAKE))
    phones awake $sleepers $AWAKE
    phones_register "$PUSHBRIDGE" awake 5070
    say "   warming up"
    calls_to "$PUSHBRIDGE" 500 2
    for ((turn = 1; turn <= turns; turn++)); do
        jit_of "$SERVER_PID"
        rest=$JIT
        calls_to_sleepers 500 10
        jit_of "$SERVER_PID"
        rest=$(calc "($JIT - $rest) / 10" %.2f)
        (($(calc "$rest < 0.08" %d))) && break
    done
    compilers_rest "$SERVER_PID"
    say "   warm after $((turn > turns ? turns : turn)) turns of 10 s; the JVM's compilers used $rest of a core in the last"
    for rate in "${rates[@]}"; do
        calls_to "$PUSHBRIDGE" "$rate" 4
        # At the same rate, in the same run.
        AWAKE_CPU=$(per_call "$AFTER - $BEFORE" "$(counted caller 'SuccessfulCall(C)')")
        asleep_cell "$rate" "$seconds"
    done
    stop_server
    table b rate:calls/s peer:peer achieved:achieved calls:calls failed:failed refused:503 retransmissions:retrans. \
        cpu_ms_per_call:CPU\ ms/call awake_cpu_ms_per_call:if\ registered ratio:ratio heap_mb:heap\ MB memory_mb:memory\ MB \
        threads:threads
    echo 'e. push: from INVITE to push; f. wake: from REGISTER to INVITE; in ms: by the server, and as seen from outside'
    table b rate:calls/s pushes:pushes push_p50_ms:push\ p50 push_p99_ms:push\ p99 push_outside_p50_ms:outside\ p50 \
        push_outside_p99_ms:outside\ p99 wakes:wakes wake_p50_ms:wake\ p50 wake_p99_ms:wake\ p99 wake_outside_p50_ms:outside\ p50 \
        wake_outside_p99_ms:outside\ p99
}
# calls_to_sleepers RATE SECONDS: "caller" calls phones that sleep; "phones" are these, a second later
calls_to_sleepers() {
    local caller phones count=$(($1 * $2))
    phones sleepers "$SLEEPER" "$count" asleep
    SLEEPER=$((SLEEPER + count))
    cpu_of "$SERVER_PID"
    BEFORE=$CPU
    sipp_starts caller caller-calls "$PBX_IP" 7001 "$SERVER" -inf "$WORK/sleepers.csv" -r "$1" -m "$count" \
        -trace_shortmsg -shortmessage_file short
    caller=$JOB
    sleep "$WAKE_TIME"
    sipp_starts phones phones-register "$PHONE_IP" 5073 "$SERVER" -inf "$WORK/sleepers.csv" -key push "$PUSH" \
        -oocsf "$here/phones-answer.xml" -r "$1" -m "$count" -d 10000 -trace_shortmsg -shortmessage_file short
    phones=$JOB
    LIMIT=$(($2 + 8)) sipp_ends "$caller"
    sleep 0.2
    cpu_of "$SERVER_PID"
    AFTER=$CPU
    cpu_of "$phones"
    PHONES_CPU=$CPU
    sipp_stops "$phones"
}
asleep_cell() { # RATE SECONDS
    local calls failed first=$SLEEPER
    delays push "$WORK/push-delays-before"
    delays wake "$WORK/wake-delays-before"
    calls_to_sleepers "$@"
    delays push "$WORK/push-delays"
    delays wake "$WORK/wake-delays"
    calls=$(counted caller 'TotalCallCreated')
    failed=$((calls - $(counted caller 'SuccessfulCall(C)')))
    ((calls > 0)) || fail "SIPp made no calls; see $WORK/caller"
    response_times caller INVITE 'SIP/2.0 180'
    heap_of "$SERVER_PID"
    memory_of "$SERVER_PID"
    push_times "$first"
    wake_times
    read -r P50 P99 PUSHES < <(delay_percentiles "$WORK/push-delays-before" "$WORK/push-delays")
    read -r W50 W99 WAKES < <(delay_percentiles "$WORK/wake-delays-before" "$WORK/wake-delays")
    CALL_CPU=$(per_call "$AFTER - $BEFORE" $((calls - failed))) RATIO=-
    if [ "$CALL_CPU" != - ] && [ "$AWAKE_CPU" != - ]; then RATIO=$(calc "$CALL_CPU / $AWAKE_CPU" %.2f); fi
    record workload=b "peer=$PUSHBRIDGE" "rate=$1" "seconds=$2" "calls=$calls" "failed=$failed" "refused=$REFUSED" \
        "retransmissions=$(($(counted caller 'Retransmissions(C)') + $(counted phones 'Retransmissions(C)')))" \
        "achieved=$ACHIEVED" "cpu_ms_per_call=$CALL_CPU" \
        "awake_cpu_ms_per_call=$AWAKE_CPU" "ratio=$RATIO" \
        "phones_cpu_ms_per_call=$(calc "$PHONES_CPU * 1000 / $calls")" \
        "pushes=$PUSHES" "push_p50_ms=$P50" "push_p99_ms=$P99" \
        "push_outside_p50_ms=$PUSH_P50" "push_outside_p99_ms=$PUSH_P99" \
        "wakes=$WAKES" "wake_p50_ms=$W50" "wake_p99_ms=$W99" \
        "wake_outside_p50_ms=$WAKE_P50" "wake_outside_p99_ms=$WAKE_P99" \
        "heap_mb=$HEAP" "memory_mb=$MEMORY" "threads=$THREADS"
    say "   $1/s: $CALL_CPU ms a call, $failed of $calls failed, $REFUSED of them by 503;" \
        "push p99 $P99 ms ($PUSH_P99 from outside), wake p99 $W99 ms ($WAKE_P99)"
}
# push_times FIRST: from the caller's INVITE to the push of its user, of those from user FIRST on; sets PUSH_P50 and PUSH_P99
push_times() {
    # Seconds of the day, of both; a run at midnight has bad luck.
    sed -n 's/^{"at":"[0-9-]*T\([0-9]*\):\([0-9]*\):\([0-9.]*\)Z".*"push-type":"voip".*"device-token":"\([0-9a-f]*\)".*/\1 \2 \3 \4/p' \
        "$WORK/apns/pushes.json" | tail -n 200000 >"$WORK/pushed"
    awk -v short="$WORK/caller/short" -v first="$1" '
        BEGIN { FS = "\t"
            while ((getline <short) > 0)
                if ($4 == "S" && $7 ~ /^INVITE sip:user/) {
                    user = $7; sub(/^INVITE sip:user/, "", user); sub(/@.*/, "", user)
                    token = sprintf("%064x", user + 1)
                    if (!(token in sent)) sent[token] = $3 - int($3 / 86400) * 86400
                }
            FS = " " }
        { if ($4 in sent && !($4 in seen)) { seen[$4]; printf "%.3f\n", (($1 * 60 + $2) * 60 + $3 - sent[$4]) * 1000 } }' \
        "$WORK/pushed" | sort -n >"$WORK/push-times"
    read -r PUSH_P50 PUSH_P99 < <(percentiles <"$WORK/push-times")
}
# wake_times: from a phone's REGISTER with credentials to the INVITE; sets WAKE_P50 and WAKE_P99
wake_times() {
    # A call of SIPp's that registers is a line of its -inf file.
    awk -F '\t' '
        FILENAME == ARGV[1] { if (FNR > 1) { split($0, f, ";"); name[FNR - 1] = f[1] } next }
        $4 == "S" && $7 ~ /^REGISTER/ && $6 ~ /2 REGISTER/ { split($5, id, "-"); if (!((u = name[id[1]]) in sent)) sent[u] = $3 }
        $4 == "R" && $7 ~ /^INVITE sip:user/ {
            user = $7; sub(/^INVITE sip:/, "", user); sub(/@.*/, "", user)
            if (user in sent && !(user in seen)) { seen[user]; printf "%.3f\n", ($3 - sent[user]) * 1000 } }' \
        "$WORK/sleepers.csv" "$WORK/phones/short" | sort -n >"$WORK/wake-times"
    read -r WAKE_P50 WAKE_P99 < <(percentiles <"$WORK/wake-times")
}
