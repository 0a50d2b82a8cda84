# shellcheck shell=bash
# Workload d: phones refresh their registrations with digest, while 1,000,000 push targets are known. "run" sources it.

KNOWN=${KNOWN:-1000000}

refreshes() {
    local rates=(1000 3000 5000) seconds=4 rate peer
    say "d. register: REGISTER refreshes with digest (two round trips each), ${rates[*]}/s; $KNOWN push targets are known"
    configure refreshes
    say "   writing users and devices to the database, which takes a minute or two"
    know_devices 0 $KNOWN
    start_with_devices $KNOWN
    start_kamailios
    phones refreshing 0 50000 asleep
    say "   warming up"
    for rate in 500 1000 2000; do # a server that is behind refuses them
        refresh "$PUSHBRIDGE" $rate $((WARM_UP_SECONDS / 4))
        compilers_rest "$SERVER_PID"
    done
    for peer in "$SHIPPED" "$FMALLOC"; do refresh "$peer" 1000 1; done
    for rate in "${rates[@]}"; do
        for peer in "${PEERS[@]}"; do refresh_cell "$peer" "$rate" "$seconds"; done
    done
    stop_kamailios
    stop_server
    echo 'd. register: the server has just started'
    table d push_targets:push\ targets ready_s:ready\ after\ s heap_mb:heap\ MB memory_mb:memory\ MB
    echo 'd. register: refreshes'
    table d rate:refreshes/s peer:peer achieved:achieved calls:refreshes failed:failed refused:503 retransmissions:retrans. \
        cpu_ms_per_refresh:CPU\ ms/refresh per_phones_cpu:/SIPp response_p50_ms:p50\ ms response_p99_ms:p99\ ms \
        heap_mb:heap\ MB memory_mb:memory\ MB threads:threads
}
refresh() { # PEER RATE SECONDS
    # shellcheck disable=SC2086 # a word each
    cpu_of ${PROCESSES[$1]}
    BEFORE=$CPU
    LIMIT=$(($3 + 4)) sipp_runs phones phones-register "$PHONE_IP" 5072 "${ADDRESS[$1]}" -inf "$WORK/refreshing.csv" -key push "$PUSH" -d 0 \
        -r "$2" -m $(($2 * $3)) -trace_shortmsg -shortmessage_file short
    sleep 0.2
    # shellcheck disable=SC2086 # a word each
    cpu_of ${PROCESSES[$1]}
    AFTER=$CPU
}
refresh_cell() { # PEER RATE SECONDS
    local calls failed
    refresh "$@"
    calls=$(counted phones 'TotalCallCreated')
    failed=$((calls - $(counted phones 'SuccessfulCall(C)')))
    ((calls > 0)) || fail "SIPp did not register at $1; see $WORK/phones"
    response_times phones REGISTER 'SIP/2.0 200'
    HEAP=-
    [ "$1" != "$PUSHBRIDGE" ] || heap_of "$SERVER_PID"
    # shellcheck disable=SC2086 # a word each
    memory_of ${PROCESSES[$1]}
    record workload=d what=refreshes "peer=$1" "rate=$2" "seconds=$3" "calls=$calls" "failed=$failed" "refused=$REFUSED" \
        "retransmissions=$(counted phones 'Retransmissions(C)')" "achieved=$ACHIEVED" \
        "cpu_ms_per_refresh=$(per_call "$AFTER - $BEFORE" $((calls - failed)))" \
        "phones_cpu_ms_per_refresh=$(calc "$SIPP_CPU * 1000 / $calls")" \
        "per_phones_cpu=$(calc "($AFTER - $BEFORE) / ($SIPP_CPU ? $SIPP_CPU : 1)" %.2f)" \
        "response_p50_ms=$P50" "response_p99_ms=$P99" "heap_mb=$HEAP" "memory_mb=$MEMORY" "threads=$THREADS"
    say "   $2/s $1: $(per_call "$AFTER - $BEFORE" $((calls - failed))) ms a refresh, $failed of $calls failed, $REFUSED of them by 503"
}
