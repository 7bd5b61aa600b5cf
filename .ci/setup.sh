# Sourced by sensor/run and tests/run: packages and builds. Quiet where there is nothing to do.
#
# PORTENT_BUILD names the build folder, `build` of the checkout unless set. Other builds stand beside
# it: build-sanitize and so on.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${PORTENT_BUILD:-$root/build}

say() {
        echo "portent: $*" >&2
}

# The packages of the groups named, one a line.
packages() {
        local group='' line
        while read -r line; do
                case $line in
                '' | '#'*) ;;
                '['*) group=${line//[][]/} ;;
                *' ('*) # a package that is not wanted where the command in brackets is
                        [[ " $* " == *" $group "* ]] && line=${line%)} &&
                                ! command -v "${line#* (}" >/dev/null && echo "${line% (*}" ;;
                *) [[ " $* " == *" $group "* ]] && echo "$line" ;;
                esac
        done <"$root/.ci/packages"
        return 0
}

# Those of the packages named that are not installed.
missing() {
        [ $# -gt 0 ] || return 0
        dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
                sed -n 's/^installed //p' | sort -u |
                comm -13 - <(printf '%s\n' "$@" | sort -u)
}

# Install what is missing of the groups named. A copy of the list in the build folder says that this
# was done, so that nothing needs to be asked the next time.
setup_packages() {
        local stamp=$build/packages.${*: -1} lines
        cmp -s "$root/.ci/packages" "$stamp" && return
        command -v dpkg-query >/dev/null || return 0 # no Debian: the build says what it misses
        mapfile -t lines < <(missing $(packages "$@"))
        if [ ${#lines[@]} -gt 0 ]; then
                install_packages "${lines[@]}"
        fi
        mkdir -p "$build"
        cp "$root/.ci/packages" "$stamp"
}

install_packages() {
        local log as=()
        if [ "$(id -u)" -ne 0 ]; then
                as=(sudo -n)
                if ! sudo -n true 2>/dev/null; then
                        say "packages are missing. Type this once, then start again:"
                        echo "sudo apt-get update && sudo apt-get install -y --no-install-recommends $*" >&2
                        exit 3
                fi
        fi
        say "installing $*"
        log=$(mktemp)
        if ! { "${as[@]}" apt-get update &&
                "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
                        apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
                cat "$log" >&2
                rm -f "$log"
                say "the packages could not be installed"
                exit 3
        fi
        rm -f "$log"
}

# build FOLDER TARGET [meson options]: configure and build there what has changed. Two at once wait
# for each other. What the tools say is shown only if they fail.
build() {
        local folder=$1 target=$2 lock
        shift 2
        mkdir -p "$folder"
        exec {lock}>"$folder/lock"
        flock "$lock"
        configure "$folder" "$@"
        if ! ninja -C "$folder" -n $target 2>/dev/null | grep -q 'no work to do'; then
                say "building..."
                quietly "$folder" ninja --quiet -C "$folder" $target
        fi
        exec {lock}>&-
}

# Set the folder up, or again if the options have changed since.
configure() {
        local folder=$1
        shift
        [ -f "$folder/build.ninja" ] && [ "$(cat "$folder/options" 2>/dev/null)" = "$*" ] && return
        say "configuring..."
        rm -rf "$folder"/meson-* "$folder/build.ninja"
        quietly "$folder" meson setup "$@" "$folder" "$root"
        echo "$*" >"$folder/options"
}

quietly() {
        local log=$1/log
        shift
        if ! "$@" >"$log" 2>&1 </dev/null; then
                cat "$log" >&2
                rm -f "$build"/packages.* # perhaps a package was taken away
                say "the build failed"
                exit 3
        fi
}
