# shellcheck shell=bash
# Workload c: calls that are parked for a while, then all cancelled within ten seconds; and once more, then all woken within
# ten. "run" sources it.

parked() {
    local round count=$PARKED
    local fill=$((count / FILL_RATE)) hold=20 before
    ((hold + fill >= 60)) || hold=$((60 - fill))
    say "c. parked: $count calls at $FILL_RATE/s, held until the first has waited for $((fill + hold)) s; then cancelled, or woken, within 10 s"
    configure parked "calls.ring-limit = $((fill + hold + 120 < 600 ? fill + hold + 120 : 600))s"
    know_devices 0 $((2 * count + AWAKE + 2000))
    apns_does take-numbers 1 $((2 * count + AWAKE + 2000))
    start_server
    phones awake $((2 * count)) $AWAKE
    phones_register "$PUSHBRIDGE" awake 5070
    say "   warming up"
    calls_to "$PUSHBRIDGE" 500 $((WARM_UP_SECONDS / 2))
    sleep 35 # until the transactions of these calls are over
    for round in cancelled woken; do
        heap_of "$SERVER_PID"
        before=$HEAP
        parked_round "$round" "$fill" "$hold" "$before"
    done
    stop_server
    table c what:then calls:calls parked:parked failed:failed refused:503 retransmissions:retrans. fill_cpu_ms_per_call:CPU\ ms/INVITE \
        heap_kb_per_call:heap\ kB/call idle_cpu_percent:idle\ CPU\ % end_cpu_ms_per_call:CPU\ ms/end end_s:ended\ in\ s heap_mb:heap\ MB \
        memory_mb:memory\ MB threads:threads
}
# parked_round WHAT FILL HOLD HEAP
parked_round() {
    local count=$PARKED first=0 caller phones at file=caller-calls filled alive idle held began ended failed memory threads
    [ "$1" = cancelled ] || first=$count
    phones parked "$first" "$count" asleep
    if [ "$1" = cancelled ]; then
        file=caller-gives-up
        # From the INVITE to the CANCEL: all of these are sent within ten seconds.
        awk -v rate="$FILL_RATE" -v count="$count" -v wait=$((($2 + $3 + 3) * 1000)) '
            NR == 1 { print; next } { i = NR - 2; printf "%s;%d\n", $0, wait - i * 1000 / rate + i * 10000 / count }' \
            "$WORK/parked.csv" >"$WORK/parked.waits" && mv "$WORK/parked.waits" "$WORK/parked.csv"
    fi
    cpu_of "$SERVER_PID"
    at=$CPU began=$SECONDS
    sipp_starts caller "$file" "$PBX_IP" 7002 "$SERVER" -inf "$WORK/parked.csv" -r "$FILL_RATE" -m "$count"
    caller=$JOB
    sleep $(($2 + 3))
    cpu_of "$SERVER_PID"
    filled=$(calc "($CPU - $at) * 1000 / $count")
    alive=$(metric pushbridge_calls_unanswered)
    sleep 5
    heap_of "$SERVER_PID"
    memory_of "$SERVER_PID"
    held=$HEAP memory=$MEMORY threads=$THREADS
    sleep 2
    cpu_of "$SERVER_PID"
    idle=$CPU at=$(now)
    sleep 8
    cpu_of "$SERVER_PID"
    idle=$(calc "($CPU - $idle) / ($(now) - $at) * 100" %.1f)
    while ((SECONDS < began + $2 + $3 + 3)); do sleep 0.1; done
    cpu_of "$SERVER_PID"
    at=$CPU ended=$(now)
    phones=''
    if [ "$1" = woken ]; then
        sipp_starts phones phones-register "$PHONE_IP" 5074 "$SERVER" -inf "$WORK/parked.csv" -key push "$PUSH" \
            -oocsf "$here/phones-answer.xml" -r $((count / 10 > 0 ? count / 10 : 1)) -m "$count" -d 30000
        phones=$JOB
    fi
    LIMIT=40 sipp_ends "$caller"
    ended=$(calc "$(now) - $ended" %.1f)
    sleep 0.5
    cpu_of "$SERVER_PID"
    [ -z "$phones" ] || sipp_stops "$phones"
    failed=$(($(counted caller TotalCallCreated) - $(counted caller 'SuccessfulCall(C)')))
    record workload=c "what=$1" "peer=$PUSHBRIDGE" "calls=$count" "rate=$FILL_RATE" "parked=$alive" "failed=$failed" \
        "refused=$(grep -c '^SIP/2.0 503\|received .SIP/2.0 503' "$WORK/caller/errors" 2>/dev/null)" \
        "retransmissions=$(counted caller 'Retransmissions(C)')" "fill_cpu_ms_per_call=$filled" \
        "heap_kb_per_call=$(calc "$alive ? ($held - $4) * 1024 / $alive : 0" %.1f)" "idle_cpu_percent=$idle" \
        "end_cpu_ms_per_call=$(calc "$alive ? ($CPU - $at) * 1000 / $alive : 0")" "end_s=$ended" \
        "heap_mb=$held" "memory_mb=$memory" "threads=$threads"
    say "   $alive of $count parked, idle at $idle % of a core; then $1 in $ended s, $failed failed"
}
