# shellcheck shell=bash
# What the drills of misbehaving peers share; they source it and then call peers_drill.

# shellcheck source=scenarios/faults/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

# peers_drill NAME TEXT ARGUMENTS...: the script has the functions misbehave, which starts COUNT peers that do and waits
# until they are done, and judge, which sets TRIED (words) and adds to WRONG
peers_drill() {
    local name=$1 text=$2 extra
    COUNT=100 RATE=20
    shift 2
    while [ $# -gt 0 ]; do
        case $1 in
            --count)
                [[ ${2:-} =~ ^[1-9][0-9]{0,3}$ ]] || { say "--count wants a number from 1 to 9999"; exit 2; }
                COUNT=$2
                shift
                ;;
            --keep) KEEP=yes ;;
            -h | --help)
                cat <<USAGE
Usage: scenarios/faults/$name [--count N] [--keep]

$text

Meanwhile others make 20 calls a second, none of which may notice, and so they do afterwards. T1 is 100 ms.

  --count N  how many peers misbehave; 100 unless told otherwise
  --keep     keeps all logs; so does a drill that failed

Exit code: 0 nothing was lost, 1 something, 2 it could not run. It needs Linux and SIPp.
USAGE
                exit 0
                ;;
            *) say "There is no option $1; --help tells which there are"; exit 2 ;;
        esac
        shift
    done
    stage
    # A TCP connection that says nothing, or nothing whole, is closed soon.
    configure "sip { t1 = 100ms, idle-timeout = 10s, max-connections-per-address = 10000 }"
    start_server
    for extra in informs is-hung-up-on odd; do phones "$extra" 40; done
    add_users informs is-hung-up-on odd
    listens informs phone-answers 5070
    listens is-hung-up-on phone-informs-and-hangs-up 5071
    starts_calling informs caller-informs-and-hangs-up 7001 50 100000
    starts_calling is-hung-up-on caller-is-hung-up-on 7002 50 100000
    sleep 2
    WRONG=0 TRIED=''
    misbehave
    sleep 5
    calls_end 60
    judge_callers 30 informs is-hung-up-on
    judge_phones
    awk -F '\t' -v OFS='\t' '$8 ~ /^[3-6]/ { $10 = "lost:refused with " $8 } { print }' "$WORK/calls" | grep 'lost:' >"$WORK/lost"
    { cat "$WORK/calls"; grep -v '^odd' "$WORK/phone-calls"; } | grep 'hanging:' >"$WORK/hanging"
    told_of "$WORK/lost" "$WORK/hanging"
    local calls lost hanging
    calls=$(wc -l <"$WORK/calls")
    judge
    if ! kill -0 "$SERVER_PID" 2>/dev/null || has "$SERVER_LOG" ' ERROR '; then
        say "The server ended, or logged an error"
        WRONG=$((WRONG + 1))
    fi
    lost=$(wc -l <"$WORK/lost") hanging=$(($(wc -l <"$WORK/hanging") + STOPPED))
    ((lost + hanging + WRONG == 0)) || KEEP=yes
    printf '%s: %s, %s wrong; %s calls beside them, %s lost, %s hanging\n' "${name//-/ }" "$TRIED" "$(grouped $WRONG)" \
        "$(grouped "$calls")" "$(grouped "$lost")" "$(grouped "$hanging")"
    ((lost + hanging + WRONG == 0)) || exit 1
}
# odd_phones FILE: the phones that are called by those that misbehave, or that do so themselves
odd_phones() {
    listens odd "$1" 5072
}
# odd_callers FILE: COUNT of them, and returns when they are done
odd_callers() {
    sipp_runs odd.caller "$1" "$PBX_IP" 7003 -inf "$WORK/odd.csv" -m "$COUNT" -r 20 -timeout $((COUNT / 20 + 120))
}
# wrong PATTERN-OF-AWK...: counts what is not so
wrong() { WRONG=$((WRONG + $1)); [ "$1" -eq 0 ] || say "wrong: $1 $2"; } # COUNT WHAT
