# shellcheck shell=bash disable=SC2034 # it is sourced
# The stage of the benchmark: the packaged server, its peers and SIPp as processes of their own on loopback addresses that
# nothing else uses, and how what they cost is measured. "run" sources it.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
# shellcheck source=scenarios/parts.sh
. "$root/scenarios/parts.sh"

DOMAIN=example.com PASSWORD=bench-only TEAM=TEAM123456 APP=org.example.phone
NET=127.$((16 + $$ % 200)).$(($$ / 200 % 250))
# The PBX is a trunk; the phones are not.
SERVER=$NET.1:5060 PBX_IP=$NET.2 PHONE_IP=$NET.3 KAMAILIO=$NET.4:5060 TUNED=$NET.5:5060
PUSHBRIDGE=Pushbridge SHIPPED='Kamailio as shipped' FMALLOC='Kamailio f_malloc'
SERVER_PID='' APNS_PID='' JOBS=() KEEP=no STARTS=0
LIMIT=60
TICKS=$(getconf CLK_TCK)
declare -A PROCESSES=() ADDRESS=()

now() { printf '%s' "${EPOCHREALTIME/,/.}"; }
calc() { awk "BEGIN { printf \"${2:-%.3f}\", $1 }"; } # EXPRESSION [FORMAT]

# per_call SECONDS COUNT: ms for each; - if there were none
per_call() { if (($2 > 0)); then calc "($1) * 1000 / $2"; else printf -- -; fi; }

# stage: a folder for everything and a clean end
stage() {
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/pushbridge-bench.XXXXXX")
    CELLS=$WORK/cells
    : >"$CELLS"
    trap leave EXIT
    trap 'exit 130' INT TERM
}
leave() {
    local job
    {
        for job in "${JOBS[@]}"; do
            # shellcheck disable=SC2046 # children, a word each
            kill -9 $(children_of "$job") "$job"
            wait "$job"
        done
    } >/dev/null 2>&1
    if [ "$KEEP" = yes ]; then say "Logs: $WORK"; else rm -rf "$WORK"; fi
}
fail() {
    say "$*"
    KEEP=yes
    exit 2
}
forget() { # PID: it has ended
    local job left=()
    for job in "${JOBS[@]}"; do [ "$job" = "$1" ] || left+=("$job"); done
    JOBS=("${left[@]}")
}
ends() { # PID SIGNAL SECONDS: ends it, gently at first
    local deadline=$((SECONDS + $3))
    {
        kill "-$2" "$1"
        while kill -0 "$1" && ((SECONDS < deadline)); do sleep 0.05; done
        kill -9 "$1"
        wait "$1"
    } 2>/dev/null # where the shell, too, says that it was killed
    forget "$1"
}

# --- the server -------------------------------------------------------------------------------------------------------

# What many calls of few addresses would trip over; the output says so.
RAISED='sip.max-registers-per-second-per-address and max-requests-per-second-per-address 1000000, sip.max-transactions
1000000, calls.max-calls and calls.max-parked 200000, calls.max-parked-per-user 1000, calls.push-budget.wasted-limit 0'
# configure FOLDER [SETTINGS]: the last word on each key is SETTINGS'
configure() {
    FOLDER=$WORK/$1 CONF=$WORK/$1/server.conf
    mkdir -p "$FOLDER"
    cat >"$CONF" <<CONF
include required(file("$root/sip-config/pushbridge.conf"))
domains = ["$DOMAIN"]
sip.listen = ["udp:$SERVER", "tcp:$SERVER"]
# Many calls, one address.
sip {
  max-registers-per-second-per-address = 1000000
  max-requests-per-second-per-address = 1000000
  max-transactions = 1000000
}
calls {
  max-calls = 200000, max-parked = 200000, max-parked-per-user = 1000, push-budget.wasted-limit = 0
  drain-limit = 1s
}
# SIPp knows MD5 alone.
registrar.algorithms = ["MD5"]
trunks { pbx { addresses = ["$PBX_IP"] } }
database.url = "jdbc:h2:file:$FOLDER/data/pushbridge"
admin { socket = "$FOLDER/admin.sock", http { listen = 0, key-file = "$FOLDER/admin.key" } }
include required(file("$WORK/apns/apns.conf"))
${2:-}
CONF
}
launch_server() {
    SERVER_LOG=$FOLDER/server.$((++STARTS)).log
    PUSHBRIDGE_JAVA_OPTS="${PUSHBRIDGE_JAVA_OPTS:-} -Djava.io.tmpdir=$WORK" \
        "$root/pushbridge" serve -c "$CONF" >"$SERVER_LOG" 2>&1 &
    SERVER_PID=$!
    JOBS+=("$SERVER_PID")
    PROCESSES[$PUSHBRIDGE]=$SERVER_PID ADDRESS[$PUSHBRIDGE]=$SERVER
}
server_is_ready() {
    local deadline=$((SECONDS + ${1:-120}))
    until has "$SERVER_LOG" ' Ready: '; do
        if ! kill -0 "$SERVER_PID" 2>/dev/null || ((SECONDS >= deadline)); then
            tail -30 "$SERVER_LOG" >&2
            fail "The server did not start; the lines above are the end of its log"
        fi
        sleep 0.02
    done
}
start_server() { launch_server && server_is_ready; }
stop_server() { # [SIGNAL]
    ends "$SERVER_PID" "${1:-TERM}" 20
    SERVER_PID=''
}
# A simulated APNs in a process of its own; it writes apns.conf, for the server's configuration to include.
start_apns() { # TEAM APP
    mkdir -p "$WORK/apns"
    mkfifo "$WORK/apns-commands"
    "$root/pushbridge" simulate apns --folder "$WORK/apns" --team "$1" --app "$2" \
        <"$WORK/apns-commands" >"$WORK/apns.out" 2>"$WORK/apns.log" &
    APNS_PID=$!
    JOBS+=("$APNS_PID")
    exec 8>"$WORK/apns-commands"
    local deadline=$((SECONDS + 120))
    until has "$WORK/apns.out" ready; do
        ((SECONDS < deadline)) || fail "The simulated APNs did not start; see $WORK/apns.log"
        sleep 0.05
    done
}
apns_does() { # COMMAND...
    local deadline=$((SECONDS + 60))
    printf '%s\n' "$*" >&8
    until has "$WORK/apns.out" "^ok $*\$"; do
        ((SECONDS < deadline)) || fail "The simulated APNs did not do '$*'"
        sleep 0.05
    done
}
stop_apns() {
    exec 8>&-
    ends "$APNS_PID" TERM 5
    rm -f "$WORK/apns-commands"
}

# --- Kamailio ---------------------------------------------------------------------------------------------------------

children_of() { # PID: on a line
    local file=/proc/$1/task/$1/children
    [ ! -r "$file" ] || cat "$file"
}
# start_kamailio PEER ADDRESS ARGUMENTS...
start_kamailio() {
    local peer=$1 address=$2 name=kamailio-${2//[.:]/-} deadline=$((SECONDS + 20)) pid
    mkdir -p "$WORK/$name"
    kamailio -f "$here/kamailio.cfg" -A "LISTEN=udp:$address" -A "SECRET=\"$PASSWORD\"" -m 2048 -M 16 -DD -E \
        -w "$WORK/$name" -Y "$WORK/$name" "${@:3}" >"$WORK/$name.log" 2>&1 &
    pid=$!
    JOBS+=("$pid")
    until [ "$(children_of "$pid" | wc -w)" -ge 10 ]; do
        if ! kill -0 "$pid" 2>/dev/null || ((SECONDS >= deadline)); then
            tail -20 "$WORK/$name.log" >&2
            fail "Kamailio did not start; the lines above are the end of its log"
        fi
        sleep 0.1
    done
    sleep 0.3
    PROCESSES[$peer]="$pid $(children_of "$pid")" ADDRESS[$peer]=$address
}
start_kamailios() {
    start_kamailio "$SHIPPED" "$KAMAILIO"
    start_kamailio "$FMALLOC" "$TUNED" -x fm -X fm
}
stop_kamailios() {
    local peer pid
    for peer in "$SHIPPED" "$FMALLOC"; do
        read -r pid _ <<<"${PROCESSES[$peer]}"
        ends "$pid" TERM 10
    done
}

# metric NAME: the sum over all its labels, of the running server
metric() {
    local port
    port=$(sed -n 's|.*Metrics are at http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$SERVER_LOG")
    curl -s --max-time 20 -H "Authorization: Bearer $(cat "$FOLDER/admin.key")" "http://127.0.0.1:$port/metrics" |
        awk -v name="$1" '{ n = $1; sub(/[{].*/, "", n) } n == name { sum += $NF } END { printf "%d", sum }'
}

# delays NAME FILE: how many were no longer than each bound, of the running server's histogram pushbridge_NAME_delay_seconds
delays() {
    local port
    port=$(sed -n 's|.*Metrics are at http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$SERVER_LOG")
    curl -s --max-time 20 -H "Authorization: Bearer $(cat "$FOLDER/admin.key")" "http://127.0.0.1:$port/metrics" |
        awk -v name="pushbridge_$1_delay_seconds_bucket{" 'index($1, name) == 1 {
            match($1, /le="[^"]*"/); printf "%s %d\n", substr($1, RSTART + 4, RLENGTH - 5), $2 }' >"$2"
}
# delay_percentiles BEFORE AFTER: p50 and p99 in ms of what came between two looks at a histogram, a straight line between
# its bounds, and how many there were
delay_percentiles() {
    awk '
        NR == FNR { before[$1] = $2; next }
        { n++; bound[n] = $1; upTo[n] = $2 - before[$1] }
        function rank(p,  want, i, low, lowCount) {
            want = p * upTo[n]
            for (i = 1; i <= n; i++) {
                if (upTo[i] >= want) {
                    if (bound[i] == "+Inf") return sprintf("%.2f", low * 1000)
                    return sprintf("%.2f", (low + (bound[i] - low) * (want - lowCount) / (upTo[i] - lowCount)) * 1000)
                }
                low = bound[i]; lowCount = upTo[i]
            }
        }
        END { if (n && upTo[n] > 0) print rank(0.5), rank(0.99), upTo[n]; else print "- - 0" }' "$1" "$2"
}

# --- what a process costs ---------------------------------------------------------------------------------------------

# cpu_of PID... sets CPU: seconds of all of them, user and system, with their children that have ended
cpu_of() {
    local pid stat fields sum=0
    for pid; do
        { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || continue
        # The name of a process can have anything in it; what follows begins with field 3.
        read -ra fields <<<"${stat##*) }"
        sum=$((sum + fields[11] + fields[12] + fields[13] + fields[14]))
    done
    CPU=$((sum / TICKS)).$(printf '%03d' $((sum % TICKS * 1000 / TICKS)))
}
# jit_of PID sets JIT: seconds that its compiler threads have used; they are part of its CPU
jit_of() {
    JIT=$(cat /proc/"$1"/task/*/stat 2>/dev/null |
        awk -v ticks="$TICKS" '/\(C[12] Compiler/ { sub(/.*\) /, ""); sum += $12 + $13 } END { printf "%.2f", sum / ticks }')
}
# compilers_rest PID: waits until the JVM has compiled what it has found worth it so far, 20 s at most
compilers_rest() {
    local before i
    for ((i = 0; i < 20; i++)); do
        jit_of "$1"
        before=$JIT
        sleep 1
        jit_of "$1"
        (($(calc "$JIT - $before < 0.1" %d))) && return
    done
}
# memory_of PID... sets MEMORY (MB; what processes share is counted once) and THREADS
memory_of() {
    local pid pss=0 threads=0 word value
    for pid; do
        while read -r word value _; do
            if [ "$word" = Pss: ]; then pss=$((pss + value)); fi
        done 2>/dev/null <"/proc/$pid/smaps_rollup"
        while read -r word value _; do
            if [ "$word" = Threads: ]; then threads=$((threads + value)); fi
        done 2>/dev/null <"/proc/$pid/status"
    done
    MEMORY=$((pss / 1024)) THREADS=$threads
}
# heap_of PID sets HEAP: MB in use after a collection
heap_of() {
    [ -f "$WORK/jcmd" ] || printf 'GC.run\nGC.heap_info\n' >"$WORK/jcmd"
    HEAP=$(jcmd "$1" -f "$WORK/jcmd" 2>/dev/null |
        awk 'match($0, /used [0-9]+K/) && !/[Mm]etaspace|class space/ { used += substr($0, RSTART + 5, RLENGTH - 6) }
            END { if (used) printf "%.1f", used / 1024; else print "-" }')
}

# --- users and phones -------------------------------------------------------------------------------------------------

# phones NAME FROM COUNT [asleep]: writes NAME.csv for SIPp: user; credentials; token, if it has one; instance
phones() {
    awk -v from="$2" -v count="$3" -v kind="${4:-awake}" -v password="$PASSWORD" 'BEGIN {
        print "SEQUENTIAL"
        for (i = from; i < from + count; i++)
            printf "user%d;[authentication username=user%d password=%s];%s;%08x-0000-4000-8000-%012x\n", \
                i, i, password, (kind == "asleep" ? sprintf("%064x", i + 1) : ""), i, i
    }' >"$WORK/$1.csv"
}
# What a Contact has in front of a token.
PUSH=";pn-provider=apns;pn-param=$TEAM.$APP.voip;pn-prid="
users_of() { tail -n +2 "$WORK/$1.csv" | cut -d ';' -f 1; } # NAME
add_users() { # NAME...
    local name users=()
    for name; do mapfile -t -O ${#users[@]} users < <(users_of "$name"); done
    yes "$PASSWORD" | head -n ${#users[@]} | "$root/pushbridge" user add "${users[@]/%/@$DOMAIN}" --password-stdin \
        -c "$CONF" >"$WORK/users.log" 2>&1 || { tail -5 "$WORK/users.log" >&2; fail "The users could not be added"; }
}
# know_devices FROM COUNT: users with a phone that is asleep each, as "phones ... asleep" lists them, in a new database
# while no server has it open
know_devices() {
    local jars=("$root"/target/lib/h2-*.jar)
    [ -f "$FOLDER/data/pushbridge.mv.db" ] || { start_server && stop_server; } # makes the tables
    # In pieces, for one large transaction takes H2 far longer, and compacted in the end.
    awk -v first="$1" -v count="$2" -v now="$(date +%s%N)" -v password="$PASSWORD" -v team="$TEAM" -v app="$APP" '
        { text = text $0 "\n" }
        END {
            gsub(/@NOW/, now, text); gsub(/@PASSWORD/, password, text); gsub(/@TEAM/, team, text); gsub(/@APP/, app, text)
            for (from = first; from < first + count; from += 20000) {
                piece = text
                gsub(/@FROM/, from, piece)
                gsub(/@COUNT/, (first + count - from < 20000 ? first + count - from : 20000), piece)
                print piece
            }
            print "SHUTDOWN DEFRAG;"
        }' "$here/known-devices.sql" >"$FOLDER/known-devices.sql"
    "${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "${jars[0]}" org.h2.tools.RunScript \
        -url "jdbc:h2:file:$FOLDER/data/pushbridge" -user pushbridge -password '' -script "$FOLDER/known-devices.sql" \
        >"$WORK/h2.log" 2>&1 || { tail -5 "$WORK/h2.log" >&2; fail "The devices could not be written to the database"; }
}
# start_with_devices COUNT: starts the server, and records for workload d what it takes that so many devices are known
start_with_devices() {
    local ready
    ready=$(now)
    launch_server
    server_is_ready 300
    ready=$(calc "$(now) - $ready" %.1f)
    heap_of "$SERVER_PID"
    sleep 3 # what is free goes back to the system in pieces
    memory_of "$SERVER_PID"
    record workload=d what=known "peer=$PUSHBRIDGE" "push_targets=$1" "ready_s=$ready" "heap_mb=$HEAP" "memory_mb=$MEMORY"
    say "   ready after $ready s with $1 push targets: $HEAP MB of heap, $MEMORY MB of memory"
}
# phones_register PEER NAME PORT [ARGUMENTS...]: all of them, from one socket, which is then closed
phones_register() {
    local push=''
    ! sed -n '2{/;;/!p}' "$WORK/$2.csv" | grep -q . || push=$PUSH
    sipp_runs register phones-register "$PHONE_IP" "$3" "${ADDRESS[$1]}" -inf "$WORK/$2.csv" -key push "$push" \
        -m "$(($(wc -l <"$WORK/$2.csv") - 1))" -r 500 -d 0 "${@:4}"
    ((SIPP_CODE == 0)) || fail "Not all phones could register at $1; see $WORK/register/errors"
}

# --- SIPp -------------------------------------------------------------------------------------------------------------

# sipp_starts NAME FILE IP PORT SERVER ARGUMENTS... sets JOB; it writes to the folder NAME, which is new
sipp_starts() {
    rm -rf "${WORK:?}/$1"
    mkdir -p "$WORK/$1"
    (cd "$WORK/$1" && exec sipp "$5" -sf "$here/$2.xml" -i "$3" -p "$4" -key domain "$DOMAIN" -ap "$PASSWORD" \
        -auth_uri "$DOMAIN" -nostdin -l 200000 -max_socket 60000 -buff_size 4194304 \
        -watchdog_minor_maxtriggers 1000000 -watchdog_major_maxtriggers 1000000 \
        -trace_stat -stf stat.csv -fd 1 -trace_err -error_file errors "${@:6}" >screen 2>&1) &
    JOB=$!
    JOBS+=("$JOB")
}
# sipp_runs as sipp_starts; waits for its end, LIMIT seconds at most, and sets
# SIPP_CODE, and SIPP_CPU to what it had used at the last look
sipp_runs() {
    sipp_starts "$@"
    sipp_ends "$JOB"
}
sipp_ends() { # PID
    local deadline=$((SECONDS + LIMIT))
    {
        while kill -0 "$1"; do
            cpu_of "$1"
            SIPP_CPU=$CPU
            # The first signal ends new calls, the second all; not always.
            ((SECONDS < deadline)) || kill -USR1 "$1"
            ((SECONDS < deadline + 3)) || kill -9 "$1"
            sleep 0.1
        done
        wait "$1"
        SIPP_CODE=$?
    } 2>/dev/null # where the shell, too, says that it was killed
    forget "$1"
}
# sipp_stops PID: the second signal ends it whatever goes on
sipp_stops() {
    local deadline=$((SECONDS + 2))
    kill -USR1 "$1" 2>/dev/null
    while kill -0 "$1" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.05; done
    ends "$1" USR1 2
}
# counted NAME COLUMN: the last value of it in NAME's statistics; 0 if there are none
counted() {
    awk -F ';' -v column="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) c = i; next }
        { value = $c }
        END { print value + 0 }' "$WORK/$1/stat.csv" 2>/dev/null || echo 0
}
# response_times NAME REQUEST RESPONSE: from the first time that it was sent to the first RESPONSE in NAME's log of
# messages; SIPp's own -trace_rtt tells 4 ms apart at best. Sets ANSWERED (how many), P50, P99 in ms, ACHIEVED,
# responses a second, and REFUSED, calls that got a 503.
response_times() {
    ANSWERED=0 P50=- P99=- ACHIEVED=0
    REFUSED=$(awk -F '\t' '$4 == "R" && $7 ~ /^SIP\/2.0 503/ && !($5 in seen) { seen[$5]; n++ } END { print n + 0 }' "$WORK/$1/short")
    awk -F '\t' -v request="$2" -v response="$3" '
        $4 == "S" && index($7, request) == 1 && !($5 in sent) { sent[$5] = $3 }
        $4 == "R" && index($7, response) == 1 && $5 in sent && !($5 in seen) {
            seen[$5]; printf "%.6f %.3f\n", $3, ($3 - sent[$5]) * 1000 }' "$WORK/$1/short" >"$WORK/$1/times"
    ANSWERED=$(wc -l <"$WORK/$1/times")
    ((ANSWERED > 0)) || return 0
    read -r P50 P99 < <(cut -d ' ' -f 2 "$WORK/$1/times" | sort -n | percentiles)
    # Without the first and the last hundredth: a straggler is no lower rate.
    ACHIEVED=$(cut -d ' ' -f 1 "$WORK/$1/times" | sort -n | awk '
        { t[NR] = $1 }
        END { a = int(NR * 0.01) + 1; b = NR - int(NR * 0.01); d = t[b] - t[a]; print (d > 0 ? int((b - a) / d + 0.5) : 0) }')
}
percentiles() { # of sorted numbers on standard input: p50 p99
    awk '{ v[NR] = $1 }
        function rank(p,  r) { r = int(NR * p); if (r < NR * p) r++; return v[r < 1 ? 1 : r] }
        END { if (NR) printf "%.2f %.2f\n", rank(0.5), rank(0.99); else print "- -" }'
}

# --- what was measured ------------------------------------------------------------------------------------------------

# record KEY=VALUE...: a line of the result
record() {
    local IFS=$'\t'
    printf '%s\n' "$*" >>"$CELLS"
}
# table WORKLOAD KEY:HEADER...: what was recorded for it and has the first KEY, on standard output
table() {
    local workload=$1
    shift
    awk -F '\t' -v workload="$workload" -v columns="$(IFS='|' && printf '%s' "$*")" '
        BEGIN { n = split(columns, c, "|"); for (i = 1; i <= n; i++) { split(c[i], p, ":"); key[i] = p[1]; cell[0, i] = p[2]; width[i] = length(p[2]) } }
        { split("", v); for (i = 1; i <= NF; i++) { at = index($i, "="); v[substr($i, 1, at - 1)] = substr($i, at + 1) }
          if (v["workload"] != workload || !(key[1] in v)) next
          rows++
          for (i = 1; i <= n; i++) { cell[rows, i] = key[i] in v ? v[key[i]] : "-"; if (length(cell[rows, i]) > width[i]) width[i] = length(cell[rows, i]) } }
        END { for (r = 0; r <= rows; r++) { line = ""
            for (i = 1; i <= n; i++) line = line sprintf(key[i] ~ /^(peer|what)$/ ? "%-" width[i] "s  " : "%" width[i] "s  ", cell[r, i])
            sub(/ +$/, "", line); print line } }' "$CELLS"
    echo
}
