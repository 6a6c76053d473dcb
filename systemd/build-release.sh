#!/usr/bin/env bash
# Builds the source tree around this file as a release of its own: $APP/releases/<version>-<digest>, complete or not
# there at all. Prints the release's name; one that exists already is left alone. deploy.sh calls this.
set -euo pipefail
umask 022

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
APP=${APP:-/opt/sexton} DESTDIR=${DESTDIR:-} PYTHON=${PYTHON:-python3}
releases=$DESTDIR$APP/releases
suites=$DESTDIR/etc/sexton/requirements.txt

complain() { echo "error: $*" >&2; exit 2; }

interpreter() { # the file that python really is, for the service must be able to read it
    local found
    found=$("$PYTHON" -c 'import os, sys; print(os.path.realpath(sys._base_executable))' 2>/dev/null) ||
        complain "PYTHON=$PYTHON does not run; name a Python 3.11 or newer: make install PYTHON=/usr/bin/python3.11"
    "$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        complain "$found is too old; Sexton needs Python 3.11 or newer: make install PYTHON=/usr/bin/python3.11"
    case $found in /root/* | /home/* | /run/user/*)
        complain "$found is in a home directory, which the service cannot see: make install PYTHON=/usr/bin/python3.11" ;;
    esac
    echo "$found"
}

files_of_release() {
    cd "$source" && find daemon workers systemd docs monitoring config.toml pyproject.toml README.md LICENSE requirements.lock \
        -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z
}

name_of_release() { # the same files, interpreter and suites of your own: the same name
    local version digest
    version=$(sed -n 's/^VERSION = "\(.*\)"$/\1/p' "$source/daemon/version.py")
    digest=$({ files_of_release | (cd "$source" && xargs -0 sha256sum)
               echo "$python"; "$python" -V
               [ ! -f "$suites" ] || cat "$suites"; } | sha256sum)
    echo "$version-${digest:0:8}"
}

kept() { echo "$1/share/sexton/$2"; }

basis() { # a release whose dependencies are the ones we want: it is copied, and no package index is needed
    local found
    for found in "$releases"/*/; do
        found=${found%/}
        if [ "$(readlink -f "$found/bin/python")" = "$python" ] &&
            cmp -s "$source/requirements.lock" "$(kept "$found" requirements.lock)" &&
            cmp -s "$([ -f "$suites" ] && echo "$suites" || echo /dev/null)" "$(kept "$found" suites.txt)"; then
            echo "$found"
            return
        fi
    done
}

pip() { "$draft/bin/python" -m pip --disable-pip-version-check --no-input --quiet "$@" >&2; }

environment() {
    from=$(basis)
    if [ -n "$from" ]; then
        echo "the dependencies are those of ${from##*/}" >&2
        cp -a --reflink=auto "$from" "$draft"
    else
        echo "installing the locked dependencies (hashes checked)" >&2
        "$python" -m venv "$draft" ||
            complain "$python has no venv with pip; on Debian: apt-get install python3-venv"
        pip install --no-compile --require-hashes --no-deps -r "$source/requirements.lock"
    fi
    pip install --no-compile --no-deps --no-build-isolation --force-reinstall "$source"
    [ ! -f "$suites" ] || pip install --no-compile -r "$suites"
    pip check
}

finish() { # scripts name the place where the release will be, and the service may write no bytecode
    local place=$APP/releases/$name copied=$APP/releases/${from##*/}
    grep -rlIF -e "$draft" -e "$copied" "$draft/bin" "$draft/pyvenv.cfg" |
        xargs sed -i -e "s|$draft|$place|g" ${from:+-e "s|$copied|$place|g"}
    "$draft/bin/python" -m compileall -q -j 0 "$draft/lib"
    rm -rf "$draft/share/sexton"
    mkdir -p "$draft/share/sexton"
    cp -r "$source"/{systemd,docs,monitoring,config.toml,requirements.lock} "$draft/share/sexton"
    find "$draft/share/sexton" -name __pycache__ -prune -exec rm -rf {} +
    chmod -R go+rX "$draft/share/sexton"
    sed -i "s|/opt/sexton|$APP|g" "$(kept "$draft" systemd/sexton.service)" "$(kept "$draft" monitoring/rules)"/*.yml
    cat "$([ -f "$suites" ] && echo "$suites" || echo /dev/null)" >"$(kept "$draft" suites.txt)"
}

from='' # the release whose dependencies were copied
python=$(interpreter)
name=$(name_of_release)
if [ ! -d "$releases/$name" ]; then
    echo "building $name with $python" >&2
    mkdir -p "$releases"
    draft=$releases/.draft-$name
    trap 'rm -rf "$draft"' EXIT
    rm -rf "$releases"/.draft-*
    environment
    finish
    mv -T "$draft" "$releases/$name"
fi
echo "$name"
