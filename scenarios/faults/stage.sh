# shellcheck shell=bash disable=SC2034 # it is sourced
# The stage of the fault drills, which source it: the packaged server as a process of its own on loopback addresses that
# nothing else uses, and what its phones and callers need. "drill" is the name of the fault.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
# shellcheck source=scenarios/parts.sh
. "$root/scenarios/parts.sh"

DOMAIN=example.com PASSWORD=correct-horse TEAM=TEAM123456 APP=org.example.phone
NET=127.$((16 + $$ % 200)).$(($$ / 200 % 250))
# The PBX is a trunk; the phones are not.
SERVER_IP=$NET.1 PBX_IP=$NET.2 PHONE_IP=$NET.3
SERVER=$SERVER_IP:5060
SERVER_PID='' JOBS=() STARTS=0 KEEP=no

# stage: a folder for everything, SIPp, and a clean end
stage() {
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/pushbridge-fault.XXXXXX")
    CONF=$WORK/server.conf PUSHES=$WORK/pushes.json
    trap leave EXIT
    trap 'exit 130' INT TERM
    find_sipp "$root/scenarios" "$WORK"
}
leave() {
    local job
    {
        for job in "${JOBS[@]}" ${SERVER_PID:+"$SERVER_PID"}; do
            kill -9 "$job"
            wait "$job"
        done
        if type leave_too; then leave_too; fi
    } >/dev/null 2>&1
    if [ "$KEEP" = yes ]; then say "Logs: $WORK"; else rm -rf "$WORK"; fi
}

# --- the server -------------------------------------------------------------------------------------------------------

# configure [SETTINGS]: the last word on each key is SETTINGS'
configure() {
    cat >"$CONF" <<CONF
include required(file("$root/sip-config/pushbridge.conf"))
domains = ["$DOMAIN"]
sip.listen = ["udp:$SERVER", "tcp:$SERVER"]
# Many calls, few phones, one address.
sip { max-registers-per-second-per-address = 100000, max-requests-per-second-per-address = 100000 }
calls { ring-limit = 20s, hold-limit = 10s, max-parked-per-user = 1000, push-budget.wasted-limit = 0 }
# SIPp answers the first challenge only, and knows MD5 alone.
registrar.algorithms = ["MD5"]
trunks { pbx { addresses = ["$PBX_IP"] } }
apps { "$APP" { team-id = "$TEAM" } }
apns { simulated = true, simulated-log = "$PUSHES" }
database.url = "jdbc:h2:file:$WORK/data/pushbridge"
admin.socket = "$WORK/admin.sock"
log.level = info
${1:-}
CONF
}
launch_server() {
    SERVER_LOG=$WORK/server.$((++STARTS)).log
    # A server that is killed leaves its temporary files.
    PUSHBRIDGE_JAVA_OPTS="${PUSHBRIDGE_JAVA_OPTS:-} -Djava.io.tmpdir=$WORK" \
        "$root/pushbridge" serve -c "$CONF" >"$SERVER_LOG" 2>&1 &
    SERVER_PID=$!
}
server_is_ready() {
    local deadline=$((SECONDS + 60))
    until has "$SERVER_LOG" ' Ready: '; do
        if ! kill -0 "$SERVER_PID" 2>/dev/null || ((SECONDS >= deadline)); then
            say "The server did not start:"
            tail -30 "$SERVER_LOG" >&2
            return 1
        fi
        sleep 0.05
    done
}
start_server() { launch_server && server_is_ready || exit 2; }
kill_server() { # [SIGNAL]: and waits for its end
    kill "-${1:-KILL}" "$SERVER_PID" && wait "$SERVER_PID" 2>/dev/null
    local code=$?
    SERVER_PID=''
    return $code
}
pushbridge() { "$root/pushbridge" "$@" -c "$CONF"; } # COMMAND...: beside the server

# --- the APNs ---------------------------------------------------------------------------------------------------------

# start_apns [ARGUMENTS...]: a simulated APNs in a process of its own, which outlives the server; to be included:
# $WORK/apns/apns.conf
start_apns() {
    mkfifo "$WORK/apns-commands"
    "$root/pushbridge" simulate apns --folder "$WORK/apns" --team "$TEAM" --app "$APP" "$@" \
        <"$WORK/apns-commands" >"$WORK/apns.out" 2>"$WORK/apns.log" &
    APNS_PID=$!
    JOBS+=("$APNS_PID")
    exec 8>"$WORK/apns-commands"
    wait_for_line "$WORK/apns.out" ready
    PUSHES=$WORK/apns/pushes.json
}
wait_for_line() { # FILE PATTERN
    local deadline=$((SECONDS + 60))
    until has "$1" "$2"; do
        ((SECONDS < deadline)) || { say "$1 has no line like '$2'"; cat "$1" >&2; KEEP=yes; exit 2; }
        sleep 0.1
    done
}
apns_does() { # COMMAND...; a line each, if there are several
    local deadline=$((SECONDS + 30)) wanted
    wanted=$(($(grep -c '^ok ' "$WORK/apns.out") + $(wc -l <<<"$*")))
    printf '%s\n' "$*" >&8
    until [ "$(grep -c '^ok ' "$WORK/apns.out")" -ge "$wanted" ]; do
        ((SECONDS < deadline)) || { say "The APNs did not do '${*:0:100}'"; KEEP=yes; exit 2; }
        sleep 0.02
    done
}
apns_takes() { # NAME...: the tokens of these phones
    local name tokens
    tokens=$(for name; do sed 1d "$WORK/$name.csv"; done | cut -d ';' -f 3 | sed 's/^/take /')
    apns_does "$tokens"
}

# --- users and phones -------------------------------------------------------------------------------------------------

# phones NAME COUNT [TOKENS [EVENTS]]: writes NAME.csv for SIPp; TOKENS: none, or what they begin with (hex)
phones() {
    local i token='' id
    id=$(printf '%s' "$1" | cksum | cut -d ' ' -f 1)
    {
        echo SEQUENTIAL
        for ((i = 1; i <= $2; i++)); do
            [ "${3:-none}" = none ] || printf -v token '%-8s%016x%040x' "$3" "$id" "$i"
            printf '%s-%05d;%08x-0000-4000-8000-%012x;%s;%s;[authentication username=%s-%05d password=%s]\n' \
                "$1" "$i" "$id" "$i" "${token// /0}" "${4:-presence}" "$1" "$i" "$PASSWORD"
        done
    } >"$WORK/$1.csv"
}
users_of() { tail -n +2 "$WORK/$1.csv" | cut -d ';' -f 1; } # NAME
# add_users NAME...: all the users of these files
add_users() {
    local name users=()
    for name; do mapfile -t -O ${#users[@]} users < <(users_of "$name"); done
    # A line with the password for each.
    yes "$PASSWORD" | head -n ${#users[@]} | "$root/pushbridge" user add "${users[@]/%/@$DOMAIN}" --password-stdin \
        -c "$CONF" >"$WORK/users.log" 2>&1 || { say "The users could not be added:"; tail -5 "$WORK/users.log" >&2; exit 2; }
}

# sipp_command LOG FILE IP PORT ARGUMENTS... sets COMMAND. What is out of order in a call is for the log, not for SIPp.
sipp_command() {
    COMMAND=("${SIPP[@]}" "$SERVER" -sf "$here/$2.xml" -i "$3" -p "$4" -key domain "$DOMAIN" -ap "$PASSWORD"
        -auth_uri "$DOMAIN" -nostdin -default_behaviors none -max_invite_retrans 7 -max_non_invite_retrans 12 -l 15000
        -watchdog_minor_maxtriggers 1000000 -watchdog_major_maxtriggers 1000000
        -trace_shortmsg -shortmessage_file "$WORK/$1.short"
        -trace_err -error_file "$WORK/$1.errors" "${@:5}")
    [ "${TRACE:-no}" = no ] || COMMAND+=(-trace_msg -message_file "$WORK/$1.messages")
    printf '%q ' "${COMMAND[@]}" >>"$WORK/commands"
    echo >>"$WORK/commands"
}
sipp_starts() { # as sipp_command; sets JOB
    sipp_command "$@"
    "${COMMAND[@]}" >"$WORK/$1.screen" 2>&1 &
    JOB=$!
    JOBS+=("$JOB")
}
sipp_runs() { # as sipp_command
    sipp_command "$@"
    "${COMMAND[@]}" >"$WORK/$1.screen" 2>&1
}
# phones_arguments NAME sets ARGUMENTS, for phones-register.xml
phones_arguments() {
    local push=''
    ! sed 1d "$WORK/$1.csv" | cut -d ';' -f 3 | grep -q . || push=";pn-provider=apns;pn-param=$TEAM.$APP.voip;pn-prid="
    ARGUMENTS=(-inf "$WORK/$1.csv" -key push "$push" -m "$(users_of "$1" | wc -l)")
}
# phones_register NAME IP PORT [ARGUMENTS...]: all of them, from one socket, which is then closed
phones_register() {
    phones_arguments "$1"
    sipp_runs "$1.register" phones-register "$2" "$3" "${ARGUMENTS[@]}" -r 200 -d 0 -timeout 60 -timeout_error "${@:4}" ||
        { say "Not all phones of $1 could register; see $WORK/$1.register.errors"; KEEP=yes; exit 2; }
}

# --- calls ------------------------------------------------------------------------------------------------------------

# A phone and those who call it have the same name. RATE is that of all calls, SHARE of 100 are those of this name.
PHONES=() CALLING=()
# starts_calling NAME FILE PORT SHARE CALLS. Ports from 6000 on are SIPp's for media, also where there is none.
starts_calling() {
    sipp_starts "$1.caller" "$2" "$PBX_IP" "$3" -inf "$WORK/$1.csv" -m "$5" -r $(($4 * RATE)) -rp 100000
    CALLING+=("$JOB")
}
# start_waking NAME FILE PORT SHARE: its phones register, one after the other, and then take what comes
starts_waking() {
    phones_arguments "$1"
    sipp_starts "$1.phones" phones-register "$PHONE_IP" "$3" "${ARGUMENTS[@]}" -oocsf "$here/$2.xml" \
        -r $(($4 * RATE)) -rp 100000 -d 600000
    PHONES+=("$JOB")
}
# listens NAME FILE PORT: awake phones
listens() {
    phones_register "$1" "$PHONE_IP" "$3"
    sipp_starts "$1.phones" "$2" "$PHONE_IP" "$3"
    PHONES+=("$JOB")
}
stop_jobs() { # SIGNAL JOB...
    local job
    for job in "${@:2}"; do kill "-$1" "$job" 2>/dev/null; done
}
# ended SECONDS JOB...: how many had to be stopped
ended() {
    local deadline=$((SECONDS + $1)) job
    STOPPED=0
    for job in "${@:2}"; do
        while kill -0 "$job" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.2; done
        kill -0 "$job" 2>/dev/null || continue
        STOPPED=$((STOPPED + 1))
        # It writes the rest of its log if it can.
        kill -USR1 "$job" && sleep 0.5 && kill -USR1 "$job" && sleep 0.5
        kill -9 "$job" 2>/dev/null
        wait "$job" 2>/dev/null
    done
}

# calls_end SECONDS: callers make no more calls and end theirs, then phones do; STOPPED callers had to be stopped
calls_end() {
    local stopped
    say "No more new calls; those under way end"
    stop_jobs USR1 "${CALLING[@]}"
    ended "$1" "${CALLING[@]}"
    stopped=$STOPPED
    sleep 8
    # The second one ends SIPp whatever goes on.
    stop_jobs USR1 "${PHONES[@]}"
    sleep 0.5
    stop_jobs USR1 "${PHONES[@]}"
    ended 10 "${PHONES[@]}"
    STOPPED=$stopped
}

# --- registrations ----------------------------------------------------------------------------------------------------

# registered: who has had a 200 to a REGISTER so far
registered() {
    local file name
    for file in "$WORK"/*.register.short "$WORK"/*.phones.short; do
        name=${file##*/}
        name=${name%%.*}
        # A call of SIPp's is a line of its -inf file.
        awk -F '\t' -v csv="$WORK/$name.csv" '
            BEGIN { while ((getline line <csv) > 0) if (++n > 1) { split(line, f, ";"); user[n - 1] = f[1] } }
            $4 == "R" && $6 ~ /REGISTER$/ && $7 ~ /^SIP\/2.0 200/ { split($5, id, "-"); print user[id[1]] }' "$file"
    done 2>/dev/null | sort -u
}
# check_registrations: adds to false-registrations whom the server does not know as registered any more
check_registrations() {
    registered >"$WORK/registered"
    if ! pushbridge device list >"$WORK/devices" 2>"$WORK/devices.errors"; then
        say "'pushbridge device list' failed:"
        cat "$WORK/devices.errors" >&2
        return
    fi
    awk '$6 ~ /^[0-9]/ { sub(/^sip:/, "", $2); sub(/@.*/, "", $2); print $2 }' "$WORK/devices" | sort -u |
        comm -23 "$WORK/registered" - >>"$WORK/false-registrations"
}

# --- the count --------------------------------------------------------------------------------------------------------

now() { printf '%s' "${EPOCHREALTIME/,/.}"; }
random() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); } # MILLISECONDS
grouped() { printf '%d' "$1" | sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta'; }
# judge_callers LIMIT NAME...: $WORK/calls has, of each call of these callers: name, call id, user, when it was sent, when
# it was parked or rang, the last provisional response, when it was answered, how, when it was over, and what is wrong
# with it. A refusal may take LIMIT seconds from the first response on.
judge_callers() {
    local name limit=$1
    for name in "${@:2}"; do
        [ -f "$WORK/$name.caller.short" ] || {
            say "SIPp did not call; see $WORK/$name.caller.errors"
            KEEP=yes
            exit 2
        }
        awk -F '\t' -v name="$name" -v limit="$limit" '
            { sub(/^CSeq:/, "", $6); id = $5; at = $3; code = $7 ~ /^SIP\/2.0/ ? substr($7, 9, 3) : 0; split($6, cseq, " ") }
            $4 == "S" && $6 == "1 INVITE" && !code && !(id in invited) {
                invited[id] = at; user[id] = $7; sub(/^[^:]*:/, "", user[id]); sub(/@.*/, "", user[id])
            }
            $4 == "R" && $6 == "1 INVITE" && !(id in begun) { begun[id] = at }
            $4 == "R" && $6 == "1 INVITE" && code >= 200 && !((id, code) in seen) {
                seen[id, code]; finals[id]++; final[id] = code; if (!(id in ended)) ended[id] = at
            }
            $4 == "R" && $6 == "1 INVITE" && code < 200 { state[id] = code; if (code > 100 && !(id in rang)) rang[id] = at }
            $4 == "S" && !code && (cseq[2] == "INFO" || cseq[2] == "INVITE" && cseq[1] > 1) { asked[id] = cseq[2] }
            $4 == "R" && code >= 200 && (cseq[2] == "INFO" || cseq[2] == "INVITE" && cseq[1] > 1) { answer[id] = code }
            cseq[2] == "BYE" && (!code && $4 == "R" || code == 200 && $4 == "R") { over[id] = at }
            cseq[2] == "BYE" && code > 200 && $4 == "R" { refused[id] = code }
            END {
                for (id in invited) {
                    lost = hanging = ""
                    if (!finals[id]) lost = "no final response"
                    else if (finals[id] > 1) lost = finals[id] " final responses"
                    else if (ended[id] - begun[id] > limit && final[id] != 200) lost = "final response after " int(ended[id] - begun[id]) " s"
                    else if (final[id] == 200) {
                        if (!(id in over)) hanging = "answered; " (id in refused ? "BYE was answered " refused[id] : "no BYE came or was answered")
                        else if (id in asked && answer[id] != 200) lost = asked[id] " was answered " (id in answer ? answer[id] : "not at all")
                    }
                    print name, id, user[id], invited[id], id in rang ? rang[id] : "-", state[id] ? state[id] : "-", \
                        id in ended ? ended[id] : "-", finals[id] ? final[id] : "-", id in over ? over[id] : "-", \
                        (lost ? "lost:" lost : hanging ? "hanging:" hanging : "well")
                }
            }' OFS='\t' "$WORK/$name.caller.short"
    done >"$WORK/calls"
}
# judge_phones: $WORK/phone-calls has, of each call that came to a phone: name, call id, user, how it was answered, and
# what is wrong with it
judge_phones() {
    local file name
    for file in "$WORK"/*.phones.short; do
        name=${file##*/}
        awk -F '\t' -v name="${name%%.*}" '
            { sub(/^CSeq:/, "", $6); id = $5; code = $7 ~ /^SIP\/2.0/ ? substr($7, 9, 3) : 0; split($6, cseq, " ") }
            $4 == "R" && !code && cseq[2] == "INVITE" && !(id in first) {
                first[id] = $6; user[id] = $7; sub(/^[^:]*:/, "", user[id]); sub(/@.*/, "", user[id])
            }
            !(id in first) { next }
            $4 == "S" && code >= 200 && $6 == first[id] { final[id] = code }
            $4 == "R" && cseq[2] == "ACK" { acked[id] }
            cseq[2] == "BYE" && $4 == "R" && (!code || code == 200) { over[id] }
            END {
                for (id in first) {
                    what = "well"
                    if (!(id in final)) what = "hanging:rings for ever"
                    else if (final[id] == 200 && !(id in over)) what = "hanging:answered" (id in acked ? "" : ", no ACK") "; no BYE came or was answered"
                    print name, id, user[id], id in final ? final[id] : "-", what
                }
            }' OFS='\t' "$file"
    done >"$WORK/phone-calls"
}
# told_of FILE...: what is lost or hanging, counted
told_of() {
    local file
    for file; do
        awk -F '\t' -v what="${file##*/}" '
            { sub(/^[a-z]*:/, "", $NF); count[$1 ": " $NF]++ }
            END { for (k in count) printf "%s: %5d  %s\n", what, count[k], k }' "$file" | sort -t: -k1,1 -k2,2nr >&2
    done
}
