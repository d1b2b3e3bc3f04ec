#!/bin/sh
# ring, in one file: this text, then the program and Deno's runtime, both compressed.
#
# The first start unpacks them into a directory of the user's cache that only the user can enter;
# every start checks that they are there, whole, and nobody else's, and then becomes the program.
# The cache may be deleted at any time. Made by lib/build/self_extracting.ts.

content='@CONTENT@'         # SHA-256 of what is unpacked
head_bytes='@HEAD_BYTES@'   # this text, padded
packed_bytes='@PACKED_BYTES@' # the program, compressed; the runtime is the rest
program_bytes='@PROGRAM_BYTES@'
runtime_bytes='@RUNTIME_BYTES@'

self=$0
case $self in */*) ;; *) [ -f "./$self" ] && self=./$self || self=$(command -v -- "$self") ;; esac
user=$(id -u)

# Whether $1, or where it will be made, is the user's own, or a place that gives everyone their own.
is_own() {
  existing=$1
  until [ -e "$existing" ] || [ -L "$existing" ]; do
    existing=${existing%/*}
    existing=${existing:-/}
  done
  read -r mode links owner rest <<END
$(LC_ALL=C ls -lnd "$existing" 2>/dev/null)
END
  case $mode in d????????[tT]*) ;; *) [ "$owner" = "$user" ] ;; esac
}

# Whether directory $1 holds the program and the runtime, with their sizes, and it, what is in it
# and its parent are the user's own. One `ls`: a start should cost little.
is_whole() {
  {
    read -r mode links owner group size rest &&
      case $mode in drwx------*) [ "$owner" = "$user" ] ;; *) false ;; esac &&
      read -r mode links owner group size rest &&
      case $mode in d????-??-?*) [ "$owner" = "$user" ] ;; *) false ;; esac &&
      read -r mode links owner group size rest &&
      case $mode in -r-x------*) [ "$owner $size" = "$user $runtime_bytes" ] ;; *) false ;; esac &&
      read -r mode links owner group size rest &&
      case $mode in -r--------*) [ "$owner $size" = "$user $program_bytes" ] ;; *) false ;; esac
  } <<END
$(cd "$1" 2>/dev/null && LC_ALL=C ls -lnd . .. deno ring.js 2>/dev/null)
END
}

# Unpacks into directory $1. Each file is moved into place when it is complete and proven (gzip
# checks its CRC-32 and its length; the runtime has to run), so that of two first starts at the same
# moment both find a whole directory, and a broken one is mended under those that use it.
unpack() (
  umask 077
  mkdir -p "$1" && chmod 700 "${1%/*}" "$1" || exit 1
  new=$1/new.$$
  trap 'rm -rf "$new"' EXIT
  trap 'exit 1' HUP INT TERM
  find "$1" -name 'new.*' -prune -mtime +1 -exec rm -rf {} +
  rm -rf "$new" && mkdir "$new" || exit 1
  tail -c "+$((head_bytes + 1))" <"$self" | head -c "$packed_bytes" |
    gzip -dc >"$new/ring.js" || exit 1
  tail -c "+$((head_bytes + packed_bytes + 1))" <"$self" | gzip -dc >"$new/deno" || exit 1
  chmod 400 "$new/ring.js" && chmod 500 "$new/deno" || exit 1
  env -i DENO_DIR="$new" "$new/deno" --version >"$new/version" || exit 1
  for name in ring.js deno; do
    if [ -d "$1/$name" ] && [ ! -L "$1/$name" ]; then rm -rf "${1:?}/$name"; fi
    mv -f "$new/$name" "$1/$name" || exit 1
  done
)

# Becomes the program if directory $1 is whole, or can be made so; else returns, with the reason. The
# program's environment is what it may read, and nothing that would change what Deno does.
start() {
  directory=$1/$content
  shift
  if ! is_whole "$directory"; then
    if ! is_own "$directory"; then
      reason="$directory is not this user's own"
      return
    fi
    reason=$(unpack "$directory" 2>&1) || return
    reason="$directory is not this user's own, or not private"
    is_whole "$directory" || return
  fi
  exec env -i @ENVIRONMENT@ \
    DENO_DIR="$directory/deno_dir" DENO_NO_UPDATE_CHECK=1 \
    "$directory/deno" run @FLAGS@ \
    "$directory/ring.js" "$@"
}

case ${XDG_CACHE_HOME-} in /*) start "$XDG_CACHE_HOME/ring" "$@" ;; esac
case ${HOME-} in /*) start "$HOME/.cache/ring" "$@" ;; esac
case ${TMPDIR-} in /*) ;; *) TMPDIR=/tmp ;; esac
start "$TMPDIR/ring-$user" "$@"
echo "ring: Cannot unpack $self, $((runtime_bytes / 1000000)) MB, into a cache directory" \
  "(XDG_CACHE_HOME can name one): $(echo "$reason" | tail -n 1)." >&2
exit 1
