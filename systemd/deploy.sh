#!/usr/bin/env bash
# Installs, upgrades, rolls back and removes Sexton as a service of systemd. README.md beside this file has the story.
#
#   deploy.sh install             build this source tree and make it the release in force; an upgrade is the same
#   deploy.sh rollback            back to the release before; again: forth
#   deploy.sh list                the releases that are there
#   deploy.sh uninstall           remove the program; configuration, secrets and database stay
#   deploy.sh uninstall --delete-data    remove those too
#
# Environment: PYTHON, PREFIX=/opt, UNITDIR=/etc/systemd/system, BINDIR=/usr/local/bin, and DESTDIR, which puts
# everything below another root and speaks to no systemd.
set -euo pipefail
umask 022

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
export APP=${PREFIX:-/opt}/sexton DESTDIR=${DESTDIR:-}
UNITDIR=${UNITDIR:-/etc/systemd/system} BINDIR=${BINDIR:-/usr/local/bin}
app=$DESTDIR$APP etc=$DESTDIR/etc/sexton unit=$DESTDIR$UNITDIR/sexton.service command=$DESTDIR$BINDIR/sexton
state=/var/lib/private/sexton
KEPT_RELEASES=3

say() { echo "$*" >&2; }
complain() { say "error: $*"; exit 1; }
has_systemd() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }
runs() { has_systemd && systemctl is-active --quiet sexton; }
named() { basename "$(readlink "$app/$1" 2>/dev/null)" 2>/dev/null || :; } # the release that a link is for

running() { # the release that the service's process came from; none where it does not run
    local pid
    ! has_systemd || pid=$(systemctl show --property MainPID --value sexton)
    [ "${pid:-0}" = 0 ] || tr '\0' '\n' <"/proc/$pid/cmdline" | sed -n "1s|^$APP/releases/\([^/]*\)/.*|\1|p"
}

point() { # point LINK RELEASE, in one step: whoever looks sees the old or the new
    [ -n "$2" ] || return 0
    ln -sfn "releases/$2" "$app/.$1"
    mv -T "$app/.$1" "$app/$1"
}

place() { # place FILE TARGET MODE, whole or not at all
    mkdir -p "$(dirname "$2")"
    install -m "$3" "$1" "$2.new"
    mv -T "$2.new" "$2"
}

put_in_force() { # put_in_force RELEASE: its program and its unit
    point current "$1"
    place "$app/releases/$1/share/sexton/systemd/sexton.service" "$unit" 0644
    ! has_systemd || systemctl daemon-reload
}

settle_in() { # what an administrator owns is made once and never overwritten
    mkdir -p "$etc"
    [ -d "$etc/credentials" ] || install -d -m 0700 "$etc/credentials"
    [ -e "$etc/config.toml" ] || place "$here/../config.toml" "$etc/config.toml" 0644
    sed "s|/opt/sexton|$APP|g" "$here/sexton.sh" >"$app/.command"
    place "$app/.command" "$command" 0755
    rm "$app/.command"
    ! has_systemd || grep -Eqs '^passwd:.*\<systemd\>' /etc/nsswitch.conf ||
        say "note: this system cannot name the service's user, and the embedded database asks for it; on Debian:" \
            "apt-get install libnss-systemd"
}

check() { # before anything is changed: can this release use the configuration that is there?
    local options=()
    runs && options=(--database)
    SEXTON_RELEASE=$1 "$command" check --config "$etc/config.toml" "${options[@]}" >&2 ||
        complain "release $1 refuses the configuration, as said above; ${2:-nothing} stays in force"
}

restart() { # READY, or the reason why not
    systemctl reset-failed sexton 2>/dev/null || :
    systemctl restart sexton && return
    say "the service did not become ready:"
    journalctl --unit sexton --lines 15 --output cat --no-pager >&2 || :
    systemctl stop sexton || :
    return 1
}

switch() { # switch RELEASE: from now on this one; if it does not start, the one before again
    local before was_running=no
    ! runs || was_running=yes
    before=$(running)
    [ -n "$before" ] || before=$(named current)
    if [ "$before" = "$1" ] && [ "$(named current)" = "$1" ] &&
        cmp -s "$app/releases/$1/share/sexton/systemd/sexton.service" "$unit"; then
        say "$1 is in force already"
        return
    fi
    put_in_force "$1"
    if [ "$was_running" = yes ] && ! restart; then
        [ -d "$app/releases/${before:-none}" ] || complain "$1 does not start, and there is no release before it"
        put_in_force "$before"
        restart || complain "$1 does not start, and neither does $before, which is in force again"
        complain "$1 does not start; $before is in force again and runs"
    fi
    [ "$before" = "$1" ] || point previous "$before"
    if [ "$was_running" = yes ]; then say "$1 runs"; else say "$1 is in force"; fi
}

newest_first() { # the names of the releases
    find "$app/releases" -mindepth 1 -maxdepth 1 ! -name '.*' -printf '%T@ %f\n' | sort -rn | cut -d' ' -f2
}

prune() { # the newest few; never the one in force, nor the way back
    local found
    newest_first | tail -n +$((KEPT_RELEASES + 1)) | while read -r found; do
        case $found in "$(named current)" | "$(named previous)") continue ;; esac
        rm -rf "${app:?}/releases/$found"
        say "removed the old release $found"
    done
}

alone() { # one at a time
    mkdir -p "$app"
    exec 9>"$app/.lock"
    flock --nonblock 9 || complain "another deploy.sh is at work on $app; try again when it has ended"
}

install_or_upgrade() {
    local release
    alone
    release=$("$here/build-release.sh")
    settle_in
    [ -n "$DESTDIR" ] || check "$release" "$(named current)"
    switch "$release"
    touch "$app/releases/$release"
    prune
    ! has_systemd || runs || systemctl is-enabled --quiet sexton 2>/dev/null ||
        say "next: edit $etc/config.toml, then: systemctl enable --now sexton"
}

rollback() {
    local before
    before=$(named previous)
    [ -d "$app/releases/${before:-none}" ] || complain "there is no release before; deploy.sh list shows what there is"
    alone
    check "$before" "$(named current)"
    switch "$before"
}

list() {
    local found
    [ -d "$app/releases" ] || complain "nothing is installed in $app"
    newest_first | while read -r found; do
        case $found in
            "$(named current)") echo "$found in force" ;;
            "$(named previous)") echo "$found the one before" ;;
            *) echo "$found" ;;
        esac
    done
}

uninstall() {
    if has_systemd && [ -e "$unit" ]; then systemctl disable --now sexton; fi
    rm -rf "$unit" "$command" "${app:?}"/{releases,current,previous,.lock}
    rmdir "$app" 2>/dev/null || [ ! -d "$app" ] || say "$app holds files that are not ours; they stay"
    ! has_systemd || systemctl daemon-reload
    if [ "${1:-}" = --delete-data ]; then
        rm -rf "$etc" "$unit.d" "$DESTDIR$state" "$DESTDIR/var/lib/sexton"
        say "removed, with configuration, secrets and database"
    else
        say "removed; what is yours stays: $etc, $DESTDIR$state (database), $unit.d"
    fi
}

main() {
    [ -n "$DESTDIR" ] || [ "$(id -u)" = 0 ] || complain "run this as root, or with DESTDIR=… to stage an installation"
    case "${1:-}" in
        install) install_or_upgrade ;;
        rollback) rollback ;;
        list) list ;;
        uninstall) uninstall "${2:-}" ;;
        *) sed -n '2,/^set/{s/^# \{0,1\}//p}' "$here/deploy.sh" >&2; exit 2 ;;
    esac
}

main "$@"
exit
