#!/bin/sh
# The command line as the service has it: the release in force, its state, its environment, and for root its secrets.
# What the caller's environment says beats what the service's says.
: "${STATE_DIRECTORY:=/var/lib/sexton}"
: "${CREDENTIALS_DIRECTORY:=/etc/sexton/credentials}"
export STATE_DIRECTORY
if [ -r "$CREDENTIALS_DIRECTORY" ]; then export CREDENTIALS_DIRECTORY; else unset CREDENTIALS_DIRECTORY; fi

take() { # take NAME=VALUE, as in an EnvironmentFile of systemd
    name=${1%%=*} value=${1#*=}
    case $name in "" | [0-9]* | *[!A-Za-z0-9_]*) return ;; esac
    case $value in \"*\" | \'*\') value=${value#?} value=${value%?} ;; esac
    eval "[ -n \"\${$name+set}\" ]" || export "$name=$value"
}
if [ -r /etc/sexton/environment ]; then
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in *=*) take "$line" ;; esac
    done </etc/sexton/environment
fi

exec "/opt/sexton/${SEXTON_RELEASE:+releases/}${SEXTON_RELEASE:-current}/bin/sexton" "$@"
