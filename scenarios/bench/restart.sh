# shellcheck shell=bash
# Workload g: a server that was killed starts again, with nothing, and with calls in its journal. "run" sources it.

restart() {
    local asleep=$((DIALOGS / 5)) rate=$((FILL_RATE * 3 / 5)) tenths talking from=0 count job jobs rest
    say "g. restart: with an empty database, then with $DIALOGS dialogs and $asleep parked calls in the journal, a tenth of them first"
    configure restart "calls.ring-limit = 600s"
    start_server
    stop_server
    restart_cell nothing 0 0
    stop_server
    know_devices 0 $((asleep + AWAKE))
    apns_does take-numbers 1 $((asleep + AWAKE))
    start_server
    phones awake "$asleep" $AWAKE
    phones_register "$PUSHBRIDGE" awake 5070
    for tenths in 1 9; do
        say "   warming up"
        calls_to "$PUSHBRIDGE" 500 $((WARM_UP_SECONDS / 3))
        compilers_rest "$SERVER_PID"
        # From PBX to phone, both of which then talk on without a word.
        sipp_starts phones phones-talk-on "$PHONE_IP" 5070 "$SERVER"
        jobs=("$JOB")
        count=$((DIALOGS * tenths / 10))
        LIMIT=$((count / rate + 20)) sipp_runs talking caller-talks-on "$PBX_IP" 7003 "$SERVER" -inf "$WORK/awake.csv" \
            -r "$rate" -m "$count"
        count=$((asleep * tenths / 10))
        phones parked "$from" "$count" asleep
        from=$((from + count))
        sipp_starts waiting caller-calls "$PBX_IP" 7004 "$SERVER" -inf "$WORK/parked.csv" -r "$rate" -m "$count"
        jobs+=("$JOB")
        sleep $((count / rate + 3))
        rest=$(metric pushbridge_calls_unanswered)
        talking=$(($(metric pushbridge_calls_alive) - rest))
        stop_server KILL
        restart_cell journal "$talking" "$rest"
        for job in "${jobs[@]}"; do ends "$job" KILL 2; done # they would hang up
    done
    stop_server KILL
    table g what:journal dialogs:dialogs parked:parked ready_s:ready\ s taken_up_s:all\ taken\ up\ s taken_up:taken\ up lost:lost cpu_s:CPU\ s \
        heap_mb:heap\ MB memory_mb:memory\ MB
}
# restart_cell WHAT DIALOGS PARKED
restart_cell() {
    local began ready taken='' lost='' up=-
    began=$(now)
    launch_server
    server_is_ready 120
    ready=$(calc "$(now) - $began" %.2f)
    cpu_of "$SERVER_PID"
    read -r taken lost < <(sed -n 's/.*Calls taken up from the journal: \([0-9]*\); lost: \([0-9]*\).*/\1 \2/p' "$SERVER_LOG")
    # The log says when the last of them was taken up.
    up=$(awk -v began="$began" '/Calls taken up from the journal/ { split(substr($1, 12), t, /[:Z]/)
        printf "%.2f", (t[1] * 60 + t[2]) * 60 + t[3] - (began - int(began / 86400) * 86400) }' "$SERVER_LOG")
    heap_of "$SERVER_PID"
    memory_of "$SERVER_PID"
    record workload=g "what=$1" "dialogs=$2" "parked=$3" "ready_s=$ready" "taken_up_s=${up:--}" "taken_up=${taken:-0}" \
        "lost=${lost:-0}" "cpu_s=$CPU" "heap_mb=$HEAP" "memory_mb=$MEMORY"
    say "   $1: ready after $ready s; ${taken:-0} calls taken up after ${up:--} s, ${lost:-0} lost"
}
