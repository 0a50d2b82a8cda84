# shellcheck shell=bash
# What the drills of a failing APNs share; they source it and then call apns_drill.

# shellcheck source=scenarios/faults/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

# apns_drill NAME TEXT ARGUMENTS...: the script has the function fail, which does it all and sets TRIED (words) and WRONG
apns_drill() {
    local name=$1 text=$2
    shift 2
    while [ $# -gt 0 ]; do
        case $1 in
            --keep) KEEP=yes ;;
            -h | --help)
                cat <<USAGE
Usage: scenarios/faults/$name [--keep]

$text

The APNs is a simulated one in a process of its own (pushbridge simulate apns). --keep keeps all logs; so does a drill
that failed. Exit code: 0 nothing went wrong, 1 something, 2 it could not run. It needs Linux and SIPp.
USAGE
                exit 0
                ;;
            *) say "There is no option $1; --help tells which there are"; exit 2 ;;
        esac
        shift
    done
    stage
    start_apns
    WRONG=0 TRIED=''
    fail
    kill -0 "$SERVER_PID" 2>/dev/null || { say "The server ended"; WRONG=$((WRONG + 1)); }
    ((WRONG == 0)) || KEEP=yes
    printf '%s: %s, %s wrong\n' "${name//-/ }" "$TRIED" "$WRONG"
    ((WRONG == 0)) || exit 1
}
# sleepers NAME COUNT: phones that are asleep, and whose tokens the APNs takes
sleepers() {
    phones "$1" "$2" a1
    add_users "$1"
    phones_register "$1" "$PHONE_IP" 5080 -t t1
    apns_takes "$1"
}
# calls_to NAME RATE: each phone of NAME is called once; $WORK/NAME.answers has user, code, seconds until then, and the
# reason that was given
calls_to() {
    sipp_runs "$1.caller" caller-informs-and-hangs-up "$PBX_IP" $((CALLER_PORT++)) -inf "$WORK/$1.csv" \
        -m "$(users_of "$1" | wc -l)" -r "$2" -timeout 120
    judge_callers 30 "$1"
    awk -F '\t' '{ printf "%s %s %.1f\n", $3, $8, ($7 == "-" ? 0 : $7 - $4) }' "$WORK/calls" | sort >"$WORK/$1.answers"
}
CALLER_PORT=7001
# expects WHO CODE FROM TO: of $WORK/NAME.answers in $ANSWERS, who heard what, between FROM and TO seconds after the call
expects() {
    local bad
    bad=$(awk -v who="$1" -v code="$2" -v from="$3" -v to="$4" '
        $1 ~ who { n++ } $1 ~ who && ($2 != code || $3 < from || $3 > to) { print "wrong: " $1 " heard " $2 " after " $3 " s, not " code " after " from " to " to " s" }
        END { if (!n) print "wrong: no answer for " who }' "$ANSWERS")
    [ -z "$bad" ] || { say "$bad"; WRONG=$((WRONG + $(wc -l <<<"$bad"))); }
}
voip_pushes() { grep -c '"push-type":"voip"' "$PUSHES"; }
