# shellcheck shell=bash
# Workload c: calls that are parked for a while, then all cancelled within 40 s; and WOKEN once more, then all woken
# within WOKEN_IN seconds. "run" sources it.

CANCELLED_IN=40
# Calls that are parked for a second, for the compilers.
WARMING=7500

parked() {
    # Held until the compilers rest, and for a look at an idle bridge, before the first one ends.
    local count=$PARKED fill=$((PARKED / FILL_RATE)) hold=35
    ((hold + fill >= 60)) || hold=$((60 - fill))
    say "c. parked: $count calls at $FILL_RATE/s, held until the first has waited for $((fill + hold)) s, then cancelled within $CANCELLED_IN s"
    configure parked "calls.ring-limit = 600s"
    know_devices 0 $((count + WOKEN + AWAKE + WARMING))
    apns_does take-numbers 1 $((count + WOKEN + AWAKE + WARMING))
    start_with_devices $((count + WOKEN + AWAKE + WARMING))
    phones awake $((count + WOKEN)) $AWAKE
    phones_register "$PUSHBRIDGE" awake 5070
    # Before the warm-up: what is left of its calls counts as if it were of those that are parked.
    heap_of "$SERVER_PID"
    say "   warming up"
    calls_to "$PUSHBRIDGE" 500 "$((WARM_UP_SECONDS / 3))"
    phones warming $((count + WOKEN + AWAKE)) $WARMING asleep
    sed -i '2,$s/$/;1000/' "$WORK/warming.csv"
    LIMIT=30 sipp_runs caller caller-gives-up "$PBX_IP" 7002 "$SERVER" -inf "$WORK/warming.csv" -r 500 -m $WARMING
    compilers_rest "$SERVER_PID"
    parked_round cancelled 0 "$count" "$fill" "$hold" "$HEAP"
    sleep 5
    heap_of "$SERVER_PID"
    fill=$((WOKEN / 500 > 0 ? WOKEN / 500 : 1))
    ((WOKEN <= 20000)) || fill=$((WOKEN / FILL_RATE))
    parked_round woken "$count" "$WOKEN" "$fill" 5 "$HEAP"
    stop_server
    table c what:then calls:calls parked:parked failed:failed refused:503 retransmissions:retrans. fill_cpu_ms_per_call:CPU\ ms/INVITE \
        heap_kb_per_call:heap\ kB/call idle_cpu_percent:idle\ CPU\ % end_cpu_ms_per_call:CPU\ ms/end end_s:ended\ in\ s heap_mb:heap\ MB \
        memory_mb:memory\ MB threads:threads
}
# parked_round WHAT FIRST COUNT FILL HOLD HEAP
parked_round() {
    local what=$1 first=$2 count=$3 rate=$(($3 / $4)) caller phones at file=caller-waits filled alive idle heap held began ended failed memory threads before refused repeated
    phones parked "$first" "$count" asleep
    shift 3
    set -- "$what" "$@"
    if [ "$1" = cancelled ]; then
        file=caller-gives-up
        # From the INVITE to the CANCEL.
        awk -v rate="$rate" -v count="$count" -v wait=$((($2 + $3 + 3) * 1000)) -v within="$CANCELLED_IN" '
            NR == 1 { print; next } { i = NR - 2; printf "%s;%d\n", $0, wait - i * 1000 / rate + i * within * 1000 / count }' \
            "$WORK/parked.csv" >"$WORK/parked.waits" && mv "$WORK/parked.waits" "$WORK/parked.csv"
    fi
    cpu_of "$SERVER_PID"
    at=$CPU began=$SECONDS
    sipp_starts caller "$file" "$PBX_IP" 7002 "$SERVER" -inf "$WORK/parked.csv" -r "$rate" -m "$count"
    caller=$JOB
    sleep $(($2 + 3))
    cpu_of "$SERVER_PID"
    filled=$(calc "($CPU - $at) * 1000 / $count")
    alive=$(metric pushbridge_calls_unanswered)
    sleep 5
    heap_of "$SERVER_PID"
    memory_of "$SERVER_PID"
    held=$HEAP memory=$MEMORY threads=$THREADS
    idle=-
    if [ "$1" = cancelled ]; then
        compilers_rest "$SERVER_PID"
        cpu_of "$SERVER_PID"
        idle=$CPU at=$(now)
        sleep 8
        cpu_of "$SERVER_PID"
        idle=$(calc "($CPU - $idle) / ($(now) - $at) * 100" %.1f)
    fi
    while ((SECONDS < began + $2 + $3 + 3)); do sleep 0.1; done
    cpu_of "$SERVER_PID"
    at=$CPU ended=$(now)
    phones='' before=$(metric pushbridge_registers_refused_total)
    if [ "$1" = woken ]; then
        sipp_starts phones phones-come-again "$PHONE_IP" 5074 "$SERVER" -inf "$WORK/parked.csv" -key push "$PUSH" \
            -oocsf "$here/phones-answer.xml" -r $((count / WOKEN_IN > 0 ? count / WOKEN_IN : 1)) -m "$count" -d 30000 \
            -default_behaviors all,-abortunexp # an answer to a REGISTER that was sent again
        phones=$JOB
    fi
    # Phones that are told to come later do.
    LIMIT=$(((CANCELLED_IN > WOKEN_IN ? CANCELLED_IN : WOKEN_IN) + 40 + count / 1000)) sipp_ends "$caller"
    ended=$(calc "$(now) - $ended" %.1f)
    sleep 0.5
    cpu_of "$SERVER_PID"
    refused=$(grep -c '^SIP/2.0 503\|received .SIP/2.0 503' "$WORK/caller/errors" 2>/dev/null)
    repeated=$(counted caller 'Retransmissions(C)')
    if [ -n "$phones" ]; then
        sipp_stops "$phones"
        refused=$((refused + $(metric pushbridge_registers_refused_total) - before))
        repeated=$((repeated + $(counted phones 'Retransmissions(C)')))
    fi
    failed=$(($(counted caller TotalCallCreated) - $(counted caller 'SuccessfulCall(C)')))
    # A few thousand calls more or less than the tombstones of the round before say nothing.
    heap=-
    [ "$what" = woken ] || heap=$(calc "$alive ? ($held - $4) * 1024 / $alive : 0" %.1f)
    record workload=c "what=$1" "peer=$PUSHBRIDGE" "calls=$count" "rate=$rate" "parked=$alive" "failed=$failed" \
        "refused=$refused" "retransmissions=$repeated" "fill_cpu_ms_per_call=$filled" \
        "heap_kb_per_call=$heap" "idle_cpu_percent=$idle" \
        "end_cpu_ms_per_call=$(calc "$alive ? ($CPU - $at) * 1000 / $alive : 0")" "end_s=$ended" \
        "heap_mb=$held" "memory_mb=$memory" "threads=$threads"
    [ "$idle" = - ] || idle="$idle % of a core"
    say "   $alive of $count parked; CPU while idle: $idle; then $1 in $ended s, $failed failed"
}
