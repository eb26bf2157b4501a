#!/bin/sh
# minictr in one file: this script, and behind it an archive of Deno and the program, which is unpacked
# once into a directory that is named by its digest. `head -n 180 minictr` shows all of the script.
digest=@DIGEST@ offset=@OFFSET@ machine=@MACHINE@

@START@

export MINICTR_FILE="$0"

# The common case starts no other program: /var/lib belongs to root, and so does what is there. A place
# that was named must be this user's.
programs=${MINICTR_PROGRAMS:-/var/lib/minictr/programs}
if [ -e "$programs/$digest/cache/ready" ]; then
  if [ -z "${MINICTR_PROGRAMS-}" ] || { [ -O "$programs" ] && [ -O "$programs/$digest" ]; }; then
    start "$programs/$digest" "$@"
  fi
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

# Whether what lies here was put there by this user, or by root.
trusted() {
  [ ! -L "$1" ] && { [ -O "$1" ] || [ "$(stat -c %u "$1" 2>/dev/null)" = 0 ]; }
}

unpack() ( # PLACE
  umask 022
  find "$1" -maxdepth 1 \( -name '.new.*' -o -name '.old.*' \) -mmin +60 -exec rm -rf {} + || true
  new=$(mktemp -d "$1/.new.XXXXXXXX") || exit 125
  trap 'rm -rf "$new"' EXIT
  trap 'exit 129' HUP INT TERM
  full="cannot unpack into \"$1\": it needs 250 MB there, see \`df -h $1\`; MINICTR_PROGRAMS names another place"
  tail -c +$offset "$0" >"$new/archive" || fail "$full"
  sum=$(sha256sum <"$new/archive")
  [ "${sum%% *}" = $digest ] || fail "\"$0\" is damaged: its checksum is not the one it names"
  # What is not whole must not get its name: `set -e` is off in a function behind which "||" stands.
  gzip -dc "$new/archive" >"$new/archive.tar" &&
    rm "$new/archive" &&
    tar -x -f "$new/archive.tar" -C "$new" --no-same-owner --no-same-permissions &&
    rm "$new/archive.tar" &&
    chmod 755 "$new" || fail "$full"
  # Another first run may have been faster; then its directory is as good.
  mv -T "$new" "$1/$digest" 2>/dev/null || [ -x "$1/$digest/deno" ]
)

# Runs a program without its end, after which Deno would not store what V8 has compiled.
compile() { # DIRECTORY PROGRAM ARGUMENT...
  directory=$1
  shift
  "$directory/deno" run $how --preload "$directory/stay.js" "$@" </dev/null >/dev/null 2>&1 || true
}

# What V8 makes of the program is kept with it, for the path that it has now.
prepare() {
  [ ! -e "$1/cache/ready" ] && [ -w "$1" ] || return 0
  status=0
  "$1/deno" --version >/dev/null 2>&1 || status=$?
  case $status in
    0) ;;
    126) fail "nothing may be executed in \"$1\": its filesystem is mounted noexec, or a policy forbids it; name another directory in MINICTR_PROGRAMS" ;;
    *) fail "Deno does not run here (status $status): it needs glibc 2.27 or later (on Alpine: apk add gcompat libgcc)" ;;
  esac
  (
    umask 022
    for words in @COMMANDS@ info; do
      choose "$1" $words
      [ ! -e "$1/$words.pieces.js" ] || program=$1/$words.pieces.js
      compile "$1" "$program" $words --help
    done
    # By a Deno with a cache of its own, which is not needed again. What it cannot empty costs time alone.
    unset DENO_V8_FLAGS
    apart=$(mktemp -d "$1/cache/new.XXXXXXXX")
    DENO_DIR=$apart "$1/deno" run $how "$1/settle.js" "$1/cache/hot" "$1/cache/whole" 2>/dev/null
    rm -rf "$apart"
    : >"$1/cache/ready"
  ) || true
}

# Whether a program runs, or is to run when a container ends: its path is in the supervisor then, which
# is a program in memory. Of each only what a supervisor may have: containers have such programs too.
used() { # DIGEST
  links=$(ls -l /proc/[0-9]*/exe 2>/dev/null) || true
  case $links in *"$1/deno"*) return 0 ;; esac
  supervisors=$(echo "$links" | sed -n 's|.* \(/proc/[0-9]*/exe\) -> /memfd:.*|\1|p')
  [ -n "$supervisors" ] &&
    head -c 262144 $supervisors 2>/dev/null | tr '\0' '\n' | grep -qF "$1/start"
}

# Removes what was unpacked before, but for the newest of it, to which one may want to go back, and
# what is used. By rename: another first run finds a program whole or not at all.
tidy() ( # PLACE
  [ -e /proc/self/exe ] && cd "$1" || exit 0
  ls -t | grep -xE '[0-9a-f]{64}' | grep -vx $digest | tail -n +2 | while read -r old; do
    [ -f "$old/stay.js" ] && [ -n "$(find "$old" -maxdepth 0 -mmin +60)" ] || continue
    ! used "$old" && mv -T "$old" ".old.$old" 2>/dev/null || continue
    # It may have been started in between.
    if used "$old"; then mv -T ".old.$old" "$old"; else rm -rf ".old.$old"; fi
  done
)

missing=
for program in uname id mktemp tail sha256sum gzip tar find stat ls head tr sed grep; do
  command -v $program >/dev/null || missing="$missing $program"
done
[ -z "$missing" ] || fail "the first run, which unpacks, needs programs that are not here:$missing"
[ "$(uname -m)" = $machine ] || fail "this file is for $machine, and this machine is $(uname -m)"

tried= unpacked=
while read -r place; do
  [ -n "$place" ] || continue
  directory=$place/$digest
  if [ ! -x "$directory/deno" ]; then
    tried="$tried \"$place\""
    own "$place" || continue
    unpack "$place" || exit 125
    unpacked=$place
  elif ! { trusted "$place" && trusted "$directory"; }; then
    tried="$tried \"$place\""
    continue
  fi
  [ ! -O "$place" ] || prepare "$directory"
  found=$directory
  break
done <<END
$(places)
END
[ -n "${found-}" ] || fail "cannot unpack into$tried: name a directory of yours in MINICTR_PROGRAMS"
[ -z "$unpacked" ] || tidy "$unpacked"
start "$found" "$@"
