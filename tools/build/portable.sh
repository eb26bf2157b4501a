#!/bin/sh
# minictr in one file: this script, and behind it an archive of Deno and the program, which is unpacked
# once into a directory that is named by its digest. `head -n 90 minictr` shows all of the script.
digest=@DIGEST@ offset=@OFFSET@

start() {
  directory=$1
  shift
  export DENO_DIR="$directory/cache" DENO_V8_FLAGS=--no-lazy DENO_NO_UPDATE_CHECK=1
  exec "$directory/deno" run -A --quiet --no-config --no-lock --no-remote --no-npm --cached-only \
    "$directory/minictr.js" "$@"
}

# The common case starts no other program: /var/lib belongs to root, and so does what is there.
if [ -z "${MINICTR_PROGRAMS-}" ] && [ -e /var/lib/minictr/programs/$digest/cache/ready ]; then
  start /var/lib/minictr/programs/$digest "$@"
fi

fail() {
  echo "minictr: $*" >&2
  exit 125
}

# Directories that may hold unpacked programs, best first. Root trusts no directory of a user's.
places() {
  if [ -n "${MINICTR_PROGRAMS-}" ]; then
    echo "$MINICTR_PROGRAMS"
  elif [ "$(id -u)" = 0 ]; then
    echo /var/lib/minictr/programs
    echo /run/minictr/programs
  else
    echo /var/lib/minictr/programs
    [ -z "${HOME-}" ] || echo "${XDG_DATA_HOME:-$HOME/.local/share}/minictr/programs"
  fi
}

# A directory that nobody else can write to or put in place: made here, owned by this user, no link.
own() {
  (umask 022 && mkdir -p "$1") 2>/dev/null && [ -O "$1" ] && [ ! -L "$1" ] && [ -w "$1" ]
}

unpack() (
  umask 022
  set -e
  find "$1" -maxdepth 1 -name '.new.*' -mmin +60 -exec rm -rf {} + || true
  new=$(mktemp -d "$1/.new.XXXXXXXX")
  trap 'rm -rf "$new"' EXIT
  trap 'exit 129' HUP INT TERM
  tail -c +$offset "$0" >"$new/archive"
  sum=$(sha256sum <"$new/archive")
  [ "${sum%% *}" = $digest ] || fail "\"$0\" is damaged: its checksum is not the one it names"
  gzip -dc "$new/archive" >"$new/archive.tar"
  tar -x -f "$new/archive.tar" -C "$new" --no-same-owner --no-same-permissions
  rm "$new/archive" "$new/archive.tar"
  chmod 755 "$new"
  # Another first run may have been faster; then its directory is as good.
  mv -T "$new" "$1/$digest" 2>/dev/null || [ -x "$1/$digest/deno" ]
)

# What V8 makes of the program is kept with it, for the path that it has now.
prepare() {
  [ ! -e "$1/cache/ready" ] && [ -w "$1" ] || return 0
  "$1/deno" --version >/dev/null 2>&1 ||
    fail "Deno does not run here: it needs glibc 2.27 or later (on Alpine: apk add gcompat libgcc)"
  (
    umask 022
    export DENO_DIR="$1/cache" DENO_V8_FLAGS=--no-lazy DENO_NO_UPDATE_CHECK=1
    for command in run rootfs; do # One that the first file has, one that it leaves to the whole.
      "$1/deno" run -A --quiet --no-config --no-lock --no-remote --no-npm --cached-only \
        --preload "$1/stay.js" "$1/minictr.js" $command --help </dev/null >/dev/null 2>&1 || true
    done
    : >"$1/cache/ready"
  ) || true
}

tried=
while read -r place; do
  [ -n "$place" ] || continue
  directory=$place/$digest
  if [ ! -x "$directory/deno" ]; then
    tried="$tried \"$place\""
    own "$place" || continue
    unpack "$place" || exit 125
  fi
  [ ! -O "$place" ] || prepare "$directory"
  found=$directory
  break
done <<END
$(places)
END
[ -n "${found-}" ] || fail "cannot unpack into$tried: name a directory of yours in MINICTR_PROGRAMS"
start "$found" "$@"
