# shellcheck shell=bash
# Workload a: INVITE to BYE to phones that are registered over UDP, by the server and its peers in turns. "run" sources it.

AWAKE=100

registered() {
    local rates=(300 1000 1500 2000) seconds=5 warm=1 turns=1 rate turn peer
    if [ "$QUICK" = yes ]; then rates=(500) seconds=3 warm=0 turns=2; fi
    say "a. registered: INVITE to BYE to registered phones, ${rates[*]} calls/s"
    configure registered
    start_server
    start_kamailios
    phones awake 0 $AWAKE
    add_users awake
    for peer in "${PEERS[@]}"; do phones_register "$peer" awake 5070; done
    warm_up
    for rate in "${rates[@]}"; do
        for ((turn = 1; turn <= turns; turn++)); do
            for peer in "${PEERS[@]}"; do registered_cell "$peer" "$rate" "$seconds" "$turn" "$warm"; done
        done
    done
    stop_kamailios
    stop_server
    table a rate:calls/s peer:peer achieved:achieved calls:calls failed:failed refused:503 retransmissions:retrans. \
        cpu_ms_per_call:CPU\ ms/call jit_s:JIT\ s per_phones_cpu:/UAS response_p50_ms:p50\ ms response_p99_ms:p99\ ms heap_mb:heap\ MB \
        memory_mb:memory\ MB threads:threads
}
# warm_up: the JVM compiles what is hot in the course of the first ten thousands of calls; until its compilers need less
# than a twentieth of a core, or for five turns
warm_up() {
    local peer turn rest
    say "   warming up"
    for peer in "$SHIPPED" "$FMALLOC"; do calls_to "$peer" 500 1; done
    if [ "$QUICK" = yes ]; then
        calls_to "$PUSHBRIDGE" 500 "$WARM_UP_SECONDS"
        return
    fi
    for ((turn = 1; turn <= 5; turn++)); do
        calls_to "$PUSHBRIDGE" $((turn < 3 ? 500 : 1000)) 10
        rest=$(calc "($JIT - $JIT_BEFORE) / 10" %.2f)
        (($(calc "$rest < 0.05" %d))) && break
        compilers_rest "$SERVER_PID"
    done
    say "   warm after $((turn > 5 ? 5 : turn)) turns of 10 s; the JVM's compilers used $rest of a core in the last"
}
# calls_to PEER RATE SECONDS: phones answer at PHONE_IP:5070, a PBX calls them; both folders are of this run
calls_to() {
    local phones
    sipp_starts phones phones-answer "$PHONE_IP" 5070 "${ADDRESS[$1]}"
    phones=$JOB
    sleep 0.2
    # shellcheck disable=SC2086 # a word each
    cpu_of ${PROCESSES[$1]}
    BEFORE=$CPU
    jit_of "$SERVER_PID"
    JIT_BEFORE=$JIT
    LIMIT=$(($3 + 4)) sipp_runs caller caller-calls "$PBX_IP" 7000 "${ADDRESS[$1]}" -inf "$WORK/awake.csv" -r "$2" -m $(($2 * $3)) \
        -trace_shortmsg -shortmessage_file short
    sleep 0.2
    # shellcheck disable=SC2086 # a word each
    cpu_of ${PROCESSES[$1]}
    AFTER=$CPU
    jit_of "$SERVER_PID"
    cpu_of "$phones"
    PHONES_CPU=$CPU
    sipp_stops "$phones"
}
registered_cell() { # PEER RATE SECONDS TURN WARM
    local calls failed retransmissions jit
    ((${5:-0} == 0)) || calls_to "$1" "$2" "$5"
    calls_to "$1" "$2" "$3"
    jit=-
    [ "$1" != "$PUSHBRIDGE" ] || jit=$(calc "$JIT - $JIT_BEFORE" %.2f)
    calls=$(counted caller 'TotalCallCreated')
    failed=$((calls - $(counted caller 'SuccessfulCall(C)')))
    retransmissions=$(($(counted caller 'Retransmissions(C)') + $(counted phones 'Retransmissions(C)')))
    response_times caller INVITE 'SIP/2.0 180'
    HEAP=-
    [ "$1" != "$PUSHBRIDGE" ] || heap_of "$SERVER_PID"
    # shellcheck disable=SC2086 # a word each
    memory_of ${PROCESSES[$1]}
    ((calls > 0)) || fail "SIPp made no calls to $1; see $WORK/caller"
    record workload=a "peer=$1" "rate=$2" "turn=$4" "seconds=$3" "calls=$calls" "failed=$failed" "refused=$REFUSED" \
        "retransmissions=$retransmissions" "achieved=$ACHIEVED" \
        "cpu_ms_per_call=$(per_call "$AFTER - $BEFORE" $((calls - failed)))" \
        "phones_cpu_ms_per_call=$(calc "$PHONES_CPU * 1000 / $calls")" \
        "caller_cpu_ms_per_call=$(calc "$SIPP_CPU * 1000 / $calls")" \
        "per_phones_cpu=$(calc "$PHONES_CPU ? ($AFTER - $BEFORE) / $PHONES_CPU : 0" %.2f)" \
        "response_p50_ms=$P50" "response_p99_ms=$P99" "jit_s=$jit" \
        "heap_mb=$HEAP" "memory_mb=$MEMORY" "threads=$THREADS"
    say "   $2/s $1: $(per_call "$AFTER - $BEFORE" $((calls - failed))) ms a call, $failed of $calls failed, $REFUSED of them by 503"
}
# registered_ratio PEER [without]: CPU per call of the server over that of the peer, the mean over all rates; without its
# JVM's compilers, if so
registered_ratio() {
    awk -F '\t' -v ours="$PUSHBRIDGE" -v theirs="$1" -v without="${2:-}" '
        { split("", v); for (i = 1; i <= NF; i++) { at = index($i, "="); v[substr($i, 1, at - 1)] = substr($i, at + 1) } }
        v["workload"] == "a" && v["cpu_ms_per_call"] != "-" { k = v["rate"]; cpu[v["peer"], k] += v["cpu_ms_per_call"]; rates[k]
            if (without && v["jit_s"] != "-") cpu[v["peer"], k] -= v["jit_s"] * 1000 / (v["calls"] - v["failed"]) }
        END { for (k in rates) if (cpu[ours, k] > 0 && cpu[theirs, k] > 0) { sum += log(cpu[ours, k] / cpu[theirs, k]); n++ }
            if (n) printf "%.2f", exp(sum / n); else printf "-" }' "$CELLS"
}
# registered_failures: a sentence on the calls that failed, for each peer
registered_failures() {
    awk -F '\t' '
        { split("", v); for (i = 1; i <= NF; i++) { at = index($i, "="); v[substr($i, 1, at - 1)] = substr($i, at + 1) } }
        v["workload"] == "a" { if (!(v["peer"] in calls)) peer[++n] = v["peer"]; calls[v["peer"]] += v["calls"]; failed[v["peer"]] += v["failed"] }
        END { for (i = 1; i <= n; i++) printf "%s%s %d of %d", (i > 1 ? ", " : "failed calls: "), peer[i], failed[peer[i]], calls[peer[i]]
            if (n) print "" }' "$CELLS"
}
