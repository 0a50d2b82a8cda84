# shellcheck shell=bash
# What the scripts of this folder and of faults/ share; they source it, and have set root to the folder above this one.

say() { printf '%s\n' "$*" >&2; }
has() { grep -qE -- "$2" "$1" 2>/dev/null; } # FILE PATTERN

# find_sipp FOLDER... sets SIPP, how to call it; in a container, it sees these folders
# shellcheck disable=SC2034,SC2154 # SIPP is for who sources this, who has set root
find_sipp() {
    if [ "${PUSHBRIDGE_SIPP:-}" != container ] && command -v sipp >/dev/null; then
        SIPP=("$(command -v sipp)")
        say "SIPp: $(sipp -v 2>/dev/null | grep -o 'SIPp v[^ ]*' | head -1), local"
        return
    fi
    local engine folder image=pushbridge-sipp volumes=()
    for folder; do volumes+=(-v "$folder:$folder"); done
    for engine in docker podman; do
        "$engine" info >/dev/null 2>&1 || continue
        "$engine" image inspect "$image" >/dev/null 2>&1 || {
            say "Building the image $image from docker/sipp"
            "$engine" build --network=host -t "$image" "$root/docker/sipp" >&2 || exit 2
        }
        # SIPp makes branches and Call-IDs of its process id: they must differ from run to run.
        SIPP=("$engine" run --rm --init --pid=host --network=host --user "$(id -u):$(id -g)" "${volumes[@]}" "$image")
        say "SIPp: container image $image, by $engine"
        return
    done
    say "SIPp is needed: install it (Debian: apt-get install sip-tester), start a container engine, or let" \
        "'./pushbridge test' get it."
    exit 2
}
